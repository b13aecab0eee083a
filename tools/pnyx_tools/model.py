"""Asking a language model, through LangChain. One `ask` is one HTTP request, whose bytes are kept.

Nothing here judges an answer and nothing retries: `pnyx_agents.analyst` does, so that every attempt is seen and
recorded.
LangChain and the OpenAI client are imported when a model is opened, never with this module.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Protocol, Self
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, JsonValue, field_validator, model_validator

from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import Value
from pnyx_policies.analysis import Analyst
from pnyx_policies.conversation import Conversation
from pnyx_policies.prices import DecimalText, Rate
from pnyx_policies.request import NOT_AS_SENT, OPENAI, as_text, parameter_problem

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage

OPENAI_BASE_URL = "https://api.openai.com/v1"
TIMEOUT, RATE_LIMIT, HTTP_ERROR, CONNECTION = "timeout", "rate-limit", "http-error", "connection"
NOT_STORED = "not-stored"
"""Only stored answers count, and there is none to this request."""
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
    tools: tuple[ToolName, ...] = ()
    """Context tools that the model may call; none by default. Their results are shown on request only."""
    extra_body: dict[str, JsonValue] = Field(default_factory=dict)
    """Further parameters of the request, for example ``cache_prompt = false`` for llama.cpp."""
    input_per_million: DecimalText | None = None
    output_per_million: DecimalText | None = None
    """What a million tokens of requests and of answers cost; without both, what the model costs is not known."""
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

    @field_validator("tools")
    @classmethod
    def _each_once(cls, tools: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(tools)) != len(tools):
            raise ValueError("a tool is listed twice")
        return tools

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
        return self

    @property
    def rate(self) -> Rate | None:
        """None when what it costs is not known."""
        if self.input_per_million is None or self.output_per_million is None:
            return None
        return Rate(input_per_million=self.input_per_million, output_per_million=self.output_per_million)

    @property
    def key_variable(self) -> str:
        """Where the key is looked up; empty for nowhere."""
        return f"{self.provider.upper()}_API_KEY" if self.api_key_env is None else self.api_key_env

    @property
    def url(self) -> str:
        """The base URL that is asked, empty where the provider's library knows it."""
        return self.base_url or (OPENAI_BASE_URL if self.provider == OPENAI else "")

    def describe(self) -> Analyst:
        """How a record and a configuration name this model."""
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
    """Empty, or ``timeout``, ``rate-limit``, ``http-error``, ``connection``, ``not-stored``: then there is no answer to
    judge."""
    detail: str = ""
    retry_after_seconds: float | None = None
    """What the server asked for."""
    request_id: str = ""
    captured: str = ""
    """Empty for the exact bytes on the wire, else how they differ: `ABOVE_THE_WIRE`, `KEY_REMOVED`."""
    is_stored: bool = False
    """The answer is one that was kept before: nobody was asked, and nothing is paid."""

    @property
    def may_pass(self) -> bool:
        """Whether the failure is one that the same request may not meet again."""
        if self.failure == NOT_STORED:
            return False
        return self.failure != HTTP_ERROR or (self.http_status or 0) >= 500 or self.http_status in {408, 409, 425}


class Model(Protocol):
    """What can be asked for an analysis."""

    @property
    def settings(self) -> ModelSettings: ...

    def describe(self) -> Analyst:
        """How records and configurations name it."""
        ...

    def ask(self, conversation: Conversation) -> Exchange:
        """Say all of `conversation` once. Never raises for what a server or a network does: that is an
        `Exchange.failure`.
        """
        ...


class Chat(Protocol):
    """One way to a model."""

    def ask(self, conversation: Conversation) -> Exchange: ...

    def request(self, conversation: Conversation) -> bytes: ...


class LangChainModel:
    """Implements `Model`: one behind LangChain. Raises `UsageError` when it cannot be opened: no key, no package, no
    such provider.
    """

    def __init__(self, settings: ModelSettings, environ: Mapping[str, str] = os.environ) -> None:
        self.settings = settings
        self._key = _key(settings, environ)
        self._chat = _open(settings, self._key)

    def describe(self) -> Analyst:
        return self.settings.describe()

    def ask(self, conversation: Conversation) -> Exchange:
        from langsmith import tracing_context

        with tracing_context(enabled=self.settings.tracing):
            return _without_key(self._chat.ask(conversation), self._key)

    def request(self, conversation: Conversation) -> bytes:
        """The request that `ask` would send. Nothing is sent."""
        from langsmith import tracing_context

        with tracing_context(enabled=False):
            return self._chat.request(conversation)


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

    def ask(self, conversation: Conversation) -> Exchange:
        asked = Exchange(request=self.request(conversation), captured=ABOVE_THE_WIRE)
        try:
            answer = self._model.invoke([message.wire for message in conversation.messages])
        except Exception as error:  # noqa: BLE001 - each provider has errors of its own; none of them is an answer
            return _failed(asked, error)
        return replace(asked, response=_as_completion(answer), request_id=str(answer.id or ""))

    def request(self, conversation: Conversation) -> bytes:
        settings, messages = self._settings, [message.wire for message in conversation.messages]
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
    usage = answer.usage_metadata
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
            "usage": usage and {"prompt_tokens": usage["input_tokens"], "completion_tokens": usage["output_tokens"]},
            "langchain": answer.model_dump(mode="json"),
        }
    )


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), default=str).encode()
