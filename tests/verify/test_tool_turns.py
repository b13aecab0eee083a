"""Records of a model that called context tools: an honest one matches, each doctored turn is found."""

from __future__ import annotations

import json

import pytest
from eth_hash.auto import keccak

from pnyx_agents.analyst import ModelAnalyst, deliberate
from pnyx_policies.verify import Status, Step
from pnyx_tools.context import builtin_tools
from pnyx_tools.model import LangChainModel, ModelSettings
from pnyx_tools.testing.openai_server import OpenAIServer, answer, calls, refusal

ALLOWED = ("voting_power", "treasury_balances")


@pytest.fixture
def start(world):
    """`start(reply, ...)`: a plain key whose model may call two context tools, and gets these replies."""

    def begin(*replies):
        server = world.servers.enter_context(OpenAIServer(replies))
        settings = ModelSettings(model="scripted", base_url=server.base_url, api_key_env="", tools=ALLOWED)
        analyst = ModelAnalyst(LangChainModel(settings), pause=lambda _: None)
        return world.plain_key(
            analysts=(analyst.describe(),), ask=lambda facts: deliberate([analyst], facts), tools=builtin_tools()
        )

    return begin


@pytest.fixture
def agent(world, start):
    return start(calls("voting_power"), refusal(), calls("treasury_balances", "voting_power"), answer(world.CALM))


@pytest.fixture
def honest(world, agent):
    return agent.review(world.blocks, world.open_proposal())


def write(world, agent, honest, attempts, bodies=()):
    """The record with other attempts, sealed, entered and voted as if nothing had happened."""
    known = dict(honest.bundle.bodies) | {keccak(body): body for body in bodies}
    used = {digest for attempt in attempts for digest in (attempt.request_hash, attempt.response_hash)}
    dossier = honest.dossier.model_copy(update={"attempts": tuple(attempts)})
    agent.write(world.blocks, agent.seal(dossier, {digest: body for digest, body in known.items() if digest in used}))


def write_doctored(world, agent, honest, number, place, change):
    """The body of one attempt changed, with a hash that fits."""
    attempts = list(honest.dossier.attempts)
    body = honest.bundle.bodies[getattr(attempts[number], f"{place}_hash")]
    doctored = json.loads(body)
    change(doctored)
    data = json.dumps(doctored).encode()
    attempts[number] = attempts[number].model_copy(update={f"{place}_hash": keccak(data)})
    write(world, agent, honest, attempts, [data])


def found(world):
    return {(verdict.step, verdict.where) for verdict in world.check().problems}


def test_an_honest_conversation_matches(world, agent, honest):
    assert [a.outcome for a in honest.dossier.attempts] == ["tool-call", "refusal", "tool-call", "ok"]
    agent.write(world.blocks, honest)
    report = world.check()
    assert report.ok
    prompts = [v for v in world.verdicts if v.step is Step.PROMPTS]
    assert [v.status for v in prompts] == [Status.MATCHES] * 4


def test_a_doctored_result(world, agent, honest):
    def change(request):
        request["messages"][3]["content"] += " All is well."

    write_doctored(world, agent, honest, 1, "request", change)
    assert found(world) == {(Step.PROMPTS, "attempts[1].request")}


def test_a_result_that_the_record_does_not_hold(world, agent, honest):
    """The conversation was honest, the recorded fact was changed afterwards."""
    context = tuple(
        result.model_copy(update={"result": {"all": "well"}}) if result.tool == "voting_power" else result
        for result in honest.dossier.context
    )
    dossier = honest.dossier.model_copy(update={"context": context})
    agent.write(world.blocks, agent.seal(dossier, honest.bundle.bodies))
    problems = found(world)
    assert Step.CONTEXT in {step for step, _ in problems}
    assert {(Step.PROMPTS, f"attempts[{n}].request") for n in range(4)} <= problems


def test_a_message_that_was_slipped_in(world, agent, honest):
    def change(request):
        request["messages"].append({"role": "user", "content": "Say for."})

    write_doctored(world, agent, honest, 3, "request", change)
    assert found(world) == {(Step.PROMPTS, "attempts[3].request")}


def test_words_put_into_the_models_mouth(world, agent, honest):
    def change(request):
        request["messages"][2]["content"] = "I have seen enough: for."

    write_doctored(world, agent, honest, 1, "request", change)
    assert found(world) == {(Step.PROMPTS, "attempts[1].request")}


def test_a_tool_that_was_never_allowed(world, agent, honest):
    def change(request):
        request["tools"].append({"type": "function", "function": {"name": "say_for", "description": "Say for."}})

    write_doctored(world, agent, honest, 0, "request", change)
    assert found(world) == {(Step.PROMPTS, "attempts[0].request")}


def test_turns_that_were_swapped(world, agent, honest):
    first, failed, second, last = honest.dossier.attempts
    swapped = [second.model_copy(update={"number": 0}), failed, first.model_copy(update={"number": 2}), last]
    write(world, agent, honest, swapped)
    assert {(Step.PROMPTS, "attempts[0].request"), (Step.PROMPTS, "attempts[2].request")} <= found(world)


def test_a_turn_that_was_left_out(world, agent, honest):
    _, *rest = honest.dossier.attempts
    write(world, agent, honest, [a.model_copy(update={"number": n}) for n, a in enumerate(rest)])
    assert (Step.PROMPTS, "attempts[0].request") in found(world)


def test_a_call_that_the_model_did_not_make(world, agent, honest):
    """The response is changed: then neither the next request nor the one after follows from it."""

    def change(response):
        response["choices"][0]["message"]["tool_calls"][0]["function"]["name"] = "treasury_balances"

    write_doctored(world, agent, honest, 0, "response", change)
    assert {(Step.PROMPTS, f"attempts[{n}].request") for n in (1, 2, 3)} <= found(world)


def test_a_conversation_that_ends_with_a_call(world, agent, honest):
    """The answer was not liked: the record says that none came after the call."""
    opinion = honest.dossier.opinions[0].model_copy(update={"analysis": None, "failure": "no answer"})
    changed = agent.conclude(
        honest.dossier.facts,
        type("Said", (), {"opinions": (opinion,), "attempts": honest.dossier.attempts[:3]}),
    )
    used = {digest for attempt in changed.attempts for digest in (attempt.request_hash, attempt.response_hash)}
    bodies = {digest: body for digest, body in honest.bundle.bodies.items() if digest in used}
    agent.write(world.blocks, agent.seal(changed, bodies))
    assert found(world) == {(Step.ANSWERS, "attempts[2]")}


def test_a_call_that_is_passed_off_as_a_failure(world, agent, honest):
    first, *rest = honest.dossier.attempts
    write(world, agent, honest, [first.model_copy(update={"outcome": "connection"}), *rest])
    assert found(world) == {(Step.ANSWERS, "attempts[0]")}


def test_calls_beyond_the_last_turn(world, start):
    agent = start(*[calls("voting_power")] * 5, answer(world.CALM))
    sealed = agent.act(world.blocks, world.open_proposal())
    assert [a.outcome for a in sealed.dossier.attempts] == ["tool-call"] * 4 + ["invalid", "ok"]
    assert world.check().ok


def test_tools_that_were_not_declared(world, agent, honest):
    opinion = honest.dossier.opinions[0]
    silent = opinion.model_copy(update={"analyst": opinion.analyst.model_copy(update={"tools": ()})})
    dossier = honest.dossier.model_copy(update={"opinions": (silent,)})
    agent.write(world.blocks, agent.seal(dossier, honest.bundle.bodies))
    assert (Step.DECLARED_CONFIGURATION, "opinions") in found(world)


def test_a_response_that_is_withheld_leaves_what_follows_unproven(world, agent, honest):
    agent.write(world.blocks, honest)
    hidden = honest.dossier.attempts[0].response_hash
    bodies = {digest: body for digest, body in honest.bundle.bodies.items() if digest != hidden}
    partial = honest.bundle.model_copy(update={"bodies": bodies})
    world.bundle_file(honest.bundle.record_root).write_bytes(partial.to_bytes())
    report = world.check()
    assert report.problems == []
    assert report.exit_code == 1
    prompts = [v for v in world.verdicts if v.step is Step.PROMPTS]
    assert [v.status for v in prompts] == [Status.MATCHES, Status.NOT_PROVEN]
    assert "withholds the response of attempts[0]" in prompts[1].reason
