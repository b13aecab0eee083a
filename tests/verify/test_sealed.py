"""Records with sealed fields: what rests on them is "not checkable", visibly, and nothing else changes."""

from __future__ import annotations

import io

import pytest

from pnyx_agents.console import Console
from pnyx_contracts.record import SEALABLE
from pnyx_contracts.types import to_hex
from pnyx_policies.bundle import withhold
from pnyx_policies.decision import Outcome
from pnyx_policies.disclosure import disclose, open_disclosure, parse_parts
from pnyx_policies.verify import Status, Step
from pnyx_tools.verifier import render

SEALED = ("attempts", "checks", "opinions", "rules", "ruleset")


def reasons(report, status=Status.NOT_CHECKABLE):
    return {(v.step, v.reason) for v in report.kept(status)}


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
    entry = [v for v in world.verdicts if v.step is Step.ENTRY]
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


# Disclosures


def disclosed(sealed, text):
    return open_disclosure(disclose(sealed.bundle, parse_parts(text)).to_bytes())


def test_a_disclosure_of_everything_sealed_makes_everything_checkable(world):
    agent = world.model(sealed=SEALED)
    sealed = agent.act(world.blocks, world.open_proposal())
    report = world.check(disclosures=[disclosed(sealed, ",".join(SEALED))])
    assert report.ok
    assert not any("sealed" in reason for _, reason in reasons(report))
    matches = {v.step for v in world.verdicts if v.status is Status.MATCHES}
    assert {Step.PROMPTS, Step.DECISION, Step.FINDINGS} <= matches
    assert any("a disclosure opens attempts, opinions" in v.reason for v in world.verdicts)


def test_two_disclosures_complete_one_record(world):
    agent = world.plain_key(sealed=SEALED)
    sealed = agent.act(world.blocks, world.open_proposal())
    parts = [disclosed(sealed, "checks,opinions"), disclosed(sealed, "rules,ruleset"), disclosed(sealed, "rules[0]")]
    report = world.check(disclosures=parts)
    assert report.ok
    assert {step for step, reason in reasons(report) if "sealed" in reason} == {
        Step.BUNDLE, Step.PROMPTS, Step.ANSWERS,
    }  # fmt: skip


def test_a_disclosure_brings_a_lie_to_light(world):
    """Sealed, the invented rules could not be told; opened, they can."""
    agent = world.plain_key(sealed=("rules",))
    honest = agent.review(world.blocks, world.open_proposal())
    rules = tuple(rule.model_copy(update={"matched": not rule.matched}) for rule in honest.dossier.rules)
    lie = agent.seal(honest.dossier.model_copy(update={"rules": rules}))
    agent.write(world.blocks, lie)
    assert world.check().exit_code == 0
    problem = world.only_problem(world.check(disclosures=[disclosed(lie, "rules")]))
    assert (problem.step, problem.where) == (Step.DECISION, "rules")


def test_a_disclosure_of_no_entry_is_a_finding(world):
    agent = world.plain_key(sealed=("rules",))
    sealed = agent.act(world.blocks, world.open_proposal())
    never_written = agent.review(world.blocks, world.open_proposal())
    report = world.check(disclosures=[disclosed(sealed, "rules"), disclosed(never_written, "rules")])
    (problem,) = [v for v in report.problems if v.where == "disclosure"]
    assert "no entry names" in problem.reason
    assert problem.seen == to_hex(never_written.bundle.record_root)


def test_a_disclosure_does_not_stand_in_for_a_bundle_that_is_gone(world):
    agent = world.plain_key(sealed=("rules",))
    sealed = agent.act(world.blocks, world.open_proposal())
    world.bundle_file(sealed.bundle.record_root).unlink()
    problem = world.only_problem(world.check(disclosures=[disclosed(sealed, "rules")]))
    assert "removed, or withheld" in problem.reason
