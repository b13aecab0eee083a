"""What the accounts of the DAO have, and let others take, before and after the actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pytest

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.safe import encode_execution
from pnyx_contracts.types import Call
from pnyx_policies.balances import MAX_QUESTIONS, Accounts, Question, questions, told
from pnyx_policies.facts import Balance, ProbeAnswer, ProbeReading, Simulation
from pnyx_tools.rpc import Rpc
from pnyx_tools.simulate import simulate
from pnyx_tools.simulate.balances import Balances
from pnyx_tools.testing.deploy import Governance, deploy, encode_call
from pnyx_tools.testing.facts import moved
from pnyx_tools.testing.incidents.case import person
from pnyx_tools.testing.provider import Provider
from pnyx_tools.testing.safe import deploy_safe, signatures

Half = Callable[..., Provider]
STRANGER, SPENDER, KNOWN = map(person, ("a stranger", "a spender", "a known account"))
WASTES_GAS = bytes.fromhex("5b600056")


def call(target: str, signature: str, *arguments: object) -> Call:
    return Call(target=target, value_wei=0, calldata=encode_call(signature, *arguments))


def simulated(dao: Governance, half: Half, calls: Sequence[Call], about: Sequence[Question] = ()) -> Simulation:
    """Both methods show the same. Without `about`: what calls and events say must be read."""
    block, decoded = dao.node.rpc.block(), decode_calls(calls, 31337)
    accounts = Accounts.of(decoded, dao.timelock, dao.governor, {KNOWN})
    asked = about or questions(decoded, accounts)
    given = {"balances_of": asked, "balances_told": partial(told, accounts=accounts, asked=asked)}
    whole = simulate(dao.node.rpc, dao.timelock, calls, block, **given)
    with half("eth_simulateV1") as node:
        traced = simulate(Rpc(node.url), dao.timelock, calls, block, **given)
    assert (whole.method, traced.method) == ("eth_simulateV1", "debug_traceCall")
    assert (traced.balances, traced.movements) == (whole.balances, whole.movements)
    return whole


def changed(simulation: Simulation) -> set[tuple[str, str | None, int | None, int | None, int | None]]:
    """Holder, token, number, before and after, of balances that are others afterwards."""
    return {(b.holder, b.token, b.token_id, b.before, b.after) for b in simulation.balances if b.before != b.after}


@pytest.fixture
def token(dao: Governance) -> str:
    return deploy(dao.node, "SilentToken", dao.timelock, 100)


def test_a_payment_is_seen_in_the_balance(dao: Governance, half: Half, token: str) -> None:
    pays = call(token, "transfer(address,uint256)", STRANGER, 30)
    assert changed(simulated(dao, half, [pays, pays])) == {(dao.timelock, token, None, 100, 40)}


def test_so_is_what_no_event_tells(dao: Governance, half: Half, token: str) -> None:
    simulation = simulated(dao, half, [call(token, "settle(address,uint256)", STRANGER, 30)])
    assert simulation.movements == ()
    assert changed(simulation) == {(dao.timelock, token, None, 100, 70)}


def test_an_allowance_is_seen_without_an_event(dao: Governance, half: Half, token: str) -> None:
    simulation = simulated(dao, half, [call(token, "approve(address,uint256)", SPENDER, 2**256 - 1)])
    assert simulation.movements == ()
    held, allowed, *_ = simulation.balances
    assert held == Balance(holder=dao.timelock, token=token, before=100, after=100)
    assert allowed == Balance(holder=dao.timelock, token=token, spender=SPENDER, before=0, after=2**256 - 1)


def test_what_is_no_token_has_no_balance(dao: Governance, half: Half) -> None:
    pool = deploy(dao.node, "Pool", dao.timelock)
    balances = simulated(dao, half, [call(pool, "tidyUp(address)", STRANGER)]).balances
    assert {(b.holder, b.token) for b in balances} == {(dao.timelock, None), (dao.governor, None)}


def test_a_token_that_stops_to_answer_is_kept(dao: Governance, half: Half) -> None:
    """The code behind the proxy becomes one that is no token."""
    market = deploy(dao.node, "MarketProxy", dao.timelock, deploy(dao.node, "SilentToken", STRANGER, 1))
    upgrade = call(market, "_setImplementation(address,bool,bytes)", deploy(dao.node, "SupplyMarket"), False, b"")
    assert changed(simulated(dao, half, [upgrade])) == {
        (dao.timelock, market, None, 0, None),
        (dao.governor, market, None, 0, None),
    }


def test_coin_is_read_where_nothing_traces_it(dao: Governance, half: Half) -> None:
    dao.node.set_balance(dao.timelock, 7)
    pays = [Call(target=STRANGER, value_wei=5, calldata=b"")]
    assert changed(simulated(dao, half, pays)) == {(dao.timelock, None, None, 7, 2)}


@pytest.mark.parametrize("signature", ["safeTransferFrom", "safeBatchTransferFrom"])
def test_each_number_of_a_token_has_a_balance(dao: Governance, half: Half, signature: str) -> None:
    passes = deploy(dao.node, "Passes", dao.timelock, 50)
    pays = {
        "safeTransferFrom": call(
            passes, "safeTransferFrom(address,address,uint256,uint256,bytes)", dao.timelock, STRANGER, 2, 9, b""
        ),
        "safeBatchTransferFrom": call(
            passes, "safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)", dao.timelock, STRANGER, [2, 3],
            [9, 1], b"",
        ),
    }[signature]  # fmt: skip
    seen = changed(simulated(dao, half, [pays]))
    assert (dao.timelock, passes, 2, 50, 41) in seen
    assert ((dao.timelock, passes, 3, 50, 49) in seen) is (signature == "safeBatchTransferFrom")


def test_a_number_that_only_an_event_tells_is_read(dao: Governance, half: Half) -> None:
    passes = deploy(dao.node, "Passes", dao.timelock, 50)
    simulation = simulated(dao, half, [call(passes, "renew(address,uint256)", STRANGER, 3)])
    assert [(m.token_id, m.amount) for m in simulation.movements] == [(3, 1)]
    assert changed(simulation) == {(dao.timelock, passes, 3, 50, 0)}


@pytest.mark.parametrize("payer", ["executor", "known", "stranger"])
def test_a_token_that_only_a_contract_in_between_moves_is_read(dao: Governance, half: Half, payer: str) -> None:
    """Of the executor always, of accounts that the operator knows where they are seen to pay."""
    who = {"executor": dao.timelock, "known": KNOWN, "stranger": STRANGER}[payer]
    token = deploy(dao.node, "HalfToldToken", who, 1_000)
    broker = deploy(dao.node, "Broker", token)
    seen = changed(simulated(dao, half, [call(broker, "rebalance(address,address,uint256)", who, SPENDER, 7)]))
    assert seen == (set() if payer == "stranger" else {(who, token, None, 1_000, 300)})


def test_a_safe_in_the_calls_is_looked_at_like_the_executor(dao: Governance, half: Half) -> None:
    safe = deploy_safe(dao.node)
    dao.node.set_balance(safe.address, 9)
    pays = safe.transaction(STRANGER, b"", value_wei=4)
    signed = encode_execution(pays, signatures(pays, safe.owners[:2]))
    through = Call(target=safe.address, value_wei=0, calldata=signed)
    assert changed(simulated(dao, half, [through])) == {(safe.address, None, None, 9, 5)}


def test_contracts_that_waste_gas_hide_no_other(dao: Governance, half: Half, token: str) -> None:
    wasteful = [person(f"wasteful {place}") for place in range(9)]
    for address in wasteful:
        dao.node.set_code(address, WASTES_GAS)
    about = [Question(dao.timelock, asked) for asked in (*wasteful, token, dao.token)]
    pays = call(token, "transfer(address,uint256)", STRANGER, 1)
    assert simulated(dao, half, [pays], about).balances[:2] == (
        Balance(holder=dao.timelock, token=token, before=100, after=99),
        Balance(holder=dao.timelock, token=dao.token, before=0, after=0),
    )


def test_asking_changes_nothing(dao: Governance, half: Half) -> None:
    """This code counts how often it is called: by a call that may not write it answers nothing."""
    counts = person("a counter")
    dao.node.set_code(counts, bytes.fromhex("6001600054018060005560005260206000f3"))
    assert simulated(dao, half, [], [Question(dao.timelock, counts)]).balances == ()


def test_what_could_not_be_asked_is_known_on_neither_side() -> None:
    """A node that lets the reader run out of gas, or does not put it there."""
    balances = Balances((Question(STRANGER, SPENDER), Question(STRANGER, SPENDER, spender=SPENDER)))
    full, none = ProbeAnswer(data=bytes(31) + b"\1" + bytes(95) + b"\0"), ProbeAnswer(error="answers with nothing")
    unread = (
        Balance(holder=STRANGER, token=SPENDER, before=None, after=None),
        Balance(holder=STRANGER, token=SPENDER, spender=SPENDER, before=None, after=None),
    )
    assert tuple(balances.unread) == unread
    assert tuple(balances.read([ProbeReading(name="balances", before=none, after=none)])) == unread
    (held, _) = balances.read([ProbeReading(name="balances", before=full, after=none)])
    assert (held.before, held.after) == (0, None)


# --- which are read


def asked_by(*calls: Call) -> tuple[Question, ...]:
    decoded = decode_calls(calls, 1)
    return questions(decoded, Accounts.of(decoded, STRANGER))


def test_the_calls_say_what_is_read() -> None:
    token, permit2, vault = person("token"), person("permit2"), person("vault")
    given = call(permit2, "approve(address,address,uint160,uint48)", token, SPENDER, 1, 2)
    pays = call(token, "transfer(address,uint256)", SPENDER, 1)
    assert asked_by(given, pays, call(vault, "tidyUp(address)", SPENDER)) == (
        Question(STRANGER, token),
        Question(STRANGER, token, spender=SPENDER),
        Question(STRANGER, None),
        Question(STRANGER, permit2),
        Question(STRANGER, vault),
    )


def test_coin_alone_asks_no_token_and_many_calls_ask_no_more_than_a_limit() -> None:
    assert asked_by() == ()
    assert asked_by(Call(target=SPENDER, value_wei=1, calldata=b"")) == (Question(STRANGER, None),)
    many = [call(person(f"token {place}"), "transfer(address,uint256)", SPENDER, 1) for place in range(50)]
    assert len(asked_by(*many)) == MAX_QUESTIONS


def test_events_ask_once_for_what_no_call_asked_and_no_more_than_a_limit() -> None:
    accounts, token = Accounts((STRANGER,)), person("token")
    moves = [moved(token, SPENDER, 1, sender=STRANGER)] * 2
    assert told(moves, accounts, ()) == (Question(STRANGER, token),)
    assert told(moves, accounts, [Question(STRANGER, token)]) == ()
    assert (
        len(told([moved(person(f"token {place}"), SPENDER, 1) for place in range(50)], accounts, ())) == MAX_QUESTIONS
    )
