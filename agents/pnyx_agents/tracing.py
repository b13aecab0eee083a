"""Spans of work, seen from the work. Nothing is traced unless `pnyx_agents.telemetry` is asked to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Attributes = Mapping[str, str | int | float]


class Span(Protocol):
    """One piece of work, from its beginning to its end."""

    def note(self, attributes: Attributes) -> None: ...

    def fail(self, kind: str) -> None:
        """It came to no good end. `kind` is a word of ours: errors repeat what strangers wrote."""
        ...


class Tracer(Protocol):
    """The ids of a workflow's trace follow from the id of the workflow. So its steps belong together in whichever
    process, before or after a restart, they run, and nothing has to be handed on.
    """

    def within(self, workflow: str) -> AbstractContextManager[None]:
        """What begins inside is a child of this workflow."""
        ...

    def span(self, name: str, attributes: Attributes, *, is_call: bool = False) -> AbstractContextManager[Span]:
        """`is_call`: another service does the work."""
        ...

    def ids(self) -> dict[str, str]:
        """Of the span that is open here, for log lines."""
        ...

    def finish(self, workflow: str, began_at: float, attributes: Attributes) -> None:
        """The whole workflow as one span, told when it ended. `began_at` in seconds since the epoch."""
        ...

    def close(self) -> None:
        """Send what was not sent yet, within seconds or not at all."""
        ...


class NoTraces:
    """Traces nothing. Its spans are itself."""

    @contextmanager
    def within(self, workflow: str) -> Iterator[None]:  # noqa: ARG002 - the protocol's
        yield

    @contextmanager
    def span(self, name: str, attributes: Attributes, *, is_call: bool = False) -> Iterator[Span]:  # noqa: ARG002 - the protocol's
        yield self

    def ids(self) -> dict[str, str]:
        return {}

    def finish(self, workflow: str, began_at: float, attributes: Attributes) -> None:
        pass

    def close(self) -> None:
        pass

    def note(self, attributes: Attributes) -> None:
        pass

    def fail(self, kind: str) -> None:
        pass


NO_TRACES = NoTraces()
