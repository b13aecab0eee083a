"""What is said to a model, turn by turn, when it may call context tools. Pure: a verifier walks the same way again.

    begin -> ask -> judge -> shown -> ask -> judge ...

Code has run every tool before the first word, at the pinned block, and the results are facts of the record. Those of
the tools that an operator allows a model to call are left out of its first prompt; calling a tool shows its result. So
a call reads nothing from the world, takes no arguments, and what the model saw can be rendered again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from pnyx_contracts.types import Value
from pnyx_policies.analysis import View
from pnyx_policies.answer import ToolCall
from pnyx_policies.dossier import PromptTemplate
from pnyx_policies.facts import Facts
from pnyx_policies.prompt import MAX_TOOL_TURNS, Message, render, render_result


class Conversation(Value):
    """All that one request says. The next one says the same and more, or, after a failure, the same."""

    messages: tuple[Message, ...]
    results: dict[str, str] = Field(default_factory=dict)
    """What a call shows, by the name of the tool; empty when none is offered."""
    turns: int = 0
    """How many times tools were called."""

    @property
    def tools(self) -> tuple[str, ...]:
        """Tools that the request names."""
        return tuple(self.results)

    @property
    def tool_choice(self) -> str | None:
        """``none`` once the turns are used up: tools that were called must still be named."""
        return "none" if self.results and self.turns >= MAX_TOOL_TURNS else None

    @property
    def callable_tools(self) -> tuple[str, ...]:
        """Tools that the answer may call."""
        return () if self.tool_choice else self.tools

    def shown(self, calls: Sequence[ToolCall]) -> Conversation:
        """The conversation after an answer that called these of `callable_tools`."""
        if not calls:
            return self
        called = Message(role="assistant", content="", tool_calls=tuple(calls))
        results = (Message(role="tool", content=self.results[call.tool], tool_call_id=call.id) for call in calls)
        return self.model_copy(update={"messages": (*self.messages, called, *results), "turns": self.turns + 1})


def begin(
    facts: Facts,
    allowed: Sequence[str] = (),
    used: tuple[PromptTemplate, ...] | None = None,
    view: View = View.FACTS_AND_TEXT,
) -> Conversation:
    """The first request of a model that may see so much of `facts` and call the tools `allowed`, by the shipped
    templates or by those `used`.

    A tool without a result (its step is one of those that could not run, or nobody enabled it) is not offered.
    Raises as `prompt.render` does.
    """
    tools = offered(facts, allowed)
    return Conversation(
        messages=render(facts, used, tools, view),
        results={name: render_result(facts, name, used, view) for name in tools},
    )


def offered(facts: Facts, allowed: Sequence[str], turns: int = 0) -> tuple[str, ...]:
    """Which of the tools `allowed` can be called after so many turns with calls."""
    found = {result.tool for result in facts.context}
    return tuple(name for name in allowed if name in found) if turns < MAX_TOOL_TURNS else ()


def tool_definition(name: str) -> dict[str, Any]:
    """A context tool as a request names it. The words are ours: a plugin's own would be a way to talk to the model."""
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": "Shows what this context tool found for the proposal. Takes no arguments.",
            "parameters": {"type": "object", "properties": {}, "additionalProperties": False},
        },
    }
