"""Uniswap's own pools, versions 2 and 3: their prices, and whether a price is that of this moment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_utils.address import to_checksum_address

from pnyx_policies.asset_prices import PriceOrigin
from pnyx_policies.context import AssetPrice, AssetPrices, PricePool, PriceSources
from pnyx_tools.context import AssetPricesTool, PriceSourcesTool
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy, encode_call

MODULES = Path(__file__).parents[2] / "contracts" / "node_modules" / "@uniswap"
V2 = MODULES / "v2-core" / "build" / "UniswapV2Factory.json"
V3 = MODULES / "v3-core" / "artifacts" / "contracts" / "UniswapV3Factory.sol" / "UniswapV3Factory.json"
SQUARE_ROOT_OF_4 = 2 * 2**96
LATER = "0x00000000000000000000000000000000000A77E2"

pytestmark = pytest.mark.skipif(
    not (V2.is_file() and V3.is_file()), reason="run `npm ci --ignore-scripts` in contracts/"
)


def factory(node: Anvil, file: Path, arguments: bytes = b"") -> str:
    code = json.loads(file.read_text(encoding="utf-8"))["bytecode"].removeprefix("0x")
    return str(to_checksum_address(node.send(None, bytes.fromhex(code) + arguments)["contractAddress"]))


def answer(node: Anvil, to: str, signature: str, *arguments: object) -> str:
    (address,) = decode(["address"], node.rpc.call(to, encode_call(signature, *arguments)))
    return str(to_checksum_address(address))


@pytest.fixture
def tokens(dao: Governance) -> tuple[str, str]:
    """As pools have them: the lower address first."""
    first, second = (deploy(dao.node, "PlainToken", dao.node.accounts[0], 10**6 * TOKEN) for _ in range(2))
    return (first, second) if int(first, 16) < int(second, 16) else (second, first)


@pytest.fixture
def pair(dao: Governance, tokens: tuple[str, str]) -> str:
    """Version 2, with four of the second token for one of the first."""
    node = dao.node
    made_by = factory(node, V2, encode(["address"], [node.accounts[0]]))
    node.send(made_by, encode_call("createPair(address,address)", *tokens))
    pool = answer(node, made_by, "getPair(address,address)", *tokens)
    for token, amount in zip(tokens, (100, 400), strict=True):
        node.send(token, encode_call("transfer(address,uint256)", pool, amount * TOKEN))
    node.send(pool, encode_call("mint(address)", node.accounts[0]))
    return pool


@pytest.fixture
def pool(dao: Governance, tokens: tuple[str, str]) -> str:
    """Version 3, at the same price for more than half an hour."""
    node = dao.node
    made_by = factory(node, V3)
    node.send(made_by, encode_call("createPool(address,address,uint24)", *tokens, 3_000))
    made = answer(node, made_by, "getPool(address,address,uint24)", *tokens, 3_000)
    node.send(made, encode_call("initialize(uint160)", SQUARE_ROOT_OF_4))
    node.increase_time(3_600)
    return made


def run(tool: Any, dao: Governance, oracle: str | None = None) -> Any:
    action = (LATER, encode_call("setOracle(address,address)", oracle or LATER, dao.token))
    proposal = dao.proposals[dao.propose([action[0]], [0], [action[1]], f"# Prices {len(dao.proposals)}")]
    return tool.run(dao.node.rpc, dao.adapter, dao.profile, proposal, dao.node.rpc.block())


def priced(dao: Governance, asset: str, other: str, place: str) -> AssetPrice:
    origins = (PriceOrigin(asset=asset, pool=place), PriceOrigin(asset=other, fixed=3 * 10**18))
    found: AssetPrices = run(AssetPricesTool(origins), dao)
    return found.prices[0]


def behind(dao: Governance, oracle: str) -> list[PricePool]:
    found: PriceSources = run(PriceSourcesTool(), dao, oracle)
    (source,) = found.sources
    return list(source.pools)


def test_prices_of_version_2(dao: Governance, tokens: tuple[str, str], pair: str) -> None:
    first, second = tokens
    assert priced(dao, first, second, pair).price == 12 * 10**18
    assert priced(dao, second, first, pair).price == 3 * 10**18 // 4


def test_prices_of_version_3(dao: Governance, tokens: tuple[str, str], pool: str) -> None:
    """To the tick below: a tick is a ten-thousandth."""
    first, second = tokens
    assert priced(dao, first, second, pool).price == pytest.approx(12 * 10**18, rel=1.1e-4)
    assert priced(dao, second, first, pool).price == pytest.approx(3 * 10**18 / 4, rel=1.1e-4)


def test_the_reserves_of_version_2_are_of_this_moment(dao: Governance, pair: str) -> None:
    (read,) = behind(dao, deploy(dao.node, "PairOracle", pair))
    assert (read.pool, read.reads_past) == (pair, False)
    assert [holding.balance for holding in read.holds] == [100 * TOKEN, 400 * TOKEN]


@pytest.mark.parametrize(("oracle", "reads_past"), [("TickOracle", False), ("AverageOracle", True)])
def test_version_3_has_a_moment_and_a_past(dao: Governance, pool: str, oracle: str, reads_past: bool) -> None:
    assert [(p.pool, p.reads_past) for p in behind(dao, deploy(dao.node, oracle, pool))] == [(pool, reads_past)]
