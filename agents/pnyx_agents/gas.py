"""How long the gas money of a key will last."""

from __future__ import annotations

from dataclasses import dataclass

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.types import Address
from pnyx_tools.reader import ChainReader
from pnyx_tools.wire import parse_quantity

VOTE_GAS = 300_000
"""An entry and a vote, with room to spare."""


@dataclass(frozen=True, slots=True)
class GasMoney:
    """Of one key, in wei. `price` is the node's, per gas; what rollups take for L1 data is not in it."""

    balance: int
    price: int

    @property
    def votes(self) -> int:
        """So many can be paid at this price."""
        return self.balance // max(1, self.price * VOTE_GAS)


def gas_money(reader: ChainReader, key: Address) -> GasMoney:
    """Now. Raises what reading raises."""
    try:
        return GasMoney(reader.balance(key), parse_quantity(reader.request("eth_gasPrice", [])))
    except ValueError as error:
        raise DecodingError(f"the node names no gas price: {error}") from None
