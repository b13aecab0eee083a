"""Where do the prices come from that a protocol will go by: can somebody set them, or move them?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from eth_utils.address import to_checksum_address

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decoded import DecodedCall, made_here
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.selectors import call_data, selector_of
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.context.price_sources import MAX_SOURCES, PriceSource, PriceSources
from pnyx_policies.facts import Grade
from pnyx_policies.handed_over import handed_over
from pnyx_policies.probes import WORD_BYTES, members
from pnyx_tools.code import read_targets
from pnyx_tools.context.asking import ask, ask_all, number_of
from pnyx_tools.context.price_pools import pools_in, touched_by
from pnyx_tools.context.price_setters import PriceRead, who_sets
from pnyx_tools.pinned import CallOf, CodeOf, ask_ahead
from pnyx_tools.reader import BlockId, ChainReader, RevertedError

MAX_NAMED: Final = 256
"""Addresses in the calls of which it is asked whether they are contracts."""
MAX_CONTRACTS: Final = 64
"""Of these, asked for prices."""
MAX_ASSETS: Final = 32
"""What a source is asked about that has many prices."""
MAX_BEHIND: Final = 12
"""Contracts behind one price, beside its source, in which functions that set it are looked for."""

_ROUND: Final = "latestRoundData()"
_ONE_PRICE: Final = (_ROUND, "latestAnswer()", "price()", "getPrice()", "getLatestPrice()")
"""Chainlink's feeds and what imitates them, oracles of Morpho, and others. The first that a contract answers counts."""
_WORDS_OF_ROUND: Final = 5
_PRICE_OF: Final = ("getUnderlyingPrice(address)", "getAssetPrice(address)", "getPrice(address)", "price(address)")
"""Compound, Aave, and their descendants."""

_LENDS: Final = re.compile(
    r"collateral|liquidation|(?:support|add|list|init|create|enable|deploy)_?(?:market|asset|reserve|pool|listing)",
    re.IGNORECASE,
)
"""Names of functions by which a market begins to lend, or lends more: then the oracle counts that it has."""
_SETS_ORACLE: Final = re.compile("oracle", re.IGNORECASE)
_ORACLES: Final = ("oracle()", "priceOracle()", "getPriceOracle()")


class PriceSourcesTool:
    """Every contract that the calls name, and that gives a price, is a source; so is the oracle that a market's
    controller has, where a call lets the market lend.
    """

    name = PriceSources.TOOL
    version = PriceSources.VERSION
    grade = Grade.RE_READ
    description = "Where prices come from that the calls introduce or lend by, who can set them, and from which pools."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,  # noqa: ARG002 - the protocol's
        profile: GovernorProfile,  # noqa: ARG002 - the protocol's
        proposal: Proposal,
        block: BlockRef,
    ) -> PriceSources:
        at = to_hex(block.hash)
        calls = list(made_here(decode_calls(proposal.calls, proposal.key.chain_id)))
        named = _named(calls)
        contracts = _contracts(reader, dict(islice(named.items(), MAX_NAMED)), at)
        shown = dict(islice(contracts.items(), MAX_CONTRACTS))
        assets = list(dict.fromkeys([*shown, *_markets(reader, calls, at)]))[:MAX_ASSETS]
        paths = dict(_oracles(reader, calls, at)) | shown
        reads = list(_prices(reader, list(paths), assets, at))
        tried: set[str] = set()
        return PriceSources(
            sources=tuple(_source(reader, read, paths[read.source], tried, at) for read in reads[:MAX_SOURCES]),
            left_out=max(len(named) - MAX_NAMED, 0) + len(contracts) - len(shown) + len(reads[MAX_SOURCES:]),
        )


# --- what is asked, and about what -----------------------------------------------------------------------------------


def _named(calls: Sequence[DecodedCall]) -> dict[str, str]:
    """Each address that the calls hand over, with the first call that does."""
    found: dict[str, str] = {}
    for call in calls:
        for address in handed_over(call):
            found.setdefault(address, call.path)
    return found


def _contracts(reader: ChainReader, named: Mapping[str, str], at: BlockId) -> dict[str, str]:
    """Those that have code."""
    ask_ahead(reader, [CodeOf(address, at) for address in named])
    return {address: path for address, path in named.items() if reader.code(address, at)}


def _oracles(reader: ChainReader, calls: Sequence[DecodedCall], at: BlockId) -> Iterator[tuple[str, str]]:
    """What the controllers of markets go by now, where a call lets a market lend, or nobody knows what it does."""
    lending = {call.target: call.path for call in calls if _may_let_lend(call)}
    places = [(controller, name) for controller in lending for name in _ORACLES]
    answers = ask_all(reader, [number_of(controller, name) for controller, name in places], at)
    for (controller, _), word in zip(places, answers, strict=True):
        if word is not None and 0 < word < 2**160:
            yield str(to_checksum_address(word.to_bytes(20, "big"))), lending[controller]


def _may_let_lend(call: DecodedCall) -> bool:
    return bool(_LENDS.search(call.name) if call.signature else call.calldata)


def _markets(reader: ChainReader, calls: Sequence[DecodedCall], at: BlockId) -> Iterator[str]:
    """All markets of the controllers that get another oracle."""
    controllers = dict.fromkeys(call.target for call in calls if _SETS_ORACLE.search(call.name))
    asked = selector_of("getAllMarkets()")
    ask_ahead(reader, [CallOf(controller, asked, at) for controller in controllers])
    for controller in controllers:
        for word in members(_answer(reader, controller, asked, at)) or ():
            if not any(word[:12]):
                yield str(to_checksum_address(word[12:]))


# --- prices ----------------------------------------------------------------------------------------------------------


def _prices(reader: ChainReader, contracts: Sequence[str], assets: Sequence[str], at: BlockId) -> Iterator[PriceRead]:
    """One of each contract that has one; one for each asset of those that have several."""
    asked = {contract: _questions(code, contract, assets) for contract, code in _codes(reader, contracts, at)}
    ask_ahead(reader, [CallOf(contract, data, at) for contract, every in asked.items() for _, _, data in every])
    for contract, every in asked.items():
        priced: set[str | None] = set()
        for signature, asset, data in every:
            if asset not in priced and (read := _price(reader, contract, signature, asset, data, at)) is not None:
                priced.add(asset)
                yield read


def _codes(reader: ChainReader, contracts: Sequence[str], at: BlockId) -> Iterator[tuple[str, bytes]]:
    """What each runs: its own code, and that of its implementation."""
    for target in read_targets(reader, contracts, at):
        if target.has_code:
            behind = reader.code(target.implementation, at) if target.implementation else b""
            yield target.address, reader.code(target.address, at) + behind


_Question = tuple[str, str | None, bytes]
"""Signature, asset, calldata."""


def _questions(code: bytes, contract: str, assets: Sequence[str]) -> list[_Question]:
    one = [(signature, None, selector_of(signature)) for signature in _ONE_PRICE if selector_of(signature) in code]
    several = [
        (signature, asset, call_data(signature, asset))
        for signature in _PRICE_OF
        if selector_of(signature) in code
        for asset in assets
        if asset != contract
    ]
    return [*one, *several]


def _price(
    reader: ChainReader, contract: str, signature: str, asset: str | None, data: bytes, at: BlockId
) -> PriceRead | None:
    """None where it gives none. Only a feed that tells of rounds is one also while its price is nothing."""
    answer = _answer(reader, contract, data, at)
    words = [int.from_bytes(answer[i : i + WORD_BYTES], "big") for i in range(0, len(answer), WORD_BYTES)]
    is_round = signature == _ROUND
    if len(words) < (_WORDS_OF_ROUND if is_round else 1):
        return None
    number = words[1] if is_round else words[0]
    price = number if number < 2**255 else 0
    if not price and not is_round:
        return None
    decimals = ask(reader, number_of(contract, "decimals()"), at) if is_round else None
    updated_at = words[3] if is_round else None
    return PriceRead(contract, signature, asset, data, price, decimals, updated_at)


def _answer(reader: ChainReader, contract: str, data: bytes, at: BlockId) -> bytes:
    try:
        return reader.call(contract, data, at)
    except RevertedError:
        return b""


# --- what they rest on -----------------------------------------------------------------------------------------------


def _source(reader: ChainReader, read: PriceRead, path: str, tried: set[str], at: BlockId) -> PriceSource:
    """`tried`: contracts whose functions were tried before, which grows."""
    touched = touched_by(reader, read.source, read.data, at)
    behind = sorted(contract for contract in touched if contract != read.source and reader.code(contract, at))
    untried = [contract for contract in (read.source, *behind[:MAX_BEHIND]) if contract not in tried]
    tried.update(untried)
    return PriceSource(
        source=read.source,
        signature=read.signature,
        asset=read.asset,
        path=path,
        answer=read.price,
        decimals=read.decimals,
        updated_at=read.updated_at,
        setters=tuple(setter for contract in untried for setter in who_sets(reader, read, contract, at)),
        pools=tuple(pools_in(reader, touched, at)),
        left_out=len(behind[MAX_BEHIND:]),
    )
