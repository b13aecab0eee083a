"""Who can set a price: well-known functions are tried, and the price is read again right after, in one call that
changes nothing.

That a call goes through proves little: some contracts refuse by a code, and some do nothing. That the price is another
one afterwards proves all. So small code, put to the address of whoever is to try it, calls the function and then reads
the price. What it reads without having called anything is what counts as before: some feeds answer not everybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from eth_abi.abi import encode
from eth_utils.address import to_checksum_address

from pnyx_contracts.selectors import parse_function, selector_of
from pnyx_contracts.types import ZERO_ADDRESS, to_hex
from pnyx_policies.context.price_sources import PriceSetter
from pnyx_policies.context.proposer_account import AccountKind
from pnyx_tools.code import read_target
from pnyx_tools.context.asking import ask_all, number_of
from pnyx_tools.context.initializer_calls import STRANGER
from pnyx_tools.context.proposer_account import account_kind
from pnyx_tools.context.protocol import ToolSkipped
from pnyx_tools.reader import BlockId, ChainReader, RevertedError
from pnyx_tools.wire import address_param, block_param, parse_data

SETTERS: Final = (
    "setUnderlyingPrice(address,uint256)",  # Compound's SimplePriceOracle, and its descendants
    "setDirectPrice(address,uint256)",
    "setPrice(address,uint256)",
    "setAssetPrice(address,uint256)",
    "setTokenPrice(address,uint256)",
    "setPrices(address[],uint256[])",
    "setPrice(uint256)",
    "setPrice(int256)",
    "setRate(uint256)",
    "setAnswer(int256)",
    "setLatestAnswer(int256)",
    "updateAnswer(int256)",  # Chainlink's mock
    "updatePrice(uint256)",
    "postPrice(uint256)",
    "submit(uint256)",
    "poke(bytes32)",  # Maker's DSValue
    "setFeed(address,address)",
    "setPriceFeed(address,address)",
    "setAggregator(address,address)",
    "setDataSource(address,address)",
    "setAssetSource(address,address)",
    "setAssetSources(address[],address[])",
    "setSource(address)",
    "setFeed(address)",
    "setAggregator(address)",
    "setPool(address)",
)
"""What follows from them: another number, or a price from somewhere else."""

_SEATS: Final = (
    "owner()", "admin()", "governance()", "governor()", "gov()", "operator()", "poster()", "keeper()", "updater()",
    "manager()", "controller()",
)  # fmt: skip

_LENT: Final = ("underlying()", "asset()", "UNDERLYING_ASSET_ADDRESS()")

_TRY_CODE: Final = (
    "0x6040356060600037"  # copy what the contract is called by
    "60006000604035600060006000355af1"  # call it
    "606060403501803603908190600037"  # copy the question, which follows
    "600060008260006020355afa"  # ask the source
    "60205250600052"  # keep whether both went through
    "3d600060403e3d6040016000f3"  # and give it back, with the answer
)
"""Its input: the contract to call, the contract to ask, the length of what it is called by, this, what it is asked."""


@dataclass(frozen=True, slots=True)
class PriceRead:
    """One price: how it is asked for, and what it is."""

    source: str
    signature: str
    asset: str | None
    data: bytes
    price: int
    decimals: int | None
    updated_at: int | None


def who_sets(reader: ChainReader, read: PriceRead, contract: str, at: BlockId) -> Iterator[PriceSetter]:
    """Anybody, or else those who sit in the contract's seats. Raises `ToolSkipped` where the node cannot try it."""
    signatures = _setters_in(reader, contract, at)
    if not signatures:
        return
    assets, seated = _assets(reader, read, at), _seated(reader, contract, at)
    for signature in signatures:
        ways = list(dict.fromkeys(_calldata(signature, read.price, asset) for asset in assets))
        if any(_changes(reader, read, STRANGER, contract, data, at) for data in ways):
            yield PriceSetter(contract=contract, signature=signature, by=None, kind=AccountKind.KEY)
            continue
        for account in seated:
            if any(_changes(reader, read, account, contract, data, at) for data in ways):
                kind = account_kind(reader.code(account, at))
                yield PriceSetter(contract=contract, signature=signature, by=account, kind=kind)


def _setters_in(reader: ChainReader, contract: str, at: BlockId) -> tuple[str, ...]:
    """Those whose selectors stand in the contract's code, or in that of its implementation."""
    target = read_target(reader, contract, at)
    code = reader.code(contract, at) + (reader.code(target.implementation, at) if target.implementation else b"")
    return tuple(signature for signature in SETTERS if selector_of(signature) in code)


def _assets(reader: ChainReader, read: PriceRead, at: BlockId) -> tuple[str, ...]:
    """What the price was asked about, and what is behind it: a market's price is that of what it lends."""
    if read.asset is None:
        return (STRANGER,)
    return (read.asset, *_told(reader, read.asset, _LENT, at))


def _seated(reader: ChainReader, contract: str, at: BlockId) -> tuple[str, ...]:
    return tuple(account for account in _told(reader, contract, _SEATS, at) if account != contract)


def _told(reader: ChainReader, contract: str, getters: Sequence[str], at: BlockId) -> tuple[str, ...]:
    """The addresses that it answers, each once."""
    words = ask_all(reader, [number_of(contract, getter) for getter in getters], at)
    return tuple(dict.fromkeys(str(to_checksum_address(w.to_bytes(20, "big"))) for w in words if w and w < 2**160))


def _calldata(signature: str, read_price: int, asset: str) -> bytes:
    """Twice the price, for `asset`."""
    function = parse_function(signature)
    kinds = [parameter.kind.canonical for parameter in function.parameters]
    price = 2 * min(read_price, 2**126) + 1
    first = {"address": asset, "address[]": [asset]}
    rest = {"address": STRANGER, "address[]": [STRANGER], "uint256[]": [price], "bytes32": price.to_bytes(32, "big")}
    several = len(kinds) > 1
    values = [(first if several and place == 0 else rest).get(kind, price) for place, kind in enumerate(kinds)]
    return function.selector + encode(kinds, values)


def _changes(reader: ChainReader, read: PriceRead, account: str, contract: str, data: bytes, at: BlockId) -> bool:
    """Whether the price is another one, or none, after `account` called `contract`."""
    went_through, after = _tried(reader, read, account, contract, data, at)
    if not went_through:
        return False
    _, before = _tried(reader, read, account, ZERO_ADDRESS, b"", at)
    return before is not None and after != before


def _tried(
    reader: ChainReader, read: PriceRead, account: str, contract: str, data: bytes, at: BlockId
) -> tuple[bool, bytes | None]:
    """Whether the call went through, and what the source answers `account` then; None where it does not."""
    words = (_word(contract), _word(read.source), len(data).to_bytes(32, "big"))
    call = {"to": address_param(account), "data": to_hex(b"".join((*words, data, read.data)))}
    overrides = {address_param(account): {"code": _TRY_CODE}}
    try:
        answer = parse_data(reader.request("eth_call", [call, block_param(at), overrides]))
    except RevertedError:
        return False, None
    if len(answer) < 64:
        raise ToolSkipped("the node does not try calls on behalf of others: it takes no state overrides")
    went_through, answered = (any(answer[start : start + 32]) for start in (0, 32))
    return went_through, answer[64:] if answered else None


def _word(address: str) -> bytes:
    return bytes(12) + bytes.fromhex(address[2:])
