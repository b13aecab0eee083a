"""What a record withholds proves nothing, and hides nothing."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from pnyx_contracts.entry import EntryKind
from pnyx_policies.decision import Outcome
from pnyx_policies.dossier import Dossier
from pnyx_policies.verify import Status, Step
from pnyx_tools.verifier import render


def withhold(world, sealed, *names):
    """The file without these fields, their leaves in place: its root is the same."""
    file = world.bundle_file(sealed.bundle.record_root)
    raw = json.loads(file.read_text())
    for name in names:
        del raw["fields"][name], raw["salts"][name]
        raw["item_salts"].pop(name, None)
    file.write_text(json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


NEEDED = sorted(set(Dossier.model_fields) - {"software"})


@pytest.mark.parametrize("name", NEEDED)
def test_an_honest_record_that_withholds_a_field_is_not_proven(world, agent, proposal, name):
    withhold(world, agent.act(world.blocks, proposal), name)
    report = world.check()
    assert [f"{v.step.name}: {v}" for v in report.problems] == []
    assert any(f"the record withholds {name}" in v.reason for v in report.unproven)
    assert not report.ok
    assert report.exit_code == 1
    out = io.StringIO()
    render(report, Console(file=out, width=200, color_system=None))
    assert out.getvalue().startswith("NOT PROVEN: nothing differs, but 1 decision(s)")
    assert "HOLDS" not in out.getvalue()


@pytest.mark.parametrize("name", NEEDED)
def test_no_field_that_is_withheld_hides_a_lie(world, agent, proposal, name):
    """The rules give "for", the record says "against": whatever is withheld, this does not hold."""
    _, lie = world.write_changed(agent, proposal, decision__outcome=Outcome.AGAINST)
    withhold(world, lie, name)
    report = world.check()
    assert report.exit_code == 1
    assert report.problems or report.unproven


def test_a_prompt_salt_and_a_request_that_are_withheld(world, proposal):
    agent = world.model()
    sealed = agent.act(world.blocks, proposal)
    (attempt,) = sealed.dossier.attempts
    bodies = {attempt.response_hash: sealed.bundle.bodies[attempt.response_hash]}
    partial = sealed.bundle.model_copy(update={"prompt_salt": None, "bodies": bodies})
    world.bundle_file(sealed.bundle.record_root).write_bytes(partial.to_bytes())
    report = world.check()
    assert report.problems == []
    assert [v.step for v in report.unproven] == [Step.BUNDLE, Step.PROMPTS]


def test_what_can_be_read_again_is_compared_whatever_else_is_withheld(world, agent, proposal):
    _, lie = world.write_changed(agent, proposal, state__voter__voting_power=7)
    withhold(world, lie, "context", "calls", "simulation")
    assert (Step.STATE, "state.voter.voting_power") in world.check_fails()


def test_a_correction_may_withhold_everything(world, agent, proposal):
    """It decides nothing, so nothing rests on it."""
    sealed = agent.act(world.blocks, proposal)
    correction = agent.seal(sealed.dossier)
    key, bundle = sealed.dossier.proposal.key, correction.bundle
    agent.enter(key, EntryKind.CORRECTION, bundle.record_root, bundle.prompt_hash)
    withhold(world, correction, *NEEDED)
    report = world.check()
    assert report.ok
    assert {v.about.seq for v in world.verdicts if v.status is Status.NOT_CHECKABLE} == {2}
