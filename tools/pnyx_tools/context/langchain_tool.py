"""A context tool as a LangChain tool, for operators who let the model choose among listed ones.

The model can choose which tool, nothing else: no addresses, no URLs, no numbers. Every result is also handed to
`record`, because what the model was told belongs into the decision record.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal
from pnyx_policies.facts import Skipped, ToolResult
from pnyx_tools.context.protocol import ContextTool, run_tool
from pnyx_tools.reader import ChainReader

if TYPE_CHECKING:
    from langchain_core.tools import StructuredTool


def as_langchain_tool(
    tool: ContextTool,
    reader: ChainReader,
    adapter: GovernorAdapter,
    profile: GovernorProfile,
    proposal: Proposal,
    block: BlockRef,
    *,
    record: Callable[[ToolResult | Skipped], None],
) -> StructuredTool:
    """`tool` bound to one proposal and one block. The model gets the result as JSON, or why there is none."""
    from langchain_core.tools import StructuredTool
    from pydantic import BaseModel, ConfigDict

    class NoParameters(BaseModel):
        """Nothing to choose."""

        model_config = ConfigDict(extra="forbid")

    def run() -> str:
        outcome = run_tool(tool, reader, adapter, profile, proposal, block)
        record(outcome)
        return json.dumps(outcome.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)

    return StructuredTool.from_function(
        func=run, name=tool.name, description=tool.description, args_schema=NoParameters
    )
