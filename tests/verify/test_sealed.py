"""Records with sealed fields: what rests on them is "not checkable", visibly, and nothing else changes."""

from __future__ import annotations

import io

import pytest

from pnyx_agents.console import Console
from pnyx_contracts.record import SEALABLE
from pnyx_policies.bundle import withhold
from pnyx_policies.decision import Outcome
from pnyx_policies.verify import Status, Step
from pnyx_tools.verifier import render

SEALED = ("attempts", "checks", "opinions", "rules", "ruleset")


def reasons(report, status=Status.NOT_CHECKABLE):
    return {(v.step, v.reason) for v in report.all_verdicts() if v.status is status}


def test_what_is_declared_sealed_is_not_checkable_and_shown(world):
    agent = world.model(sealed=SEALED)
    sealed = agent.act(world.blocks, world.open_proposal())
    report = world.check()
    assert report.problems == report.unproven == []
    assert report.exit_code == 0
    assert reasons(report) == {
        (Step.BUNDLE, "attempts is sealed, as the agent declares"),
        (Step.DECLARED_CONFIGURATION, "opinions, checks, ruleset are sealed, as the agent declares"),
        (Step.FINDINGS, "opinions, checks are sealed, as the agent declares"),
        (Step.PROMPTS, "attempts, opinions are sealed, as the agent declares"),
        (Step.ANSWERS, "attempts, opinions are sealed, as the agent declares"),
        (Step.DECISION, "checks, opinions, rules, ruleset are sealed, as the agent declares"),
    }
    published = world.bundle_file(sealed.bundle.record_root).read_text()
    assert world.CALM.summary not in published
    assert "Nothing speaks against it" not in published.replace(sealed.dossier.decision.reason, "")
    out = io.StringIO()
    render(report, Console(file=out, width=200, color_system=None))
    assert "opinions, checks are sealed, as the agent declares" in out.getvalue()


@pytest.mark.parametrize("name", SEALABLE)
def test_each_field_can_be_sealed_alone(world, name):
    agent = world.model(sealed=(name,))
    agent.act(world.blocks, world.open_proposal())
    report = world.check()
    assert report.problems == report.unproven == []
    assert any(f"{name} is sealed" in reason for _, reason in reasons(report))
    entry = [v for v in report.all_verdicts() if v.step is Step.ENTRY]
    assert [v.status for v in entry] == [Status.NOT_CHECKABLE if name == "state" else Status.MATCHES]


def test_a_field_that_is_withheld_and_not_declared_is_not_proven(world):
    agent = world.plain_key(sealed=("rules",))
    sealed = agent.act(world.blocks, world.open_proposal())
    less = withhold(sealed.bundle, ("rules", "checks"))
    world.bundle_file(sealed.bundle.record_root).write_bytes(less.to_bytes())
    report = world.check()
    assert report.exit_code == 1
    assert {reason for _, reason in reasons(report, Status.NOT_PROVEN)} == {"the record withholds checks"}


def test_what_was_declared_later_seals_no_earlier_record(world):
    """The configuration in force when the entry was made counts."""
    agent = world.plain_key()
    sealed = agent.act(world.blocks, world.open_proposal())
    agent.sealed = ("rules",)
    agent.change(world.RULESET)
    world.bundle_file(sealed.bundle.record_root).write_bytes(withhold(sealed.bundle, ("rules",)).to_bytes())
    report = world.check()
    assert {reason for _, reason in reasons(report, Status.NOT_PROVEN)} == {"the record withholds rules"}


def test_a_lie_beside_a_sealed_field_is_found(world):
    agent = world.plain_key(sealed=("rules",))
    honest = agent.review(world.blocks, world.open_proposal())
    voter = honest.dossier.state.voter.model_copy(update={"voting_power": 7})
    state = honest.dossier.state.model_copy(update={"voter": voter})
    assert honest.dossier.decision.outcome is Outcome.FOR
    agent.write(world.blocks, agent.seal(honest.dossier.model_copy(update={"state": state})))
    assert (Step.STATE, "state.voter.voting_power") in world.check_fails()
