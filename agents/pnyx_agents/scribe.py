"""The steward's pen: entries and votes on chain, through sender and signer, read back before anybody calls them
done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pnyx_agents.reviewer import Governed
from pnyx_agents.steward import Landed, StrandedVoteError
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import RefusedError
from pnyx_contracts.types import Address, ProposalState, to_hex
from pnyx_policies.bundle import Bundle
from pnyx_policies.entitlement import Entitlement
from pnyx_tools.atomic import UndelegatedError
from pnyx_tools.reader import RevertedError
from pnyx_tools.recorder import Case, Writer, find_entry, record_note
from pnyx_tools.sender import Effort, FailedTransactionError, GivenUpError, OutboxPort
from pnyx_tools.signer.protocol import NotYetError
from pnyx_tools.voter import Booth, Voted, vote


@dataclass(frozen=True, slots=True)
class ChainScribe:
    """Writes for one writer. `outbox` is the sender's."""

    writer: Writer
    governors: Mapping[Address, Governed]
    outbox: OutboxPort

    def write(self, bundle: Bundle, what: Entitlement) -> Landed:
        """Safe to run again: what landed before is found, not repeated.

        Raises `GivenUpError` or `NotYetError` when it should be tried again, `RefusedError` when the proposal needs a
        new look.
        """
        case = Case.of(bundle)
        if what.kind is EntryKind.VOTE:
            return _landed(self._vote(case))
        entry = record_note(self.writer, case, what.kind)
        return Landed(entry_transaction=to_hex(entry.transaction_hash), block=entry.block_number)

    def is_final(self, block_number: int) -> bool:
        return self.writer.is_final(block_number)

    def _vote(self, case: Case) -> Voted:
        governed = self.governors[case.key.governor]
        try:
            return vote(self.writer, Booth(governed.adapter, governed.profile), case)
        except (GivenUpError, FailedTransactionError, RevertedError) as error:
            if self._is_open(governed, case) or self._is_announced(case):
                raise GivenUpError(f"the vote on {case.key} does not land yet: {error.message}") from error
            raise RefusedError("the vote closed before the decided vote could land") from error
        except NotYetError:
            raise
        except RefusedError as error:
            if self._is_announced(case) or (self._is_open(governed, case) and self.was_signed(case.bundle)):
                raise _waiting(case, error) from error
            raise

    def was_signed(self, bundle: Bundle) -> bool:
        """Then the signer gives no vote for another bundle, and what it signed may still land."""
        case = Case.of(bundle)
        kept = (self.outbox.load(case.purpose(step)) for step in ("vote", "entry-VOTE"))
        return any(content is not None and Effort.model_validate_json(content).attempts for content in kept)

    def _is_announced(self, case: Case) -> bool:
        """Its entry is on chain: its vote follows, or the VOID entry that says why not. Nothing else fits there."""
        return find_entry(self.writer, case, EntryKind.VOTE) is not None

    def _is_open(self, governed: Governed, case: Case) -> bool:
        read = governed.adapter.read_state(governed.profile, case.key.proposal_id)
        return self.writer.chain.read(read) is ProposalState.ACTIVE


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
