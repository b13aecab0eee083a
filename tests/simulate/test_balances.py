"""What the executor has, and lets others take, before and after the actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.types import Call
from pnyx_policies.balances import MAX_QUESTIONS, Question, questions
from pnyx_policies.facts import Balance, ProbeAnswer, ProbeReading, Simulation
from pnyx_tools.rpc import Rpc
from pnyx_tools.simulate import simulate
from pnyx_tools.simulate.balances import Balances
from pnyx_tools.testing.deploy import Governance, deploy, encode_call
from pnyx_tools.testing.incidents.case import person
from pnyx_tools.testing.provider import Provider

Half = Callable[..., Provider]
STRANGER, SPENDER = person("a stranger"), person("a spender")
WASTES_GAS = bytes.fromhex("5b600056")


def call(target: str, signature: str, *arguments: object) -> Call:
    return Call(target=target, value_wei=0, calldata=encode_call(signature, *arguments))


def simulated(dao: Governance, half: Half, calls: Sequence[Call], about: Sequence[Question] = ()) -> Simulation:
    """Both methods show the same. Without `about`: what the calls say must be read."""
    block = dao.node.rpc.block()
    given = {"balances_of": about or questions(decode_calls(calls, 31337), dao.timelock)}
    whole = simulate(dao.node.rpc, dao.timelock, calls, block, **given)
    with half("eth_simulateV1") as node:
        traced = simulate(Rpc(node.url), dao.timelock, calls, block, **given)
    assert (whole.method, traced.method) == ("eth_simulateV1", "debug_traceCall")
    assert (traced.balances, traced.movements) == (whole.balances, whole.movements)
    return whole


@pytest.fixture
def token(dao: Governance) -> str:
    return deploy(dao.node, "SilentToken", dao.timelock, 100)


def test_a_payment_is_seen_in_the_balance(dao: Governance, half: Half, token: str) -> None:
    pays = call(token, "transfer(address,uint256)", STRANGER, 30)
    assert simulated(dao, half, [pays, pays]).balances == (Balance(token=token, before=100, after=40),)


def test_so_is_what_no_event_tells(dao: Governance, half: Half, token: str) -> None:
    simulation = simulated(dao, half, [call(token, "settle(address,uint256)", STRANGER, 30)])
    assert simulation.movements == ()
    assert simulation.balances == (Balance(token=token, before=100, after=70),)


def test_an_allowance_is_seen_without_an_event(dao: Governance, half: Half, token: str) -> None:
    simulation = simulated(dao, half, [call(token, "approve(address,uint256)", SPENDER, 2**256 - 1)])
    assert simulation.movements == ()
    assert simulation.balances == (
        Balance(token=token, before=100, after=100),
        Balance(token=token, spender=SPENDER, before=0, after=2**256 - 1),
    )


def test_what_is_no_token_has_no_balance(dao: Governance, half: Half) -> None:
    pool = deploy(dao.node, "Pool", dao.timelock)
    assert simulated(dao, half, [call(pool, "tidyUp(address)", STRANGER)]).balances == ()


def test_a_token_that_stops_to_answer_is_kept(dao: Governance, half: Half) -> None:
    """The code behind the proxy becomes one that is no token."""
    market = deploy(dao.node, "MarketProxy", dao.timelock, deploy(dao.node, "SilentToken", STRANGER, 1))
    upgrade = call(market, "_setImplementation(address,bool,bytes)", deploy(dao.node, "SupplyMarket"), False, b"")
    assert simulated(dao, half, [upgrade]).balances == (Balance(token=market, before=0, after=None),)


def test_contracts_that_waste_gas_hide_no_other(dao: Governance, half: Half, token: str) -> None:
    wasteful = [person(f"wasteful {place}") for place in range(9)]
    for address in wasteful:
        dao.node.set_code(address, WASTES_GAS)
    about = [*map(Question, wasteful), Question(token), Question(dao.token)]
    pays = call(token, "transfer(address,uint256)", STRANGER, 1)
    assert simulated(dao, half, [pays], about).balances == (
        Balance(token=token, before=100, after=99),
        Balance(token=dao.token, before=0, after=0),
    )


def test_asking_changes_nothing(dao: Governance, half: Half) -> None:
    """This code counts how often it is called: by a call that may not write it answers nothing."""
    counts = person("a counter")
    dao.node.set_code(counts, bytes.fromhex("6001600054018060005560005260206000f3"))
    assert simulated(dao, half, [], [Question(counts)]).balances == ()


def test_what_could_not_be_asked_is_known_on_neither_side() -> None:
    """A node that lets the reader run out of gas, or does not put it there."""
    balances = Balances(STRANGER, (Question(SPENDER), Question(SPENDER, STRANGER)))
    full, none = ProbeAnswer(data=bytes(31) + b"\1" + bytes(95) + b"\0"), ProbeAnswer(error="answers with nothing")
    unread = tuple(Balance(token=q.token, spender=q.spender, before=None, after=None) for q in balances.questions)
    assert tuple(balances.read([ProbeReading(name="balances", before=none, after=none)])) == unread
    (held, _) = balances.read([ProbeReading(name="balances", before=full, after=none)])
    assert (held.before, held.after) == (0, None)


# --- which are read


def asked_by(*calls: Call) -> tuple[Question, ...]:
    return questions(decode_calls(calls, 1), STRANGER)


def test_the_calls_say_what_is_read() -> None:
    token, permit2, vault = person("token"), person("permit2"), person("vault")
    given = call(permit2, "approve(address,address,uint160,uint48)", token, SPENDER, 1, 2)
    pays = call(token, "transfer(address,uint256)", SPENDER, 1)
    assert asked_by(given, pays, call(vault, "tidyUp(address)", SPENDER)) == (
        Question(token),
        Question(token, SPENDER),
        Question(permit2),
        Question(vault),
    )


def test_coin_alone_asks_no_token_and_many_calls_ask_no_more_than_a_limit() -> None:
    assert asked_by(Call(target=SPENDER, value_wei=1, calldata=b"")) == ()
    many = [call(person(f"token {place}"), "transfer(address,uint256)", SPENDER, 1) for place in range(50)]
    assert len(asked_by(*many)) == MAX_QUESTIONS
