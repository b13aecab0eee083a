"""What a dossier entitles the agent to write: one entry, and perhaps one vote.

The steward acts on it, the signer checks it before it signs, the verifier checks it again. It is the only place
where mode, decision and a person's word meet:

- observe: nobody's word leads to a vote;
- propose: a vote takes an approval, of the vote that was decided or of another one. Where a Safe votes, its owners'
  signatures are the approval of the vote that was decided: the entry announces what they are asked to sign;
- autonomous: the rules' own vote is cast by itself. A rejection holds it back, and nobody can turn it into another one.
  An approval can do one thing: give a vote where the rules held;
- a wait for people that ended without them gives no vote.

Whether the words count, that is whose they are and how many it takes, is what `approval` says.
"""

from __future__ import annotations

from dataclasses import dataclass

from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import RefusedError
from pnyx_contracts.types import ProposalState, Vote
from pnyx_policies.approval import answer_in, wanted_vote
from pnyx_policies.decision import Mode, Outcome
from pnyx_policies.dossier import NOBODY, Dossier
from pnyx_policies.eligibility import Standing, stand
from pnyx_policies.ruleset import Limits

OPEN_STATES = frozenset({ProposalState.PENDING, ProposalState.ACTIVE})


@dataclass(frozen=True, slots=True)
class Entitlement:
    """`vote` is set exactly when `kind` is VOTE."""

    kind: EntryKind
    vote: Vote | None = None


def entitlement(dossier: Dossier) -> Entitlement:
    """The entry that this dossier stands for. Raises `RefusedError` when its parts contradict each other."""
    if dossier.people != NOBODY:
        return _by_people(dossier)
    outcome = dossier.decision.outcome
    if outcome is Outcome.SKIP:
        return Entitlement(EntryKind.MISSED if _closed_undecided(dossier) else EntryKind.SKIP)
    if outcome is Outcome.HOLD:
        return Entitlement(EntryKind.HOLD)
    match dossier.header.mode:
        case Mode.OBSERVE:
            return Entitlement(EntryKind.DECISION)
        case Mode.PROPOSE:
            return Entitlement(EntryKind.HOLD) if dossier.safe is None else _vote(dossier, outcome.vote)
        case Mode.AUTONOMOUS:
            return _vote(dossier, outcome.vote)


def _by_people(dossier: Dossier) -> Entitlement:
    decision, people = dossier.decision, dossier.people
    if dossier.header.mode is Mode.OBSERVE:
        raise RefusedError("an agent in observe mode never votes, whoever approves", hint="set mode = 'propose'")
    if decision.outcome is Outcome.SKIP:
        raise RefusedError(f"a skipped proposal cannot be voted on: {decision.reason}")
    if any(word.decision_digest != answer_in(dossier, word).digest for word in people.words):
        raise RefusedError("the word was given for another decision, or is another word: its digest differs")
    if people.rejection is not None:
        if people.expired is not None:
            raise RefusedError("the wait for people cannot end without them when one of them rejected")
        return Entitlement(EntryKind.HOLD)
    if dossier.header.mode is Mode.AUTONOMOUS and decision.outcome.vote is not None:
        raise RefusedError(
            f"in autonomous mode the rules' vote ({decision.outcome.value!r}) is cast by itself: people can stop it, "
            "not change it",
            hint="pnyx reject ID",
        )
    if people.expired is not None:
        return Entitlement(EntryKind.HOLD)
    wanted = {wanted_vote(dossier, word) for word in people.words}
    if len(wanted) > 1:
        raise RefusedError("people approved different votes: none of them is the one to cast")
    return _vote(dossier, wanted.pop())


def _vote(dossier: Dossier, vote: Vote | None) -> Entitlement:
    """What rules say while voting has not started, or for nobody in particular, is a preview.

    The ruleset's own limits made the decision a skip already where they are not met; these are the least of all.
    """
    report = stand(dossier.state, Limits())
    if report.standing is not Standing.READY:
        raise RefusedError(f"no vote can be cast: {report.reason}", hint="review again when a vote is possible")
    return Entitlement(EntryKind.VOTE, vote)


def _closed_undecided(dossier: Dossier) -> bool:
    """True when the vote ended on the governor's clock before anything was decided."""
    governor = dossier.state.governor
    voted = dossier.state.voter is not None and dossier.state.voter.has_voted
    canceled = governor.state is ProposalState.CANCELED
    return not voted and not canceled and governor.state not in OPEN_STATES and governor.now >= governor.deadline
