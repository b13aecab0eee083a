"""What declared assets cost, read from feeds and pools on a real node."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest

from pnyx_contracts.types import BlockRef
from pnyx_policies.asset_prices import PriceOrigin
from pnyx_policies.context import AssetPrice, AssetPrices
from pnyx_policies.facts import ToolResult
from pnyx_tools.context import AssetPricesTool
from pnyx_tools.context.price_quotes import NoPriceError, ratio_at
from pnyx_tools.gather import gather_facts
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy, encode_call

ONE = 10**18
NOBODY = "0x" + "00" * 20


def read(dao: Governance, *origins: PriceOrigin, block: BlockRef | None = None) -> AssetPrices:
    proposal = dao.proposals[dao.propose([dao.node.accounts[5]], [1], [b""], f"# Pay {len(dao.proposals)}")]
    at = block or dao.node.rpc.block()
    return AssetPricesTool(origins).run(dao.node.rpc, dao.adapter, dao.profile, proposal, at)


def price_of(dao: Governance, asset: str | None, *origins: PriceOrigin) -> AssetPrice:
    found = read(dao, *origins).of(asset)
    assert found is not None
    return found


def feed(dao: Governance, answer: int, age_seconds: int = 60) -> str:
    return deploy(dao.node, "PriceFeed", NOBODY, answer, dao.node.rpc.block().timestamp - age_seconds)


@pytest.fixture
def coin(dao: Governance) -> str:
    """A token that stands for the chain's coin."""
    return deploy(dao.node, "PlainToken", dao.node.accounts[0], 10**6 * TOKEN)


def pair(dao: Governance, first: str, second: str, *amounts: int) -> str:
    pool = deploy(dao.node, "PairPool", first, second)
    for token, amount in zip((first, second), amounts, strict=True):
        dao.node.send(token, encode_call("transfer(address,uint256)", pool, amount))
    dao.node.send(pool, encode_call("sync()"))
    return pool


def test_a_feed_and_what_the_treasury_holds(dao: Governance) -> None:
    dao.node.set_balance(dao.timelock, 3 * ONE)
    (price,) = read(dao, PriceOrigin(asset=None, feed=feed(dao, 2_500 * 10**8))).prices
    assert (price.price, price.decimals, price.held) == (2_500 * ONE, 18, 3 * ONE)
    assert price.worth(3 * ONE) == 7_500


def test_a_pair_in_a_token_that_has_a_price(dao: Governance, coin: str) -> None:
    pool = pair(dao, coin, dao.token, 10 * TOKEN, 4_000 * TOKEN)
    origins = (PriceOrigin(asset=dao.token, pool=pool), PriceOrigin(asset=coin, feed=feed(dao, 2_000 * 10**8)))
    assert price_of(dao, dao.token, *origins).price == 5 * ONE, "as the second token"
    turned = pair(dao, dao.token, coin, 4_000 * TOKEN, 10 * TOKEN)
    assert price_of(dao, dao.token, PriceOrigin(asset=dao.token, pool=turned), origins[1]).price == 5 * ONE


def test_the_average_of_half_an_hour(dao: Governance, coin: str) -> None:
    """Whoever trades right before does not change it."""
    pool = deploy(dao.node, "TickPool", dao.token, coin, 6_932)
    origins = (PriceOrigin(asset=dao.token, pool=pool), PriceOrigin(asset=coin, fixed=ONE))
    assert "does not answer observe(uint32[])" in price_of(dao, dao.token, *origins).why_not, "it is too young"
    dao.node.increase_time(4_000)
    before = price_of(dao, dao.token, *origins).price
    assert before is not None
    assert before == pytest.approx(2 * ONE, rel=1e-4)
    dao.node.send(pool, encode_call("trade(int24)", 46_054))
    after = price_of(dao, dao.token, *origins).price
    assert after == pytest.approx(before, rel=0.01)
    dao.node.increase_time(4_000)
    assert price_of(dao, dao.token, *origins).price == pytest.approx(100 * ONE, rel=1e-3)


@pytest.mark.parametrize("tick", [0, 1, -1, 6_932, -46_054, 887_272, -887_272])
def test_a_tick_is_a_power_of_1_0001(tick: int) -> None:
    with localcontext() as context:
        context.prec = 60
        expected = Decimal("1.0001") ** tick
        found = ratio_at(tick)
        assert abs(Decimal(found.numerator) / Decimal(found.denominator) / expected - 1) < Decimal("1e-30")


def test_a_tick_that_no_pool_has() -> None:
    with pytest.raises(NoPriceError, match="no pool has"):
        ratio_at(887_273)


def test_why_there_is_no_price(dao: Governance, coin: str) -> None:
    pool, empty = pair(dao, coin, dao.token, TOKEN, TOKEN), deploy(dao.node, "PairPool", coin, dao.token)
    token = dao.token
    cases = [
        ([PriceOrigin(asset=token, feed=feed(dao, 0))], "tells zero, or less"),
        ([PriceOrigin(asset=token, feed=feed(dao, 1, 3 * 86_400))], "more than 2 days ago"),
        ([PriceOrigin(asset=token, feed=coin)], "does not answer latestRoundData()"),
        ([PriceOrigin(asset=token, pool=coin)], "does not answer token0()"),
        ([PriceOrigin(asset=token, pool=pool)], "of which no price is declared"),
        ([PriceOrigin(asset=token, pool=pool), PriceOrigin(asset=coin, pool=pool)], "rests on itself"),
        ([PriceOrigin(asset=token, pool=empty), PriceOrigin(asset=coin, fixed=1)], "is empty"),
        ([PriceOrigin(asset=dao.governor, pool=pool), PriceOrigin(asset=coin, fixed=1)], "does not exchange"),
        ([PriceOrigin(asset=None, pool=pool)], "not the chain's coin"),
    ]
    for origins, why in cases:
        found = read(dao, *origins).prices[0]
        assert found.price is None
        assert why in found.why_not


def test_nothing_declared_is_nothing_asked(dao: Governance) -> None:
    assert read(dao).prices == ()


def test_the_declared_places_reach_the_tool(dao: Governance) -> None:
    origin = PriceOrigin(asset=dao.token, fixed=2 * ONE)
    proposal = dao.proposals[dao.propose([dao.node.accounts[5]], [1], [b""], "# Pay")]
    facts = gather_facts(dao.node.rpc, dao.adapter, dao.profile, proposal, tools=[AssetPricesTool()], prices=[origin])
    assert facts.prices == (origin,)
    (result,) = facts.context
    assert isinstance(result, ToolResult)
    assert AssetPrices.model_validate(result.result).of(dao.token) == AssetPrice(
        asset=dao.token, decimals=18, price=2 * ONE, held=0
    )
