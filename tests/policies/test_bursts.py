"""decoys: proposals of several accounts at once, and who stands behind them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.policies.settled import ALICE, LOW, MALLORY, MEDIUM, PAY, changed, found, plain, worst

from pnyx_policies.checks import Decoys
from pnyx_policies.context import NearbyCoins, NearbyProposer, ProposerAccount, ProposersNearby, SameGiver
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Severity
from pnyx_tools.testing.facts import address_of

NEW, OLD = 2, 400
"""Transactions that an account had sent before."""


def nearby(*sent: int | None, empty: int = 0, facts: Facts | None = None, **values: Any) -> Facts:
    """Other first-time proposers."""
    others = tuple(
        NearbyProposer(account=address_of(f"other {place}"), proposals=1, empty=empty, sent_before=before)
        for place, before in enumerate(sent)
    )
    return changed(facts or plain(), ProposersNearby, first_time=others, **values)


@pytest.mark.parametrize(
    ("sent", "severity"),
    [
        ([NEW] * 3, LOW),
        ([0, 5, 5, 6], LOW),
        ([NEW] * 2, None),
        ([NEW, NEW, 6], None),
        ([NEW, NEW, None], None),
        ([OLD] * 8, None),
    ],
)
def test_several_new_accounts_at_once(sent: list[int | None], severity: Severity | None) -> None:
    facts = nearby(*sent)
    assert worst(Decoys(), facts) is severity
    if severity is not None:
        (finding,) = found(Decoys(), facts)
        assert finding.title == "3 other new accounts proposed within 7200 blocks of this proposal"
        assert finding.evidence[0] == address_of("other 0")


@pytest.mark.parametrize(("transactions", "sender", "severity"), [(5, None, MEDIUM), (6, None, LOW), (0, MALLORY, LOW)])
def test_one_of_them(transactions: int, sender: str | None, severity: Severity) -> None:
    """Who only carries the proposals of others does not make the proposer new."""
    facts = plain()
    account = {"sender_transactions": transactions, "sender": sender or facts.proposal.proposer}
    facts = changed(nearby(*[NEW] * 3, facts=facts), ProposerAccount, **account)
    assert worst(Decoys(), facts) is severity


@pytest.mark.parametrize(("alike", "is_of_them", "is_odd"), [(3, False, True), (3, True, False), (2, False, False)])
def test_the_odd_one_among_many(alike: int, is_of_them: bool, is_odd: bool) -> None:
    """Told, and no more than low: else a crowd of new accounts could keep a known proposer from a vote."""
    (finding,) = found(Decoys(), nearby(*[NEW] * 4, alike=alike, is_of_them=is_of_them))
    assert finding.severity is LOW
    assert ("and this one calls others" in finding.detail) is is_odd


@pytest.mark.parametrize(("alike_texts", "severity"), [(0, None), (2, LOW)])
def test_one_text_of_two_new_accounts(alike_texts: int, severity: Severity | None) -> None:
    facts = nearby(NEW, NEW, OLD, alike_texts=alike_texts)
    assert worst(Decoys(), facts) is severity
    for finding in found(Decoys(), facts):
        assert finding.title == "2 new accounts proposed nearly the same text within 7200 blocks of this proposal"
        assert finding.evidence == (address_of("other 0"), address_of("other 1"))


@pytest.mark.parametrize(("accounts", "empty", "severity"), [(3, 1, LOW), (1, 3, LOW), (2, 1, None)])
def test_empty_proposals_of_others(accounts: int, empty: int, severity: Severity | None) -> None:
    assert worst(Decoys(), nearby(*[OLD] * accounts, empty=empty)) is severity


def test_one_hand_that_paid_for_two() -> None:
    other = SameGiver(account=ALICE, sender=MALLORY)
    (finding,) = found(Decoys(), changed(plain(PAY), NearbyCoins, same=(other,), asked=1))
    assert (finding.severity, finding.evidence) == (MEDIUM, (MALLORY, ALICE))
    assert finding.title.startswith("1 other new account that proposed")


def test_a_busy_day_of_known_people_is_quiet() -> None:
    """Ten known accounts, and some that propose for the first time and have used their accounts for years."""
    assert found(Decoys(), nearby(*[OLD] * 5, known=10)) == ()


def test_what_is_not_known_of_others_hides_nothing_of_the_rest() -> None:
    facts = nearby(*[NEW] * 3)
    rest = {ProposersNearby.TOOL, NearbyCoins.TOOL}
    without = facts.model_copy(update={"context": tuple(r for r in facts.context if r.tool not in rest)})
    assert found(Decoys(), without) == ()
