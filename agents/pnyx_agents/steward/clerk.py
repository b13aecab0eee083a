"""Keeps the journal of the proposals, and tells people what became of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pnyx_agents.brake import held_back
from pnyx_agents.crowd import Crowd
from pnyx_agents.hearing import Hearing, waits_for_people
from pnyx_agents.steward.pen import Landed, StrandedVoteError
from pnyx_agents.wording import OWNERS, About, deadline, how_to_answer, in_words, kind_of
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.types import Proposal, to_hex
from pnyx_policies.dossier import Approval, Dossier
from pnyx_policies.entitlement import Entitlement
from pnyx_tools.follow import from_kept
from pnyx_tools.journal import Case, Journal, Stage
from pnyx_tools.notify import Message, Urgency, foreign
from pnyx_tools.notify.ledger import Ledger
from pnyx_tools.safe.owners import Standing, WaitsForOwnersError

logger = logging.getLogger("pnyx.steward")


@dataclass(frozen=True, slots=True)
class Clerk:
    """`hearing` counts who was heard, `crowd` how many proposals wait for people."""

    journal: Journal
    tell: Callable[[Message], None]
    hearing: Hearing
    crowd: Crowd

    # The journal

    def case(self, proposal: Proposal) -> Case | None:
        return self.journal.case(str(proposal.key))

    def stage(self, proposal: Proposal) -> Stage | None:
        case = self.case(proposal)
        return case.stage if case else None

    def newest(self, proposal: Proposal) -> Proposal:
        """As following saw it last: a reorganisation can move it to another block, with another voting window."""
        key = str(proposal.key)
        content = self.journal.proposal_content(key)
        return from_kept(key, content) if content else proposal

    def held(self) -> str | None:
        """Why all votes are held; None while they are not."""
        return self.journal.held()

    def require_released(self) -> None:
        """Raises `NotYetError` while all votes are held."""
        if why := self.held():
            raise held_back(why)

    def advance(self, proposal: Proposal, stage: Stage, **details: str) -> None:
        self.journal.work_on(str(proposal.key), stage, **details)
        logger.info("proposal %s", stage.value, extra={"proposal": str(proposal.key), **details})

    def give_up(self, proposal: Proposal, why: str) -> None:
        """Leave it to people: they are told, and the daemon tries again later. What vanished fails at nothing."""
        if self.stage(proposal) is Stage.VOID:
            return
        self.advance(proposal, Stage.FAILED, detail=why)
        self.alert(proposal, About.FAILED, kind_of(why), why)

    def begin_again(self, proposal: Proposal, why: str) -> None:
        """From the start, as if it had just been seen: at the next look. What vanished does not begin again."""
        if self.stage(proposal) is Stage.VOID:
            return
        logger.warning("reviewing again", extra={"proposal": str(proposal.key), "why": why})
        self.advance(proposal, Stage.SEEN, detail="")
        self.alert(proposal, About.AGAIN, kind_of(why), f"reviewed again: {why}")

    def note_waiting(self, dossier: Dossier, what: Entitlement) -> None:
        """A decided vote waits for its time, or for the brake to be released."""
        detail, case = in_words(dossier, what), self.case(dossier.proposal)
        if why := self.held():
            detail += f"; all votes are held: {why}"
        if case is None or (case.stage, case.detail) != (Stage.REVIEWED, detail):
            self.advance(dossier.proposal, Stage.REVIEWED, detail=detail)

    def note_voting(self, dossier: Dossier, what: Entitlement) -> None:
        """What was said while people were waited for is over."""
        self.advance(dossier.proposal, Stage.VOTING, detail=in_words(dossier, what))

    def note_landed(self, dossier: Dossier, what: Entitlement, landed: Landed) -> None:
        waits = waits_for_people(dossier) and not landed.by_another
        self.advance(
            dossier.proposal, Stage.HELD if waits else Stage.CONFIRMING,
            detail=self._what_landed(dossier, what, landed),
            entry_transaction=landed.entry_transaction, vote_transaction=landed.vote_transaction,
        )  # fmt: skip
        if landed.by_another:
            self._tell_another(dossier.proposal, landed)
        else:
            self._tell_outcome(dossier, what)
        if waits:
            for message in self.crowd.news():
                self.tell(message)

    def note_so_far(self, dossier: Dossier, words: tuple[Approval, ...]) -> None:
        so_far = self.hearing.so_far(dossier, words)
        self.advance(dossier.proposal, Stage.HELD, detail=f"hold, {so_far}")
        self._say(dossier.proposal, f"heard:{so_far}", Urgency.INFO, subject=so_far)

    def note_owners(self, proposal: Proposal, what: Entitlement, error: WaitsForOwnersError) -> None:
        """The owners of the Safe hear of each transaction that they are asked to sign, once."""
        assert what.vote is not None
        if self.stage(proposal) is not Stage.PROPOSED:
            entry = to_hex(error.entry.transaction_hash)
            self.advance(proposal, Stage.PROPOSED, detail=f"vote {what.vote.value}", entry_transaction=entry)
        rejected = error.standing is Standing.REJECTED
        self._say(
            proposal,
            f"safe:{to_hex(error.transaction.hash)}{':rejected' if rejected else ''}",
            Urgency.ACTION if error.standing is Standing.WAITS else Urgency.ALERT,
            subject=f"the vote {what.vote.value!r} {OWNERS[error.standing]}",
            detail=foreign(error.message),
            to_do="" if rejected else f"pnyx safe show {proposal.key.proposal_id}",
        )

    # Telling

    def alert(self, proposal: Proposal, about: About, which: str, why: str) -> None:
        """The same `which` is told once a proposal."""
        key = f"{about.name.lower()}:{which}"
        self._say(proposal, key, Urgency.ALERT, subject=about.value, detail=foreign(why))

    def tell_stranded(self, proposal: Proposal, error: StrandedVoteError) -> None:
        subject = f"account {error.account} lost its delegation: it runs {error.runs} (EIP-7702)"
        self._say(proposal, f"delegation:{error.runs}", Urgency.ALERT, subject=subject, detail=foreign(error.message))

    def _tell_another(self, proposal: Proposal, landed: Landed) -> None:
        self._say(
            proposal,
            "another",
            Urgency.ALERT,
            subject="another program decided about it with this agent's key and log",
            detail=foreign(f"{landed.by_another} is not this agent's, which decides nothing else"),
            to_do="is a copy of this agent running? Stop it, and copy its evidence here: members look for that "
            "record. If nobody you know runs it, the key is stolen",
        )

    def _tell_outcome(self, dossier: Dossier, what: Entitlement) -> None:
        waits, is_expired = waits_for_people(dossier), dossier.people.expired is not None
        is_missed = is_expired or what.kind is EntryKind.MISSED
        asks = waits and not self.crowd.floods(dossier.proposal.proposer)
        key, to_do = what.kind.name, ""
        if waits:
            key, to_do = self._question(dossier)
        self._say(
            dossier.proposal,
            "EXPIRED" if is_expired else key,
            Urgency.ALERT if is_missed else Urgency.ACTION if asks else Urgency.INFO,
            subject=self._in_words(dossier, what),
            decision=dossier.decision.outcome.value,
            reason=foreign(dossier.decision.reason),
            to_do=to_do,
            **deadline(dossier.state.governor),
        )

    def _question(self, dossier: Dossier) -> tuple[str, str]:
        """Its key, and how it is answered. The same decision is asked about once, whatever record it has, unless
        somebody answered an earlier one: that word does not count for this one.
        """
        key, how = f"{EntryKind.HOLD.name}:{dossier.decision.outcome.value}", how_to_answer(dossier)
        case = self.case(dossier.proposal)
        root = case.record_root if case else ""
        earlier = Ledger(self.journal.database).answered_before(str(dossier.proposal.key), root)
        if not earlier:
            return key, how
        return f"{key}:{root}", f"{how}. What {', '.join(sorted(earlier))} said before was about an earlier record"

    def _what_landed(self, dossier: Dossier, what: Entitlement, landed: Landed) -> str:
        if landed.by_another:
            return f"another program with this agent's key decided: {landed.by_another}"
        return "void: the vote could not land" if landed.is_void else self._in_words(dossier, what)

    def _in_words(self, dossier: Dossier, what: Entitlement) -> str:
        """How many were heard is only worth a word where more than one is needed, or too few came."""
        waits = waits_for_people(dossier) and self.hearing.required > 1
        is_open = waits or dossier.people.expired is not None
        return in_words(dossier, what, self.hearing.so_far(dossier, dossier.people.words) if is_open else "")

    def _say(self, proposal: Proposal, what: str, urgency: Urgency, **parts: Any) -> None:  # noqa: ANN401 - of a message
        key, case = str(proposal.key), self.case(proposal)
        known = {"stage": case.stage.value, "title": foreign(case.title)} if case else {}
        self.tell(Message(key=f"{key}:{what}", urgency=urgency, proposal=key, **known, **parts))
