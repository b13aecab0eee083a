"""One look at the set-up: what was found and, when it fails, what to do."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import Field

from pnyx_agents.gas import VOTE_GAS, GasMoney, gas_money
from pnyx_contracts.errors import PnyxError, UsageError
from pnyx_contracts.types import ZERO_ADDRESS, Value
from pnyx_policies.asset_prices import PRICE_DECIMALS, PriceOrigin
from pnyx_policies.reading.amounts import coins, decimal
from pnyx_tools.context.asset_prices import prices_at
from pnyx_tools.reader import ChainReader
from pnyx_tools.signer.settings import Limits
from pnyx_tools.signer.tls import EXPIRES_SOON, MINUTE, RENEW, TlsFiles, end_of, require_valid

WRITTEN_BYTES: Final = 2**20


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


def written(folder: Path) -> str:
    """The folder. Raises `UsageError` where nothing of some size can be written into it."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(WRITTEN_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise UsageError(f"nothing can be written into {folder}: {error.strerror}") from None
    return str(folder)


def priced(reader: ChainReader, origins: Sequence[PriceOrigin]) -> Iterator[Result]:
    """What each declared asset costs now."""
    for price in prices_at(reader, reader.block(), origins, ZERO_ADDRESS).prices:
        why_not = price.why_not or ("" if price.decimals is not None else "the token does not say its decimals")
        yield Result(
            name=f"price of {price.asset or 'the coin'}",
            status="failed" if why_not else "ok",
            found=why_not or f"{decimal(price.price or 0, PRICE_DECIMALS)} for a whole one",
            do="correct its [[price]], see docs/configuration.md" if why_not else "",
        )


def certificate_of(files: TlsFiles) -> Result:
    """How long this side of a connection by TLS can still show its certificate."""

    def look() -> str:
        require_valid(files)
        return f"{files.certificate} expires on {end_of(files.certificate):{MINUTE}}"

    looked = tried("certificate", look, RENEW)
    if looked.status == "ok" and end_of(files.certificate) - datetime.now(UTC) < EXPIRES_SOON:
        return looked.model_copy(update={"status": "warning", "do": RENEW})
    return looked


def money_of(reader: ChainReader, key: str, enough_votes: int, limits: Limits) -> Iterator[Result]:
    """Whether the key can pay for its transactions, and whether its caps let it."""
    money = gas_money(reader, key)
    found = f"{coins(money.balance)}: enough for about {money.votes} votes at the present gas price"
    status = "ok" if money.votes >= enough_votes else "warning" if money.votes else "failed"
    yield Result(name="signer balance", status=status, found=found, do="" if status == "ok" else f"send coins to {key}")
    yield tried("caps", lambda: _caps(limits, money), "raise it, or wait for lower fees")


def _caps(limits: Limits, money: GasMoney) -> str:
    """Raises `PnyxError` with the first cap that no vote gets through at the present price."""
    cost = money.vote_wei
    for cap, limit, need, unit in (
        ("max_gas", limits.max_gas, VOTE_GAS, "gas"),
        ("max_fee_gwei", limits.max_fee_per_gas, money.price, "wei per gas"),
        ("max_spend_per_vote_ether", limits.max_spend_wei, cost, "wei"),
        ("max_spend_per_day_ether", limits.daily_wei, cost, "wei"),
    ):
        if limit < need:
            raise PnyxError(f"[signer] {cap} is {limit} {unit}; a vote takes about {need} {unit} now")
    a_day = limits.daily_wei // max(1, cost)
    return f"a vote costs about {coins(cost)} at the present gas price; they allow {a_day} a day"
