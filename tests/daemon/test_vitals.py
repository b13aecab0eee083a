"""What a running agent says of itself over HTTP."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pnyx_agents.holds import LONGEST_REST_SECONDS, Holds
from pnyx_agents.metrics import Metrics
from pnyx_agents.vitals import LEAST_PATIENCE_SECONDS, PATIENCE_POLLS, Vitals, application
from pnyx_contracts.errors import UnreachableError
from pnyx_policies.suspension import Order, Suspension
from pnyx_tools.endpoints import Health
from pnyx_tools.notify import Message, Urgency
from pnyx_tools.signer.protocol import Standing
from pnyx_tools.testing.outbox import MemoryOutbox

BEGUN = 1_000_000.0
DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana" / "pnyx.json"


class Stoppable:
    """A signer that says of itself what the test wants."""

    says: Suspension | None = None
    is_away = False
    asked = 0

    def standing(self) -> Standing:
        self.asked += 1
        if self.is_away:
            raise UnreachableError("away")
        return Standing(suspension=self.says, on_chain="", approvals=1)

    def give(self, order: Order) -> Standing:
        raise AssertionError(f"nobody gives {order} here")


class Agent:
    """One whose vitals can be set."""

    def __init__(self, poll_seconds: float = 12) -> None:
        self.metrics = Metrics()
        self.why: str | None = None
        self.signer = Stoppable()
        self.memory = MemoryOutbox()
        self.told: list[Message] = []
        self.begin()
        self.now = BEGUN
        self.vitals = Vitals(self.metrics, lambda: self.holds.reasons, poll_seconds, BEGUN, lambda: self.now)

    def begin(self) -> None:
        """A new process."""
        self.holds = Holds(lambda: self.why, self.memory, self.signer, now=lambda: self.now)

    def get(self, path: str) -> tuple[int, Any]:
        status = []
        environ = {"PATH_INFO": path, "REQUEST_METHOD": "GET", "QUERY_STRING": ""}
        body = b"".join(application(self.vitals)(environ, lambda said, _: status.append(said)))
        return int(status[0].split()[0]), body.decode() if path == "/metrics" else json.loads(body)


@pytest.fixture
def agent() -> Agent:
    return Agent()


def test_an_agent_that_just_began_is_well(agent: Agent):
    assert agent.get("/healthz") == agent.get("/readyz") == (200, {"problems": []})


def test_no_beat_for_too_long_asks_for_a_restart(agent: Agent):
    agent.now += LEAST_PATIENCE_SECONDS
    assert agent.get("/healthz")[0] == 200
    agent.now += 1
    assert agent.get("/healthz") == (503, {"problems": ["no beat for 301 seconds"]})
    agent.metrics.beat_at = agent.now
    assert agent.get("/healthz")[0] == 200


def test_patience_follows_the_pace_of_polls():
    agent = Agent(poll_seconds=100)
    agent.now += PATIENCE_POLLS * 100
    assert agent.get("/healthz")[0] == 200
    agent.now += 1
    assert agent.get("/healthz")[0] == 503


def test_a_chain_that_cannot_be_looked_at_is_no_reason_to_restart(agent: Agent):
    agent.now += 2 * LEAST_PATIENCE_SECONDS
    agent.metrics.beat_at = agent.now
    assert agent.get("/healthz")[0] == 200
    assert agent.get("/readyz") == (503, {"problems": ["the chain was not looked at for 600 seconds"]})


def test_held_votes_are_a_reason(agent: Agent):
    agent.why = "somebody looks"
    assert agent.get("/readyz") == (503, {"problems": ["all votes are held: somebody looks"]})
    assert agent.get("/healthz")[0] == 200


def test_people_who_stopped_the_signer_are_a_reason_and_are_told_about_once(agent: Agent):
    stopped = Suspension(number=7, by="0x" + "11" * 20, why="It votes oddly.", at=1)
    for agent.signer.says in (None, stopped, stopped, None):
        agent.now += LONGEST_REST_SECONDS
        agent.metrics.beat_at = agent.metrics.looked_at = agent.now
        agent.holds.ask(agent.told.append)
        reason = [f"all votes are held: the signer is stopped: {stopped}"] if agent.signer.says else []
        assert agent.get("/readyz") == (503 if reason else 200, {"problems": reason})
    assert [(message.urgency, message.subject) for message in agent.told] == [
        (Urgency.ALERT, "the signer signs no votes"), (Urgency.INFO, "the signer signs votes again")
    ]  # fmt: skip


def test_whoever_restarts_meanwhile_tells_nothing_twice_and_forgets_nothing(agent: Agent):
    stopped = Suspension(number=7, by="0x" + "11" * 20, why="It votes oddly.", at=1)
    for agent.signer.says in (None, stopped, stopped, None, None):
        agent.now += LONGEST_REST_SECONDS
        agent.begin()
        agent.holds.ask(agent.told.append)
    assert [message.subject for message in agent.told] == ["the signer signs no votes", "the signer signs votes again"]


def test_a_stopped_signer_is_asked_ever_more_rarely(agent: Agent):
    agent.signer.says = Suspension(number=7, by="0x" + "11" * 20, why="It votes oddly.", at=1)
    asked_at = []
    for _ in range(100):
        before = agent.signer.asked
        agent.holds.ask(agent.told.append)
        asked_at += [agent.now - BEGUN] if agent.signer.asked > before else []
        agent.now += 12
    assert asked_at[:5] == [0, 24, 60, 120, 240]
    assert {later - earlier for earlier, later in pairwise(asked_at[3:])} == {LONGEST_REST_SECONDS}
    agent.signer.says = None
    agent.now += LONGEST_REST_SECONDS
    agent.holds.ask(agent.told.append)
    before = agent.signer.asked
    agent.holds.ask(agent.told.append)
    assert agent.signer.asked == before + 1, "one that signs is asked each time"


def test_a_stopped_signer_is_asked_at_once_when_the_daemon_is_let_go_on(agent: Agent):
    agent.signer.says, agent.why = Suspension(number=7, by="0x" + "11" * 20, why="Odd.", at=1), "somebody looks"
    for _ in range(3):
        agent.holds.ask(agent.told.append)
    assert agent.signer.asked == 1
    agent.signer.says = agent.why = None
    agent.holds.ask(agent.told.append)
    assert (agent.signer.asked, agent.holds.why) == (2, None)


def test_a_signer_that_does_not_say_is_a_reason_and_no_news(agent: Agent):
    agent.signer.is_away = True
    with pytest.raises(UnreachableError):
        agent.holds.ask(agent.told.append)
    assert agent.get("/readyz") == (503, {"problems": ["whether the signer is suspended is not known: away"]})
    assert (agent.holds.why, agent.told) == (None, [])


def test_another_path_says_what_there_is(agent: Agent):
    assert agent.get("/") == (404, {"paths": ["/metrics", "/healthz", "/readyz"]})


def test_endpoints_of_one_provider_are_told_apart(agent: Agent):
    health = Health("https://provider.example", rests=True, failures=2, latency_seconds=0.5, lag_blocks=3)
    agent.metrics.note_endpoints([health, health])
    _, said = agent.get("/metrics")
    for number in (1, 2):
        assert f'pnyx_endpoint_lag_blocks{{endpoint="https://provider.example",number="{number}"}} 3.0' in said


def names_in(dashboard: Path) -> set[str]:
    return set(re.findall(r"pnyx_\w+", dashboard.read_text(encoding="utf-8")))


def test_the_dashboard_asks_for_metrics_that_there_are(agent: Agent):
    agent.metrics.note_endpoints([Health("x", rests=False, failures=0, latency_seconds=0, lag_blocks=0)])
    served = set(re.findall(r"^# TYPE (pnyx_\w+) ", agent.get("/metrics")[1], flags=re.MULTILINE))
    asked = {re.sub("_(bucket|sum|count)$", "", name) for name in names_in(DASHBOARD)}
    assert asked <= served
    without_panel = {name for name in served if not name.endswith("_created")} - asked
    assert without_panel == set()
