"""The seam for context tools: read-only, typed looks at the world for one proposal.

Plugins register theirs in the entry-point group ``pnyx.tools``. Code runs the tools before the model is asked, and each
result is a fact of the record; an operator may let the model call listed ones, which then shows it what they found
(`langchain_tool`). A tool gets no free parameters: what it looks at follows from the proposal and the pinned block.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

from pnyx_contracts.canonical import canonical_bytes
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal, Value, to_hex
from pnyx_policies.facts import Grade, Skipped, ToolResult
from pnyx_policies.text import one_line
from pnyx_tools.pinned import afresh
from pnyx_tools.reader import ChainReader, RpcError, TooManyRequestsError
from pnyx_tools.reasons import without_endpoint

MAX_RESULT_BYTES = 256 * 1024
"""Of one result, as canonical JSON. Every result travels in every bundle, and through the signer's socket."""

MAX_WHY_BYTES = 400
"""Of the reason why there is no result."""


class ToolSkipped(Exception):  # noqa: N818 - it is an outcome, not a failure
    """Raised by a tool that does not apply or lacks what it needs; the reason goes into the record."""


class ContextTool(Protocol):
    """One question about a proposal's surroundings."""

    name: str
    """Stable, in snake_case; configuration and record refer to it, and a model calls it so."""
    version: str
    """Changes whenever the same chain could give another result."""
    grade: Grade
    """How a stranger can check the result."""
    description: str
    """One sentence for people and for the model."""

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> Value:
        """The result at `block`, a frozen model. Raises `ToolSkipped` or a `PnyxError`. Reads only, sends nothing.

        Other tools run at the same time, in other threads, with the same `reader`.
        """
        ...


def run_tool(
    tool: ContextTool,
    reader: ChainReader,
    adapter: GovernorAdapter,
    profile: GovernorProfile,
    proposal: Proposal,
    block: BlockRef,
    pauses: Sequence[float] = (),
) -> ToolResult | Skipped:
    """The tool's result as it enters the record, or why there is none. A tool's failure never stops a review. `pauses`
    in seconds: when the node fails, it is tried again after each. Then it raises `RpcError` when the node does not have
    the block at all: one that lags, or is away, says nothing about what the tool looks for.
    """
    left = iter(pauses)
    while True:
        try:
            return _ran(tool, reader, adapter, profile, proposal, block)
        except RpcError as error:
            pause = None if isinstance(error, TooManyRequestsError) else next(left, None)
            if pause is not None:
                time.sleep(pause)
                continue
            if pauses:
                afresh(reader).block(to_hex(block.hash))
            return _skipped(tool, error)
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything, also words of an attacker
            return _skipped(tool, error)


def _ran(
    tool: ContextTool,
    reader: ChainReader,
    adapter: GovernorAdapter,
    profile: GovernorProfile,
    proposal: Proposal,
    block: BlockRef,
) -> ToolResult:
    result = tool.run(reader, adapter, profile, proposal, block).model_dump(mode="json")
    size = len(canonical_bytes(result, tool.name))
    if size > MAX_RESULT_BYTES:
        raise ToolSkipped(f"its result has {size} bytes, at most {MAX_RESULT_BYTES} go into a record")
    return ToolResult(tool=tool.name, version=tool.version, grade=tool.grade, result=result)


def _skipped(tool: ContextTool, error: Exception) -> Skipped:
    why = one_line(without_endpoint(str(error)), MAX_WHY_BYTES) or type(error).__name__
    return Skipped.of_tool(tool.name, why)
