"""Where prices come from, as the context tool finds it out on a real node, and what the check says of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from eth_abi.abi import decode

from pnyx_contracts.types import Call
from pnyx_policies.checks import CheckView, PriceSourceCheck
from pnyx_policies.context import AccountKind, PriceSource, PriceSources
from pnyx_policies.facts import Facts, Skipped, ToolResult
from pnyx_policies.finding import Finding, Severity
from pnyx_tools.context import PriceSourcesTool, run_tool
from pnyx_tools.quorum import Quorum
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy, encode_call
from pnyx_tools.testing.facts import facts_for, proposal_of
from pnyx_tools.testing.provider import Provider, Question, Reply, result

NOBODY = "0x" + "00" * 20
LATER = "0x00000000000000000000000000000000000A77E2"
"""A market that is not there yet."""


def look(dao: Governance, *actions: tuple[str, bytes], reader: Any = None) -> ToolResult | Skipped:
    targets, datas = zip(*actions, strict=True)
    text = f"# Prices {len(dao.proposals)}"
    proposal = dao.proposals[dao.propose(list(targets), [0] * len(targets), list(datas), text)]
    node = reader or dao.node.rpc
    return run_tool(PriceSourcesTool(), node, dao.adapter, dao.profile, proposal, node.block())


def seen(dao: Governance, *actions: tuple[str, bytes]) -> PriceSources:
    outcome = look(dao, *actions)
    assert isinstance(outcome, ToolResult), outcome
    return PriceSources.model_validate(outcome.result)


def only(found: PriceSources) -> PriceSource:
    (source,) = found.sources
    return source


def facts_of(dao: Governance, found: PriceSources, **options: Any) -> Facts:
    proposal = proposal_of([Call(target=LATER, value_wei=0, calldata=b"")], "Prices.")
    facts = facts_for(proposal, timelock=dao.timelock, context=[found], **options)
    return facts.model_copy(update={"block": dao.node.rpc.block()})


def judged(dao: Governance, found: PriceSources, **options: Any) -> list[Finding]:
    return list(PriceSourceCheck().run(CheckView(facts_of(dao, found, **options))))


def severities(dao: Governance, found: PriceSources, **options: Any) -> list[Severity]:
    return [finding.severity for finding in judged(dao, found, **options)]


@pytest.fixture
def market(dao: Governance) -> str:
    return deploy(dao.node, "MarketToken", dao.timelock)


@pytest.fixture
def comptroller(dao: Governance) -> str:
    return deploy(dao.node, "Comptroller", dao.timelock)


@pytest.fixture
def use(dao: Governance, comptroller: str, market: str) -> Callable[[str], PriceSources]:
    """What is found where the comptroller gets this oracle, and lists the market."""

    def _use(oracle: str) -> PriceSources:
        return seen(
            dao,
            (comptroller, encode_call("_setPriceOracle(address)", oracle)),
            (comptroller, encode_call("_supportMarket(address)", market)),
        )

    return _use


def posted(dao: Governance, poster: str, market: str) -> str:
    oracle = deploy(dao.node, "PostedOracle", poster)
    dao.node.impersonate(poster)
    dao.node.set_balance(poster, TOKEN)
    dao.node.send(oracle, encode_call("setUnderlyingPrice(address,uint256)", market, 3 * TOKEN), sender=poster)
    return oracle


# --- who can set it


def test_a_price_that_anybody_can_set(dao: Governance, market: str, use: Callable[[str], PriceSources]) -> None:
    oracle = deploy(dao.node, "PostedOracle", NOBODY)
    dao.node.send(oracle, encode_call("setUnderlyingPrice(address,uint256)", market, 3 * TOKEN))
    found = use(oracle)
    source = only(found)
    assert (source.source, source.asset, source.path, source.answer) == (oracle, market, "0", 3 * TOKEN)
    (setter,) = source.setters
    assert (setter.contract, setter.signature, setter.by) == (oracle, "setUnderlyingPrice(address,uint256)", None)
    (finding,) = judged(dao, found)
    assert finding.severity is Severity.CRITICAL
    assert finding.title == f"Anybody can set the price that {oracle} gives"
    assert (finding.calls, finding.evidence) == (("0",), (oracle,))


def test_trying_changes_nothing(dao: Governance, market: str, use: Callable[[str], PriceSources]) -> None:
    oracle = posted(dao, dao.node.accounts[7], market)
    use(oracle)
    price = dao.node.rpc.call(oracle, encode_call("getUnderlyingPrice(address)", market))
    assert int.from_bytes(price, "big") == 3 * TOKEN


def test_a_price_that_one_key_sets(dao: Governance, market: str, use: Callable[[str], PriceSources]) -> None:
    poster = dao.node.accounts[7]
    found = use(posted(dao, poster, market))
    (setter,) = only(found).setters
    assert (setter.by, setter.kind) == (poster, AccountKind.KEY)
    assert severities(dao, found) == [Severity.HIGH]


def test_a_price_that_another_contract_sets(dao: Governance, market: str, use: Callable[[str], PriceSources]) -> None:
    council = deploy(dao.node, "Rewards")
    found = use(posted(dao, council, market))
    assert only(found).setters[0].kind is AccountKind.CONTRACT
    assert severities(dao, found) == [Severity.MEDIUM]
    assert severities(dao, found, known_addresses={council: "the council"}) == [Severity.LOW]


def test_a_price_that_the_dao_itself_sets(dao: Governance, market: str, use: Callable[[str], PriceSources]) -> None:
    found = use(posted(dao, dao.timelock, market))
    assert only(found).setters
    assert judged(dao, found) == []


def test_an_oracle_that_refuses_by_a_code(dao: Governance, use: Callable[[str], PriceSources]) -> None:
    """As Compound's do: the call goes through, and the price stays."""
    found = use(deploy(dao.node, "RefusingOracle", dao.node.accounts[7]))
    assert only(found).setters == ()
    assert judged(dao, found) == []


def test_the_price_of_what_a_market_lends(dao: Governance, comptroller: str) -> None:
    """It is set under that token's address."""
    node = dao.node
    market, oracle = deploy(node, "TokenMarket"), deploy(node, "DirectOracle")
    (lent,) = decode(["address"], node.rpc.call(market, encode_call("underlying()")))
    node.send(oracle, encode_call("setDirectPrice(address,uint256)", lent, TOKEN))
    found = seen(dao, (comptroller, encode_call("nobodyKnowsThis(address,address)", oracle, market)))
    assert (only(found).asset, [s.by for s in only(found).setters]) == (market, [None])


def test_a_feed_that_answers_no_contracts(dao: Governance) -> None:
    """That it does not answer whoever tries is no other price."""
    found = seen(dao, (LATER, encode_call("setFeed(address)", deploy(dao.node, "GuardedFeed"))))
    assert (only(found).answer, only(found).setters) == (10**8, ())


def test_an_oracle_that_nobody_can_set(dao: Governance, use: Callable[[str], PriceSources]) -> None:
    found = use(deploy(dao.node, "SimpleOracle"))
    assert (only(found).setters, only(found).pools) == ((), ())
    assert judged(dao, found) == []


def test_a_feed_behind_the_oracle_that_a_market_is_listed_with(dao: Governance, comptroller: str, market: str) -> None:
    """The proposal names neither the oracle nor the feed."""
    node = dao.node
    feed = deploy(node, "PriceFeed", NOBODY, 10**8, node.rpc.block().timestamp)
    oracle = deploy(node, "FeedOracle", dao.timelock)
    node.impersonate(dao.timelock)
    node.set_balance(dao.timelock, TOKEN)
    node.send(oracle, encode_call("setFeed(address,address)", market, feed), sender=dao.timelock)
    node.send(comptroller, encode_call("_setPriceOracle(address)", oracle), sender=dao.timelock)
    listing = (comptroller, encode_call("_setCollateralFactor(address,uint256)", market, TOKEN // 2))
    found = seen(dao, listing)
    setters = {(s.contract, s.signature, s.by) for s in only(found).setters}
    assert setters == {
        (feed, "updateAnswer(int256)", None),
        (oracle, "setFeed(address,address)", dao.timelock),
    }
    (finding,) = judged(dao, found)
    assert (finding.severity, finding.evidence) == (Severity.CRITICAL, (oracle, feed))

    unknown = (comptroller, encode_call("nobodyKnowsThis(address)", market))
    assert only(seen(dao, unknown)).source == oracle

    pausing = (comptroller, encode_call("_setBorrowPaused(address,bool)", market, True))
    assert seen(dao, pausing).sources == (), "what was listed before is not asked for whenever its market is named"


def test_every_market_counts_where_the_oracle_is_replaced(dao: Governance, comptroller: str, market: str) -> None:
    node = dao.node
    node.impersonate(dao.timelock)
    node.set_balance(dao.timelock, TOKEN)
    node.send(comptroller, encode_call("_supportMarket(address)", market), sender=dao.timelock)
    found = seen(dao, (comptroller, encode_call("_setPriceOracle(address)", posted(dao, node.accounts[7], market))))
    assert only(found).asset == market


def test_a_feed_that_a_call_of_an_unknown_function_hands_over(dao: Governance) -> None:
    node = dao.node
    feed = deploy(node, "PriceFeed", NOBODY, 10**8, node.rpc.block().timestamp)
    router = deploy(node, "Rewards")
    found = seen(dao, (router, encode_call("nobodyKnowsThis(address,uint256)", feed, 7)))
    assert (only(found).source, only(found).signature) == (feed, "latestRoundData()")
    assert severities(dao, found) == [Severity.CRITICAL]


# --- whether it is one


@pytest.mark.parametrize(
    ("answer", "age_seconds", "severity"),
    [
        (10**8, 3_600, None),
        (10**8, 3 * 86_400, Severity.MEDIUM),
        (0, 60, Severity.HIGH),
        (-5, 60, Severity.HIGH),
    ],
)
def test_what_a_feed_tells(dao: Governance, answer: int, age_seconds: int, severity: Severity | None) -> None:
    node = dao.node
    feed = deploy(node, "PriceFeed", dao.timelock, answer, node.rpc.block().timestamp - age_seconds)
    found = seen(dao, (LATER, encode_call("setFeed(address,address)", dao.node.accounts[3], feed)))
    assert only(found).answer == max(answer, 0)
    assert severities(dao, found) == ([] if severity is None else [severity])


# --- pools


@pytest.fixture
def tokens(dao: Governance) -> tuple[str, str]:
    first, second = (deploy(dao.node, "PlainToken", dao.node.accounts[0], 10**6 * TOKEN) for _ in range(2))
    return first, second


def fill(dao: Governance, pool: str, tokens: tuple[str, str], *amounts: int) -> None:
    for token, amount in zip(tokens, amounts, strict=True):
        dao.node.send(token, encode_call("transfer(address,uint256)", pool, amount))


def test_the_reserves_of_now(dao: Governance, tokens: tuple[str, str], use: Callable[[str], PriceSources]) -> None:
    pool = deploy(dao.node, "PairPool", *tokens)
    fill(dao, pool, tokens, 4 * TOKEN, 10 * TOKEN)
    dao.node.send(pool, encode_call("sync()"))
    found = use(deploy(dao.node, "PairOracle", pool))
    assert only(found).answer == 25 * TOKEN // 10
    (read,) = only(found).pools
    assert (read.pool, read.reads_past) == (pool, False)
    assert [(h.asset, h.balance) for h in read.holds] == [(tokens[0], 4 * TOKEN), (tokens[1], 10 * TOKEN)]
    (finding,) = judged(dao, found)
    assert finding.severity is Severity.HIGH
    assert f"holds 4 of {tokens[0]} and 10 of {tokens[1]}: one trade moves it" in finding.detail


@pytest.mark.parametrize(
    ("oracle", "reads_past", "severity"),
    [("TickOracle", False, Severity.HIGH), ("AverageOracle", True, Severity.LOW)],
)
def test_the_tick_of_now_and_the_average(
    dao: Governance,
    tokens: tuple[str, str],
    use: Callable[[str], PriceSources],
    oracle: str,
    reads_past: bool,
    severity: Severity,
) -> None:
    pool = deploy(dao.node, "TickPool", *tokens, 100)
    dao.node.increase_time(4_000)
    found = use(deploy(dao.node, oracle, pool))
    assert [(p.pool, p.reads_past) for p in only(found).pools] == [(pool, reads_past)]
    assert severities(dao, found) == [severity]


def test_a_pool_of_coins(dao: Governance, tokens: tuple[str, str], use: Callable[[str], PriceSources]) -> None:
    pool = deploy(dao.node, "CoinsPool", *tokens)
    fill(dao, pool, tokens, 5 * TOKEN, 6 * TOKEN)
    found = use(deploy(dao.node, "CoinsOracle", pool))
    (read,) = only(found).pools
    assert (read.reads_past, [h.balance for h in read.holds]) == (None, [5 * TOKEN, 6 * TOKEN])
    assert severities(dao, found) == [Severity.MEDIUM]


# --- what it costs, and what it takes


def test_who_gives_no_price_is_asked_for_nothing_more(dao: Governance, half: Callable[..., Provider]) -> None:
    with half("eth_createAccessList") as node:
        pay = (dao.token, encode_call("transfer(address,uint256)", dao.node.accounts[5], 1))
        outcome = look(dao, pay, reader=Rpc(node.url))
        assert isinstance(outcome, ToolResult)
        assert PriceSources.model_validate(outcome.result) == PriceSources(sources=(), left_out=0)


def test_a_node_that_does_not_tell_what_a_call_reads(dao: Governance, half: Callable[..., Provider]) -> None:
    hand_over = (LATER, encode_call("setOracle(address)", deploy(dao.node, "PriceFeed", NOBODY, 1, 1)))
    with half("eth_createAccessList") as node:
        outcome = look(dao, hand_over, reader=Rpc(node.url))
    assert isinstance(outcome, Skipped)
    assert "eth_createAccessList" in outcome.why


def test_a_node_that_passes_over_state_overrides(dao: Governance) -> None:
    def without_overrides(question: Question) -> Reply | None:
        return result(question, "0x") if question["method"] == "eth_call" and len(question["params"]) > 2 else None

    hand_over = (LATER, encode_call("setOracle(address)", deploy(dao.node, "PriceFeed", NOBODY, 1, 1)))
    with Provider(dao.node.url, without_overrides) as node:
        outcome = look(dao, hand_over, reader=Rpc(node.url))
    assert isinstance(outcome, Skipped)
    assert "no state overrides" in outcome.why


def test_nodes_that_tell_what_is_read_in_another_order_agree(dao: Governance, market: str) -> None:
    def reordered(question: Question) -> Reply | None:
        if question["method"] != "eth_createAccessList":
            return None
        told = dao.node.rpc.request(question["method"], question["params"])
        return result(question, {"accessList": told["accessList"][::-1], "gasUsed": "0x1"})

    node = dao.node
    oracle = deploy(node, "FeedOracle", dao.timelock)
    hand_over = (LATER, encode_call("setOracle(address,address)", oracle, market))
    node.impersonate(dao.timelock)
    node.set_balance(dao.timelock, TOKEN)
    feed = deploy(node, "PriceFeed", dao.timelock, 1, node.rpc.block().timestamp)
    node.send(oracle, encode_call("setFeed(address,address)", market, feed), sender=dao.timelock)
    with Provider(node.url, reordered) as other:
        outcome = look(dao, hand_over, reader=Quorum([Rpc(node.url), Rpc(other.url)], 2))
    assert isinstance(outcome, ToolResult), outcome
    assert outcome == look(dao, hand_over)


def test_nodes_that_do_not_list_whom_a_transaction_calls(dao: Governance, tokens: tuple[str, str]) -> None:
    """It pays nothing to list that one, so some leave it out. A pool's own answers would then read no slot of it."""

    def without_receiver(question: Question) -> Reply | None:
        if question["method"] != "eth_createAccessList":
            return None
        told = dao.node.rpc.request(question["method"], question["params"])
        called = question["params"][0].get("to", "").lower()
        return result(question, told | {"accessList": [i for i in told["accessList"] if i["address"] != called]})

    pool = deploy(dao.node, "PairPool", *tokens)
    fill(dao, pool, tokens, 4 * TOKEN, 10 * TOKEN)
    dao.node.send(pool, encode_call("sync()"))
    hand_over = (LATER, encode_call("setOracle(address,address)", deploy(dao.node, "PairOracle", pool), pool))
    with Provider(dao.node.url, without_receiver) as other:
        outcome = look(dao, hand_over, reader=Rpc(other.url))
    assert isinstance(outcome, ToolResult), outcome
    assert [p.reads_past for p in only(PriceSources.model_validate(outcome.result)).pools] == [False]


def test_what_was_left_out_is_told(dao: Governance) -> None:
    (finding,) = judged(dao, PriceSources(sources=(), left_out=3))
    assert (finding.severity, finding.title.split()[0]) == (Severity.MEDIUM, "3")


def test_receivers_of_payments_are_no_contracts_that_are_left_out(dao: Governance) -> None:
    pay = "transfer(address,uint256)"
    payments = [(dao.token, encode_call(pay, f"0x{number:040x}", 1)) for number in range(2**130, 2**130 + 70)]
    assert seen(dao, *payments) == PriceSources(sources=(), left_out=0)


def test_a_source_behind_more_contracts_than_are_looked_at(dao: Governance) -> None:
    """Whoever puts many contracts in front is told of."""
    others = [deploy(dao.node, "TokenMarket") for _ in range(65)]
    feed = deploy(dao.node, "PriceFeed", NOBODY, 1, 1)
    listed = (LATER, encode_call("setSources(address[])", others))
    found = seen(dao, listed, (LATER, encode_call("setSource(address)", feed)))
    assert (found.sources, found.left_out) == ((), 2)
    assert severities(dao, found) == [Severity.MEDIUM]


def test_a_sequencers_status_is_no_price(dao: Governance) -> None:
    """It says 0 while all is well, for months."""
    status = deploy(dao.node, "StatusFeed")
    found = seen(dao, (LATER, encode_call("setSequencerFeed(address)", status)))
    assert (only(found).answer, only(found).decimals) == (0, 0)
    assert judged(dao, found) == []
