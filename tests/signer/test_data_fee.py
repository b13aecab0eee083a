"""Caps in ether count what rollups take beside the gas, in the daemon and in the signer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pnyx_agents.gas import VOTE_BYTES, VOTE_GAS, gas_money
from pnyx_contracts.errors import RefusedError
from pnyx_contracts.governors import TransactionCall
from pnyx_tools.data_fee import ENVELOPE, MARGIN, ORACLES, data_fee_wei
from pnyx_tools.sender import GasMoneyError, SpendingLimitError
from pnyx_tools.testing.anvil import Anvil

from .parliament import Parliament
from .senders import World

OP_STACK, SCROLL = ORACLES
CALL = TransactionCall("0x" + "11" * 20, b"\x01" * 100)

WEI_PER_BYTE = 10**11
BYTES_OF_ARGUMENTS = 64
"""Before the bytes of the one argument; ABI encoding fills them up to words of 32."""

BY_LENGTH = f"6004360364{WEI_PER_BYTE:010x}025f5260205ff3"
"""(calldata without selector) * price, in wei: dearer the more is published, as the real oracles."""
REVERTS = "5f5ffd"


def put(node: Anvil, address: str, code: str) -> None:
    node.request("anvil_setCode", address, "0x" + code)


@pytest.fixture
def rollup(world: World) -> Iterator[World]:
    """An OP stack chain, as far as fees go."""
    put(world.node, OP_STACK, BY_LENGTH)
    yield world
    put(world.node, OP_STACK, "")


def published_bytes(call: TransactionCall) -> int:
    return BYTES_OF_ARGUMENTS + -(-(len(call.data) + len(ENVELOPE)) // 32) * 32


def test_a_chain_without_an_oracle_takes_gas_alone(world: World) -> None:
    assert data_fee_wei(world.chain, CALL, 100_000) == 0


def test_oracles_are_asked_for_data_and_for_the_operators_part(rollup: World) -> None:
    assert data_fee_wei(rollup.chain, CALL, 100_000) == MARGIN * WEI_PER_BYTE * (published_bytes(CALL) + 32)
    put(rollup.node, SCROLL, BY_LENGTH)
    with_both = data_fee_wei(rollup.chain, CALL, 100_000)
    put(rollup.node, OP_STACK, REVERTS)
    assert data_fee_wei(rollup.chain, CALL, 100_000) == MARGIN * WEI_PER_BYTE * published_bytes(CALL) < with_both
    put(rollup.node, SCROLL, "")


def test_the_daemon_counts_it_for_the_vote_and_for_the_balance(rollup: World) -> None:
    call, _ = rollup.entry().prepare()
    gas = rollup.chain.estimate_gas(rollup.key.address, call) * 5 // 4
    beside = data_fee_wei(rollup.chain, call, gas)
    market = rollup.chain.fee_market()
    least = gas * (market.base_fee + market.tips[0])
    with pytest.raises(SpendingLimitError):
        rollup.sender(vote_wei=least + beside - 1).send(rollup.entry("vote", charged_to="vote 7"))
    rollup.node.set_balance(rollup.key.address, least + beside - 1)
    with pytest.raises(GasMoneyError):
        rollup.sender().send(rollup.entry())
    assert rollup.signer.tickets == []

    rollup.node.set_balance(rollup.key.address, 10**18)
    rollup.sender(vote_wei=2 * least + beside).send(rollup.entry("vote", charged_to="vote 7"))
    (ticket,) = rollup.signer.tickets
    assert ticket.gas_limit * ticket.max_fee_per_gas + beside <= 2 * least + beside


def test_gas_money_lasts_for_fewer_votes_there(rollup: World) -> None:
    """So that people are told in time."""
    beside = data_fee_wei(rollup.chain, TransactionCall(rollup.key.address, b"\xff" * VOTE_BYTES), VOTE_GAS)
    money = gas_money(rollup.chain, rollup.key.address)
    assert money.votes == money.balance // (money.price * VOTE_GAS + beside) > 0
    put(rollup.node, OP_STACK, "")
    assert gas_money(rollup.chain, rollup.key.address).votes > money.votes


def test_the_signer_reads_it_itself(gate: Parliament) -> None:
    request = gate.ask_vote(gate.dossier(gate.open()))
    gas_alone = request.ticket.gas_limit * request.ticket.max_fee_per_gas
    limits = gate.settings.limits.model_copy(update={"max_spend_wei": gas_alone})
    signer = gate.signer(gate.settings.model_copy(update={"limits": limits}))
    put(gate.node, OP_STACK, BY_LENGTH)
    with pytest.raises(RefusedError, match=r"max_spend_per_vote_ether\) would be \d+ wei; this signer's limit is"):
        signer.sign(request)
    put(gate.node, OP_STACK, "")
    assert signer.sign(request).raw
