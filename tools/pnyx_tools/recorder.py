"""Writes an entry into the decision log, and reads it back.

1. Is it there already? Then nothing is sent: a retry is harmless.
2. The entry, with the number that the log will give it.
3. Its receipt, and in it the entry as the log emitted it, compared with what was meant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pnyx_contracts.decision_log import ENTRY_TOPIC, decode_entry, read_state, subject
from pnyx_contracts.entry import Entry, EntryKind
from pnyx_contracts.errors import DecodingError, DiffersError
from pnyx_contracts.governors import TransactionCall
from pnyx_contracts.types import Log, Proposal, ProposalKey, to_hex
from pnyx_policies.bundle import Bundle
from pnyx_policies.dossier import Dossier
from pnyx_tools.follow import Finality
from pnyx_tools.reader import ChainReader
from pnyx_tools.safe.owners import Owners
from pnyx_tools.sender import Errand, Sender
from pnyx_tools.signer.payload import NO_ACTION, Desk, Roots, entry
from pnyx_tools.signer.protocol import SignEntry, SignRequest, Ticket
from pnyx_tools.signer.witness import earliest_entry, entries_about
from pnyx_tools.wire import parse_logs


@dataclass(frozen=True, slots=True)
class Writer:
    """Whose entries are written, and how."""

    chain: ChainReader
    sender: Sender
    desk: Desk
    finality: Finality
    """What following goes by: from there on no reorganisation is feared."""
    owners: Owners | None = None
    """Of the Safe that casts the votes, where the writer does not."""

    def next_seq(self) -> int:
        return self.chain.read(read_state(self.desk.log, self.desk.writer)).seq + 1

    def is_final(self, block_number: int) -> bool:
        """By the depth, or the tag, that following goes by."""
        if isinstance(self.finality, str):
            return self.chain.block(self.finality).number >= block_number
        return self.chain.block("latest").number - block_number >= self.finality


@dataclass(frozen=True, slots=True)
class Case:
    """A sealed decision, ready to be written."""

    bundle: Bundle
    dossier: Dossier
    text: str
    """The bundle's bytes, as the signer gets them."""

    @classmethod
    def of(cls, bundle: Bundle) -> Case:
        return cls(bundle, bundle.dossier, bundle.to_bytes().decode())

    @property
    def key(self) -> ProposalKey:
        return self.dossier.proposal.key

    @property
    def roots(self) -> Roots:
        return Roots(record_root=self.bundle.record_root, prompt_hash=self.bundle.prompt_hash)

    def purpose(self, what: str, record_root: bytes | None = None) -> str:
        """Names an errand in the outbox: one per decision (this one, or another about the same proposal) and step."""
        return purpose(what, self.key, record_root or self.bundle.record_root)


def purpose(what: str, key: ProposalKey, record_root: bytes) -> str:
    """See `Case.purpose`; also for a record that is not at hand."""
    return f"{what}:{key}:{to_hex(record_root)}"


def record_note(writer: Writer, case: Case, kind: EntryKind) -> Entry:
    """An entry that casts no vote. Raises what `Sender.send` raises, `DiffersError` when another entry landed."""
    return record(writer, case, kind, NO_ACTION, is_wanted=lambda: True)


def record(
    writer: Writer,
    case: Case,
    kind: EntryKind,
    action: bytes,
    is_wanted: Callable[[], bool],
    seconds_left: Callable[[], float | None] = lambda: None,
    follows: Callable[[], TransactionCall] | None = None,
) -> Entry:
    """Any single entry; through a gate none of kind VOTE. `seconds_left` is asked until it would be too late.
    `follows`: the vote that it announces, where the same key pays for that.
    """
    known = find_entry(writer, case, kind)
    if known is not None:
        return known

    def prepare() -> tuple[TransactionCall, Callable[[Ticket], SignRequest]]:
        seq = writer.next_seq()
        call = entry(writer.desk, seq, kind, case.key, action, case.roots)
        return call, lambda ticket: SignEntry(bundle=case.text, kind=kind, expected_seq=seq, ticket=ticket)

    is_vote = kind is EntryKind.VOTE
    receipt = writer.sender.send(
        Errand(
            case.purpose(f"entry-{kind.name}"),
            prepare,
            is_wanted,
            is_urgent=is_vote,
            seconds_left=seconds_left,
            charged_to=str(case.key) if is_vote else "",
            follows=follows,
        )
    )
    return read_back_entry(writer, case, kind, action, receipt)


def find_entry(writer: Writer, case: Case, kind: EntryKind) -> Entry | None:
    """The entry of this very decision, if it is on chain."""
    entries = find_entries(writer, case.dossier.proposal)
    return next((e for e in entries if e.kind is kind and e.record_root == case.bundle.record_root), None)


def find_entries(writer: Writer, proposal: Proposal) -> tuple[Entry, ...]:
    """All entries of the writer about a proposal, whoever made them, in chain order."""
    start, head = earliest_entry(proposal), writer.chain.block("latest").number
    return entries_about(writer.chain, writer.desk.log, writer.desk.writer, proposal.key, start, head)


def read_back_entry(writer: Writer, case: Case, kind: EntryKind, action: bytes, receipt: dict[str, Any]) -> Entry:
    """The one entry of `writer` in a receipt. Raises `DiffersError` with both sides when it is not the one meant."""
    found = [
        decode_entry(log)
        for log in receipt_logs(receipt)
        if log.address == writer.desk.log and log.topics[:1] == (ENTRY_TOPIC,)
    ]
    own = [e for e in found if e.writer == writer.desk.writer]
    if len(own) != 1:
        raise DiffersError(f"transaction {receipt['transactionHash']}: expected one entry, found {len(own)}")
    meant = (kind, subject(case.key), case.bundle.prompt_hash, case.bundle.record_root, action)
    landed = (own[0].kind, own[0].subject, own[0].prompt_hash, own[0].record_root, own[0].action)
    for name, expected, actual in zip(
        ("kind", "subject", "prompt hash", "record root", "action"), meant, landed, strict=True
    ):
        if expected != actual:
            raise DiffersError(
                f"transaction {receipt['transactionHash']}: the entry's {name} is {_shown(actual)}, "
                f"it should be {_shown(expected)}"
            )
    return own[0]


def receipt_logs(receipt: dict[str, Any]) -> list[Log]:
    """Raises `DecodingError`."""
    try:
        return parse_logs(receipt["logs"])
    except (ValueError, TypeError, KeyError) as error:
        raise DecodingError(f"a receipt with malformed logs: {error}", hint="use another node") from None


def _shown(value: object) -> str:
    return to_hex(value) if isinstance(value, bytes) else str(value)
