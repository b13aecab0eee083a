"""One look at the set-up: what was found and, when it fails, what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import Field

from pnyx_agents.gas import gas_money
from pnyx_contracts.errors import PnyxError
from pnyx_contracts.types import Value
from pnyx_policies.reading.amounts import coins
from pnyx_tools.reader import ChainReader


class Result(Value):
    """One check of the set-up."""

    name: str
    status: str = Field(pattern="^(ok|warning|failed)$")
    found: str
    do: str = ""


def tried(name: str, look: Callable[[], str], do: str) -> Result:
    """What `look` found; its error, with its own hint or else `do`."""
    try:
        return Result(name=name, status="ok", found=look())
    except PnyxError as error:
        return Result(name=name, status="failed", found=error.message, do=error.hint or do)


def followed(name: str, look: Callable[[], Iterator[Result]]) -> Iterator[Result]:
    """What `look` finds; an error on the way is one more finding, and no end of the examination."""
    try:
        yield from look()
    except PnyxError as error:
        yield Result(name=name, status="failed", found=error.message, do=error.hint)


def gas_of(reader: ChainReader, key: str, enough_votes: int) -> Result:
    """Whether the key can pay for its transactions."""
    money = gas_money(reader, key)
    found = f"{coins(money.balance)}: enough for about {money.votes} votes at the present gas price"
    status = "ok" if money.votes >= enough_votes else "warning" if money.votes else "failed"
    return Result(
        name="signer balance", status=status, found=found, do="" if status == "ok" else f"send coins to {key}"
    )
