"""A context tool as a LangChain tool, for operators who let a model call listed ones.

The model can choose which tool, nothing else: no addresses, no URLs, no numbers. The tool has run before, for the same
proposal at the pinned block; a call shows what it found (`pnyx_policies.conversation`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pnyx_policies.conversation import Conversation, tool_definition

if TYPE_CHECKING:
    from langchain_core.tools import StructuredTool


def as_langchain_tool(name: str, conversation: Conversation) -> StructuredTool:
    """One of the tools that `conversation` offers. Running it gives the very words that the conversation shows."""
    from langchain_core.tools import StructuredTool

    def run() -> str:
        return conversation.results[name]

    function = tool_definition(name)["function"]
    return StructuredTool(
        name=function["name"], description=function["description"], args_schema=function["parameters"], func=run
    )
