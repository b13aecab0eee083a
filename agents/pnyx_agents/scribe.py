"""The steward's pen: entries and votes on chain, through sender and signer, read back before anybody calls them
done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pnyx_agents.reviewer import Governed
from pnyx_agents.steward import Landed
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.types import Address, ProposalState, to_hex
from pnyx_policies.bundle import Bundle
from pnyx_policies.entitlement import Entitlement
from pnyx_tools.reader import RevertedError
from pnyx_tools.recorder import Case, Writer, record_note
from pnyx_tools.sender import GivenUpError
from pnyx_tools.voter import Booth, vote


@dataclass(frozen=True, slots=True)
class ChainScribe:
    """Writes for one writer."""

    writer: Writer
    governors: Mapping[Address, Governed]

    def write(self, bundle: Bundle, what: Entitlement) -> Landed:
        """Safe to run again: what landed before is found, not repeated."""
        case = Case.of(bundle)
        if what.kind is not EntryKind.VOTE:
            entry = record_note(self.writer, case, what.kind)
            return Landed(entry_transaction=to_hex(entry.transaction_hash))
        governed = self.governors[case.key.governor]
        try:
            voted = vote(self.writer, Booth(governed.adapter, governed.profile), case)
        except (GivenUpError, RevertedError) as error:
            if self._is_open(governed, case):
                raise GivenUpError(f"the vote on {case.key} does not land yet: {error.message}") from error
            return Landed(too_late=True)
        return Landed(
            entry_transaction=to_hex(voted.entry.transaction_hash),
            vote_transaction=to_hex(voted.cast.transaction_hash) if voted.cast else "",
        )

    def _is_open(self, governed: Governed, case: Case) -> bool:
        read = governed.adapter.read_state(governed.profile, case.key.proposal_id)
        return self.writer.chain.read(read) is ProposalState.ACTIVE
