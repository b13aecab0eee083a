"""Providers that only LangChain speaks to: the same judgement, on what was seen above the wire; the record says so."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from pnyx_agents.analyst import ModelAnalyst
from pnyx_contracts.errors import UsageError
from pnyx_policies.conversation import begin
from pnyx_policies.request import request_difference
from pnyx_tools.model import NOT_SENT, LangChainModel, ModelSettings, NotSentError

KEY = "key-of-another-provider"


class ProviderError(Exception):
    status_code = 429


class ChatAnthropic(BaseChatModel):
    """Stands for a provider's package: `init_chat_model` builds it from the same arguments, no network answers."""

    model: str
    api_key: str = ""
    temperature: float | None = None
    max_tokens: int = 0
    timeout: float = 0
    max_retries: int = 5

    @property
    def _llm_type(self) -> str:
        return "stand-in"

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        assert self.max_retries == 0
        assert self.api_key == KEY
        return ChatResult(generations=[ChatGeneration(message=_answer(messages))])


_answer: Callable[..., AIMessage] = lambda _: AIMessage("")  # noqa: E731 - each test says what is answered


@pytest.fixture
def ask(monkeypatch, facts):
    from langchain.chat_models import base

    package = types.ModuleType("langchain_anthropic")
    package.ChatAnthropic = ChatAnthropic
    monkeypatch.setitem(sys.modules, "langchain_anthropic", package)
    base._get_chat_model_creator.cache_clear()

    def run(answer: Callable[..., AIMessage], **settings):
        monkeypatch.setattr(sys.modules[__name__], "_answer", answer)
        values = {"provider": "anthropic", "model": "claude-test", "max_attempts": 1, **settings}
        model = LangChainModel(ModelSettings(**values), {"ANTHROPIC_API_KEY": KEY})
        return ModelAnalyst(model, pause=lambda _: None).analyse(facts)

    yield run
    base._get_chat_model_creator.cache_clear()


def _message(text, stop_reason="end_turn", **more):
    usage = {"input_tokens": 5, "output_tokens": 6, "total_tokens": 11}
    return AIMessage(
        text,
        response_metadata={"stop_reason": stop_reason, "model_name": "claude-served"},
        usage_metadata=usage,
        **more,
    )


def test_an_answer_is_judged_like_any_other(ask, facts, analysis):
    transcript = ask(lambda _: _message(analysis.model_dump_json(), id="msg-1"), temperature=0)
    assert transcript.opinion.analysis == analysis
    [attempt] = transcript.attempts
    assert attempt.outcome == "ok"
    assert attempt.detail == "captured above the wire"
    assert (attempt.served_model, attempt.input_tokens, attempt.output_tokens) == ("claude-served", 5, 6)
    assert attempt.http_status is None
    request = transcript.bodies[attempt.request_hash]
    assert b'"captured":"above_the_wire"' in request
    assert request_difference(request, begin(facts), transcript.opinion.analyst) == ""


@pytest.mark.parametrize(
    ("text", "stop_reason", "outcome"),
    [("{", "max_tokens", "length"), ("", "refusal", "refusal"), ("", "SAFETY", "content-filter"),
     ("no", "stop", "invalid"), ("{}", "pause_turn", "invalid"), ("{}", "", "invalid")],
)  # fmt: skip
def test_other_words_for_the_same_failures(text, stop_reason, outcome, ask):
    transcript = ask(lambda _: _message(text, stop_reason))
    assert transcript.opinion.analysis is None
    assert transcript.attempts[0].outcome == outcome


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(ProviderError("slow down"), "rate-limit"), (TimeoutError(), "timeout"), (OSError(f"gone {KEY}"), "connection")],
)
def test_errors_are_failed_attempts(error, outcome, ask):
    def fail(_):
        raise error

    transcript = ask(fail)
    [attempt] = transcript.attempts
    assert (attempt.outcome, attempt.response_hash) == (outcome, None)
    assert KEY not in transcript.opinion.failure + attempt.detail


@pytest.mark.usefixtures("ask")
def test_what_must_not_be_sent_is_not(facts):
    def never(_: bytes) -> None:
        raise NotSentError("nothing is kept")

    model = LangChainModel(ModelSettings(provider="anthropic", model="m"), {"ANTHROPIC_API_KEY": KEY})
    exchange = model.ask(begin(facts), never)
    assert (exchange.failure, exchange.detail, exchange.response) == (NOT_SENT, "nothing is kept", None)
    assert not exchange.may_pass


def test_a_provider_whose_package_is_missing():
    settings = ModelSettings(provider="mistralai", model="m", api_key_env="")
    with pytest.raises(UsageError, match="langchain-mistralai"):
        LangChainModel(settings, {})


def test_a_provider_that_nobody_knows():
    with pytest.raises(UsageError, match="Unsupported provider"):
        LangChainModel(ModelSettings(provider="oracle_of_delphi", model="m", api_key_env=""), {})
