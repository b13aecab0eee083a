"""Nothing is final that two endpoints do not show alike; one that is alone with what it says does not stop the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from pnyx_contracts.errors import PnyxError
from pnyx_tools.reader import ChainReader, RpcError

T = TypeVar("T")


class Council(Protocol):
    """Several endpoints of one chain, one of which is asked at a time."""

    def others(self) -> Sequence[ChainReader]:
        """Those that are well now, beside the one that is asked, each alone."""
        ...

    def distrust(self, why: str) -> None:
        """The one that is asked contradicts two others that agree: ask another one from now on."""
        ...


def other_of(council: Council) -> ChainReader:
    """Raises `RpcError` while no other one is well."""
    for other in council.others():
        return other
    raise RpcError("no other endpoint is well now", hint="it is asked again; see the log for what failed")


def require_agreement(
    council: Council, own: T, ask: Callable[[ChainReader], T], difference: Callable[[T], PnyxError]
) -> None:
    """Another endpoint says what the one that is asked said (`own`). The others are asked one after the other, until
    one agrees. Raises the `difference` from what the first one said when none does; `RpcError` when none answers.
    """
    said: list[T] = []
    failed: RpcError | None = None
    for other in council.others():
        try:
            theirs = ask(other)
        except RpcError as error:
            failed = error
            continue
        if theirs == own:
            return
        if theirs in said:
            council.distrust(difference(theirs).message)
            break
        said.append(theirs)
    if not said:
        raise failed or RpcError("no other endpoint is well now", hint="it is asked again; see the log for what failed")
    raise difference(said[0])
