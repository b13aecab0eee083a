"""A flood of proposals that wait for people is told as one thing, and asks nobody any more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from pnyx_agents.crowd import Crowd
from pnyx_agents.steward.clerk import Clerk
from pnyx_agents.steward.pen import Landed
from pnyx_agents.watch import found_in
from pnyx_contracts.types import DAY_SECONDS, Proposal
from pnyx_policies.decision import Mode, Outcome
from pnyx_policies.dossier import NOBODY, Dossier
from pnyx_policies.entitlement import entitlement
from pnyx_tools.journal import Journal, Stage
from pnyx_tools.notify import Message, Urgency
from pnyx_tools.notify.ledger import Ledger
from pnyx_tools.testing.facts import address_of, call_of, proposal_of
from pnyx_tools.testing.sample_record import sample_dossier

FLOODER, OTHER = address_of("flooder"), address_of("other")


class OneIsEnough:
    required = 1


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(f"sqlite:///{tmp_path / 'journal.sqlite'}")


@pytest.fixture(scope="module")
def sample() -> Dossier:
    """In propose mode: its vote waits for people."""
    dossier = sample_dossier()
    assert dossier.header.mode is Mode.PROPOSE
    return dossier.model_copy(update={"people": NOBODY})


def proposals(proposer: str, count: int) -> list[Proposal]:
    return [
        proposal_of([call_of(FLOODER, value_wei=n)], f"Number {n} of {proposer}", proposer=proposer)
        for n in range(count)
    ]


@pytest.fixture
def hold(journal: Journal, sample: Dossier) -> Callable[[Proposal], list[Message]]:
    """Holds a proposal; what people are told for the first time."""
    told: dict[str, Message] = {}
    clerk = Clerk(
        journal, lambda message: told.update({message.key: told.get(message.key, message)}),
        cast("Any", OneIsEnough()), Crowd(journal, most_of_one=2, most=4),
    )  # fmt: skip

    def hold(proposal: Proposal, outcome: Outcome | None = None) -> list[Message]:
        before = len(told)
        decision = sample.decision.model_copy(update={"outcome": outcome or sample.decision.outcome})
        dossier = sample.model_copy(update={"proposal": proposal, "decision": decision})
        journal.follow("1", [found_in(proposal)])
        clerk.note_landed(dossier, entitlement(dossier), Landed())
        return list(told.values())[before:]

    return hold


def test_beyond_the_bound_one_alert_stands_for_all_of_an_account(
    journal: Journal, hold: Callable[[Proposal], list[Message]]
) -> None:
    urgencies = [[message.urgency for message in hold(proposal)] for proposal in proposals(FLOODER, 5)]
    asks, alert, says = [Urgency.ACTION], Urgency.ALERT, Urgency.INFO
    assert urgencies == [asks, asks, [says, alert], [says], [says, alert]]

    [message] = [message for message in hold(proposals(OTHER, 1)[0]) if message.proposal]
    assert message.urgency is Urgency.ACTION, "nobody else pays for it"
    assert journal.cases({Stage.HELD})[-1].stage is Stage.HELD


def test_it_is_told_who_it_is_and_how_many_there_are(hold: Callable[[Proposal], list[Message]]) -> None:
    told = [message for proposal in proposals(FLOODER, 5) for message in hold(proposal)]
    assert [message.subject for message in told if message.urgency is Urgency.ALERT] == [
        f"3 proposals of {FLOODER} wait for people; further ones of it ask nobody",
        f"5 proposals wait for people, 5 of them of {FLOODER}",
    ]


def test_what_people_decided_makes_room_again(journal: Journal, hold: Callable[[Proposal], list[Message]]) -> None:
    first, *others, last = proposals(FLOODER, 4)
    for proposal in (first, *others):
        hold(proposal)
    for proposal in (first, others[0]):
        journal.advance(str(proposal.key), Stage.CONFIRMING)
    assert [message.urgency for message in hold(last)] == [Urgency.ACTION]


def test_the_same_flood_is_told_again_on_another_day(
    journal: Journal, hold: Callable[[Proposal], list[Message]]
) -> None:
    for proposal in proposals(FLOODER, 3):
        hold(proposal)
    keys = [{m.key for m in Crowd(journal, 2, 4, lambda d=day: d * DAY_SECONDS).news()} for day in (1, 1, 2)]
    assert len(keys[0]) == 1
    assert keys[0] == keys[1] != keys[2]


def test_who_answered_an_earlier_record_is_asked_again(
    journal: Journal, hold: Callable[[Proposal], list[Message]]
) -> None:
    """A new release, or a new review, makes another record: what was said about the first does not count for it."""
    (proposal,) = proposals(FLOODER, 1)
    assert len(hold(proposal)) == 1
    key = str(proposal.key)
    journal.advance(key, Stage.HELD, record_root="0x11")
    assert hold(proposal) == [], "the same question"
    Ledger(journal.database).note_answer(key, "0x11", "0xAda")
    assert hold(proposal) == []
    journal.advance(key, Stage.HELD, record_root="0x22")
    (again,) = hold(proposal)
    assert again.urgency is Urgency.ACTION
    assert again.to_do.endswith("What 0xAda said before was about an earlier record")
    assert hold(proposal) == []


def test_another_decision_is_another_question(hold: Callable[..., list[Message]]) -> None:
    (proposal,) = proposals(FLOODER, 1)
    assert len(hold(proposal)) == 1
    (again,) = hold(proposal, outcome=Outcome.HOLD)
    assert again.to_do.startswith(f"pnyx approve {proposal.key.proposal_id} --vote for|against|abstain")
