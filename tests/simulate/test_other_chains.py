"""What messages do on the chains that they go to: one node for each chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest
from eth_abi.abi import encode

from pnyx_contracts.chains import ARBITRUM, OP_MAINNET, OP_MESSENGER
from pnyx_contracts.messages import RETRYABLE_MAGIC, alias
from pnyx_contracts.types import BlockRef, Call
from pnyx_policies.checks import (
    Check,
    CheckSkipped,
    CheckView,
    CodeUpgrade,
    PrivilegeGrant,
    SimulationReverts,
    TextAgainstCalls,
    TreasuryOutflow,
)
from pnyx_policies.context import FarRun, OtherChains, read_context
from pnyx_policies.context.other_chains import MAX_MESSAGES, MAX_SECONDS_APART
from pnyx_policies.facts import Facts, SimulationStatus
from pnyx_policies.finding import Severity
from pnyx_tools.endpoints import Pool
from pnyx_tools.gather import gather_facts
from pnyx_tools.pinned import PinnedReader
from pnyx_tools.reader import BlockId, ChainReader
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import TOKEN, Governance, artifact, deploy, deploy_governance, encode_call
from pnyx_tools.testing.passing_on import PassingOn
from pnyx_tools.testing.provider import Provider, Question, Reply, error

ARBITRUM_INBOX = "0x4Dbd4fc535Ac27206064B68FfCf827b0A60BAB3f"
L1_MESSENGER = "0x25ace71c97B33Cc4729CF772ae268934F7ab5fA1"
OP_PORTAL = "0xbEb5Fc579115071764c7423A4f12eDde41f106Ed"
THIEF = "0x00000000000000000000000000000000000B0b5E"
TAKES_ANYTHING = b"\x00"

TICKET = "createRetryableTicket(address,uint256,uint256,address,address,uint256,uint256,bytes)"
SEND = "sendMessage(address,bytes,uint32)"
DEPOSIT = "depositTransaction(address,uint256,uint64,bool,bytes)"


def ticket(to: str, data: bytes, value_wei: int = 0) -> Call:
    calldata = encode_call(TICKET, to, value_wei, 0, THIEF, THIEF, 1_000_000, 0, data)
    return Call(target=ARBITRUM_INBOX, value_wei=value_wei, calldata=calldata)


def message(to: str, data: bytes, value_wei: int = 0) -> Call:
    return Call(target=L1_MESSENGER, value_wei=value_wei, calldata=encode_call(SEND, to, data, 1_000_000))


def deposit(to: str, data: bytes, value_wei: int = 0) -> Call:
    return Call(
        target=OP_PORTAL, value_wei=value_wei, calldata=encode_call(DEPOSIT, to, value_wei, 1_000_000, False, data)
    )


@dataclass
class Chains:
    """The DAO at home, on chain 1, and two others."""

    dao: Governance
    arbitrum: Anvil
    op: Anvil

    @property
    def alias(self) -> str:
        return alias(self.dao.timelock)

    def facts(self, text: str, *calls: Call, others: Mapping[int, ChainReader] | None = None) -> Facts:
        proposal = self.dao.propose(
            [call.target for call in calls], [call.value_wei for call in calls], [call.calldata for call in calls], text
        )
        known: Mapping[int, ChainReader] = {ARBITRUM: Rpc(self.arbitrum.url), OP_MAINNET: Rpc(self.op.url)}
        reader = PinnedReader(self.dao.node.rpc, others=known if others is None else others)
        return gather_facts(reader, self.dao.adapter, self.dao.profile, self.dao.proposals[proposal])


@pytest.fixture(scope="module")
def _running() -> Iterator[Chains]:
    with Anvil(chain_id=1) as home, Anvil(chain_id=ARBITRUM) as arbitrum, Anvil(chain_id=OP_MAINNET) as op:
        for bridge in (ARBITRUM_INBOX, L1_MESSENGER, OP_PORTAL):
            home.set_code(bridge, TAKES_ANYTHING)
        op.set_code(OP_MESSENGER, bytes.fromhex(artifact("OpMessenger")["deployedBytecode"][2:]))
        yield Chains(deploy_governance(home), arbitrum, op)


@pytest.fixture
def chains(_running: Chains) -> Iterator[Chains]:
    nodes = (_running.dao.node, _running.arbitrum, _running.op)
    before = [node.snapshot() for node in nodes]
    yield _running
    for node, state in zip(nodes, before, strict=True):
        node.revert(state)
    _running.dao.proposals.clear()


def runs(facts: Facts) -> tuple[FarRun, ...]:
    return read_context(OtherChains, facts.context, facts.skipped).runs


def only(facts: Facts) -> FarRun:
    (run,) = runs(facts)
    return run


def found(check: Check, facts: Facts) -> list[tuple[Severity, str]]:
    return [(finding.severity, finding.title) for finding in check.run(CheckView(facts))]


OWNERSHIP = "ownership-transferred gives ownership over {} to {} on {}"
ON_ARBITRUM, ON_OP = "chain 42161 (Arbitrum One)", "chain 10 (OP Mainnet)"
LONG_TEXT = "The DAO tidies up what belongs to it on another chain, as it was discussed in the forum for weeks."


def tidy_up(owner: str) -> bytes:
    return encode_call("tidyUp(address)", owner)


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
    polygon = Call(
        target="0xfe5e5D361b2ad62c541bAb87C45a0B9B018389a2", value_wei=0,
        calldata=encode_call("sendMessageToChild(address,bytes)", THIEF, b"\x01" * 36),
    )  # fmt: skip
    facts = chains.facts(LONG_TEXT, polygon)
    assert only(facts).why_not == "how this bridge calls there is not known for certain"
    assert "chain 137 (Polygon PoS)" in skipped(facts)


def test_an_endpoint_that_shows_the_past(chains: Chains) -> None:
    chains.dao.node.increase_time(MAX_SECONDS_APART + 1_000)
    run = only(chains.facts(LONG_TEXT, ticket(THIEF, b"")))
    assert run.simulation is None
    assert "seconds from the one at home" in run.why_not


def test_a_messenger_that_keeps_the_sender_elsewhere(chains: Chains) -> None:
    """Then it is not known how a target would see the call."""
    always_zero = bytes.fromhex("60005f5260205ff3")
    chains.op.set_code(OP_MESSENGER, always_zero)
    run = only(chains.facts(LONG_TEXT, message(THIEF, b"")))
    assert run.simulation is None
    assert "does not name the sender" in run.why_not


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


def store_on(node: Anvil, owner: str) -> str:
    implementation = deploy(node, "ParameterStore")
    return deploy(node, "ParameterStoreProxy", implementation, encode_call("initialize(address,uint256)", owner, 42))
