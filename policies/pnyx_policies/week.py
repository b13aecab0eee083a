"""The days of the week, in UTC, of moments in seconds since the epoch."""

from __future__ import annotations

from typing import Final

DAY: Final = 86_400
"""Seconds."""

_WEEK: Final = 7 * DAY
_FIRST_SATURDAY: Final = 2 * DAY
"""1970-01-03."""
_NAMES: Final = ("Saturday", "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


def weekend_seconds(start: int, end: int) -> int:
    """How much of the time from `start` to `end` lies on a Saturday or a Sunday, in seconds."""
    return _weekends_until(end) - _weekends_until(start)


def weekday(moment: int) -> str:
    """Its English name."""
    return _NAMES[(moment - _FIRST_SATURDAY) % _WEEK // DAY]


def _weekends_until(moment: int) -> int:
    weeks, rest = divmod(moment - _FIRST_SATURDAY, _WEEK)
    return weeks * 2 * DAY + min(rest, 2 * DAY)
