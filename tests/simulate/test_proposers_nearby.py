"""Bursts of proposals by several accounts, on a real node."""

from __future__ import annotations

import pytest

from pnyx_policies.checks import CheckView, Decoys
from pnyx_policies.context import NearbyCoins, ProposersNearby
from pnyx_policies.finding import Severity
from pnyx_tools.context import NearbyCoinsTool, ProposersNearbyTool, first_coin, proposers_nearby
from pnyx_tools.gather import gather_facts
from pnyx_tools.testing.deploy import Governance, encode_call
from pnyx_tools.testing.incidents.case import person

WEEK = 40


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_coin, "LONG_BEFORE_BLOCKS", WEEK)
    monkeypatch.setattr(proposers_nearby, "NEARBY_BLOCKS", WEEK)


def look(dao: Governance, proposal: int) -> ProposersNearby:
    node = dao.node.rpc
    return ProposersNearbyTool().run(node, dao.adapter, dao.profile, dao.proposals[proposal], node.block())


def coins(dao: Governance, proposal: int) -> NearbyCoins:
    node = dao.node.rpc
    return NearbyCoinsTool().run(node, dao.adapter, dao.profile, dao.proposals[proposal], node.block())


def fresh(dao: Governance, name: str, giver: str) -> str:
    account = person(name)
    dao.node.send(account, value_wei=10**18, sender=giver)
    dao.node.impersonate(account)
    return account


def by(dao: Governance, account: str, text: str, *, data: bytes = b"", wei: int = 1) -> int:
    return dao.propose([dao.token if data else dao.node.accounts[5]], [0 if data else wei], [data], text, account)


def judged(dao: Governance, proposal: int) -> list[tuple[Severity, tuple[str, ...]]]:
    facts = gather_facts(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal])
    return [(f.severity, f.evidence) for f in Decoys().run(CheckView(facts)) if "new account" in f.title]


def test_new_accounts_around_an_old_one(dao: Governance) -> None:
    """Three that say the same thing, and one that does something else."""
    dao.node.mine(2 * WEEK)
    giver, old = dao.node.accounts[3], dao.node.accounts[0]
    accounts = [fresh(dao, f"crowd {place}", giver) for place in range(3)]
    for place, account in enumerate(accounts):
        by(dao, account, f"A gift, {place}", wei=place)
    mine = by(dao, old, "Delegate", data=encode_call("delegate(address)", old))
    found = look(dao, mine)
    assert [(one.account, one.proposals, one.empty, one.sent_before) for one in found.first_time] == [
        (accounts[0], 1, 1, 0), (accounts[1], 1, 0, 0), (accounts[2], 1, 0, 0),
    ]  # fmt: skip
    assert (found.known, found.left_out, found.alike, found.is_of_them) == (0, 0, 3, False)
    assert judged(dao, mine) == [(Severity.LOW, tuple(accounts))]
    assert look(dao, by(dao, old, "A gift, too")).is_of_them
    assert coins(dao, mine).asked == 0, "who proposes is no new account"


def test_one_hand_behind_two_new_accounts(dao: Governance) -> None:
    dao.node.mine(2 * WEEK)
    giver, other = dao.node.accounts[3:5]
    first, second, third = fresh(dao, "first", giver), fresh(dao, "second", giver), fresh(dao, "third", other)
    for account in (second, third):
        by(dao, account, f"by {account}")
    mine = by(dao, first, "mine")
    found = coins(dao, mine)
    assert ([(one.account, one.sender) for one in found.same], found.asked) == ([(second, giver)], 2)
    assert judged(dao, mine) == [(Severity.MEDIUM, (giver, second))]


def test_one_text_of_several_new_accounts(dao: Governance) -> None:
    dao.node.mine(2 * WEEK)
    words = "Pay the people who keep our forum open, and thank them for another year of patient work, in spring"
    texts = (words, words + " again", "We should talk about the colour of the logo first")
    for place, text in enumerate(texts):
        by(dao, fresh(dao, f"writer {place}", dao.node.accounts[3]), text, wei=place + 1)
    assert look(dao, by(dao, dao.node.accounts[0], "mine")).alike_texts == 2


def test_known_proposers_of_a_busy_day_are_quiet(dao: Governance) -> None:
    people = dao.node.accounts[:3]
    for somebody in people:
        by(dao, somebody, f"long before, by {somebody}")
    dao.node.mine(2 * WEEK)
    for somebody in people[1:]:
        by(dao, somebody, f"today, by {somebody}")
    mine = by(dao, people[0], "mine")
    found = look(dao, mine)
    assert (found.known, found.first_time, found.alike) == (2, (), 0)
    assert judged(dao, mine) == []


def test_proposals_of_another_day_are_not_near(dao: Governance) -> None:
    by(dao, dao.node.accounts[1], "long before")
    dao.node.mine(WEEK)
    mine = by(dao, dao.node.accounts[0], "mine")
    assert look(dao, mine).first_time == ()
    dao.node.mine(WEEK)
    by(dao, dao.node.accounts[2], "long after")
    assert look(dao, mine).first_time == ()
