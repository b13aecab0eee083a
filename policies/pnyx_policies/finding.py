"""What a check found, with its evidence."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from pnyx_contracts.types import Value


class Severity(IntEnum):
    """Ordered, so that rules can compare."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    """Powerful but announced: people decide."""
    CRITICAL = 4
    """Hidden or structurally hostile: the text does not announce it, code can change after the vote, live voting
    power.
    """


def _to_severity(value: Any) -> Severity:  # noqa: ANN401 - a validator sees what came in
    if isinstance(value, str):
        try:
            return Severity[value.upper()]
        except KeyError:
            raise ValueError(f"expected one of {[s.name.lower() for s in Severity]}, got {value!r}") from None
    return Severity(value)


SeverityName = Annotated[
    Severity,
    BeforeValidator(_to_severity),
    PlainSerializer(lambda s: s.name.lower(), return_type=str, when_used="json"),
]


class Finding(Value):
    """One thing that a check noticed."""

    check: str
    severity: SeverityName
    title: str
    """One line for people."""
    detail: str = ""
    calls: tuple[str, ...] = ()
    """Paths of the calls that it rests on."""
    evidence: tuple[str, ...] = ()
    """Addresses, amounts, quotations: what a reader can look up."""
