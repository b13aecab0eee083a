"""What an account holds, asset by asset, at one block."""

from __future__ import annotations

from collections.abc import Sequence

from eth_utils.address import to_checksum_address

from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.selectors import selector_of
from pnyx_contracts.strict_abi import parse_parameters
from pnyx_policies.facts import Holding
from pnyx_policies.money import token_amount
from pnyx_tools.pinned import CallOf
from pnyx_tools.reader import BlockId, ChainReader, RevertedError

MAX_SYMBOL_CHARACTERS = 24

_BALANCE_OF = selector_of("balanceOf(address)")
_SYMBOL = selector_of("symbol()")
_DECIMALS = selector_of("decimals()")
_STRING = parse_parameters("(string text)")[0].kind


def native_holding(reader: ChainReader, holder: str, block: BlockId) -> Holding:
    """The chain's own coin, in wei; its symbol is not on chain."""
    return Holding(asset=None, symbol="", decimals=18, balance=reader.balance(holder, block))


def token_holding(reader: ChainReader, holder: str, asset: str, block: BlockId) -> Holding:
    """Raises `DecodingError` when `asset` does not answer `balanceOf` like a token.

    Symbol and decimals are optional in ERC-20: where a token does not say, they are empty and None.
    """
    balance = _answer(reader, asset, _balance_of(holder), block)
    if len(balance) != 32:
        raise DecodingError(f"{asset} does not answer balanceOf like a token")
    said = _answer(reader, asset, _DECIMALS, block)
    decimals = int.from_bytes(said, "big") if len(said) == 32 else None
    return Holding(
        asset=asset,
        symbol=_symbol(_answer(reader, asset, _SYMBOL, block)),
        decimals=decimals if decimals is None or decimals <= 255 else None,
        balance=int.from_bytes(balance, "big"),
    )


def questions_of(holders: Sequence[str], assets: Sequence[str], block: BlockId) -> list[CallOf]:
    """What `token_holding` asks: for whoever looks at many."""
    asked = [_SYMBOL, _DECIMALS, *(_balance_of(holder) for holder in holders)]
    return [CallOf(str(to_checksum_address(asset)), data, block) for asset in assets for data in asked]


def _balance_of(holder: str) -> bytes:
    return _BALANCE_OF + bytes(12) + bytes.fromhex(holder.removeprefix("0x"))


def called_tokens(call: DecodedCall) -> list[str]:
    """Contracts on this chain that this call, or one inside it, treats as tokens, until `balanceOf` says otherwise."""
    amounts = (token_amount(inner) for inner in call.walk())
    return [amount.asset for amount in amounts if amount is not None]


def _answer(reader: ChainReader, asset: str, data: bytes, block: BlockId) -> bytes:
    try:
        return reader.call(to_checksum_address(asset), data, block)
    except RevertedError:
        return b""


def _symbol(answer: bytes) -> str:
    """ABI string, or a bytes32 as older tokens (MKR) have it. Text by the token's author: cut and cleaned."""
    raw = answer.rstrip(b"\x00") if len(answer) == 32 else _string(answer)
    text = raw.decode("utf-8", errors="replace")[:MAX_SYMBOL_CHARACTERS]
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _string(answer: bytes) -> bytes:
    head = int.from_bytes(answer[:32], "big")
    if head != 32:
        return b""
    try:
        value: bytes = _STRING.decode(answer, 32)[0]
    except DecodingError:
        return b""
    return value
