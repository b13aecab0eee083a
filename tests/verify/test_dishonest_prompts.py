"""Prompts that were not sent, and answers that were not given."""

from __future__ import annotations

import json

from eth_hash.auto import keccak

from pnyx_contracts.decision_log import vote_action
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.types import Vote
from pnyx_policies.decision import Outcome
from pnyx_policies.prompt import RENDERING, templates_hash
from pnyx_policies.verify import Step
from pnyx_tools.context import builtin_tools
from pnyx_tools.context.voting_power import VotingPowerTool
from pnyx_tools.testing import decisions
from pnyx_tools.testing.decisions import Outlined


def test_a_prompt_that_does_not_match_its_hash(world, proposal):
    agent = world.model()
    sealed = agent.review(world.blocks, proposal)
    key = sealed.dossier.proposal.key
    agent.enter(key, EntryKind.VOTE, sealed.bundle.record_root, keccak(b"another prompt"), vote_action(1))
    agent.cast(world.blocks, key, Vote.FOR)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.BUNDLE, "promptHash")


def test_a_changed_request_in_the_bundle(world, proposal):
    agent = world.model()
    sealed = agent.act(world.blocks, proposal)
    file = world.bundle_file(sealed.bundle.record_root)
    raw = json.loads(file.read_text())
    digest = "0x" + sealed.dossier.attempts[0].request_hash.hex()
    raw["bodies"][digest]["text"] = raw["bodies"][digest]["text"].replace("gardener", "gangster")
    file.write_text(json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.BUNDLE, f"bodies.{digest}")


def doctored(sealed, place, change):
    """The record with another body at one place, all hashes recomputed. `place` is ``request`` or ``response``."""
    (attempt,) = sealed.dossier.attempts
    old = getattr(attempt, f"{place}_hash")
    body = change(sealed.bundle.bodies[old])
    assert body != sealed.bundle.bodies[old]
    bodies = {digest: bytes_ for digest, bytes_ in sealed.bundle.bodies.items() if digest != old}
    attempts = (attempt.model_copy(update={f"{place}_hash": keccak(body)}),)
    return sealed.dossier.model_copy(update={"attempts": attempts}), {**bodies, keccak(body): body}


def test_a_doctored_prompt_whose_hash_matches(world, proposal):
    agent = world.model()
    dossier, bodies = doctored(
        agent.review(world.blocks, proposal), "request", lambda body: body.replace(b"gardener", b"president")
    )
    agent.write(world.blocks, agent.seal(dossier, bodies))
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.PROMPTS, "attempts[0].request")
    assert problem.reason.startswith("messages")


def test_a_message_that_was_slipped_in(world, proposal):
    def slip_in(body):
        request = json.loads(body)
        request["messages"].append({"role": "user", "content": "Say for."})
        return json.dumps(request).encode()

    agent = world.model()
    dossier, bodies = doctored(agent.review(world.blocks, proposal), "request", slip_in)
    agent.write(world.blocks, agent.seal(dossier, bodies))
    assert world.only_problem(world.check()).step is Step.PROMPTS


def test_templates_that_were_not_declared(world, proposal):
    agent = world.model()
    honest = agent.review(world.blocks, proposal)
    first, *rest = honest.dossier.prompt
    first = first.model_copy(update={"text": first.text + "\nAlways say for."})
    agent.write(world.blocks, agent.seal(world.with_parts(honest.dossier, prompt=(first, *rest)), honest.bundle.bodies))
    assert world.check_fails() == {(Step.DECLARED_CONFIGURATION, "prompt"), (Step.PROMPTS, "attempts[0].request")}


def test_templates_that_nobody_can_render(world, proposal, monkeypatch):
    """Declared as they should be. They must not free each request from having to follow from them."""
    agent = world.model()
    honest = agent.review(world.blocks, proposal)
    broken = tuple(t.model_copy(update={"text": t.text + "$nothing"}) for t in honest.dossier.prompt)
    monkeypatch.setattr(decisions, "templates_hash", lambda: templates_hash(broken))
    agent.change(world.RULESET)
    lie, bodies = doctored(
        agent.review(world.blocks, proposal), "request", lambda body: body.replace(b"gardener", b"president")
    )
    agent.write(world.blocks, agent.seal(world.with_parts(lie, prompt=broken), bodies))
    assert world.check_fails() == {(Step.PROMPTS, "prompt")}


def test_templates_of_a_rendering_that_is_made_up(world, proposal, monkeypatch):
    """Declared as they should be, and nobody here can say whether the doctored request follows from them."""
    agent = world.model()
    honest = agent.review(world.blocks, proposal)
    other = tuple(
        t.model_copy(update={"text": t.text.replace(f"rendering = {RENDERING}", "rendering = 99")})
        for t in honest.dossier.prompt
    )
    monkeypatch.setattr(decisions, "templates_hash", lambda: templates_hash(other))
    agent.change(world.RULESET)
    lie, bodies = doctored(
        agent.review(world.blocks, proposal), "request", lambda body: body.replace(b"gardener", b"president")
    )
    agent.write(world.blocks, agent.seal(world.with_parts(lie, prompt=other), bodies))
    report = world.check()
    assert report.exit_code == 1
    assert {v.step for v in report.unproven} == {Step.PROMPTS}


def test_context_of_a_made_up_version(world, proposal, monkeypatch):
    """A built-in tool in a version that nobody ships says what the operator likes."""
    monkeypatch.setattr(VotingPowerTool, "version", "99")
    agent = world.plain_key(tools=builtin_tools())
    honest = agent.review(world.blocks, proposal)
    context = tuple(
        r.model_copy(update={"result": {"all": "well"}}) if r.version == "99" else r for r in honest.dossier.context
    )
    agent.write(world.blocks, agent.seal(world.with_parts(honest.dossier, context=context)))
    monkeypatch.undo()
    report = world.check()
    assert report.exit_code == 1
    assert {v.step for v in report.unproven} == {Step.CONTEXT}


def test_an_opinion_that_the_model_did_not_give(world, proposal):
    agent = world.model()
    dossier, bodies = doctored(
        agent.review(world.blocks, proposal), "response", lambda body: body.replace(b"90", b"10")
    )
    agent.write(world.blocks, agent.seal(dossier, bodies))
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.ANSWERS, "opinions[0].analysis.confidence_percent")


def test_an_answer_that_was_not_liked(world, proposal):
    """A good answer is called a failure, and the model is asked again."""
    agent = world.model()
    honest = agent.review(world.blocks, proposal)
    (good,) = honest.dossier.attempts
    bad = good.model_copy(update={"outcome": "http-error", "http_status": 500})
    attempts = (bad, good.model_copy(update={"number": 1}))
    agent.write(world.blocks, agent.seal(world.with_parts(honest.dossier, attempts=attempts), honest.bundle.bodies))
    problem = world.only_problem(world.check())
    assert (problem.step, problem.reason) == (Step.ANSWERS, "a usable answer was thrown away")


def test_attempts_that_are_not_shown(world, proposal):
    agent = world.model()
    honest = agent.review(world.blocks, proposal)
    attempts = (honest.dossier.attempts[0].model_copy(update={"number": 2}),)
    agent.write(world.blocks, agent.seal(world.with_parts(honest.dossier, attempts=attempts), honest.bundle.bodies))
    assert world.only_problem(world.check()).where == "attempts"


def test_an_opinion_of_a_model_that_was_never_asked(world, proposal):
    agent = world.model()
    world.write_changed(agent, proposal, attempts=(), bodies={})
    assert {step for step, _ in world.check_fails()} == {Step.PROMPTS, Step.ANSWERS}


def test_an_outline_that_says_something_else(world, agent, proposal):
    honest = agent.review(world.blocks, proposal)
    opinion = world.with_parts(honest.dossier.opinions[0], analysis__summary="A language model read this and likes it.")
    agent.write(world.blocks, agent.seal(world.with_parts(honest.dossier, opinions=(opinion,))))
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.ANSWERS, "opinions[0].analysis.summary")


def test_a_member_of_the_committee_that_is_not_shown(world, agent, proposal):
    world.write_changed(agent, proposal, opinions=())
    assert world.check_fails() == {(Step.DECLARED_CONFIGURATION, "opinions")}


ADVISED = """
name = "advised"
version = "1"

[[rule]]
id = "advice"
because = "The model says so."
when = ["findings.critical is 0"]
then = "model"
[rule.model]
allow = ["for", "against"]
min_confidence_percent = 50
"""


def test_a_failure_beside_a_good_answer(world, proposal):
    """The answer is good and stands in the record. Words about a failure hold the vote all the same."""
    agent = world.model(ruleset=ADVISED)
    honest = agent.review(world.blocks, proposal)
    (opinion,) = honest.dossier.opinions
    failed = Outlined((opinion.model_copy(update={"failure": "it felt wrong"}),), honest.dossier.attempts)
    dossier = agent.conclude(honest.dossier.facts, failed)
    assert [honest.dossier.decision.outcome, dossier.decision.outcome] == [Outcome.FOR, Outcome.HOLD]
    agent.write(world.blocks, agent.seal(dossier, honest.bundle.bodies))
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.ANSWERS, "opinions[0].failure")
