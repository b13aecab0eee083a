"""Looks that depend on nothing of one another, side by side: each waits for the node in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, Protocol, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


class Begin(Protocol):
    """Begins a look; its result is waited for, and its error raised, by whoever asks for it."""

    def __call__(self, look: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]: ...


@contextmanager
def side_by_side(at_once: int) -> Iterator[Begin]:
    """Whoever leaves in order has the results. Whoever leaves with an error waits for none of the others."""
    pool = ThreadPoolExecutor(at_once)

    def begin(look: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return pool.submit(copy_context().run, partial(look, *args, **kwargs))

    try:
        yield begin
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
