"""What rollups take for a transaction beside its gas: for its bytes, which they publish on their parent chain, and for
whoever runs them. `max_fee_gwei` does not bound it; caps in ether have to count it.

Sources: OP stack specifications, predeploys (`getL1Fee`; `getOperatorFee` since Isthmus); Scroll's `L1GasPriceOracle`.
Arbitrum and ZKsync count their data as gas.
"""

from __future__ import annotations

from typing import Final

from eth_abi.abi import encode

from pnyx_contracts.governors import TransactionCall
from pnyx_tools.reader import ChainReader, RevertedError

ORACLES: Final = ("0x420000000000000000000000000000000000000F", "0x5300000000000000000000000000000000000002")
"""OP stack, Scroll: the chain itself put them there."""
GET_L1_FEE: Final = bytes.fromhex("49948e0e")
"""``getL1Fee(bytes)``, of a transaction without its signature, which the oracle adds."""
GET_OPERATOR_FEE: Final = bytes.fromhex("275aedd2")
"""``getOperatorFee(uint256)``, of gas."""

ENVELOPE: Final = b"\xff" * 120
"""More than the other fields of an EIP-1559 transaction take, and as hard to compress."""
MARGIN: Final = 2
"""It may double before the transaction is mined, as the base fee may."""


def data_fee_wei(reader: ChainReader, call: TransactionCall, gas_limit: int) -> int:
    """With a margin; 0 on chains that take nothing beside the gas."""
    published = encode(["bytes"], [call.data + ENVELOPE])
    for_data = sum(_asked(reader, oracle, GET_L1_FEE + published) for oracle in ORACLES)
    for_operator = _asked(reader, ORACLES[0], GET_OPERATOR_FEE + encode(["uint256"], [gas_limit])) if for_data else 0
    return MARGIN * (for_data + for_operator)


def _asked(reader: ChainReader, oracle: str, question: bytes) -> int:
    """0 where nobody is there, or who is there does not know the question."""
    try:
        answer = reader.call(oracle, question)
    except RevertedError:
        return 0
    return int.from_bytes(answer) if len(answer) == 32 else 0
