"""The steward's pen: entries and votes on chain, through sender and signer, read back before anybody calls them
done.

Another program may have the same key and write into the same log: a copy of the agent's folder that somebody started,
this agent before its memory was restored from a backup. What it decided stands, and nothing is added to it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from pnyx_agents.reviewer import Governed
from pnyx_agents.steward import Landed, StrandedVoteError
from pnyx_contracts.entry import Entry, EntryKind
from pnyx_contracts.errors import PnyxError, RefusedError
from pnyx_contracts.types import Address, Proposal, ProposalKey, ProposalState, to_hex
from pnyx_policies.bundle import Bundle
from pnyx_policies.entitlement import OPEN_STATES, Entitlement
from pnyx_tools.atomic import UndelegatedError
from pnyx_tools.reader import RevertedError
from pnyx_tools.recorder import Case, Writer, find_entries, find_entry, purpose, record_note
from pnyx_tools.sender import Effort, FailedTransactionError, GivenUpError, OutboxPort
from pnyx_tools.signer.protocol import NotYetError
from pnyx_tools.voter import Booth, Voted, find_vote, vote

DECIDES: Final = frozenset({EntryKind.VOTE, EntryKind.SKIP, EntryKind.DECISION, EntryKind.MISSED})
"""Entries that leave nothing to decide. A HOLD leaves it to people."""

logger = logging.getLogger("pnyx.scribe")


@dataclass(frozen=True, slots=True)
class ChainScribe:
    """Writes for one writer. `outbox` is the sender's, `record` what is kept here under a record root."""

    writer: Writer
    governors: Mapping[Address, Governed]
    outbox: OutboxPort
    record: Callable[[bytes], Bundle | None] = lambda _root: None

    def write(self, bundle: Bundle, what: Entitlement) -> Landed:
        """Safe to run again: what landed before is found, not repeated.

        Raises `GivenUpError` or `NotYetError` when it should be tried again, `RefusedError` when the proposal needs a
        new look.
        """
        case = Case.of(bundle)
        try:
            return self._decided_elsewhere(case) or self._write(case, what)
        except RefusedError as error:  # it may have come in between
            landed = self._decided_elsewhere(case)
            if landed is None:
                raise
            logger.warning("refused, because another program was faster", extra={"error": error.message})
            return landed

    def _write(self, case: Case, what: Entitlement) -> Landed:
        if what.kind is EntryKind.VOTE:
            return _landed(self._vote(case))
        entry = record_note(self.writer, case, what.kind)
        return Landed(entry_transaction=to_hex(entry.transaction_hash), block=entry.block_number)

    def _decided_elsewhere(self, case: Case) -> Landed | None:
        """What another program with our key decided about this proposal; None while it decided nothing.

        A vote that it announced and did not cast is cast here, where its record is; else this raises `GivenUpError`
        while it can still be cast, and `PnyxError` when it was not.
        """
        entries = find_entries(self.writer, case.dossier.proposal)
        if any(entry.record_root == case.bundle.record_root for entry in entries):
            return None
        entry = next((e for e in entries if e.kind in DECIDES and not self._was_signed_here(case, e)), None)
        if entry is None:
            return None
        void = next((e for e in entries if e.kind is EntryKind.VOID and e.record_root == entry.record_root), None)
        is_open = entry.kind is EntryKind.VOTE and void is None
        landed = _landed(self._announced_elsewhere(case, entry) if is_open else Voted(entry, void=void))
        by_another = f"{entry.kind.name} {entry.seq}, record root {to_hex(entry.record_root)}"
        return landed.model_copy(update={"by_another": by_another})

    def _was_signed_here(self, case: Case, entry: Entry) -> bool:
        steps = (f"entry-{entry.kind.name}", "vote")
        return any(self.outbox.load(case.purpose(step, entry.record_root)) is not None for step in steps)

    def _announced_elsewhere(self, case: Case, entry: Entry) -> Voted:
        governed = self.governors[case.key.governor]
        booth = Booth(governed.adapter, governed.profile)
        cast = find_vote(self.writer, booth, case, entry.block_number)
        if cast is not None:
            return Voted(entry, cast=cast)
        what = f"another program with this agent's key announced a vote on {case.key} (entry {entry.seq})"
        record = self.record(entry.record_root)
        if record is not None and record.record_root == entry.record_root:
            return self._cast_for_another(booth, Case.of(record), what)
        if self._is_open(governed, case):
            raise GivenUpError(
                f"{what} and has not cast it yet", hint="if that program is gone, copy its data/bundles into those here"
            )
        raise PnyxError(f"{what} and did not cast it", hint="tell the members, and stop that program")

    def _cast_for_another(self, booth: Booth, case: Case, what: str) -> Voted:
        """Whoever of the two is faster: it is the same vote, of the same key."""
        try:
            return vote(self.writer, booth, case)
        except NotYetError:
            raise
        except RefusedError as error:
            raise GivenUpError(f"{what}, which cannot be carried out here: {error.message}") from error

    def stranded(self, proposal: Proposal) -> list[bytes]:
        """See `Scribe.stranded`."""
        entries = find_entries(self.writer, proposal)
        void = {entry.record_root for entry in entries if entry.kind is EntryKind.VOID}
        return [e.record_root for e in entries if e.kind.is_terminal and e.record_root not in void]

    def take_back(self, bundle: Bundle) -> Landed:
        """See `Scribe.take_back`."""
        entry = record_note(self.writer, Case.of(bundle), EntryKind.VOID)
        return Landed(entry_transaction=to_hex(entry.transaction_hash), block=entry.block_number, is_void=True)

    def is_final(self, block_number: int) -> bool:
        return self.writer.is_final(block_number)

    def _vote(self, case: Case) -> Voted:
        governed = self.governors[case.key.governor]
        try:
            return vote(self.writer, Booth(governed.adapter, governed.profile), case)
        except (GivenUpError, FailedTransactionError, RevertedError) as error:
            state = self._state(governed, case)
            if state in OPEN_STATES or self._is_announced(case):
                raise GivenUpError(f"the vote on {case.key} does not land yet: {error.message}") from error
            raise RefusedError(f"the proposal is {state.name.lower()}: the decided vote could not land") from error
        except NotYetError:
            raise
        except RefusedError as error:
            if self._is_announced(case) or (
                self._is_open(governed, case) and self.was_signed(case.key, case.bundle.record_root)
            ):
                raise _waiting(case, error) from error
            raise

    def was_signed(self, key: ProposalKey, record_root: bytes) -> bool:
        """Then the signer gives no vote for another record, and what it signed may still land."""
        kept = (self.outbox.load(purpose(step, key, record_root)) for step in ("vote", "entry-VOTE"))
        return any(content is not None and Effort.model_validate_json(content).attempts for content in kept)

    def _is_announced(self, case: Case) -> bool:
        """Its entry is on chain: its vote follows, or the VOID entry that says why not. Nothing else fits there."""
        return find_entry(self.writer, case, EntryKind.VOTE) is not None

    def _is_open(self, governed: Governed, case: Case) -> bool:
        """Or it will be: a reorganisation can put it before its time again."""
        return self._state(governed, case) in OPEN_STATES

    def _state(self, governed: Governed, case: Case) -> ProposalState:
        return self.writer.chain.read(governed.adapter.read_state(governed.profile, case.key.proposal_id))


def _waiting(case: Case, error: RefusedError) -> GivenUpError:
    """A signed vote waits for what was refused now."""
    why = f"the vote on {case.key} is signed, there is no other: {error.message}"
    if isinstance(error, UndelegatedError):
        return StrandedVoteError(f"{why}. To do: {error.hint}", error.account, error.runs)
    return GivenUpError(why)


def _landed(voted: Voted) -> Landed:
    places = [place for place in (voted.entry, voted.cast, voted.void) if place is not None]
    return Landed(
        entry_transaction=to_hex(voted.entry.transaction_hash),
        vote_transaction=to_hex(voted.cast.transaction_hash) if voted.cast else "",
        block=max(place.block_number for place in places),
        is_void=voted.void is not None,
    )
