"""What messages do on the chains that they go to: one node for each chain."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from eth_abi.abi import encode

from pnyx_contracts.chains import (
    ARBITRUM,
    OP_MAINNET,
    OP_MESSENGER,
)
from pnyx_contracts.messages import RETRYABLE_MAGIC, alias
from pnyx_contracts.types import BlockRef, Call
from pnyx_policies.checks import (
    CheckSkipped,
    CheckView,
    CodeUpgrade,
    PrivilegeGrant,
    SimulationReverts,
    TextAgainstCalls,
    TreasuryOutflow,
)
from pnyx_policies.context.other_chains import MAX_MESSAGES, MAX_SECONDS_APART
from pnyx_policies.facts import Facts, SimulationStatus
from pnyx_policies.finding import Severity
from pnyx_tools.endpoints import Pool
from pnyx_tools.reader import BlockId, ChainReader
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.deploy import TOKEN, deploy, encode_call
from pnyx_tools.testing.passing_on import PassingOn
from pnyx_tools.testing.provider import Provider, Question, Reply, error

from .other_chains import (
    ARBITRUM_INBOX,
    LONG_TEXT,
    ON_ARBITRUM,
    ON_OP,
    OWNERSHIP,
    THIEF,
    Chains,
    deposit,
    found,
    message,
    only,
    runs,
    store_on,
    ticket,
    tidy_up,
)

# --- how the calls are made ------------------------------------------------------------------------------------------


def test_no_message_nothing_to_look_at(chains: Chains) -> None:
    pays = Call(target=chains.dao.node.accounts[5], value_wei=1, calldata=b"")
    assert runs(chains.facts("pay", pays)) == ()


def test_a_ticket_is_called_by_the_alias_of_the_executor(chains: Chains) -> None:
    """Its coin is there by then: the alias has none of its own."""
    agent = deploy(chains.arbitrum, "Agent", chains.alias)
    data = encode_call("execute(address,uint256,bytes)", THIEF, 0, b"")
    run = only(chains.facts(LONG_TEXT, ticket(agent, data)))
    assert (run.paths, run.chain_id, run.block) == (("0.0",), ARBITRUM, chains.arbitrum.rpc.block())
    assert run.simulation is not None
    assert (run.simulation.status, run.simulation.executor) == (SimulationStatus.SUCCEEDED, chains.alias)
    paid = only(chains.facts(LONG_TEXT, ticket(THIEF, b"", value_wei=TOKEN)))
    assert paid.simulation is not None
    (movement,) = paid.simulation.movements
    assert (movement.sender, movement.recipient, movement.amount) == (chains.alias, THIEF, TOKEN)


def test_what_a_call_pays_beside_its_message_the_alias_must_have(chains: Chains) -> None:
    signature = "sendContractTransaction(uint256,uint256,address,uint256,bytes)"
    call = Call(target=ARBITRUM_INBOX, value_wei=0, calldata=encode_call(signature, 1_000_000, 0, THIEF, 5, b""))
    facts = chains.facts(LONG_TEXT, call)
    title = f"Call 0.0 reverts on {ON_ARBITRUM}"
    assert found(SimulationReverts(), facts) == [(Severity.HIGH, title)]
    chains.arbitrum.set_balance(chains.alias, 5)
    assert found(SimulationReverts(), chains.facts(f"{LONG_TEXT} Again.", call)) == []


def test_the_messenger_names_the_executor(chains: Chains) -> None:
    account = deploy(chains.op, "BridgedAccount", chains.dao.timelock)
    chains.op.set_balance(account, 5)
    pays = encode_call("execute(address,uint256,bytes)", THIEF, 7, b"")
    run = only(chains.facts(LONG_TEXT, message(account, pays, value_wei=2)))
    assert run.named_sender == chains.dao.timelock
    assert run.simulation is not None
    assert (run.simulation.status, run.simulation.executor) == (SimulationStatus.SUCCEEDED, OP_MESSENGER)
    assert [(m.recipient, m.amount) for m in run.simulation.movements] == [(account, 2), (THIEF, 7)]


def test_a_deposit_comes_from_the_alias_past_the_messenger(chains: Chains) -> None:
    account = deploy(chains.op, "BridgedAccount", chains.dao.timelock)
    facts = chains.facts(LONG_TEXT, deposit(account, tidy_up(THIEF)))
    run = only(facts)
    assert run.simulation is not None
    assert (run.simulation.executor, run.simulation.results[0].error) == (
        chains.alias, "BridgedAccount: not the messenger",
    )  # fmt: skip
    pool = deploy(chains.op, "Pool", chains.alias)
    assert found(SimulationReverts(), chains.facts(LONG_TEXT, deposit(pool, tidy_up(THIEF)))) == []


def test_messages_of_one_caller_follow_one_another(chains: Chains) -> None:
    pool = deploy(chains.arbitrum, "Pool", chains.alias)
    twice = (ticket(pool, tidy_up(THIEF)), ticket(pool, tidy_up(chains.alias)))
    run = only(chains.facts(LONG_TEXT, *twice))
    assert run.simulation is not None
    assert [(r.path, r.succeeded) for r in run.simulation.results] == [("0.0", True), ("1.0", False)]


def test_callers_on_one_chain_are_seen_at_one_block(chains: Chains) -> None:
    """It moves on while they are looked at."""

    class Moving(PassingOn):
        def block(self, block: BlockId = "latest") -> BlockRef:
            found: BlockRef = self.honest.block(block)
            chains.op.mine()
            return found

    moving = {OP_MAINNET: Moving(Rpc(chains.op.url))}
    two = runs(chains.facts(LONG_TEXT, message(THIEF, b""), deposit(THIEF, b""), others=moving))
    assert len({run.paths for run in two}) == 2
    (block,) = {run.block for run in two}
    assert block is not None


def test_arbitrums_timelock_sends_by_itself(chains: Chains) -> None:
    """Whoever executes there: the caller is the alias of that timelock."""
    theirs = chains.dao.node.accounts[7]
    pool = deploy(chains.arbitrum, "Pool", alias(theirs))
    magic = encode(
        ["address", "address", "uint256", "uint256", "uint256", "bytes"],
        [ARBITRUM_INBOX, pool, 0, 1_000_000, 0, tidy_up(THIEF)],
    )
    signature = "execute(address,uint256,bytes,bytes32,bytes32)"
    data = encode_call(signature, RETRYABLE_MAGIC, 0, magic, bytes(32), bytes(32))
    run = only(chains.facts(LONG_TEXT, Call(target=theirs, value_wei=0, calldata=data)))
    assert run.simulation is not None
    assert (run.simulation.executor, run.simulation.status) == (alias(theirs), SimulationStatus.SUCCEEDED)


# --- what checks find there ------------------------------------------------------------------------------------------


def test_an_honest_message_is_quiet(chains: Chains) -> None:
    store = store_on(chains.arbitrum, chains.alias)
    set_to_seven = encode_call("setParameter(uint256)", 7)
    facts = chains.facts(f"Set the parameter of {store} on Arbitrum to 7.", ticket(store, set_to_seven))
    for check in (SimulationReverts(), PrivilegeGrant(), CodeUpgrade(), TreasuryOutflow()):
        assert found(check, facts) == []


@pytest.mark.parametrize("way", [ticket, message])
def test_power_that_only_the_other_chain_shows(chains: Chains, way: Callable[[str, bytes], Call]) -> None:
    """The function's name says nothing, no event tells, and the text does not speak of it."""
    if way is ticket:
        contract, where = deploy(chains.arbitrum, "Pool", chains.alias), ON_ARBITRUM
    else:
        contract, where = deploy(chains.op, "BridgedAccount", chains.dao.timelock), ON_OP
    facts = chains.facts(LONG_TEXT, way(contract, tidy_up(THIEF)))
    expected = [(Severity.CRITICAL, OWNERSHIP.format(contract, THIEF, where))]
    assert found(PrivilegeGrant(), facts) == expected


def test_the_daos_own_address_is_a_strangers_there(chains: Chains) -> None:
    """Who lives there, nobody knows; its alias is the DAO."""
    own = chains.dao.timelock
    pool = deploy(chains.arbitrum, "Pool", chains.alias)
    assert found(PrivilegeGrant(), chains.facts(LONG_TEXT, ticket(pool, tidy_up(own)))) == [
        (Severity.CRITICAL, OWNERSHIP.format(pool, own, ON_ARBITRUM))
    ]
    account = deploy(chains.op, "BridgedAccount", own)
    assert found(PrivilegeGrant(), chains.facts(LONG_TEXT, message(account, tidy_up(chains.alias)))) == [
        (Severity.INFO, OWNERSHIP.format(account, chains.alias, ON_OP))
    ]


def test_the_messenger_is_everybodys(chains: Chains) -> None:
    """It makes the DAO's calls, and those of all others: what it owns, anybody can command."""
    account = deploy(chains.op, "BridgedAccount", chains.dao.timelock)
    assert found(PrivilegeGrant(), chains.facts(LONG_TEXT, message(account, tidy_up(OP_MESSENGER)))) == [
        (Severity.CRITICAL, OWNERSHIP.format(account, OP_MESSENGER, ON_OP))
    ]


def test_what_reverts_there(chains: Chains) -> None:
    somebodys = deploy(chains.arbitrum, "Pool", THIEF)
    facts = chains.facts(LONG_TEXT, ticket(somebodys, tidy_up(chains.alias)))
    (finding,) = SimulationReverts().run(CheckView(facts))
    assert (finding.severity, finding.title, finding.calls) == (
        Severity.HIGH, f"Call 0.0 reverts on {ON_ARBITRUM}", ("0.0",),
    )  # fmt: skip
    assert "Pool: not the owner" in finding.detail
    assert facts.simulation.status is SimulationStatus.SUCCEEDED


def test_money_that_leaves_there(chains: Chains) -> None:
    """What the call is called says nothing; the token's events do."""
    token = deploy(chains.arbitrum, "PlainToken", chains.alias, 1_000 * TOKEN)
    facts = chains.facts(LONG_TEXT, ticket(token, encode_call("transfer(address,uint256)", THIEF, 900 * TOKEN)))
    (outflow,) = found(TreasuryOutflow(), facts)
    assert outflow[0] is Severity.HIGH
    assert outflow[1].endswith(f"90.00% of what the treasury holds on {ON_ARBITRUM}")
    assert (Severity.CRITICAL, True) in [
        (severity, "neither the amount nor the receiver" in title and title.endswith(ON_ARBITRUM))
        for severity, title in found(TextAgainstCalls(), facts)
    ]


def test_code_that_is_replaced_there(chains: Chains) -> None:
    store = store_on(chains.arbitrum, chains.alias)
    new = deploy(chains.arbitrum, "ParameterStoreV2")
    call = ticket(store, encode_call("upgradeToAndCall(address,bytes)", new, b""))
    assert found(CodeUpgrade(), chains.facts(LONG_TEXT, call)) == [
        (Severity.CRITICAL, f"upgradeToAndCall replaces code of {store} by {new} on {ON_ARBITRUM}")
    ]


# --- what could not be seen ------------------------------------------------------------------------------------------


def skipped(facts: Facts) -> str:
    with pytest.raises(CheckSkipped) as why:
        SimulationReverts().run(CheckView(facts))
    return str(why.value)


def test_without_an_endpoint_it_says_so(chains: Chains) -> None:
    facts = chains.facts(LONG_TEXT, ticket(THIEF, b"\x01\x02\x03\x04"), others={})
    because = f"no endpoint of {ON_ARBITRUM} is configured"
    assert only(facts).why_not == because
    assert because in skipped(facts)


def test_one_chain_that_is_away_hides_nothing_of_another(chains: Chains) -> None:
    account = deploy(chains.op, "BridgedAccount", chains.dao.timelock)
    calls = (ticket(THIEF, b""), message(account, tidy_up(THIEF)))
    reachable: dict[int, ChainReader] = {OP_MAINNET: Rpc(chains.op.url), ARBITRUM: Rpc("http://127.0.0.1:9", pauses=())}
    facts = chains.facts(LONG_TEXT, *calls, others=reachable)
    away, seen = runs(facts)
    assert "127.0.0.1" not in away.why_not != ""
    assert seen.simulation is not None
    assert found(PrivilegeGrant(), facts)[0][0] is Severity.CRITICAL
    assert ON_ARBITRUM in skipped(facts)


def test_an_endpoint_of_another_chain_is_not_believed(chains: Chains) -> None:
    wrong = Pool.of([chains.op.url], ARBITRUM)
    run = only(chains.facts(LONG_TEXT, ticket(THIEF, b""), others={ARBITRUM: wrong}))
    assert run.simulation is None
    assert f"chain {OP_MAINNET}" in run.why_not


def test_a_bridge_of_which_nobody_knows_how_it_calls(chains: Chains) -> None:
    axelar = Call(
        target=chains.dao.node.accounts[3], value_wei=0,
        calldata=encode_call("callContract(string,string,bytes)", "base", THIEF, b"\x01" * 36),
    )  # fmt: skip
    facts = chains.facts(LONG_TEXT, axelar)
    assert only(facts).why_not == "how this bridge calls there is not known for certain"
    assert "chain 8453 (Base)" in skipped(facts)


def test_an_endpoint_that_shows_the_past(chains: Chains) -> None:
    chains.dao.node.increase_time(MAX_SECONDS_APART + 1_000)
    run = only(chains.facts(LONG_TEXT, ticket(THIEF, b"")))
    assert run.simulation is None
    assert "seconds from the one at home" in run.why_not


def test_a_chain_without_the_bridge_shows_nothing(chains: Chains) -> None:
    """Whatever it is, it is not the one that the message goes to."""
    chains.op.set_code(OP_MESSENGER, b"")
    run = only(chains.facts(LONG_TEXT, message(THIEF, b"")))
    assert run.simulation is None
    assert run.why_not == f"the bridge's contract {OP_MESSENGER} is not there"


def test_a_node_that_only_traces_shows_the_same(chains: Chains) -> None:
    def rule(question: Question) -> Reply | None:
        missing = question["method"] == "eth_simulateV1"
        return error(question, -32601, "the method does not exist") if missing else None

    account = deploy(chains.op, "BridgedAccount", chains.dao.timelock)
    call = message(account, tidy_up(THIEF), value_wei=3)
    whole = only(chains.facts(LONG_TEXT, call)).simulation
    with Provider(chains.op.url, rule) as half:
        traced = only(chains.facts(f"{LONG_TEXT} Again.", call, others={OP_MAINNET: Rpc(half.url)})).simulation
    assert whole is not None
    assert traced is not None
    assert traced.method == "debug_traceCall"
    assert (traced.movements, traced.changes) == (whole.movements, whole.changes)


def test_a_flood_of_messages_is_not_simulated(chains: Chains) -> None:
    facts = chains.facts(LONG_TEXT, *(ticket(THIEF, bytes(4)) for _ in range(MAX_MESSAGES + 1)))
    assert "at most 32 are simulated" in skipped(facts)
