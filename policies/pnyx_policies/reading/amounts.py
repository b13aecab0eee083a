"""Amounts and addresses as people read them. Exact: nothing is rounded except shares, and those upwards."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from pnyx_contracts.errors import DecodingError
from pnyx_policies.coins import COINS
from pnyx_policies.context.ens_names import EnsNames
from pnyx_policies.context.reading import read_context
from pnyx_policies.facts import Facts
from pnyx_policies.money import Outflow, decimals_of, holding_of
from pnyx_policies.reading.blocks import Line, Piece, code, line
from pnyx_policies.shares import at_stake, has_no_end, share_of_treasury
from pnyx_policies.untrusted import quoted

_SYMBOL = re.compile("[A-Za-z0-9.$+-]{1,12}", re.ASCII)
_LONGEST_SYMBOL: Final = 20
WEI_DECIMALS: Final = 18


def decimal(units: int, decimals: int) -> str:
    """Exact decimal text of an amount in smallest units, with separators."""
    whole, fraction = divmod(units, 10**decimals)
    return f"{whole:,}" + (f".{fraction:0{decimals}d}".rstrip("0") if fraction else "")


def coins(wei: int) -> str:
    """An amount of the chain's coin where its name is not known, exact: ``40 coins (40000000000000000000 wei)``."""
    return f"{coin(wei, None)} ({wei} wei)"


def coin(wei: int, chain_id: int | None) -> str:
    """``40 ETH``; where the coin of the chain is not known, ``40 coins``."""
    whole = decimal(wei, WEI_DECIMALS)
    return f"{whole} {COINS.get(chain_id or 0) or ('coin' if whole == '1' else 'coins')}"


def amount(facts: Facts, asset: str | None, units: int, *, token_id: int | None = None, brief: bool = False) -> Line:
    """``5 ETH``; ``900 USDC (token 0x...)``; in the token's smallest units where nobody said how it counts. A symbol is
    a stranger's word, so the address stands with it, except in the `brief` form: the full one is in the same report.
    """
    if asset is None:
        return line(coin(units, facts.proposal.key.chain_id))
    if token_id is not None:
        return line(f"{units:,} of number {token_id} of ", code(asset))
    decimals, holding = decimals_of(facts, asset), holding_of(facts, asset)
    if decimals is None or holding is None or not holding.symbol:
        return line("any amount" if has_no_end(units) else f"{units:,} units", " of token ", code(asset))
    number = "any amount of" if has_no_end(units) else decimal(units, decimals)
    words = f"{number} {_symbol(holding.symbol)}"
    return line(words) if brief else line(f"{words} (token ", code(asset), ")")


def total(facts: Facts, flows: Collection[Outflow]) -> Line:
    """What all of these, of one asset, come to."""
    asset, numbers = next(iter(flows)).asset, {flow.token_id for flow in flows}
    if asset is not None and len(numbers) > 1 and None not in numbers:
        return line(f"{len(numbers)} NFTs of ", code(asset))
    token_id = numbers.pop() if len(numbers) == 1 else None
    return amount(facts, asset, at_stake(facts, flows), token_id=token_id, brief=True)


def _symbol(text: str) -> str:
    return text if _SYMBOL.fullmatch(text) else quoted(text, _LONGEST_SYMBOL)


def share(facts: Facts, items: tuple[Outflow, ...]) -> str:
    """``1.2% of what the treasury holds``, empty when nobody knows."""
    basis_points = share_of_treasury(facts, items)
    if basis_points is None:
        return ""
    if basis_points > 10_000:
        return "more than the treasury holds"
    if basis_points <= 1:
        return "at most 0.01% of what the treasury holds"
    return f"{decimal(basis_points, 2)}% of what the treasury holds"


def names_of(facts: Facts) -> dict[str, str]:
    """The parts of the DAO that everybody knows, the names that the operator gave, and those of ENS."""
    governor = facts.proposal.key.governor
    known = {facts.simulation.executor: "the DAO's executor", governor: "the governor", **facts.known_addresses}
    return {**_ens_names(facts), **known}


def _ens_names(facts: Facts) -> dict[str, str]:
    try:
        found = read_context(EnsNames, facts.context, facts.skipped)
    except DecodingError:
        return {}
    return {entry.address: f"ENS: {entry.name}" for entry in found.names}


def span(seconds: int) -> str:
    """``2 days``, ``36 hours``, ``90 seconds``: in the largest unit of which there are at least two."""
    for unit, word in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{decimal(seconds * 10 // unit, 1)} {word}"
    return "1 second" if seconds == 1 else f"{seconds} seconds"


def who(facts: Facts, address: str) -> tuple[Piece, ...]:
    """An address, never cut, with its name where it has one."""
    name = names_of(facts).get(address)
    return line(code(address), f" ({name})") if name else line(code(address))
