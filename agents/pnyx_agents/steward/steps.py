"""The durable engine, seen from the steward."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import JsonValue

from pnyx_contracts.errors import PnyxError


class StepFailedError(PnyxError):
    """A step failed in a way that trying again does not mend."""


class NotFinalError(PnyxError):
    """On chain, but a reorganisation could still take it away."""


class UnreadableRecordError(PnyxError):
    """The last record about a proposal is none that this release knows: another made it, or the file was changed."""

    def __init__(self, why: str) -> None:
        super().__init__(f"its last record cannot be read here: {why}", hint="the release that made it can, if one did")


Task = Literal["establish", "ask"]
"""What of a review takes its time: the facts of a proposal; opinions on facts."""


class Steps(Protocol):
    """Those of one proposal."""

    def run(self, name: str, work: Callable[[], JsonValue]) -> JsonValue:
        """The result of `work`, or the remembered one when this step has finished before."""
        ...

    def assign(self, name: str, task: Task, argument: JsonValue) -> JsonValue:
        """A step that asks nodes or models for minutes: `Steward.do(task, argument)`, of this worker or another one."""
        ...

    def pause(self, seconds: float) -> None:
        """Wait; a restart in the middle begins this wait anew, whatever the time of day is."""
        ...

    def wait_for_word(self, seconds: float | None) -> JsonValue | None:
        """What a person said (an `Approval` as JSON), or the clock (a `ClockWord`): listened for after a pause of
        `seconds`; None: as soon as there is a word, for a year.

        A word that was given while nobody waited is kept.
        """
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where on its way a proposal is: its steps there are named after it, so that each is remembered apart."""

    steps: Steps
    label: str
    """``0`` for the first review, ``0:waiting:2`` for a turn in it."""

    def run(self, name: str, work: Callable[[], JsonValue]) -> JsonValue:
        return self.steps.run(f"{name}:{self.label}", work)

    def assign(self, task: Task, argument: JsonValue) -> JsonValue:
        return self.steps.assign(f"{task}:{self.label}", task, argument)

    def within(self, part: str) -> Place:
        return Place(self.steps, f"{self.label}:{part}")
