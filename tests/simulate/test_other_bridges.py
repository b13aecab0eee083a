"""Bridges whose far side makes the call, and names the sender: small code in front of its own does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from eth_abi.abi import encode

from pnyx_contracts.chains import (
    ARBITRUM,
    ETHEREUM,
    FAR_SIDES,
    GNOSIS,
    LINEA,
    OUTBOXES,
    POLYGON,
    SCROLL,
    in_words,
)
from pnyx_contracts.selectors import selector_of
from pnyx_contracts.types import Call
from pnyx_policies.checks import (
    CheckView,
    PrivilegeGrant,
    SimulationReverts,
)
from pnyx_policies.facts import SimulationStatus
from pnyx_policies.finding import Severity
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.deploy import deploy, deploy_governance, encode_call

from .other_chains import ARBSYS, LONG_TEXT, OWNERSHIP, TAKES_ANYTHING, THIEF, Chains, found, only, put_code, tidy_up

L1_AMB, SCROLL_MESSENGER = "0x4C36d2919e407f0Cc2Ee3c993ccF8ac26d9CE64e", "0x6774Bcbd5ceCeF1336b5300fb5186a12DDD8b367"
LINEA_SERVICE, FX_ROOT = "0xd19d4B5d358258f05D7B411E21A1460D11B0876F", "0xfe5e5D361b2ad62c541bAb87C45a0B9B018389a2"
NO_QUESTION = bytes(4)


@dataclass
class Named:
    """A bridge whose far side names the sender to an account that asks."""

    chain_id: int
    near: str
    question: str
    send: Callable[[str, bytes], bytes]


NAMED = [
    Named(SCROLL, SCROLL_MESSENGER, "xDomainMessageSender()", lambda to, data: encode_call(
        "sendMessage(address,uint256,bytes,uint256)", to, 0, data, 1_000_000)),
    Named(LINEA, LINEA_SERVICE, "sender()", lambda to, data: encode_call(
        "sendMessage(address,uint256,bytes)", to, 0, data)),
    Named(GNOSIS, L1_AMB, "messageSender()", lambda to, data: encode_call(
        "requireToPassMessage(address,bytes,uint256)", to, data, 1_000_000)),
]  # fmt: skip


@pytest.mark.parametrize("bridge", NAMED, ids=lambda bridge: bridge.question)
def test_the_far_side_of_a_bridge_names_the_executor(chains: Chains, bridge: Named) -> None:
    """The account asks it, as such accounts do, and sends something back through it: its own code still works."""
    far = FAR_SIDES[ETHEREUM, bridge.near]
    put_code(chains.op, far, "FarBridge")
    question = selector_of(bridge.question)
    account = deploy(chains.op, "BridgedOwner", far, NO_QUESTION, question, chains.dao.timelock)
    others = {bridge.chain_id: Rpc(chains.op.url)}
    call = Call(target=bridge.near, value_wei=0, calldata=bridge.send(account, tidy_up(THIEF)))
    facts = chains.facts(LONG_TEXT, call, others=others)
    run = only(facts)
    assert run.simulation is not None
    assert (run.simulation.status, run.simulation.executor) == (SimulationStatus.SUCCEEDED, far)
    expected = OWNERSHIP.format(account, THIEF, in_words(bridge.chain_id))
    assert found(PrivilegeGrant(), facts) == [(Severity.CRITICAL, expected)]
    strangers = deploy(chains.op, "BridgedOwner", far, NO_QUESTION, question, chains.dao.token)
    other = Call(target=bridge.near, value_wei=0, calldata=bridge.send(strangers, tidy_up(THIEF)))
    (refused,) = SimulationReverts().run(CheckView(chains.facts(f"{LONG_TEXT} Again.", other, others=others)))
    assert "not the DAO" in refused.detail


def test_a_message_from_arbitrum_comes_through_bridge_and_outbox(chains: Chains) -> None:
    """The DAO lives on the Arbitrum chain, and what it owns on L1."""
    home = chains.dao.node
    there = Chains(deploy_governance(chains.arbitrum), chains.arbitrum, chains.op)
    bridge = FAR_SIDES[ARBITRUM, ARBSYS]
    for contract in (bridge, OUTBOXES[bridge]):
        put_code(home, contract, "FarBridge")
    first, second = selector_of("activeOutbox()"), selector_of("l2ToL1Sender()")
    account = deploy(home, "BridgedOwner", bridge, first, second, there.dao.timelock)
    chains.arbitrum.set_code(ARBSYS, TAKES_ANYTHING)
    sent = encode_call("sendTxToL1(address,bytes)", account, tidy_up(THIEF))
    call = Call(target=ARBSYS, value_wei=3, calldata=sent)
    chains.arbitrum.set_balance(there.dao.timelock, 3)
    facts = there.facts(LONG_TEXT, call, others={ETHEREUM: home.rpc})
    run = only(facts)
    assert run.simulation is not None
    assert run.simulation.status is SimulationStatus.SUCCEEDED
    assert [(m.sender, m.recipient, m.amount) for m in run.simulation.movements] == [
        (bridge, account, 3), (account, bridge, 3),
    ]  # fmt: skip
    expected = OWNERSHIP.format(account, THIEF, in_words(ETHEREUM))
    assert found(PrivilegeGrant(), facts) == [(Severity.CRITICAL, expected)]


def test_polygons_receiver_is_told_the_executor(chains: Chains) -> None:
    child = FAR_SIDES[ETHEREUM, FX_ROOT]
    receiver = deploy(chains.op, "RootReceiver", child, chains.dao.timelock)
    data = encode(["address"], [THIEF])
    call = Call(target=FX_ROOT, value_wei=0, calldata=encode_call("sendMessageToChild(address,bytes)", receiver, data))
    facts = chains.facts(LONG_TEXT, call, others={POLYGON: Rpc(chains.op.url)})
    expected = OWNERSHIP.format(receiver, THIEF, in_words(POLYGON))
    assert found(PrivilegeGrant(), facts) == [(Severity.CRITICAL, expected)]
