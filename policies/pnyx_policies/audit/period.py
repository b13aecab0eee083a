"""Which entries a report is about."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Self

from pydantic import Field, model_validator

from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import Value

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?Z", re.ASCII)
_BLOCK = re.compile(r"\d{1,15}", re.ASCII)


class Bound(Value):
    """One end of a period: a block, or a time in seconds since the epoch. It belongs to the period."""

    block: int | None = Field(default=None, ge=0)
    time: int | None = None

    @model_validator(mode="after")
    def _require_one(self) -> Self:
        if (self.block is None) == (self.time is None):
            raise ValueError("a bound is a block or a time")
        return self

    @classmethod
    def parse(cls, text: str, *, end: bool) -> Bound:
        """``2026-03-31`` (the whole day, UTC), ``2026-03-31T18:00Z`` or the number of a block. With `end` it is the
        period's last moment. Raises `UsageError`.
        """
        if _BLOCK.fullmatch(text):
            return cls(block=int(text))
        try:
            if _DAY.fullmatch(text):
                begin = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
                return cls(time=int((begin + timedelta(days=1)).timestamp()) - 1 if end else int(begin.timestamp()))
            if _MOMENT.fullmatch(text):
                return cls(time=int(datetime.fromisoformat(text).timestamp()))
        except (ValueError, OverflowError):
            pass
        raise UsageError(
            f"{text[:60]!r} is no date and no block",
            hint="2026-03-31, 2026-03-31T18:00Z (both UTC), or the number of a block",
        )


class Period(Value):
    """Both bounds belong to it; without one it is open at that end."""

    since: Bound | None = None
    until: Bound | None = None

    @property
    def is_backwards(self) -> bool:
        """True when it ends before it begins; a block and a time cannot be compared here."""
        if self.since is None or self.until is None:
            return False
        pairs = ((self.since.block, self.until.block), (self.since.time, self.until.time))
        return any(since is not None and until is not None and since > until for since, until in pairs)

    def holds(self, block: int, time: int) -> bool:
        """Whether something in this block is part of the period."""
        return not self._is_before(block, time) and not self._is_after(block, time)

    def _is_before(self, block: int, time: int) -> bool:
        bound = self.since
        return bound is not None and (
            (bound.block is not None and block < bound.block) or (bound.time is not None and time < bound.time)
        )

    def _is_after(self, block: int, time: int) -> bool:
        bound = self.until
        return bound is not None and (
            (bound.block is not None and block > bound.block) or (bound.time is not None and time > bound.time)
        )
