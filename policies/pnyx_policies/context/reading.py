"""A context tool's result, from the plain JSON of the record back to the type that the tool made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, TypeVar

from pydantic import ValidationError

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.types import Value
from pnyx_policies.facts import Skipped, ToolResult


class Reading(Value):
    """Base of the results of built-in context tools. Signer and verifier run these tools themselves."""

    TOOL: ClassVar[str]
    """The tool's name."""
    VERSION: ClassVar[str]
    """The tool's version: changes whenever the same chain could give another result."""


LOOKBACK_BLOCKS: Final = 400_000
"""Eight weeks, at a block in twelve seconds."""


def full_reach(created_block: int, block: int) -> int:
    """The first block that a search of the past looks at, for a proposal as old as this."""
    return max(min(created_block, block - LOOKBACK_BLOCKS + 1), 0)


class Search(Reading):
    """Base of the results that rest on logs. A node may show fewer blocks than were asked for."""

    from_block: int
    to_block: int
    """The pinned block."""


def searched_from(result: ToolResult) -> int | None:
    """The first block that a result says it looked at; None where it says nothing of the kind."""
    told = result.result.get("from_block") if isinstance(result.result, dict) else None
    return told if isinstance(told, int) and not isinstance(told, bool) else None


R = TypeVar("R", bound=Reading)


def read_context(kind: type[R], results: Sequence[ToolResult], skipped: Sequence[Skipped]) -> R:
    """What the tool of `kind` found. Raises `DecodingError` with the reason why nothing is known."""
    result = next((result for result in results if result.tool == kind.TOOL), None)
    if result is None:
        why = next((step.why for step in skipped if step.tool == kind.TOOL), "it did not run")
        raise DecodingError(f"the context tool {kind.TOOL} gave nothing: {why}")
    if result.version != kind.VERSION:
        raise DecodingError(f"the result is of {kind.TOOL} {result.version}; known here is version {kind.VERSION}")
    try:
        return kind.model_validate(result.result)
    except ValidationError:
        raise DecodingError(f"the recorded result of {kind.TOOL} {kind.VERSION} is none of that version") from None
