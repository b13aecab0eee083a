"""Which model, where, and how it is asked."""

from __future__ import annotations

from itertools import product
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, JsonValue, field_validator, model_validator

from pnyx_contracts.types import Value
from pnyx_policies.analysis import Analyst, View
from pnyx_policies.prices import DecimalText, Rate
from pnyx_policies.request import OPENAI, as_text, parameter_problem

OPENAI_BASE_URL = "https://api.openai.com/v1"

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
