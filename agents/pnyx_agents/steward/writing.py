"""What a record entitles to is written on chain, read back, and confirmed; what was written in vain is taken back."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from pydantic import JsonValue, TypeAdapter

from pnyx_agents.steward.clerk import Clerk
from pnyx_agents.steward.pen import Landed, Scribe, StrandedVoteError
from pnyx_agents.steward.review import Review
from pnyx_agents.steward.steps import NotFinalError, Place, StepFailedError, Steps
from pnyx_agents.wording import About, in_words, kind_of
from pnyx_contracts.errors import PnyxError, RefusedError
from pnyx_contracts.types import Proposal, to_hex
from pnyx_policies.bundle import Bundle
from pnyx_policies.dossier import Dossier
from pnyx_policies.entitlement import Entitlement, entitlement
from pnyx_tools.journal import Stage
from pnyx_tools.safe.owners import WaitsForOwnersError

logger = logging.getLogger("pnyx.steward")


class Written(StrEnum):
    """What became of an entry."""

    OURS = "ours"
    ANOTHERS = "another's"
    """Another program with our key was faster."""
    HELD_BACK = "held back"
    """All votes are held, and nothing was signed for this one: people can still reject it."""


@dataclass(frozen=True, slots=True)
class Writing:
    """`scribe` is None for a local record only (observe mode without a key)."""

    scribe: Scribe | None
    clerk: Clerk
    review: Review

    def await_settled(self, dossier: Dossier, place: Place) -> None:
        """The review can begin at once; what it leads to is written when no reorganisation can take away any more what
        it speaks of, the proposal and the block at which that was looked at. Half of the time to vote is enough to wait
        for that.
        """
        proposal, seen_at = dossier.proposal, dossier.state.block

        def settled() -> JsonValue:
            case, reviewer = self.clerk.case(proposal), self.review.reviewer
            if case is not None and not case.present:
                raise NotFinalError(f"{proposal.key} is gone; it may come again")
            if not reviewer.is_on_chain(seen_at):
                return None  # it is reviewed again
            last = max(self.clerk.newest(proposal).created_block, seen_at.number)
            if not self._is_final(last) and not self._is_pressing(proposal):
                raise NotFinalError(f"{proposal.key} was looked at in block {last}")
            return None

        place.run("settled", settled)

    def _is_pressing(self, proposal: Proposal) -> bool:
        left = self.review.reviewer.time_left(proposal.key).ticks
        return 0 < 2 * left < proposal.vote_end - proposal.vote_start

    def write(self, bundle: Bundle, place: Place) -> Written:
        """The entry, and the vote when it is one. The record is stored before anything on chain speaks of it."""
        dossier, what = bundle.dossier, entitlement(bundle.dossier)

        def write() -> JsonValue:
            if what.vote is not None and self._is_held_back(bundle):
                return Written.HELD_BACK
            if what.vote is not None and self.clerk.stage(dossier.proposal) is not Stage.PROPOSED:
                self.clerk.note_voting(dossier, what)
            landed = self._written(bundle, what)
            self.clerk.note_landed(dossier, what, landed)
            return Written.ANOTHERS if landed.by_another else Written.OURS

        return Written(str(place.run("write", write)))

    def _is_held_back(self, bundle: Bundle) -> bool:
        """What is signed may land whatever people say now, so that one goes on waiting where it is."""
        return self.clerk.held() is not None and not self._was_signed(bundle.dossier.proposal, bundle.record_root)

    def _was_signed(self, proposal: Proposal, record_root: bytes) -> bool:
        return self.scribe is not None and self.scribe.was_signed(proposal.key, record_root)

    def confirm(self, bundle: Bundle, place: Place, how: str = "") -> None:
        """Until what landed is final. What a reorganisation takes away meanwhile is written again.

        `how` it ended, where the record does not say so.
        """
        proposal, what = bundle.dossier.proposal, entitlement(bundle.dossier)

        def confirm() -> JsonValue:
            landed = self._written(bundle, what)
            if not self._is_final(landed.block):
                raise NotFinalError(f"{proposal.key}: its {what.kind.name} entry is in block {landed.block}")
            detail = {"detail": in_words(bundle.dossier, what) + how} if how else {}
            self.clerk.advance(
                proposal, Stage.DONE, entry_transaction=landed.entry_transaction,
                vote_transaction=landed.vote_transaction, **detail,
            )  # fmt: skip
            return None

        place.run("confirm", confirm)

    def finish(self, bundle: Bundle, place: Place) -> None:
        self.write(bundle, place)
        self.confirm(bundle, place)

    def finish_signed(self, proposal: Proposal, steps: Steps) -> bool:
        """An earlier workflow of this proposal may have come so far: then its vote is carried out, and no other. A
        record that nothing was signed for need not be readable.
        """

        def signed() -> JsonValue:
            if not self._was_signed(proposal, self.review.last_root(proposal)):
                return None
            last = self.review.last(proposal)
            return None if last is None else last.to_bytes().decode()

        text = steps.run("signed before", signed)
        if text is None:
            return False
        try:
            self.finish(Bundle.parse(str(text).encode()), Place(steps, "signed before"))
        except RefusedError as error:
            why = error.message
            logger.warning("reviewing again", extra={"proposal": str(proposal.key), "why": why})
            self.clerk.alert(proposal, About.SIGNED, kind_of(why), f"not carried out, and reviewed again: {why}")
            return False
        return True

    def take_back(self, proposal: Proposal, steps: Steps) -> None:
        """A reorganisation took it away for good. Whatever was written about it gets its VOID entry."""

        def stranded() -> JsonValue:
            return [root.hex() for root in self.scribe.stranded(proposal)] if self.scribe else []

        try:
            for root in TypeAdapter(list[str]).validate_python(steps.run("stranded", stranded)):
                steps.run(f"void:{root}", partial(self._take_back, proposal, bytes.fromhex(root)))
        except (RefusedError, StepFailedError) as error:
            self.clerk.alert(proposal, About.STRANDED, kind_of(error.message), error.message)

    def _take_back(self, proposal: Proposal, record_root: bytes) -> JsonValue:
        """Until its VOID entry is final, or the proposal came again."""
        if self.scribe is None or self.clerk.stage(proposal) is not Stage.VOID:
            return None
        self.clerk.require_released()
        bundle = self.review.bundle(record_root)
        if bundle is None:
            raise RefusedError(f"the record {to_hex(record_root)} is not here: its entry cannot be taken back")
        landed = self.scribe.take_back(bundle)
        if not self.scribe.is_final(landed.block):
            raise NotFinalError(f"{proposal.key}: its VOID entry is in block {landed.block}")
        detail = "a reorganisation took the proposal away: a VOID entry takes back what was written about it"
        self.clerk.advance(proposal, Stage.VOID, detail=detail, entry_transaction=landed.entry_transaction)
        return None

    def _written(self, bundle: Bundle, what: Entitlement) -> Landed:
        proposal = bundle.dossier.proposal
        if self.scribe is None:
            return Landed()
        if self.clerk.stage(proposal) is Stage.VOID:
            raise PnyxError(f"{proposal.key} is gone: nothing more is written about it")
        self.clerk.require_released()
        try:
            return self.scribe.write(bundle, what)
        except WaitsForOwnersError as error:
            self.clerk.note_owners(proposal, what, error)
            raise
        except StrandedVoteError as error:
            self.clerk.tell_stranded(proposal, error)
            raise

    def _is_final(self, block_number: int) -> bool:
        return self.scribe is None or self.scribe.is_final(block_number)
