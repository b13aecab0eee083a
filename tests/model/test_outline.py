"""The outline: facts in words, no language model, and it says so."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pnyx_agents.outline import OutlineAnalyst
from pnyx_contracts.decoded import Argument, DecodedCall
from pnyx_policies.analysis import Recommendation, RiskLevel
from pnyx_policies.facts import Change, Movement, Simulation, SimulationStatus, TargetFacts
from pnyx_policies.grounding import grounded
from pnyx_policies.outline import outline

A = "0x" + "11" * 20


def test_it_says_that_no_model_was_involved(facts):
    transcript = OutlineAnalyst().analyse(facts)
    assert transcript.attempts == ()
    assert transcript.bodies == {}
    assert "no language model" in transcript.opinion.analyst.name
    assert not transcript.opinion.analyst.is_language_model
    assert transcript.opinion.analysis.summary.startswith("No language model was involved")


def test_its_advice_is_always_hold(facts):
    analysis = outline(facts)
    assert analysis.recommendation is Recommendation.HOLD
    assert analysis.confidence_percent == 0
    assert analysis == outline(facts)


def test_its_sources_exist(facts):
    analysis = outline(facts)
    assert grounded(analysis, facts).struck == ()
    assert "transfer(address,uint256)" in analysis.key_points[0].claim


@pytest.mark.parametrize(
    ("changes", "level", "words"),
    [
        ({"simulation": Simulation(status=SimulationStatus.REVERTED, executor=A)}, RiskLevel.HIGH, "reverted"),
        (
            {"simulation": Simulation(status=SimulationStatus.SKIPPED, executor=A, why_skipped="old node")},
            RiskLevel.MEDIUM,
            "old node",
        ),
        (
            {
                "simulation": Simulation(
                    status=SimulationStatus.SUCCEEDED,
                    executor=A,
                    changes=(Change(kind="role-granted", contract=A, subject=A, detail="ADMIN"),),
                )
            },
            RiskLevel.HIGH,
            "role-granted",
        ),
        (
            {"calls": (DecodedCall(path="0", target=A, value_wei=0, calldata=b"12345", signature=None),)},
            RiskLevel.MEDIUM,
            "not decoded",
        ),
        (
            {"calls": (DecodedCall(path="0", target=A, value_wei=0, calldata=b"", signature=None, delegatecall=True),)},
            RiskLevel.HIGH,
            "foreign code",
        ),
        (
            {
                "calls": (DecodedCall(path="0", target=A, value_wei=0, calldata=b"1234", signature="run()"),),
                "targets": (TargetFacts(address=A, has_code=False, code_hash=bytes(32)),),
            },
            RiskLevel.MEDIUM,
            "no code",
        ),
    ],
)
def test_what_facts_warn_of(changes, level, words, make_facts):
    risks = outline(make_facts(**changes)).risks
    assert risks[0].level is level
    assert words in risks[0].text


def test_a_payment_to_an_account_without_code_is_no_risk(make_facts):
    pay = DecodedCall(path="0", target=A, value_wei=1, calldata=b"", signature=None)
    no_code = TargetFacts(address=A, has_code=False, code_hash=bytes(32))
    assert all("code" not in risk.text for risk in outline(make_facts(calls=(pay,), targets=(no_code,))).risks)


def test_the_gravest_come_first_and_the_rest_is_counted(make_facts):
    movements = tuple(Movement(kind="transfer", asset=None, sender=A, recipient=A, amount=i) for i in range(40))
    changes = tuple(Change(kind="upgraded", contract=A, subject=str(i), detail="") for i in range(3))
    simulation = Simulation(status=SimulationStatus.SUCCEEDED, executor=A, movements=movements, changes=changes)
    calls = tuple(DecodedCall(path=str(i), target=A, value_wei=1, calldata=b"", signature=None) for i in range(20))
    analysis = outline(make_facts(simulation=simulation, calls=calls))
    assert [r.level for r in analysis.risks[:4]] == [RiskLevel.HIGH] * 3 + [RiskLevel.LOW]
    assert analysis.risks[-1].text == "32 further points are in the facts."
    assert analysis.key_points[-1].claim.startswith("9 further calls")
    assert len(analysis.key_points) == 12


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.text(max_size=900))
def test_no_string_of_an_attacker_breaks_it(words, make_facts):
    call = DecodedCall(
        path="0", target=A, value_wei=2**256 - 1, calldata=b"1234", signature=words,
        arguments=tuple(Argument(name=words, type=words, value=words) for _ in range(8)),
    )  # fmt: skip
    simulation = Simulation(
        status=SimulationStatus.SKIPPED, why_skipped=words, executor=A,
        changes=(Change(kind=words, contract=A, subject=words, detail=words),),
    )  # fmt: skip
    analysis = outline(make_facts(words.encode("utf-8", "surrogatepass"), calls=(call,), simulation=simulation))
    assert all("\u202e" not in risk.text and "\n" not in risk.text for risk in analysis.risks)
