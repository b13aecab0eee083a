"""Honest proposals of a real DAO: a check set that cries wolf on them is a bad check set."""

from __future__ import annotations

from pathlib import Path

import pytest

from pnyx_policies.checks import CheckView, builtin_checks, run_checks
from pnyx_policies.decide import decide
from pnyx_policies.decision import Outcome
from pnyx_policies.finding import Severity
from pnyx_policies.ruleset import Ruleset
from pnyx_policies.rulesets import shipped_ruleset, shipped_rulesets
from pnyx_tools.testing.facts import (
    GOVERNOR,
    address_of,
    call_of,
    facts_for,
    not_simulated,
    proposal_from_file,
    proposal_of,
    simulated,
)

# What people have to look at, and why that is right:
EXPECTED_HIGH = {
    "ep-5-23": {"text-against-calls"},  # names the amounts and the multisig, not its address
    "ep-6-28": {"privilege-grant"},  # a top-level domain gets an owner
    "ep-6-30": {"text-against-calls"},  # as 5.23
    "ep-6-33": {"privilege-grant"},  # controllers and owners of the root
    # a batch of permissions: calls, a module that goes, and addresses that are not in the text
    "ep-6-38": {"power-loss", "privilege-grant", "text-against-calls", "unnamed-address"},
    "ep-6-7": {"privilege-grant"},  # a top-level domain gets an owner
}


def _reviews(files: list[Path], simulate):
    for file in files:
        proposal, timelock = proposal_from_file(file)
        facts = facts_for(proposal, timelock=timelock, simulation=simulate(executor=timelock))
        yield file.stem, facts, run_checks(builtin_checks(), CheckView(facts))


@pytest.mark.parametrize("simulate", [not_simulated, simulated])
def test_no_honest_proposal_has_a_critical_finding(real_proposals, simulate):
    critical = [
        (name, f.title)
        for name, _, reports in _reviews(real_proposals, simulate)
        for r in reports
        for f in r.findings
        if f.severity is Severity.CRITICAL
    ]
    assert critical == []


def test_high_findings_are_the_ones_that_people_should_see(real_proposals):
    high = {
        name: {r.check for r in reports for f in r.findings if f.severity is Severity.HIGH}
        for name, _, reports in _reviews(real_proposals, not_simulated)
    }
    assert {name: checks for name, checks in high.items() if checks and name.startswith("ep-")} == EXPECTED_HIGH


def test_every_call_is_understood_and_no_check_fails(real_proposals):
    for name, facts, reports in _reviews(real_proposals, simulated):
        assert all(call.signature or not call.calldata for call in facts.every_call()), name
        assert [r.check for r in reports if r.skipped] == [], name


@pytest.mark.parametrize("ruleset", shipped_rulesets())
def test_nothing_is_voted_on_without_a_simulation(real_proposals, ruleset):
    rules = Ruleset.parse(shipped_ruleset(ruleset), ruleset)
    for name, facts, reports in _reviews(real_proposals, not_simulated):
        assert decide(rules, facts, reports, ()).outcome is Outcome.HOLD, name


STRANGER, CONTRACT = address_of("stranger"), address_of("contract")

ODD_ONES_OUT = {
    "ownership": call_of(CONTRACT, "transferOwnership(address)", STRANGER),
    "a role": call_of(CONTRACT, "grantRole(bytes32,address)", bytes(32), STRANGER),
    "a module": call_of(CONTRACT, "enableModule(address)", STRANGER),
    "code": call_of(CONTRACT, "upgradeTo(address)", STRANGER),
    "a setting": call_of(GOVERNOR, "setVotingPeriod(uint32)", 3),
    "an allowance": call_of(CONTRACT, "approve(address,uint256)", STRANGER, 2**256 - 1),
    "tokens": call_of(CONTRACT, "transfer(address,uint256)", STRANGER, 987_654_321 * 10**9),
    "coin": call_of(STRANGER, value_wei=123_456_789),
}


@pytest.mark.parametrize("odd", ODD_ONES_OUT)
def test_one_hostile_call_behind_an_honest_text_is_always_seen_and_often_critical(real_proposals, odd):
    worst = []
    for file in real_proposals:
        honest, timelock = proposal_from_file(file)
        calls = [*honest.calls, ODD_ONES_OUT[odd]]
        hostile = proposal_of(calls, honest.description, governor=honest.key.governor)
        view = CheckView(facts_for(hostile, timelock=timelock))
        worst.append(max(f.severity for r in run_checks(builtin_checks(), view) for f in r.findings))
    assert min(worst) >= Severity.HIGH
    assert worst.count(Severity.CRITICAL) >= len(worst) / 2
