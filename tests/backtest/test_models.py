"""Models in a backtest, over real HTTP: asked live, answers kept, answers stored; caps, prices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pnyx_agents.analyst import ModelAnalyst, Transcript
from pnyx_agents.backtest.models import Money
from pnyx_contracts.errors import UsageError
from pnyx_policies.analysis import Analysis, Recommendation
from pnyx_policies.backtest import BacktestReport
from pnyx_policies.decision import Outcome
from pnyx_policies.facts import Grade, ToolResult
from pnyx_tools.answers import AnswerFolder
from pnyx_tools.costs import Caps
from pnyx_tools.model import NOT_SENT, LangChainModel, ModelSettings
from pnyx_tools.testing.facts import facts_for, proposal_of
from pnyx_tools.testing.openai_server import OpenAIServer, answer, calls, error, plain

from .conftest import Past

FOR = Analysis(
    summary="It pays the gardener.", key_points=(), stated_intent="Pay.", claimed_effects=(), risks=(),
    recommendation=Recommendation.FOR, confidence_percent=90,
)  # fmt: skip
AGAINST = FOR.model_copy(update={"recommendation": Recommendation.AGAINST})
PRICE = 'input_per_million = "2"\noutput_per_million = "10"\n'
TRIED = 10


def model(server: OpenAIServer, more: str = "") -> str:
    """It sees everything, and is asked once."""
    sees = 'sees = ["facts-and-text"]'
    return f'[[model]]\nmodel = "scripted"\nbase_url = "{server.base_url}"\napi_key_env = ""\n{sees}\n{more}'


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    """Says "for"."""
    with OpenAIServer([answer(FOR)]) as running:
        yield running


def said(report: BacktestReport) -> set[str | None]:
    return {opinion.recommendation for trial in report.trials for opinion in trial.opinions}


def test_nobody_is_asked_unless_somebody_says_so(seconds: Past, tmp_path: Path, server: OpenAIServer) -> None:
    report = seconds.tried(tmp_path, more=model(server))
    assert server.requests == []
    assert [analyst.is_language_model for analyst in report.ground.analysts] == [False]
    assert report.use.requests == 0


def test_a_live_run_asks_once_a_proposal_and_says_what_it_cost(
    seconds: Past, tmp_path: Path, server: OpenAIServer
) -> None:
    report = seconds.tried(tmp_path, more=model(server, PRICE), live=True)
    assert len(server.requests) == report.use.requests == TRIED
    assert said(report) == {"for"}
    assert (report.use.input_tokens, report.use.output_tokens) == (11 * TRIED, 7 * TRIED)
    assert report.use.cost == "0.00092", "(11 * 2 + 7 * 10) / 1,000,000 for each"
    (guardian,) = report.rulesets
    assert guardian.outcomes[Outcome.FOR] == 4, "the small payments"
    assert [a.name for a in report.ground.analysts] == ["openai:scripted"]
    (alone,) = report.advice
    assert alone.score.agreement == report.always_for, "it says for to everything"
    assert (alone.failures, alone.score.correlation) == (0, 0)


def test_stored_answers_give_the_same_report_without_a_server_or_a_key(seconds: Past, tmp_path: Path) -> None:
    answers = tmp_path / "answers"
    with OpenAIServer([answer(FOR), plain("no"), answer(AGAINST)], api_key="secret") as server:
        more = model(server, PRICE).replace('api_key_env = ""', 'api_key_env = "BACKTEST_KEY"')
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("BACKTEST_KEY", "secret")
            live = seconds.tried(tmp_path, more=more, live=True, answers=answers)
        assert len(server.requests) == TRIED + 1, "one answer was of no use, and asked for again"
    stored = seconds.tried(tmp_path, more=more, answers=answers)
    assert stored.model_dump_json() == live.model_dump_json()
    assert said(stored) == {"for", "against"}
    assert (stored.advice[0].score.coverage.count, stored.use.retries, stored.use.failures) == (TRIED, 1, 1)
    assert len(list(answers.rglob("*.json"))) == TRIED + 1
    assert not any(b"secret" in file.read_bytes() for file in answers.rglob("*.json"))


def test_a_run_that_was_interrupted_asks_only_what_is_missing(
    seconds: Past, tmp_path: Path, server: OpenAIServer
) -> None:
    answers, more = tmp_path / "answers", model(server)
    seconds.tried(tmp_path, more=more, live=True, answers=answers, newest=4)
    assert len(server.requests) == 4
    partly = seconds.tried(tmp_path, more=more, answers=answers)
    assert len(server.requests) == 4
    missing = [opinion for trial in partly.trials for opinion in trial.opinions if opinion.failure]
    assert len(missing) == TRIED - 4
    assert all(NOT_SENT in opinion.failure and "1 attempt" in opinion.failure for opinion in missing)
    assert partly.advice[0].failures == TRIED - 4
    assert all(trial.judged[0].outcome is not Outcome.FOR for trial in partly.trials[:-4])
    whole = seconds.tried(tmp_path, more=more, live=True, answers=answers)
    assert len(server.requests) == TRIED
    assert not any(opinion.failure for trial in whole.trials for opinion in trial.opinions)


def test_caps_hold_and_stored_answers_are_free(seconds: Past, tmp_path: Path, server: OpenAIServer) -> None:
    answers = tmp_path / "answers"
    more = model(server, PRICE) + "[costs]\ntokens_per_day = 30\n"
    first = seconds.tried(tmp_path, more=more, live=True, answers=answers)
    assert len(server.requests) == 2, "18 tokens each: after two of them the cap is reached"
    capped = [o.failure for t in first.trials for o in t.opinions if o.failure]
    assert len(capped) == TRIED - 2
    assert all("cost cap reached: 36 of 30 tokens" in failure for failure in capped)
    second = seconds.tried(tmp_path, more=more, live=True, answers=answers)
    assert len(server.requests) == 4
    assert (second.use.requests, second.use.cost) == (4, "0.000368")
    money = model(server, PRICE) + '[costs]\nmoney_per_day = "0.0001"\n'
    seconds.tried(tmp_path, more=money, live=True)
    assert len(server.requests) == 6


def test_each_opinion_has_its_own_answers_and_its_own_score(
    seconds: Past, tmp_path: Path, server: OpenAIServer
) -> None:
    """Two views, each asked twice."""
    more = model(server, PRICE).replace('sees = ["facts-and-text"]', "samples = 2")
    live = seconds.tried(tmp_path, more=more, live=True, answers=tmp_path / "answers", newest=1)
    assert len(server.requests) == live.use.opinions == 4
    assert live.use.cost == "0.000368"
    assert [one.analyst for one in live.advice] == [
        "openai:scripted", "openai:scripted (answer 2)", "openai:scripted (facts alone)",
        "openai:scripted (facts alone, answer 2)",
    ]  # fmt: skip
    assert seconds.tried(tmp_path, more=more, answers=tmp_path / "answers", newest=1) == live


def test_a_price_that_is_not_known_is_said(seconds: Past, tmp_path: Path, server: OpenAIServer) -> None:
    report = seconds.tried(tmp_path, more=model(server), live=True, newest=2)
    assert (report.use.cost, report.use.unpriced) == (None, ("openai:scripted",))


@pytest.mark.parametrize("wish", [{"live": True}, {"answers": Path("somewhere")}], ids=["live", "stored"])
def test_somebody_must_be_configured(seconds: Past, tmp_path: Path, wish: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="no model is configured"):
        seconds.tried(tmp_path, **wish)


# The folder of answers.

HISTORY = ToolResult(tool="proposer_history", version="1", grade=Grade.DERIVED, result={"earlier": 3})
FACTS = facts_for(proposal_of((), "# Pay")).model_copy(update={"context": (HISTORY,)})


def asking(server: OpenAIServer, folder: Path, *, live: bool = False, **settings: Any) -> ModelAnalyst:
    """For one run."""
    values = {"model": "scripted", "base_url": server.base_url, "api_key_env": "", "max_attempts": 2, **settings}
    money = Money(Caps(), AnswerFolder(folder), live)
    return ModelAnalyst(LangChainModel(ModelSettings(**values)), money, pause=lambda _: None)


def outcomes(transcript: Transcript) -> list[str]:
    return [attempt.outcome for attempt in transcript.attempts]


def test_of_twins_each_gets_its_own_answer(tmp_path: Path) -> None:
    """Two opinions may be asked for in the same words; a model may be asked the same again."""
    with OpenAIServer([plain("no"), answer(FOR), answer(AGAINST)]) as server:
        live = asking(server, tmp_path, live=True)
        said = [live.analyse(FACTS) for _ in range(2)]
        again = asking(server, tmp_path)
        assert [again.analyse(FACTS).opinion for _ in range(2)] == [one.opinion for one in said]
        assert outcomes(again.analyse(FACTS)) == [NOT_SENT]
        assert [outcomes(one) for one in said] == [["invalid", "ok"], ["ok"]]
        assert len(server.requests) == 3


def test_another_host_or_another_request_has_no_part_in_it(tmp_path: Path, server: OpenAIServer) -> None:
    asking(server, tmp_path, live=True).analyse(FACTS)
    with OpenAIServer() as other:
        assert outcomes(asking(other, tmp_path).analyse(FACTS)) == [NOT_SENT]
        assert other.requests == []
    assert outcomes(asking(server, tmp_path, seed=1).analyse(FACTS)) == [NOT_SENT]
    found = asking(server, tmp_path).analyse(FACTS)
    assert (found.attempts[0].reused, outcomes(found)) == (True, ["ok"])
    assert len(server.requests) == 1


def test_an_error_is_no_answer_and_not_kept(tmp_path: Path) -> None:
    with OpenAIServer([error(500), error(429), answer(FOR)]) as server:
        live = asking(server, tmp_path, live=True)
        assert outcomes(live.analyse(FACTS)) == ["http-error", "rate-limit"]
        assert list(tmp_path.rglob("*.json")) == []
        assert outcomes(live.analyse(FACTS)) == ["ok"]
    assert len(list(tmp_path.rglob("*.json"))) == 1


def test_no_key_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKTEST_KEY", "sk-very-secret")
    with OpenAIServer([plain("your key is sk-very-secret")], api_key="sk-very-secret") as server:
        asking(server, tmp_path, live=True, api_key_env="BACKTEST_KEY", max_attempts=1).analyse(FACTS)
    (file,) = tmp_path.rglob("*.json")
    assert b"API key removed" in file.read_bytes()
    assert b"sk-very-secret" not in file.read_bytes()


def test_turns_with_tools_are_kept_one_by_one(tmp_path: Path) -> None:
    """The second turn is another request: it holds the results that the first one asked for."""
    with OpenAIServer([calls(HISTORY.tool), answer(FOR)]) as server:
        said = asking(server, tmp_path, live=True, tools=(HISTORY.tool,)).analyse(FACTS)
    replay = asking(server, tmp_path, tools=(HISTORY.tool,)).analyse(FACTS)
    assert outcomes(replay) == outcomes(said) == ["tool-call", "ok"]
    assert (replay.opinion, replay.bodies) == (said.opinion, said.bodies)


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path, server: OpenAIServer) -> None:
    asking(server, tmp_path, live=True).analyse(FACTS)
    (file,) = tmp_path.rglob("*.json")
    file.unlink()
    file.mkdir()
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        asking(server, tmp_path).analyse(FACTS)
