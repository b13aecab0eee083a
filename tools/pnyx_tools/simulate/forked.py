"""All actions in one block, as `whole` does it, on a fork of the chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from pnyx_tools.pinned import fork_behind
from pnyx_tools.reader import MethodMissingError
from pnyx_tools.simulate.task import Ran, Task
from pnyx_tools.simulate.whole import Whole

METHOD: Final = "eth_simulateV1 on a fork"


@dataclass(frozen=True)
class Forked:
    """One task, by this method."""

    task: Task

    name = METHOD

    def run(self) -> Ran:
        with self._on_fork() as whole:
            return whole.run()

    def queue_slot(self, governor: str, slots: Sequence[int]) -> int | None:
        with self._on_fork() as whole:
            return whole.queue_slot(governor, slots)

    @contextmanager
    def _on_fork(self) -> Iterator[Whole]:
        fork = fork_behind(self.task.reader)
        if fork is None:
            raise MethodMissingError("no fork is configured (chain.fork)")
        with fork.at(self.task.block) as node:
            yield Whole(replace(self.task, reader=node))
