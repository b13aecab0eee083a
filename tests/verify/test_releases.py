"""Logs grow older than the release that checks them: checks change, and new ones come."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from pnyx_policies.checks import CheckView, builtin_checks, run_checks
from pnyx_policies.decide import decide
from pnyx_policies.decision import Outcome
from pnyx_policies.ruleset import Ruleset
from pnyx_policies.verify import Status, Step
from pnyx_tools.testing.decisions import LocalAgent, Sealed, ask_outline

OURS = {check.name: check.version for check in builtin_checks()}
THIS_RELEASE = f"pnyx {version('pnyx')}"


class Released(LocalAgent):
    """An agent of some release of Pnyx: it declares that release's checks, and runs those."""

    software = THIS_RELEASE
    versions = OURS

    @property
    def configuration(self):
        return super().configuration.model_copy(update={"software": self.software, "checks": self.versions})

    def review_as_released(self, governance, proposal) -> Sealed:
        """A check of another version finds nothing at all."""
        facts = self.facts(governance, proposal)
        said = ask_outline(facts)
        ran = run_checks([c for c in builtin_checks() if c.name in self.versions], CheckView(facts, said.opinions))
        reports = tuple(
            report
            if self.versions[report.check] == report.version
            else report.model_copy(update={"version": self.versions[report.check], "findings": ()})
            for report in ran
        )
        ruleset = Ruleset.parse(self.ruleset.text, "released", set(self.versions))
        judged = decide(ruleset, facts, reports, said.opinions)
        dossier = self.conclude(facts, said).model_copy(
            update={"checks": reports, "decision": judged.decision, "rules": judged.rules}
        )
        return self.seal(dossier)


@pytest.fixture
def released(world):
    def make(software, versions):
        agent = Released(world.node, world.log, [world.blocks, world.seconds], world.store, world.RULESET)
        agent.software, agent.versions = software, versions
        agent.register()
        return agent

    return make


def without(name):
    return {check: number for check, number in OURS.items() if check != name}


def act(world, agent):
    sealed = agent.review_as_released(world.blocks, world.open_proposal())
    assert sealed.dossier.decision.outcome is Outcome.FOR
    agent.write(world.blocks, sealed)


def findings(world):
    return {(v.status, v.where, v.reason) for v in world.verdicts if v.step is Step.FINDINGS}


def test_a_check_that_came_later_is_no_failure_of_an_old_log(world, released):
    act(world, released("pnyx 0.0.1", without("self-dealing")))
    report = world.check()
    assert report.ok
    because = f"self-dealing {OURS['self-dealing']} of this release did not run: check with pnyx 0.0.1"
    assert findings(world) == {(Status.MATCHES, "", ""), (Status.NOT_CHECKABLE, "", because)}


def test_a_check_that_changed_since_is_not_checkable_here(world, released):
    act(world, released("pnyx 0.0.1", OURS | {"outflow": "0"}))
    report = world.check()
    assert report.ok
    because = f"outflow {OURS['outflow']} of this release has version 0 in the record: check with pnyx 0.0.1"
    assert findings(world) == {(Status.MATCHES, "", ""), (Status.NOT_CHECKABLE, "", because)}


@pytest.mark.parametrize("versions", [OURS | {"outflow": "0"}, without("outflow")], ids=["invented", "left out"])
def test_this_release_knows_what_it_ships(world, released, versions):
    """An invented version, or a check that is not declared, would hide a finding."""
    act(world, released(THIS_RELEASE, versions))
    assert world.check_fails() == {(Step.FINDINGS, "checks.outflow")}


def test_a_declared_check_has_to_report(world, released):
    agent = released("pnyx 0.0.1", OURS)
    sealed = agent.review_as_released(world.blocks, world.open_proposal())
    reports = tuple(report for report in sealed.dossier.checks if report.check != "outflow")
    agent.write(world.blocks, agent.seal(sealed.dossier.model_copy(update={"checks": reports})))
    found = world.check_fails(python_alone="a rule's condition cannot be told without the check")
    assert {(Step.FINDINGS, "checks.outflow"), (Step.DECLARED_CONFIGURATION, "checks")} <= found


@pytest.mark.parametrize("versions", [OURS | {"text-against-calls": "0"}, without("text-against-calls")])
def test_a_made_up_release_hides_no_finding(world, released, versions):
    """The text is empty, which is critical; the operator's "release" does not look."""
    agent = released("pnyx 0.0.1", versions)
    number = world.blocks.propose([world.RECIPIENT], [1], [b""], "")
    world.blocks.advance_to_active(number)
    sealed = agent.review_as_released(world.blocks, number)
    assert sealed.dossier.decision.outcome is Outcome.FOR
    agent.write(world.blocks, sealed)
    report = world.check()
    assert report.exit_code == 1
    (unproven,) = report.unproven
    assert unproven.step is Step.DECISION
    assert "decides for by the checks of pnyx 0.0.1" in unproven.reason
    assert "lead to against" in unproven.reason
