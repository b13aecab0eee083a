"""The report's values, as they stand in ``report.json``. docs/audit.md has them in words.

Everywhere: None is what is not known or does not apply, times are seconds since the epoch, text that somebody else
wrote is cut to a length and otherwise as it was found.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import JsonValue, PlainSerializer

from pnyx_contracts.entry import EntryKind
from pnyx_contracts.types import Address, Bytes32, ProposalKey, Uint, Value
from pnyx_policies.audit.label import Label
from pnyx_policies.audit.story import Story
from pnyx_policies.verify.verdict import Verdict

KindName = Annotated[EntryKind, PlainSerializer(lambda k: k.name.lower(), return_type=str, when_used="json")]
"""In JSON its name in lower case."""


class ProposalRow(Value):
    """What an entry is about, as its governor announced it; as the record says it, where the chain shows none."""

    key: ProposalKey
    title: str
    created_block: int
    created_time: int | None
    vote_start: Uint
    vote_end: Uint
    from_record: bool = False


class CastRow(Value):
    """The vote as the governor's event has it."""

    support: int
    vote: str | None
    """The word for `support`; None where this governor's numbers are not known."""
    weight: Uint
    reason: str
    block: int
    time: int
    transaction: Bytes32


class GasRow(Value):
    """What the transactions of one decision took. None where a receipt is not there, or does not say."""

    transactions: tuple[Bytes32, ...]
    """Those that no earlier row has counted."""
    shared: bool = False
    """Another row has counted one of its transactions."""
    gas_used: int | None
    cost_wei: Uint | None
    """Gas times the price that was paid, and the fee for data where the chain has one (``l1Fee``)."""


class NoteRow(Value):
    """A verdict that is not "matches", as in the verifier's report."""

    step: int
    title: str
    status: str
    where: str
    reason: str
    expected: str
    seen: str

    @classmethod
    def of(cls, verdict: Verdict) -> NoteRow:
        return cls(
            step=int(verdict.step), title=verdict.step.title, status=verdict.status.value, where=verdict.where,
            reason=verdict.reason, expected=verdict.expected, seen=verdict.seen,
        )  # fmt: skip


class CheckRow(Value):
    """What the check says about one entry."""

    label: Label
    counts: dict[str, int]
    """Verdicts by status; only those that there are."""
    notes: tuple[NoteRow, ...] = ()


class RemarkRow(Value):
    """What somebody wrote about an entry on chain. Anybody can."""

    author: Address
    verdict: str
    """``checked``, ``differs``, ``withheld``, ``answer``."""
    hash: Bytes32
    uri: str
    block: int
    time: int


class Answer(Value):
    """What became of something that an entry left open."""

    word: str
    """``voted``, ``rejected``, ``expired``, ``held``, ``decided``, ``skipped``, ``missed``, as the last entry after it
    says; else ``open`` or ``closed``, as the vote is, or ``unknown``."""
    seq: int | None = None
    """The entry that says so."""


class DecisionRow(Value):
    """One entry about a proposal."""

    seq: int
    kind: KindName
    epoch: int
    block: int
    time: int
    transaction: Bytes32
    record_root: Bytes32
    is_first: bool
    """No earlier entry is about this proposal."""
    proposal: ProposalRow | None
    support: int | None
    """What a VOTE entry announces."""
    announced: str | None
    """The word for it."""
    cast: CastRow | None
    voided_by: int | None
    """The entry that took the vote back."""
    became: Answer | None
    """For a HOLD that waits for people; a person's rejection and a wait that expired, which are HOLDs too, wait
    for nobody."""
    story: Story
    seconds_to_decision: int | None
    """From the block of the proposal to that of the entry."""
    seconds_to_vote: int | None
    decision_share: int | None
    """How much of the voting period had passed at the entry, in hundredths of a percent; 0 before it began."""
    vote_share: int | None
    gas: GasRow
    remarks: tuple[RemarkRow, ...] = ()
    check: CheckRow


class ConfigurationRow(Value):
    """A declaration, and the document behind its hash."""

    epoch: int
    config_hash: Bytes32
    governors: tuple[Address, ...]
    evidence_uri: str
    announced_time: int | None
    """None for the first one, which was registered."""
    from_block: int
    from_time: int
    document: JsonValue = None
    why_no_document: str = ""
    changed: tuple[str, ...] = ()
    """Members of the document that differ from those before."""


class EventRow(Value):
    """An entry that is about no proposal: configuration, administration of a gate, succession."""

    seq: int
    kind: KindName
    block: int
    time: int


class ProposalNote(Value):
    """A verdict about a proposal that has no entry, or about a vote without one."""

    proposal: str
    title: str
    note: NoteRow
