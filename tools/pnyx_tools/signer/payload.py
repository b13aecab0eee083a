"""The calls that a transaction may carry: four, and no others; and what a Safe's owners are asked to sign. Pure.

The signer builds them from a judged bundle; the daemon builds the same ones to estimate gas before it asks.
"""

from __future__ import annotations

from dataclasses import dataclass

from pnyx_contracts.decision_log import encode_gate_note, encode_gate_vote, encode_record, subject, vote_action
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile, TransactionCall
from pnyx_contracts.safe import SafeTx
from pnyx_contracts.types import ProposalKey, Vote
from pnyx_tools.signer.settings import WriterKind

NO_ACTION = bytes(32)
"""Action of an entry that casts no vote."""


@dataclass(frozen=True, slots=True)
class Roots:
    """The two hashes of an entry, recomputed from a bundle."""

    record_root: bytes
    prompt_hash: bytes


@dataclass(frozen=True, slots=True)
class Desk:
    """Where entries of one writer go."""

    writer_kind: WriterKind
    writer: str
    log: str
    safe: str | None = None
    """Casts the votes that this writer announces, by the hands of its owners."""

    @property
    def voter(self) -> str:
        return self.safe or self.writer


def vote_with_entry(
    desk: Desk, expected_seq: int, key: ProposalKey, support: int, roots: Roots, reason: str
) -> TransactionCall:
    """Entry and vote in one transaction: of the gate, or of the account to itself."""
    data = encode_gate_vote(expected_seq, key, support, roots.prompt_hash, roots.record_root, reason)
    return TransactionCall(desk.writer, data)


def entry(
    desk: Desk, expected_seq: int, kind: EntryKind, key: ProposalKey, action: bytes, roots: Roots
) -> TransactionCall:
    """An entry alone: through the gate, else straight into the log."""
    words = (expected_seq, kind, subject(key), roots.prompt_hash, roots.record_root, action)
    if desk.writer_kind is WriterKind.GATE:
        return TransactionCall(desk.writer, encode_gate_note(*words))
    return TransactionCall(desk.log, encode_record(*words))


def entry_action(kind: EntryKind, support: int | None) -> bytes:
    """`vote_action` for kind VOTE, which needs `support`; else nothing was done."""
    return vote_action(support) if kind is EntryKind.VOTE and support is not None else NO_ACTION


def ballot(
    adapter: GovernorAdapter, profile: GovernorProfile, key: ProposalKey, vote: Vote, reason: str
) -> TransactionCall:
    """The vote of a plain key, or of a Safe."""
    return adapter.encode_vote(profile, key.proposal_id, vote, reason)


def safe_tx(chain_id: int, safe: str, call: TransactionCall, nonce: int) -> SafeTx:
    """A call as the owners of a Safe sign it."""
    return SafeTx(chain_id=chain_id, safe=safe, to=call.to, value_wei=call.value_wei, data=call.data, nonce=nonce)
