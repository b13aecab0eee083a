"""How long the gas money of a key will last."""

from __future__ import annotations

from dataclasses import dataclass

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.governors import TransactionCall
from pnyx_contracts.types import Address
from pnyx_tools.data_fee import data_fee_wei
from pnyx_tools.reader import ChainReader
from pnyx_tools.wire import parse_quantity

VOTE_GAS = 300_000
"""An entry and a vote, with room to spare."""
VOTE_BYTES = 1_000
"""Of both, where a rollup takes money for them."""


@dataclass(frozen=True, slots=True)
class GasMoney:
    """Of one key, in wei. `price` is the node's, per gas; `beside` is what a rollup takes for a vote beside its gas."""

    balance: int
    price: int
    beside: int = 0

    @property
    def vote_wei(self) -> int:
        """What a vote with its entry takes now."""
        return self.price * VOTE_GAS + self.beside

    @property
    def votes(self) -> int:
        """So many can be paid at this price."""
        return self.balance // max(1, self.vote_wei)


def gas_money(reader: ChainReader, key: Address) -> GasMoney:
    """Now. Raises what reading raises."""
    try:
        price = parse_quantity(reader.request("eth_gasPrice", []))
    except ValueError as error:
        raise DecodingError(f"the node names no gas price: {error}") from None
    vote = TransactionCall(key, b"\xff" * VOTE_BYTES)
    return GasMoney(reader.balance(key), price, data_fee_wei(reader, vote, VOTE_GAS))
