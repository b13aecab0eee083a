"""People: who is told what, and when."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from pnyx_agents.settings.kinds import WebUrl
from pnyx_contracts.types import Address, Value
from pnyx_policies.checks.held_flood import MOST, MOST_OF_ONE
from pnyx_tools.notify.quiet import Manners, QuietHours, parse_zone


def _hours(value: str) -> str:
    if value:
        QuietHours.parse(value, "UTC")
    return value


def _zone(name: str) -> str:
    parse_zone(name)
    return name


Hours = Annotated[str, AfterValidator(_hours)]
"""``22:00-07:00``; empty for none."""
Zone = Annotated[str, AfterValidator(_zone)]


class PersonSettings(Value):
    """``[notifications.people."0x..."]``, or only the list of URLs."""

    urls: tuple[str | dict[str, Any], ...] = Field(min_length=1)
    """As those of the notifier ``apprise``."""
    quiet: Hours | None = None
    timezone: Zone | None = None

    @model_validator(mode="before")
    @classmethod
    def _take_a_list(cls, given: Any) -> Any:  # noqa: ANN401 - any TOML value
        return {"urls": given} if isinstance(given, list) else given


class NotificationSettings(Value):
    """``[notifications]``: when people are told."""

    digest_seconds: float = Field(default=60, ge=0)
    """What happens within this time is told in one message."""
    reminder_hours: tuple[float, ...] = (72, 24, 6, 1)
    """Before the wait for people ends, who has not answered a held proposal is reminded."""
    alert_hours: float = Field(default=1, ge=0)
    """A proposal that is still undecided so shortly before its deadline is an alert."""
    holds_of_one: int = Field(default=MOST_OF_ONE, ge=1)
    """When more proposals of one account wait for people, they are told so, and further ones of it ask nobody."""
    holds: int = Field(default=MOST, ge=1)
    """When more proposals wait for people in all, they are told so."""
    gas_votes: int = Field(default=10, ge=0)
    """When the key's gas money pays for fewer votes than this, people hear of it."""
    behind_minutes: float | None = Field(default=None, gt=0)
    """A last block that is older is an alert; None: older than twenty blocks take, and than five minutes."""
    failures: int = Field(default=5, ge=1)
    """After so many in a row of one place, the others hear of it."""
    quiet: Hours | None = None
    """Nothing but alerts then, and what cannot wait until the morning."""
    quiet_margin_hours: float = Field(default=1, ge=0)
    """A vote that ends less than this after the quiet hours cannot wait."""
    timezone: Zone = "UTC"
    page: WebUrl | Literal[""] = ""
    """Where members read the decisions; a link in each message."""
    people: dict[Address, PersonSettings] = Field(default_factory=dict)
    """Approvers who are told in person what waits for them."""

    @field_validator("reminder_hours")
    @classmethod
    def _require_some_time(cls, hours: tuple[float, ...]) -> tuple[float, ...]:
        if any(each <= 0 for each in hours):
            raise ValueError("expected hours before the deadline, each more than 0")
        return hours

    def manners(self, person: Address | None = None) -> Manners:
        """How everybody, or one of the people, wants to be told."""
        own = self.people[person] if person else None
        hours = self.quiet if own is None or own.quiet is None else own.quiet
        timezone = (own.timezone if own else None) or self.timezone
        return Manners(
            digest_seconds=self.digest_seconds,
            quiet=QuietHours.parse(hours, timezone) if hours else None,
            margin_seconds=self.quiet_margin_hours * 3600,
        )
