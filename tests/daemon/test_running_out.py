"""A real agent whose money runs out, for models and for gas: it goes on as it can, and says so to everybody."""

from __future__ import annotations

from pnyx_contracts.entry import EntryKind
from pnyx_policies.rulesets import shipped_ruleset
from pnyx_tools.journal import Stage
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.openai_server import OpenAIServer, answer
from pnyx_tools.verifier import verify

from .conftest import MakeAgent, pay, pnyx
from .test_whole_job import ADVICE


def test_beyond_the_cap_no_model_is_asked_and_people_decide(make_agent: MakeAgent) -> None:
    with OpenAIServer([answer(ADVICE)]) as server:
        lines = f"""
[[model]]
model = "scripted"
sees = ["facts-and-text"]
base_url = "{server.base_url}"
api_key_env = ""
input_per_million = "1.25"
output_per_million = "10"
[costs]
money_per_day = "0.00005"
[notifications]
gas_votes = 1_000_000
"""
        agent = make_agent(rules=shipped_ruleset("guardian"), lines=lines)
        agent.start()
        agent.until_stage(pay(agent), Stage.DONE)
        agent.kill()
        agent.start()
        case = agent.until_stage(pay(agent), Stage.HELD)
        assert len([request for request in server.requests if request.method == "POST"]) == 1
    dossier = agent.dossier(case)
    assert dossier.attempts == ()
    assert dossier.opinions[0].failure == "cost cap reached: 0.00008375 of 0.00005 USD in 24 hours"
    assert [entry.kind for entry in agent.entries()] == [EntryKind.VOTE, EntryKind.HOLD]
    agent.until("the alert about the cap", lambda: "no model is asked" in agent.output)
    agent.until("the alert about gas", lambda: "is short of gas money" in agent.output)
    assert "Models in the last 24 hours: 18 tokens, 0.00008375 USD" in pnyx(agent, "status").stdout
    report = verify(Rpc(agent.node.url), agent.log, agent.writer, agent.folder / "evidence", upto="latest")
    assert report.ok, [str(problem) for problem in report.problems]
