"""Traces of a proposal, as a collector gets them over OTLP/HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from pnyx_agents import telemetry
from pnyx_agents.metrics import Metrics
from pnyx_agents.observing import Observer, workflow_id
from pnyx_agents.telemetry import OpenTelemetry, open_telemetry
from pnyx_policies.rulesets import shipped_ruleset
from pnyx_tools.journal import Stage
from pnyx_tools.testing.openai_server import OpenAIServer, answer, refusal
from pnyx_tools.testing.otlp_collector import Collected, OtlpCollector

from .conftest import MakeAgent, pay
from .test_whole_job import ADVICE

WORKFLOW = workflow_id("tester", "1:0xA:7", 1)


@pytest.fixture
def collector() -> Iterator[OtlpCollector]:
    with OtlpCollector() as running:
        yield running


def opened(collector: OtlpCollector) -> OpenTelemetry:
    return open_telemetry(collector.url, {"authorization": "Bearer x"}, "tester")


def test_what_two_processes_did_for_one_workflow_is_one_tree(collector: OtlpCollector) -> None:
    """The first one dies; a task runs in the second, which ends the workflow."""
    began = time.time()
    for number, process in enumerate((opened(collector), opened(collector))):
        observer = Observer(Metrics(), process)
        of = f"{WORKFLOW}/ask:0" if number else WORKFLOW
        with observer.workflow(of), observer.step(("establish:0", "ask:0")[number]):
            pass
        if number:
            observer.finished(WORKFLOW, began)
        process.close()
    (root,) = [span for span in collector.spans if not span.parent_id]
    assert [span.name for span in collector.children_of(root)] == ["establish", "ask"]
    assert root.attributes == {"pnyx.workflow": WORKFLOW, "pnyx.proposal": "1:0xA:7"}
    assert root.began_ns == pytest.approx(began * 10**9, abs=1_000_000)
    assert root.ended_ns >= max(span.ended_ns for span in collector.spans)
    assert root.resource["service.name"] == "pnyx"
    assert {headers["authorization"] for headers in collector.headers} == {"Bearer x"}


def test_another_workflow_is_another_trace(collector: OtlpCollector) -> None:
    tracer = opened(collector)
    for number in (1, 2):
        tracer.finish(workflow_id("tester", "1:0xA:7", number), time.time(), {})
    tracer.close()
    assert len({span.trace_id for span in collector.spans}) == 2


def test_of_an_error_only_its_kind_leaves(collector: OtlpCollector) -> None:
    tracer = opened(collector)
    with pytest.raises(ValueError, match="a key"), tracer.span("write", {}):
        raise ValueError("a key, or words of a proposal")
    tracer.close()
    (span,) = collector.spans
    assert (span.is_error, span.attributes) == (True, {"error.type": "ValueError"})


def test_a_collector_that_is_away_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "CLOSE_SECONDS", 0.1)
    tracer = open_telemetry("http://127.0.0.1:1", {}, "tester")
    with tracer.span("write", {}):
        pass
    tracer.close()


def test_the_tree_of_one_proposal(make_agent: MakeAgent, collector: OtlpCollector) -> None:
    with OpenAIServer([refusal(), answer(ADVICE)]) as server:
        lines = f"""
[[model]]
model = "scripted-model"
sees = ["facts-and-text"]
base_url = "{server.base_url}"
api_key_env = ""
temperature = 0.5
seed = 7
[telemetry]
endpoint = "{collector.url}"
headers = {{ authorization = "Bearer a-very-secret-token" }}
"""
        agent = make_agent(rules=shipped_ruleset("guardian"), lines=lines)
        agent.environment = {"OTEL_TRACES_SAMPLER": "always_off"}  # the environment decides nothing
        agent.start()
        proposal = pay(agent)
        agent.until_stage(proposal, Stage.DONE)
        assert agent.stop() == 0
    key = f"{agent.dao.proposals[proposal].key}"
    (root,) = [span for span in collector.spans if not span.parent_id]
    assert root.attributes == {"pnyx.workflow": workflow_id("tester", key, 1), "pnyx.proposal": key}
    steps = {span.name: span for span in collector.children_of(root)}
    assert list(steps) == [
        "signed before", "rejected", "establish", "ask", "seal", "to wait", "settled", "recheck", "write", "confirm",
    ]  # fmt: skip
    refused, answered = collector.children_of(steps["ask"])
    assert [child for name, step in steps.items() if name != "ask" for child in collector.children_of(step)] == []
    require_conventional(answered, server)
    assert (refused.is_error, refused.attributes["error.type"]) == (True, "refusal")
    require_no_words(collector.spans)
    require_ids_in_lines(agent.output, root, steps)


def require_conventional(call: Collected, server: OpenAIServer) -> None:
    assert (call.name, call.kind, call.is_error) == ("chat scripted-model", "CLIENT", False)
    port = int(server.base_url.split(":")[2].split("/")[0])
    assert call.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "scripted-model",
        "gen_ai.request.max_tokens": 8000,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.seed": 7,
        "gen_ai.output.type": "json",
        "gen_ai.response.model": "scripted",
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 7,
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": port,
        "pnyx.outcome": "ok",
    }


def require_no_words(spans: list[Collected]) -> None:
    """Neither the proposal's text nor the model's, and no secret."""
    said = str(spans)
    assert [word for word in ("documentation", ADVICE.summary, "a-very-secret-token") if word in said] == []


def require_ids_in_lines(output: str, root: Collected, steps: dict[str, Collected]) -> None:
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    traced = [line for line in lines if line.get("trace_id") == root.trace_id]
    written = next(line for line in traced if line["message"] == "proposal voting")
    assert written["span_id"] == steps["write"].span_id


def test_the_names_are_those_of_the_installed_conventions() -> None:
    from opentelemetry.semconv._incubating.attributes import gen_ai_attributes

    from pnyx_agents.meter import _PROVIDERS, asked
    from pnyx_tools.model import ModelSettings

    known = {value for name, value in vars(gen_ai_attributes).items() if name.startswith("GEN_AI")}
    names = asked(ModelSettings(model="m", temperature=0, seed=1)).keys()
    assert {name for name in names if name.startswith("gen_ai.")} <= known
    assert set(_PROVIDERS.values()) <= {provider.value for provider in gen_ai_attributes.GenAiProviderNameValues}
