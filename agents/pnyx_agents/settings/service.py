"""The service: what it publishes, spends, shares with other workers, and lets be seen of itself."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator

from pnyx_agents.amounts import Amount
from pnyx_agents.settings.kinds import WebUrl
from pnyx_contracts.types import Value
from pnyx_policies.configuration import Sealed, require_sealed_together
from pnyx_tools.costs import Caps
from pnyx_tools.database import is_postgres, require_hidden_password


class EvidenceSettings(Value):
    """``[evidence]``"""

    folder: str = "evidence"
    """What is published: serve it at the URI that the registration names."""
    mirrors: tuple[str, ...] = ()
    """Other places that get a copy of every file in the folder: folders, or URLs of whatever fsspec knows."""
    options: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Settings of the file systems behind `mirrors`, by scheme."""
    sealed: Sealed = ()
    """Fields that published bundles withhold; declared."""

    @field_validator("sealed")
    @classmethod
    def _require_secrets(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        require_sealed_together(names)
        return names


Count = Annotated[int, Field(ge=1)]


class CostSettings(Value):
    """``[costs]``: how much may be spent on models. None: no cap."""

    tokens_per_proposal: Count | None = None
    """Of requests and answers together."""
    tokens_per_day: Count | None = None
    """Of any 24 hours."""
    money_per_proposal: Amount | None = None
    money_per_day: Amount | None = None
    currency: str = Field(default="USD", pattern="^[A-Za-z]{1,12}$")
    """That of the prices of all models."""

    @property
    def caps(self) -> Caps:
        return Caps(**dict(self))


class DatabaseSettings(Value):
    """``[database]``: PostgreSQL, for several workers. Without it, SQLite in the data folder, for one process."""

    url: str

    @field_validator("url")
    @classmethod
    def _require_postgres(cls, url: str) -> str:
        if not is_postgres(url):
            raise ValueError("expected postgresql://user@host:5432/database; without [database] the agent uses SQLite")
        require_hidden_password(url)
        return url


class WorkSettings(Value):
    """``[work]``: how much at once, and how several workers share it."""

    reviews_at_once: int = Field(default=4, ge=1)
    """Proposals that one process looks at, or shows to models, at the same time."""
    reviews_in_all: int | None = Field(default=None, ge=1)
    """The same, over all workers."""
    tasks_per_minute: int | None = Field(default=None, ge=1)
    """Facts of a proposal to gather, or opinions to ask for, begun within a minute by all workers together."""
    lease_seconds: float = Field(default=30, ge=2)
    """A worker that is silent for so long is given up; the others do its work."""


class MetricsSettings(Value):
    """``[metrics]``"""

    port: int = Field(ge=1, le=65535)
    host: str = "127.0.0.1"


class TelemetrySettings(Value):
    """``[telemetry]``: traces over OTLP/HTTP."""

    endpoint: WebUrl
    """URL of the collector, without the path ``/v1/traces``."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Sent with each batch: what the collector wants to know the sender by."""
