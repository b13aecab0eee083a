"""What is read around the actions: who sits in the seats of power, and a probe for each member of a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from eth_abi.abi import encode
from eth_utils.address import to_checksum_address

from pnyx_contracts.types import ZERO_ADDRESS, Call
from pnyx_policies.facts import Change, Simulation, SimulationStatus
from pnyx_policies.probes import MAX_MEMBERS, Each, Expectation, Probe
from pnyx_tools.rpc import Rpc
from pnyx_tools.simulate import simulate
from pnyx_tools.simulate.seats import MAX_CONTRACTS
from pnyx_tools.testing.deploy import Governance, deploy, encode_call
from pnyx_tools.testing.incidents.case import person
from pnyx_tools.testing.provider import Provider

Half = Callable[..., Provider]
STRANGER = person("a stranger")
WASTES_GAS = bytes.fromhex("5b600056")
ANSWERS_ONE = bytes.fromhex("600160005260206000f3")


def call(target: str, signature: str, *arguments: object) -> Call:
    return Call(target=target, value_wei=0, calldata=encode_call(signature, *arguments))


def simulated(
    dao: Governance, half: Half, calls: Sequence[Call], probes: Sequence[Probe] = (), seats_of: Sequence[str] = ()
) -> Simulation:
    """Both methods show the same."""
    block, given = dao.node.rpc.block(), {"governor": dao.governor, "probes": probes, "seats_of": seats_of}
    whole = simulate(dao.node.rpc, dao.timelock, calls, block, **given)
    with half("eth_simulateV1") as node:
        traced = simulate(Rpc(node.url), dao.timelock, calls, block, **given)
    assert (whole.method, traced.method) == ("eth_simulateV1", "debug_traceCall")
    assert (traced.changes, traced.readings, traced.movements) == (whole.changes, whole.readings, whole.movements)
    return whole


# --- seats


def test_who_sits_down_without_an_event_is_seen(dao: Governance, half: Half) -> None:
    pool, reserves = deploy(dao.node, "Pool", dao.timelock), deploy(dao.node, "Reserves", dao.timelock)
    calls = [call(pool, "tidyUp(address)", STRANGER), call(reserves, "_setPendingGov(address)", STRANGER)]
    simulation = simulated(dao, half, calls, seats_of=[pool, reserves])
    assert simulation.changes == (
        Change(
            kind="ownership-transferred", contract=pool, subject=STRANGER, detail=f"owner() was {dao.timelock}"
        ),
        Change(kind="admin-changed", contract=reserves, subject=STRANGER, detail="pendingGov() was nobody"),
    )  # fmt: skip
    assert simulation.readings == (), "seats are no probes"


def test_what_an_event_tells_is_told_once(dao: Governance, half: Half) -> None:
    code = deploy(dao.node, "SupplyMarket")
    market = deploy(dao.node, "MarketProxy", dao.timelock, deploy(dao.node, "SupplyMarket"))
    upgrade = call(market, "_setImplementation(address,bool,bytes)", code, False, b"")
    (change,) = simulated(dao, half, [upgrade], seats_of=[market]).changes
    assert (change.kind, change.subject) == ("upgraded", code)


def test_a_call_that_reverts_and_no_call_change_nothing(dao: Governance, half: Half) -> None:
    others = deploy(dao.node, "Pool", STRANGER)
    for calls in ([call(others, "tidyUp(address)", dao.timelock)], []):
        assert simulated(dao, half, calls, seats_of=[others]).changes == ()


def test_a_seat_where_nobody_sits_any_more_is_a_change_and_one_that_nobody_waits_for_is_none(
    dao: Governance, half: Half
) -> None:
    pool, reserves = deploy(dao.node, "Pool", dao.timelock), deploy(dao.node, "Reserves", dao.timelock)
    calls = [
        call(pool, "tidyUp(address)", ZERO_ADDRESS),
        call(reserves, "_setPendingGov(address)", STRANGER),
        call(reserves, "_setPendingGov(address)", ZERO_ADDRESS),
    ]
    (change,) = simulated(dao, half, calls, seats_of=[pool, reserves]).changes
    assert (change.kind, change.contract, change.subject) == ("ownership-transferred", pool, ZERO_ADDRESS)
    assert change.detail == f"owner() was {dao.timelock}"
    dao.node.impersonate(dao.timelock)
    dao.node.send(reserves, calls[1].calldata, sender=dao.timelock)
    assert simulated(dao, half, calls[2:], seats_of=[reserves]).changes == ()


def test_small_numbers_sit_nowhere(dao: Governance, half: Half) -> None:
    """The code behind the proxy changes, and answers 1 to everything from then on."""
    answers = dao.node.accounts[7]
    dao.node.set_code(answers, ANSWERS_ONE)
    market = deploy(dao.node, "MarketProxy", dao.timelock, deploy(dao.node, "SupplyMarket"))
    upgrade = call(market, "_setImplementation(address,bool,bytes)", answers, False, b"")
    assert {change.kind for change in simulated(dao, half, [upgrade], seats_of=[market]).changes} == {"upgraded"}


def test_contracts_that_waste_gas_hide_no_other(dao: Governance, half: Half) -> None:
    wasteful = [to_checksum_address(f"0x{0xBAD000 + place:040x}") for place in range(3)]  # beside it in one call
    for address in wasteful:
        dao.node.set_code(address, WASTES_GAS)
    pool = deploy(dao.node, "Pool", dao.timelock)
    seats = [*wasteful, pool]
    (change,) = simulated(dao, half, [call(pool, "tidyUp(address)", STRANGER)], seats_of=seats).changes
    assert change.subject == STRANGER


def test_so_many_contracts_are_asked(dao: Governance, half: Half) -> None:
    pools = [deploy(dao.node, "Pool", dao.timelock) for _ in range(MAX_CONTRACTS + 1)]
    calls = [call(pool, "tidyUp(address)", STRANGER) for pool in pools]
    simulation = simulated(dao, half, calls, seats_of=[*pools, *pools])
    assert [change.contract for change in simulation.changes] == pools[:MAX_CONTRACTS]


def test_where_nothing_is_shown_no_seat_is(dao: Governance, half: Half) -> None:
    pool = deploy(dao.node, "Pool", dao.timelock)
    calls = [call(pool, "tidyUp(address)", STRANGER)]
    with half("eth_simulateV1", "debug_traceCall") as node:
        simulation = simulate(Rpc(node.url), dao.timelock, calls, dao.node.rpc.block(), seats_of=[pool])
    assert (simulation.status, simulation.changes, simulation.readings) == (SimulationStatus.SKIPPED, (), ())


# --- lists


def prices(lender: str) -> Probe:
    each = Each(contract=lender, calldata=encode_call("getAllMarkets()"), argument=0)
    ask = encode_call("getUnderlyingPrice(address)", ZERO_ADDRESS)
    return Probe(name="prices", contract=lender, calldata=ask, each=each)


def test_each_member_is_asked_before_and_after(dao: Governance, half: Half) -> None:
    lender = deploy(dao.node, "Lender", dao.timelock, deploy(dao.node, "SimpleOracle"))
    markets = [deploy(dao.node, name) for name in ("TokenMarket", "CoinMarket")]
    for market in markets:
        dao.node.send(lender, encode_call("support(address)", market))
    supply = Probe(name="supply", contract=dao.token, calldata=encode_call("totalSupply()"))
    change = call(lender, "_setPriceOracle(address)", deploy(dao.node, "AskingOracle"))
    readings = simulated(dao, half, [change], [supply, prices(lender), supply]).readings
    assert [r.name for r in readings] == ["supply", "prices", "prices", "supply"]
    assert [r.member for r in readings] == [None, *(bytes(12) + bytes.fromhex(m[2:]) for m in markets), None]
    assert [bool(r.before.error) for r in readings] == [False] * 4
    assert [bool(r.after.error) for r in readings] == [False, False, True, False]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("5f5ffd", "its list cannot be read: reverts without a reason"),
        ("00", "what should be its list is none"),
        ("602a5f5260205ff3", "what should be its list is none"),
        ("60205f5260405ff3", "its list is empty"),
    ],
)
def test_a_list_that_gives_nothing_says_why(dao: Governance, half: Half, code: str, why: str) -> None:
    listed = dao.node.accounts[8]
    dao.node.set_code(listed, bytes.fromhex(code))
    supply = Probe(name="supply", contract=dao.token, calldata=encode_call("totalSupply()"))
    none, one = simulated(dao, half, [], [prices(listed), supply]).readings
    assert (none.name, none.member, none.before.error, none.after.error) == ("prices", None, why, why)
    assert not one.before.error


def test_of_a_long_list_the_first_members_are_asked_and_that_is_said(dao: Governance, half: Half) -> None:
    count, listed = MAX_MEMBERS + 3, dao.node.accounts[8]
    words = encode(["uint256[]"], [list(range(count))])
    length = len(words).to_bytes(2, "big").hex()
    dao.node.set_code(listed, bytes.fromhex(f"61{length}600d5f3961{length}5ff300") + words)
    ask = encode_call("balanceOf(address)", ZERO_ADDRESS)
    each = Each(contract=listed, calldata=encode_call("all()"), argument=0)
    probe = Probe(name="b", contract=dao.token, calldata=ask, each=each, expect=Expectation.UNCHANGED)
    *asked, rest = simulated(dao, half, [], [probe]).readings
    assert [int.from_bytes(r.member or b"", "big") for r in asked] == list(range(MAX_MEMBERS))
    assert (rest.member, rest.before.error) == (
        None, f"of the {count} members of its list only the first {MAX_MEMBERS} were asked for",
    )  # fmt: skip
