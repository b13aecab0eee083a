"""What the own coin of a chain is called, in rules and in texts. All of them have 18 decimals.

From the chains' own documentation, as collected in ethereum-lists/chains. The coin of a chain that is not here is not
known to rules, and never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

COINS: Mapping[int, str] = MappingProxyType(
    {
        1: "ETH",
        10: "ETH",  # OP Mainnet
        56: "BNB",
        100: "xDAI",  # Gnosis
        130: "ETH",  # Unichain
        137: "POL",  # Polygon
        324: "ETH",  # zkSync Era
        8453: "ETH",  # Base
        17000: "ETH",  # Holesky
        31337: "ETH",  # Anvil and Hardhat
        42161: "ETH",  # Arbitrum One
        42170: "ETH",  # Arbitrum Nova
        43114: "AVAX",
        59144: "ETH",  # Linea
        534352: "ETH",  # Scroll
        560048: "ETH",  # Hoodi
        11155111: "ETH",  # Sepolia
    }
)
"""Chain id (EIP-155) -> symbol."""

_ALSO_CALLED = {"ETH": frozenset({"eth", "ether"}), "POL": frozenset({"pol", "matic"})}


def words_for_coin(chain_id: int) -> frozenset[str]:
    """What a text calls it, in lower case. Where the coin is not known these are words for ether: the text of an
    amount is only compared with them, and a wrong word is a low finding.
    """
    symbol = COINS.get(chain_id, "ETH")
    return _ALSO_CALLED.get(symbol, frozenset({symbol.lower()}))
