"""What models cost: counted exactly, over restarts and workers; and capped, before anything is asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pnyx_agents.analyst import Deliberation, ModelAnalyst, deliberate
from pnyx_agents.meter import CostMeter, tokens
from pnyx_agents.metrics import Metrics
from pnyx_agents.model_alerts import ModelAlerts
from pnyx_agents.settings import parse_settings
from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import DAY_SECONDS
from pnyx_policies.analysis import COST_CAP, Analysis
from pnyx_policies.conversation import begin
from pnyx_policies.dossier import Attempt
from pnyx_policies.facts import Facts
from pnyx_policies.prices import Rate
from pnyx_policies.request import request_difference
from pnyx_tools.costs import KEPT_SECONDS, AnswerBook, Caps, CostBook, Request, Spent
from pnyx_tools.database import Database
from pnyx_tools.journal import Journal
from pnyx_tools.model import CONNECTION, KEY_REMOVED, TIMEOUT, Exchange, LangChainModel, ModelSettings
from pnyx_tools.notify import Message, Urgency
from pnyx_tools.testing import openai_server as script
from pnyx_tools.testing.openai_server import OpenAIServer
from pnyx_tools.testing.serving import Answer

ONE, OTHER = "1:0xA:1", "1:0xA:2"
RATE = Rate(input_per_million="0.1", output_per_million="0.30")
TOKENS_OF_AN_ANSWER = 18
"""As the scripted server says."""


def request(proposal: str = ONE, outcome: str = "ok", rate: Rate | None = RATE) -> Request:
    return Request(proposal, "openai:m", outcome, 1_000, 100, rate)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


# Counting


def test_money_is_exact_however_many_requests(journal: Journal) -> None:
    book = CostBook(journal.database)
    for _ in range(10):
        book.note(request())
    book.note(request(rate=Rate(input_per_million="3", output_per_million="0.000000001")))
    assert book.on_proposal(ONE) == Spent(11 * 1_100, Decimal("0.0043000000001"), 0)


def test_a_request_without_a_price_counts_its_tokens_and_is_said_to_be_unknown(journal: Journal) -> None:
    book = CostBook(journal.database)
    book.note(request(rate=None))
    book.note(request())
    assert book.on_proposal(ONE) == Spent(2_200, Decimal("0.00013"), unpriced=1)
    assert book.on_proposal(OTHER) == Spent()


def test_what_was_spent_is_known_to_other_workers_and_after_a_restart(database_url: str, clock: Clock) -> None:
    one, other = (CostBook(Database(database_url), clock) for _ in range(2))
    one.note(request(ONE))
    other.note(request(OTHER))
    assert one.on_proposal(OTHER).tokens == 1_100
    assert CostBook(Database(database_url), clock).in_a_day().tokens == 2_200


def test_a_day_is_the_last_24_hours(journal: Journal, clock: Clock) -> None:
    book = CostBook(journal.database, clock)
    book.note(request())
    clock.now += DAY_SECONDS - 1
    assert book.in_a_day().tokens == 1_100
    clock.now += 1
    assert book.in_a_day() == Spent()


def exchange(**values: Any) -> Exchange:
    return Exchange(request=b"x" * 500, **values)


@pytest.mark.parametrize(
    ("came", "counted", "expected"),
    [
        (exchange(response=b"{}", http_status=200), (11, 7), (11, 7)),
        (exchange(response=b"{}", http_status=200), (11, None), (500, 900)),
        (exchange(failure=TIMEOUT), (None, None), (500, 900)),
        (exchange(failure=CONNECTION), (None, None), (0, 0)),
        (exchange(response=b"{}", http_status=500, failure="http-error"), (None, None), (0, 0)),
    ],
    ids=["said", "half said", "no answer in time", "no connection", "an error"],
)
def test_tokens_that_nobody_counted_are_as_many_as_they_can_be(
    came: Exchange, counted: tuple[int | None, int | None], expected: tuple[int, int]
) -> None:
    attempt = Attempt(
        opinion=0, number=0, request_hash=bytes(32), response_hash=None, http_status=None, outcome="x",
        input_tokens=counted[0], output_tokens=counted[1],
    )  # fmt: skip
    assert tokens(ModelSettings(model="m", max_output_tokens=900), came, attempt) == expected


# Caps


@pytest.mark.parametrize(
    ("caps", "says"),
    [
        (Caps(), ""),
        (Caps(tokens_per_proposal=101), ""),
        (Caps(tokens_per_proposal=100), "100 of 100 tokens for this proposal"),
        (Caps(tokens_per_day=300), "300 of 300 tokens in 24 hours"),
        (Caps(money_per_proposal=Decimal("0.25")), "0.25 of 0.25 USD for this proposal"),
        (Caps(money_per_day=Decimal("0.7"), currency="EUR"), "0.75 of 0.7 EUR in 24 hours"),
        (Caps(money_per_day=Decimal("0.76")), ""),
    ],
)
def test_a_cap_is_reached_when_nothing_is_left(caps: Caps, says: str) -> None:
    assert caps.reached(Spent(100, Decimal("0.25")), Spent(300, Decimal("0.75"))) == says


@contextmanager
def metered(journal: Journal, caps: Caps, *replies: script.Script, **settings: Any):
    """An analyst whose requests are counted, at a real server; the server, and the book."""
    book = CostBook(journal.database)
    with OpenAIServer(replies) as server:
        model = ModelSettings(**{"model": "m", "base_url": server.base_url, "api_key_env": "", **settings})
        meter = CostMeter(book, AnswerBook(journal.database), caps, Metrics())
        yield ModelAnalyst(LangChainModel(model), meter, pause=lambda _: None), server, book


def test_no_model_is_asked_once_a_cap_is_reached(journal: Journal, facts: Facts, analysis: Analysis) -> None:
    caps = Caps(tokens_per_proposal=TOKENS_OF_AN_ANSWER)
    with metered(journal, caps, script.answer(analysis)) as (analyst, server, book):
        assert analyst.analyse(facts).opinion.analysis == analysis
        second = analyst.analyse(facts)
        assert len(server.requests) == 1
    assert (second.opinion.analysis, second.attempts) == (None, ())
    assert second.opinion.failure == f"{COST_CAP}: 18 of 18 tokens for this proposal"
    assert book.on_proposal(str(facts.proposal.key)).tokens == TOKENS_OF_AN_ANSWER


# Answers that were paid for


def test_the_same_question_is_paid_for_once(journal: Journal, facts: Facts, analysis: Analysis) -> None:
    """A process that was killed in the middle of a committee asks again what it has heard already."""
    with metered(journal, Caps(), script.refusal(), script.answer(analysis)) as (analyst, server, book):
        first, second = analyst.analyse(facts), analyst.analyse(facts)
        assert len(server.requests) == 2
    assert book.on_proposal(str(facts.proposal.key)).tokens == 2 * TOKENS_OF_AN_ANSWER
    assert second.opinion == first.opinion
    [again] = second.attempts
    paid = first.attempts[-1]
    assert (paid.reused, again.reused) == (False, True)
    assert (again.request_hash, again.response_hash) == (paid.request_hash, paid.response_hash)
    assert {again.request_hash, again.response_hash} == second.bodies.keys()
    assert request_difference(second.bodies[again.request_hash], begin(facts), analyst.describe()) == ""


def test_each_turn_with_tools_is_paid_for_once(journal: Journal, facts: Facts, analysis: Analysis) -> None:
    tool = facts.context[0].model_copy(update={"tool": "voting_power"})
    asked = facts.model_copy(update={"context": (tool,)})
    replies = script.calls("voting_power"), script.answer(analysis)
    with metered(journal, Caps(), *replies, tools=("voting_power",)) as (analyst, server, _):
        first, second = analyst.analyse(asked), analyst.analyse(asked)
        assert len(server.requests) == 2
    assert [(a.outcome, a.reused) for a in second.attempts] == [("tool-call", True), ("ok", True)]
    assert second.opinion == first.opinion


def test_other_facts_another_seat_and_a_useless_answer_are_asked_anew(
    journal: Journal, make_facts: Callable[..., Facts], analysis: Analysis
) -> None:
    with metered(journal, Caps(), script.answer(analysis)) as (analyst, server, _):
        analyst.analyse(make_facts())
        analyst.analyse(make_facts("Another text."))
        meter, model = analyst._meter, analyst._model
        for seat in model.settings.model_copy(update={"samples": 2}).seats:
            ModelAnalyst(model, meter, seat=seat).analyse(make_facts())
        assert len(server.requests) == 2 + 3, "one of the four seats is the one that was asked first"
    with metered(journal, Caps(), script.refusal(), max_attempts=1) as (analyst, server, _):
        for _ in range(2):
            analyst.analyse(make_facts("A third text."))
        assert len(server.requests) == 2


def test_an_answer_that_was_changed_is_not_used_again(
    journal: Journal, facts: Facts, analysis: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It held the API key: what is recorded of it says so, and a recalled one could not."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-echo-0123456789")
    echo = analysis.model_copy(update={"stated_intent": "sk-echo-0123456789"})
    with metered(journal, Caps(), script.answer(echo), api_key_env=None) as (analyst, server, _):
        details = [analyst.analyse(facts).attempts[0].detail for _ in range(2)]
        assert len(server.requests) == 2
    assert all(KEY_REMOVED in detail for detail in details)


def test_old_answers_are_forgotten(journal: Journal, clock: Clock) -> None:
    book, seat = AnswerBook(journal.database, clock), ModelSettings(model="m").describe()
    book.remember(seat, b"question", b"answer")
    book.remember(seat, b"question", b"another answer")
    assert book.recall(seat, b"question") == b"answer", "the first one stays"
    assert book.recall(seat.model_copy(update={"sample": 1}), b"question") is None
    clock.now += KEPT_SECONDS + 1
    book.remember(seat, b"other", b"answer")
    assert book.recall(seat, b"question") is None


def test_what_a_server_knew_from_before_costs_what_it_says(journal: Journal, facts: Facts, analysis: Analysis) -> None:
    body = json.loads(script.answer(analysis).body)
    body["usage"] = {"prompt_tokens": 1_000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 800}}
    prices = {"input_per_million": "1", "output_per_million": "10", "cached_input_per_million": "0.1"}
    with metered(journal, Caps(), Answer.of(body), **prices) as (analyst, _, book):
        [attempt] = analyst.analyse(facts).attempts
    assert (attempt.input_tokens, attempt.cached_tokens) == (1_000, 800)
    assert book.in_a_day() == Spent(1_100, Decimal("0.00128")), "200 * 1 + 800 * 0.1 + 100 * 10, a million for each"
    assert Rate(input_per_million="1", output_per_million="10").of(1_000, 100, 800) == Decimal("0.002")


def test_a_failed_request_is_not_repeated_beyond_a_cap(journal: Journal, facts: Facts) -> None:
    with metered(journal, Caps(tokens_per_day=30), script.refusal(), max_attempts=5) as (analyst, server, _):
        transcript = analyst.analyse(facts)
        assert len(server.requests) == len(transcript.attempts) == 2
    assert transcript.opinion.failure.startswith(f"{COST_CAP}: 36 of 30 tokens in 24 hours; no usable answer in 2")


def test_a_call_of_a_tool_is_answered_whatever_it_costs(journal: Journal, facts: Facts, analysis: Analysis) -> None:
    """Else the record would hold a call that nothing followed, as if an answer had been thrown away."""
    tool = facts.context[0].model_copy(update={"tool": "voting_power"})
    asked = facts.model_copy(update={"context": (tool,)})
    replies = script.calls("voting_power"), script.answer(analysis)
    caps = Caps(tokens_per_proposal=TOKENS_OF_AN_ANSWER)
    with metered(journal, caps, *replies, tools=("voting_power",)) as (analyst, _, _):
        assert [attempt.outcome for attempt in analyst.analyse(asked).attempts] == ["tool-call", "ok"]


def test_a_cap_on_money_needs_prices(tmp_path: Path) -> None:
    lines = """
agent = { name = "a" }
chain = { rpc = "http://localhost:8545", chain_id = 1 }
governor = [{ address = "0x323A76393544d5ecca80cd6ef2A560C6a395b7E3", start_block = 1 }]
costs = { money_per_day = "5.00" }
[[model]]
model = "m"
"""
    with pytest.raises(UsageError, match="needs the price of every model, and 'm' has none"):
        parse_settings(lines, tmp_path / "pnyx.toml")
    with pytest.raises(UsageError, match="a price has two parts"):
        parse_settings(lines + 'input_per_million = "1"\n', tmp_path / "pnyx.toml")
    priced = parse_settings(
        lines + 'input_per_million = "1"\noutput_per_million = "2.50"\n', tmp_path / "pnyx.toml"
    )  # fmt: skip
    assert priced.costs.caps == Caps(money_per_day=Decimal("5.00"))
    assert priced.model[0].describe().parameters == {"max_completion_tokens": "8000"}, "no price is declared"


# Alerts


@pytest.fixture
def alerts(journal: Journal, clock: Clock) -> tuple[ModelAlerts, list[Message]]:
    """And what was told for the first time, as the ledger tells each key once."""
    told: dict[str, Message] = {}
    said: list[Message] = []

    def tell(message: Message) -> None:
        if told.setdefault(message.key, message) is message:
            said.append(message)

    return ModelAlerts(tell, CostBook(journal.database, clock).last_answer, clock), said


def heard(journal: Journal, clock: Callable[[], float], facts: Facts, caps: Caps, *replies: Any) -> Deliberation:
    with OpenAIServer(replies) as server:
        model = ModelSettings(model="m", base_url=server.base_url, api_key_env="", max_attempts=2)
        book, answers = CostBook(journal.database, clock), AnswerBook(journal.database, clock)
        meter = CostMeter(book, answers, caps, Metrics())
        return deliberate([ModelAnalyst(LangChainModel(model), meter, pause=lambda _: None)], facts)


def test_people_hear_of_each_way_to_fail_once_until_the_model_answers(
    journal: Journal, clock: Clock, facts: Facts, analysis: Analysis, alerts: tuple[ModelAlerts, list[Message]]
) -> None:
    watch, told = alerts

    def after(*replies: Any) -> list[str]:
        before = len(told)
        watch.look(ONE, heard(journal, clock, facts, Caps(), *replies))
        clock.now += 1
        return [message.subject for message in told[before:]]

    assert after(script.refusal()) == ["the model openai:m fails (refusal)"]
    assert after(script.refusal()) == []
    assert after(script.error(500)) == ["the model openai:m fails (http-error)"]
    assert after(script.refusal(), script.answer(analysis)) == []
    assert after(script.refusal()) == ["the model openai:m fails (refusal)"]
    assert {message.urgency for message in told} == {Urgency.ALERT}


def test_people_hear_of_a_proposals_cap_for_each_proposal_and_of_a_days_cap_once_a_day(
    journal: Journal, clock: Clock, facts: Facts, analysis: Analysis, alerts: tuple[ModelAlerts, list[Message]]
) -> None:
    watch, told = alerts
    heard(journal, clock, facts, Caps(), script.answer(analysis))
    for proposal in (ONE, ONE, OTHER):
        watch.look(proposal, heard(journal, clock, facts, Caps(tokens_per_proposal=1), script.answer(analysis)))
    assert [message.proposal for message in told] == [ONE, OTHER]
    for proposal in (ONE, OTHER):
        watch.look(proposal, heard(journal, clock, facts, Caps(tokens_per_day=1), script.answer(analysis)))
    assert len(told) == 3
    assert "18 of 1 tokens in 24 hours" in str(told[2].detail)
