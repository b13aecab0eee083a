"""When people want to hear nothing, and what of the waiting messages goes out now. Pure: the caller has the clock."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, model_validator

from pnyx_tools.notify.message import Message, Urgency

_HOURS = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)", re.ASCII)


class QuietHours(BaseModel):
    """``22:00-07:00`` by the clock on the wall of a place; over midnight when the end is before the beginning."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    begin: time
    end: time
    zone: ZoneInfo

    @classmethod
    def parse(cls, hours: str, timezone: str) -> QuietHours:
        """Raises ValueError that says what was expected."""
        begin, end = parse_hours(hours)
        return cls(begin=begin, end=end, zone=parse_zone(timezone))

    @model_validator(mode="after")
    def _require_some_waking_hours(self) -> QuietHours:
        if self.begin == self.end:
            raise ValueError("quiet hours begin and end at the same time")
        return self

    def end_after(self, now: float) -> float | None:
        """When the quiet that reigns at `now` ends, in seconds since the epoch; None when none does."""
        here = datetime.fromtimestamp(now, self.zone)
        clock = here.time()
        over_midnight = self.begin > self.end
        is_quiet = clock >= self.begin or clock < self.end if over_midnight else self.begin <= clock < self.end
        if not is_quiet:
            return None
        day = here.date() + timedelta(days=1) if over_midnight and clock >= self.begin else here.date()
        return datetime.combine(day, self.end, self.zone).timestamp()


def parse_hours(hours: str) -> tuple[time, time]:
    """Raises ValueError."""
    match = _HOURS.fullmatch(hours)
    try:
        if match is None:
            raise ValueError
        first, second, third, fourth = map(int, match.groups())
        return time(first, second), time(third, fourth)
    except ValueError:
        raise ValueError(f"expected hours like '22:00-07:00', got {hours[:40]!r}") from None


def parse_zone(name: str) -> ZoneInfo:
    """Raises ValueError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"expected the name of a time zone like 'Europe/Athens', got {name[:40]!r}") from None


@dataclass(frozen=True, slots=True)
class Manners:
    """How a place wants to be told."""

    digest_seconds: float = 60
    """From the first waiting message on, further ones are gathered for so long; then one message has them all."""
    quiet: QuietHours | None = None
    margin_seconds: float = 3600
    """What a person has to do is said at once when voting ends less than this after the quiet hours."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that a place was not told yet."""

    message: Message
    since: float
    """Seconds since the epoch."""


def due(waiting: Sequence[Waiting], manners: Manners, now: float) -> tuple[Waiting, ...]:
    """What goes out now, in one message. Empty while the first of it can wait for more, or people sleep."""
    morning = manners.quiet.end_after(now) if manners.quiet else None
    free = tuple(one for one in waiting if morning is None or not _can_wait(one.message, morning, manners))
    return free if free and min(one.since for one in free) + manners.digest_seconds <= now else ()


def _can_wait(message: Message, morning: float, manners: Manners) -> bool:
    """Until `morning`. A deadline that nobody knows may be before it."""
    match message.urgency:
        case Urgency.ALERT:
            return False
        case Urgency.INFO:
            return True
        case Urgency.ACTION:
            deadline = message.deadline_at
            return deadline is not None and deadline >= morning + manners.margin_seconds


def next_reminder(thresholds: Collection[float], *, since: float, deadline: float, now: float) -> float | None:
    """The reminder that is due, as its distance from the deadline; None when none is. Of several that were passed, as
    after a standstill, the last one counts; those that lay before `since` (when people were first asked) do not.
    """
    passed = [t for t in thresholds if since < deadline - t <= now < deadline]
    return min(passed, default=None)
