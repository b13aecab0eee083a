"""Asking a language model, through LangChain. One `ask` is one HTTP request, whose bytes are kept.

Nothing here judges an answer and nothing retries: `pnyx_agents.analyst` does, so that every attempt is seen and
recorded.
LangChain and the OpenAI client are imported when a model is opened, never with this module.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Annotated, Any, Protocol, Self
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, JsonValue, field_validator, model_validator

from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import Value
from pnyx_policies.analysis import Analyst, View
from pnyx_policies.conversation import Conversation
from pnyx_policies.prices import DecimalText, Rate
from pnyx_policies.request import NOT_AS_SENT, OPENAI, as_text, parameter_problem

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage
    from langchain_core.messages.ai import UsageMetadata

OPENAI_BASE_URL = "https://api.openai.com/v1"
TIMEOUT, RATE_LIMIT, HTTP_ERROR, CONNECTION = "timeout", "rate-limit", "http-error", "connection"
NOT_SENT = "not-sent"
"""Only answers that are kept count, and none is kept to this request."""
ABOVE_THE_WIRE = "captured above the wire"
"""Only LangChain's own view of an exchange could be kept."""
KEY_REMOVED = "the response held the API key: it was replaced"

_REMOVED = "[API key removed]"
_DETAIL_CHARACTERS = 200

ToolName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,63}$")]
"""As context tools are called, and as the OpenAI protocol can call them."""


class ModelSettings(Value):
    """Which model, where, and how it is asked. Holds the *name* of the variable with the key, never the key."""

    model_config = ConfigDict(hide_input_in_errors=True)  # a key in the wrong place must not end up in an error message

    provider: str = Field(default=OPENAI, pattern="^[a-z][a-z0-9_]*$")
    """``openai`` for every server that speaks the OpenAI protocol; else a provider of LangChain's `init_chat_model`."""
    model: str = Field(min_length=1)
    base_url: str = ""
    """Empty for the provider's own."""
    api_key_env: str | None = None
    """Environment variable with the key; None for ``<PROVIDER>_API_KEY``, empty for a server that wants no key."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    """None sends none: some models take no temperature."""
    seed: int | None = Field(default=None, ge=0, lt=2**53)
    max_output_tokens: int = Field(default=8_000, gt=0)
    timeout_seconds: float = Field(default=120, gt=0)
    """For connecting, for each silence, and for the whole answer."""
    max_attempts: int = Field(default=3, ge=1, le=10)
    sees: tuple[View, ...] = Field(default=tuple(View), min_length=1)
    """Asked once for each: what one reader may be talked into, the other was not told."""
    samples: int = Field(default=1, ge=1, le=10)
    """Asked so many times for each view: a model that wavers gives no advice."""
    tools: tuple[ToolName, ...] = ()
    """Context tools that the model may call; none by default. Their results are shown on request only."""
    extra_body: dict[str, JsonValue] = Field(default_factory=dict)
    """Further parameters of the request, for example ``cache_prompt = false`` for llama.cpp."""
    input_per_million: DecimalText | None = None
    output_per_million: DecimalText | None = None
    """What a million tokens of requests and of answers cost; without both, what the model costs is not known."""
    cached_input_per_million: DecimalText | None = None
    """Of tokens that the server knew from before; unset: as much as of others."""
    tracing: bool = False
    """True lets LangSmith trace the calls: prompts and answers then leave this host."""

    @field_validator("base_url")
    @classmethod
    def _plain_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in {"http", "https"} or not parts.hostname):
            raise ValueError("expected an http or https URL, for example http://localhost:8000/v1")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("no user, password, query or fragment here: the key belongs into an environment variable")
        return url.rstrip("/")

    @field_validator("extra_body")
    @classmethod
    def _only_parameters(cls, extra: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if problems := [p for name, value in extra.items() if (p := parameter_problem(name, value))]:
            raise ValueError("; ".join(problems))
        return extra

    @field_validator("tools", "sees")
    @classmethod
    def _each_once(cls, listed: tuple[str | View, ...]) -> tuple[str | View, ...]:
        if len(set(listed)) != len(listed):
            raise ValueError("one is listed twice")
        return listed

    @model_validator(mode="after")
    def _recorded_calls(self) -> Self:
        if self.tools and self.provider != OPENAI:
            raise ValueError(
                f"tools need provider {OPENAI!r}, this is {self.provider!r}: only there is every turn recorded as "
                "sent; use an OpenAI-compatible endpoint, or leave tools out"
            )
        return self

    @model_validator(mode="after")
    def _require_both_prices(self) -> Self:
        if (self.input_per_million is None) != (self.output_per_million is None):
            raise ValueError("a price has two parts, input_per_million and output_per_million: give both, or none")
        if self.cached_input_per_million is not None and self.input_per_million is None:
            raise ValueError("cached_input_per_million needs input_per_million and output_per_million beside it")
        return self

    @property
    def rate(self) -> Rate | None:
        """None when what it costs is not known."""
        if self.input_per_million is None or self.output_per_million is None:
            return None
        return Rate(
            input_per_million=self.input_per_million,
            output_per_million=self.output_per_million,
            cached_input_per_million=self.cached_input_per_million,
        )

    @property
    def key_variable(self) -> str:
        """Where the key is looked up; empty for nowhere."""
        return f"{self.provider.upper()}_API_KEY" if self.api_key_env is None else self.api_key_env

    @property
    def url(self) -> str:
        """The base URL that is asked, empty where the provider's library knows it."""
        return self.base_url or (OPENAI_BASE_URL if self.provider == OPENAI else "")

    def describe(self) -> Analyst:
        """How a record and a configuration name this model, in the first of its seats that sees everything."""
        return Analyst(
            name=f"{self.provider}:{self.model}",
            is_language_model=True,
            provider=self.provider,
            model=self.model,
            base_url_host=urlsplit(self.url).netloc,
            tools=self.tools,
            parameters=as_text(self.parameters),
        )

    @property
    def seats(self) -> tuple[Analyst, ...]:
        """The opinions that it is asked for, in order."""
        one = self.describe()
        seats = product(self.sees, range(self.samples))
        return tuple(one.model_copy(update={"view": view, "sample": sample}) for view, sample in seats)

    @property
    def parameters(self) -> dict[str, JsonValue]:
        """What every request sets beside messages and answer format, by the names that it has there."""
        own: dict[str, JsonValue] = {"temperature": self.temperature}
        if self.provider == OPENAI:
            own |= {"seed": self.seed, "max_completion_tokens": self.max_output_tokens}
        else:
            own |= {"max_tokens": self.max_output_tokens}
        return {name: value for name, value in own.items() if value is not None} | self.extra_body


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, and what came back."""

    request: bytes
    """The body as sent; for other providers than ``openai`` see `captured`."""
    response: bytes | None = None
    """The body as received; None when none arrived whole."""
    http_status: int | None = None
    failure: str = ""
    """Empty, or ``timeout``, ``rate-limit``, ``http-error``, ``connection``, ``not-sent``: then there is no answer to
    judge.
    """
    detail: str = ""
    retry_after_seconds: float | None = None
    """What the server asked for."""
    request_id: str = ""
    captured: str = ""
    """Empty for the exact bytes on the wire, else how they differ: `ABOVE_THE_WIRE`, `KEY_REMOVED`."""
    reused: bool = False
    """Nothing was sent: the response is the one that was recalled."""

    @property
    def may_pass(self) -> bool:
        """Whether the failure is one that the same request may not meet again."""
        if self.failure == NOT_SENT:
            return False
        return self.failure != HTTP_ERROR or (self.http_status or 0) >= 500 or self.http_status in {408, 409, 425}


Recall = Callable[[bytes], bytes | None]
"""The response that this very request got before, None for one that has to be sent. Raises `NotSentError` for one that
must not be.
"""


class NotSentError(Exception):
    """Nobody is to be asked."""


def recall_nothing(_request: bytes) -> None:
    return None


class Chat(Protocol):
    """One way to a model."""

    def ask(self, conversation: Conversation, recall: Recall) -> Exchange: ...


class LangChainModel:
    """A model behind LangChain. Raises `UsageError` when it cannot be opened: no key, no package, no such provider."""

    def __init__(self, settings: ModelSettings, environ: Mapping[str, str] = os.environ) -> None:
        self.settings = settings
        self._key = _key(settings, environ)
        self._chat = _open(settings, self._key)

    def ask(self, conversation: Conversation, recall: Recall = recall_nothing) -> Exchange:
        """Say all of `conversation` once, or take the answer that is recalled. Never raises for what a server or a
        network does: that is an `Exchange.failure`.
        """
        from langsmith import tracing_context

        with tracing_context(enabled=self.settings.tracing):
            return _without_key(self._chat.ask(conversation, recall), self._key)


def _key(settings: ModelSettings, environ: Mapping[str, str]) -> str:
    if not settings.key_variable:
        return ""
    key = environ.get(settings.key_variable, "").strip()
    if not key:
        raise UsageError(
            f"no API key for {settings.describe().name}: the environment variable {settings.key_variable} is not set",
            hint=f'export {settings.key_variable}=..., or api_key_env = "" for a server that wants no key',
        )
    return key


def _open(settings: ModelSettings, key: str) -> Chat:
    try:
        if settings.provider == OPENAI:
            from pnyx_tools.model_openai import OpenAIChat

            return OpenAIChat(settings, key)
        return _OtherChat(settings, key)
    except ImportError as error:
        raise UsageError(
            f"cannot open {settings.describe().name}: {error}", hint="pip install 'pnyx[agent]'"
        ) from error


def _without_key(exchange: Exchange, key: str) -> Exchange:
    """A server may echo the key, in an error for example; a record must not, and says where it was changed."""
    if not key:
        return exchange
    response = exchange.response and exchange.response.replace(key.encode(), _REMOVED.encode())
    return replace(
        exchange,
        response=response,
        captured="; ".join(filter(None, (exchange.captured, "" if response == exchange.response else KEY_REMOVED))),
        detail=exchange.detail.replace(key, _REMOVED),
        request_id=exchange.request_id.replace(key, _REMOVED),
    )


class _OtherChat:
    """Any provider that LangChain knows. Its HTTP is its own affair: kept are messages given and message received."""

    def __init__(self, settings: ModelSettings, key: str) -> None:
        from langchain.chat_models import init_chat_model

        given: dict[str, Any] = {
            **settings.extra_body,
            "temperature": settings.temperature,
            "max_tokens": settings.max_output_tokens,
            "timeout": settings.timeout_seconds,
            "base_url": settings.url or None,
            "api_key": key or None,
            "max_retries": 0,
            "cache": False,
        }
        given = {name: value for name, value in given.items() if value is not None}
        self._settings = settings
        try:
            self._model: BaseChatModel = init_chat_model(settings.model, model_provider=settings.provider, **given)
        except ValueError as error:
            message = f"LangChain cannot open {settings.describe().name}: {error}"
            raise UsageError(message.replace(key or "\0", _REMOVED)) from None

    def ask(self, conversation: Conversation, recall: Recall) -> Exchange:
        messages = [message.wire for message in conversation.messages]
        asked = Exchange(request=self._request(messages), captured=ABOVE_THE_WIRE)
        try:
            known = recall(asked.request)
        except NotSentError as reason:
            return replace(asked, failure=NOT_SENT, detail=str(reason))
        if known is not None:
            return replace(asked, response=known, reused=True)
        try:
            answer = self._model.invoke(messages)
        except Exception as error:  # noqa: BLE001 - each provider has errors of its own; none of them is an answer
            return _failed(asked, error)
        return replace(asked, response=_as_completion(answer), request_id=str(answer.id or ""))

    def _request(self, messages: list[dict[str, JsonValue]]) -> bytes:
        settings = self._settings
        return _json({**NOT_AS_SENT, "messages": messages, "model": settings.model, **settings.parameters})


def _failed(asked: Exchange, error: Exception) -> Exchange:
    status = getattr(error, "status_code", None)
    name = type(error).__name__
    if isinstance(status, int):
        failure = RATE_LIMIT if status == 429 else HTTP_ERROR
    else:
        failure = TIMEOUT if "timeout" in name.lower() else CONNECTION
    return replace(
        asked,
        failure=failure,
        http_status=status if isinstance(status, int) else None,
        detail=f"{name}: {error}"[:_DETAIL_CHARACTERS],
    )


_FINISH = {
    "stop": ("stop", "end_turn", "stop_sequence", "complete", "eos"),
    "length": ("length", "max_tokens", "model_length"),
    "content_filter": ("content_filter", "safety", "recitation", "prohibited_content", "blocklist", "spii"),
}
"""How providers say that an answer ended, in OpenAI's words."""


def _as_completion(answer: AIMessage) -> bytes:
    """The answer in the form of a chat completion, so that one judge reads all providers; LangChain's own beside it."""
    metadata = answer.response_metadata
    said = next((str(metadata[k]) for k in ("finish_reason", "stop_reason", "done_reason") if metadata.get(k)), "")
    reason = next((ours for ours, theirs in _FINISH.items() if said.lower() in theirs), said)
    return _json(
        {
            "choices": [
                {
                    "finish_reason": reason,
                    "message": {
                        "content": str(answer.text),
                        "refusal": answer.additional_kwargs.get("refusal"),
                        "tool_calls": answer.tool_calls,
                    },
                }
            ],
            "model": metadata.get("model_name") or metadata.get("model") or "",
            "usage": _usage(answer.usage_metadata),
            "langchain": answer.model_dump(mode="json"),
        }
    )


def _usage(said: UsageMetadata | None) -> dict[str, Any] | None:
    if said is None:
        return None
    cached = said.get("input_token_details", {}).get("cache_read")
    return {
        "prompt_tokens": said["input_tokens"],
        "completion_tokens": said["output_tokens"],
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), default=str).encode()
