"""The seam for checks. A check is one pure method; plugins register theirs in the entry-point group ``pnyx.checks``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.types import Value
from pnyx_policies.analysis import Opinion
from pnyx_policies.context.reading import Reading, read_context
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Finding

R = TypeVar("R", bound=Reading)


@dataclass(frozen=True, slots=True)
class CheckView:
    """All that a check may look at."""

    facts: Facts
    opinions: tuple[Opinion, ...] = ()

    def context(self, kind: type[R]) -> R:
        """What a built-in context tool found. Raises `CheckSkipped` when it did not run, or gave nothing."""
        try:
            return read_context(kind, self.facts.context, self.facts.skipped)
        except DecodingError as error:
            raise CheckSkipped(error.message) from None

    def context_if_known(self, kind: type[R]) -> R | None:
        """For checks that can do without: another check, or a skipped step, says that it is not known."""
        try:
            return self.context(kind)
        except CheckSkipped:
            return None


class CheckSkipped(Exception):  # noqa: N818 - it is an outcome, not a failure
    """Raised by a check that lacks what it needs; the reason goes into the record."""


class Check(Protocol):
    """One question about a proposal."""

    name: str
    """Stable, in kebab-case; rules refer to it."""
    version: str
    """Changes whenever the same facts could give other findings."""

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        """Findings, none when all is well. Raises `CheckSkipped` when it cannot tell. Pure: same view, same answer."""
        ...


class CheckReport(Value):
    """What one check said about one proposal. Exactly one of: findings (maybe none), or `skipped` with the reason."""

    check: str
    version: str
    findings: tuple[Finding, ...] = ()
    skipped: str = ""
