"""Putting the log, the factory and the gate on a chain, or registering a plain key: first a plan, then the
transactions.

The operator's key signs here, in the operator's own process; it is never the signer's key that runs unattended
(except for a
plain key's own registration, which only that key can make).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pnyx_contracts.artifacts import Artifact, ContractName, artifact
from pnyx_contracts.decision_log import (
    GATE_CREATED_TOPIC,
    decode_gate_created,
    encode_activate,
    encode_announce,
    encode_create_gate,
    encode_register,
    read_factory_log,
    read_state,
)
from pnyx_contracts.entry import Declaration
from pnyx_contracts.errors import DiffersError, PnyxError, UsageError
from pnyx_contracts.types import Address, Value
from pnyx_tools.chain import Chain
from pnyx_tools.registration import standing
from pnyx_tools.wire import parse_log

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

GAS_MARGIN_PERCENT = 120


class Wish(Value):
    """What the operator wants on chain. Addresses that are None are to be deployed."""

    log: Address | None
    factory: Address | None
    gate: bool
    """A gate (members see ENFORCED) or the signer's own account (DECLARED)."""
    signer: Address
    guardian: Address | None
    notice_seconds: int
    delay_seconds: int
    declaration: Declaration


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction. `to` is None for a new contract; `result` says what it will be called afterwards."""

    what: str
    to: str | None
    data: bytes
    creates: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be sent, in order, and where the contracts will be."""

    sender: str
    steps: tuple[Step, ...]
    log: str
    factory: str | None
    writer: str
    """The writer as far as it is known before: a new gate's address comes with its receipt."""
    gas: int
    """An estimate over all steps, with a margin."""
    max_cost_wei: int


class Deployed(Value):
    """What is on chain now: the lines for ``[log]``."""

    log: Address
    factory: Address | None
    writer: Address
    start_block: int


def plan(chain: Chain, wish: Wish, sender: str) -> Plan:
    """Works out every transaction and its cost without sending any. Raises `UsageError` when the wish contradicts
    the chain.
    """
    from web3.utils.address import get_create_address

    steps: list[Step] = []
    nonce = chain.pending_nonce(sender)

    def create(name: ContractName, *arguments: str) -> str:
        address = str(get_create_address(sender, nonce + len(steps)))  # type: ignore[arg-type]
        steps.append(Step(f"deploy {name} at {address}", None, _creation(artifact(name), arguments), address))
        return address

    log = wish.log or create("DecisionLog")
    if wish.log:
        _require_code(chain, wish.log, "DecisionLog")
    if not wish.gate:
        if sender != wish.signer:
            raise UsageError(
                f"a plain key registers itself: the registration must come from the signer {wish.signer}, not {sender}",
                hint="name the signer's own keystore as --keystore",
            )
        data = encode_register(wish.guardian or sender, wish.notice_seconds, wish.declaration)
        steps.append(Step(f"register {sender} as a writer of the log", log, data))
        return _costed(chain, sender, steps, log, None, sender)
    factory = wish.factory or create("VoteGateFactory", log)
    if wish.factory:
        _require_code(chain, wish.factory, "VoteGateFactory")
        if chain.read(read_factory_log(wish.factory)) != log:
            raise UsageError(f"the factory {wish.factory} is bound to another log than {log}")
    guardian = wish.guardian or sender
    data = encode_create_gate(
        sender, guardian, wish.signer, wish.delay_seconds, wish.notice_seconds, wish.declaration
    )  # fmt: skip
    steps.append(Step(f"make a gate (operator {sender}, guardian {guardian}, signer {wish.signer})", factory, data))
    return _costed(chain, sender, steps, log, factory, sender)


def plan_change(chain: Chain, log: str, writer: str, sender: str, declaration: Declaration) -> Plan:
    """Make the chain follow a changed configuration: announce it, or activate what was announced long enough ago.

    Raises `UsageError` when there is nothing to do, or not yet, or not by this account.
    """
    found = standing(chain, log, writer)
    if found is None:
        raise UsageError(
            f"{writer} is not registered in the log {log}", hint="take [log] out of the file to deploy anew"
        )
    if found.active == declaration:
        raise UsageError("the chain has this configuration already: nothing to deploy")
    seq = chain.read(read_state(log, writer)).seq + 1
    pending = found.pending
    if pending is not None and pending.declaration == declaration:
        now = chain.block().timestamp
        if now < pending.active_at:
            when = datetime.fromtimestamp(pending.active_at, UTC).isoformat(" ", "minutes")
            raise UsageError(f"announced already; the notice ends at {when}", hint="run this again then")
        step = Step(f"activate the announced configuration of {writer}", log, encode_activate(writer, seq))
    else:
        if sender != found.operator:
            raise UsageError(f"only the operator {found.operator} can announce a change, not {sender}")
        what = f"announce the configuration 0x{declaration.config_hash.hex()} of {writer}"
        step = Step(what, log, encode_announce(writer, seq, declaration))
    return _costed(chain, sender, [step], log, None, writer)


def carry_out(chain: Chain, plan: Plan, account: LocalAccount, progress: Callable[[str], None]) -> Deployed:
    """Send the plan. Each step must succeed, and each contract must have exactly our code, before the next is sent."""
    writer, start_block = plan.writer, 0
    for step in plan.steps:
        progress(step.what)
        receipt = _send(chain, step, account)
        if step.creates is not None and str(receipt["contractAddress"]).lower() != step.creates.lower():
            raise PnyxError(f"{step.what}: the contract is at {receipt['contractAddress']}", hint="plan again")
        start_block = int(receipt["blockNumber"], 16)
        for log in map(parse_log, receipt["logs"]):
            if log.topics[:1] == (GATE_CREATED_TOPIC,):
                writer = decode_gate_created(log).gate
    _require_code(chain, plan.log, "DecisionLog")
    if not chain.read(read_state(plan.log, writer)).registered:
        raise DiffersError(f"{writer} is not registered in {plan.log}, though every transaction succeeded")
    return Deployed(log=plan.log, factory=plan.factory, writer=writer, start_block=start_block)


def _creation(compiled: Artifact, arguments: Sequence[str]) -> bytes:
    from eth_abi.abi import encode

    return compiled.bytecode + encode(["address"] * len(arguments), list(arguments))


def _require_code(chain: Chain, address: str, name: ContractName) -> None:
    if artifact(name).immutables_of(chain.code(address)) is None:
        raise UsageError(
            f"the code at {address} is not our {name}",
            hint="check the address and the chain; leave the option out to deploy a new one",
        )


def _costed(chain: Chain, sender: str, steps: Sequence[Step], log: str, factory: str | None, writer: str) -> Plan:
    """Gas of a step that talks to a contract of an earlier step cannot be estimated before: then its usual cost
    counts.
    """
    fees = chain.fees()
    gas = sum(_gas(chain, sender, step, fresh={s.creates for s in steps if s.creates}) for step in steps)
    return Plan(sender, tuple(steps), log, factory, writer, gas, gas * fees.max_fee)


USUAL_GAS = 3_000_000
"""What a step may cost that nobody can estimate yet: making a factory or a gate."""


def _gas(chain: Chain, sender: str, step: Step, fresh: set[str]) -> int:
    """A step that speaks of a contract which is not there yet would revert in an estimate."""
    if step.to in fresh or any(bytes.fromhex(address[2:]) in step.data for address in fresh - {step.creates}):
        return USUAL_GAS
    estimate = int(chain.request("eth_estimateGas", [_call_object(sender, step)]), 16)
    return estimate * GAS_MARGIN_PERCENT // 100


def _call_object(sender: str, step: Step) -> dict[str, str]:
    call = {"from": sender, "data": "0x" + step.data.hex()}
    return call if step.to is None else {**call, "to": step.to}


def _send(chain: Chain, step: Step, account: LocalAccount) -> dict[str, Any]:
    fees = chain.fees()
    transaction: dict[str, Any] = {
        "type": 2,
        "chainId": chain.chain_id(),
        "nonce": chain.pending_nonce(account.address),
        "value": 0,
        "data": step.data,
        "gas": int(chain.request("eth_estimateGas", [_call_object(account.address, step)]), 16)
        * GAS_MARGIN_PERCENT
        // 100,
        "maxFeePerGas": fees.max_fee,
        "maxPriorityFeePerGas": fees.max_priority_fee,
    }
    if step.to is not None:
        transaction["to"] = step.to
    sent = chain.send_raw(bytes(account.sign_transaction(transaction).raw_transaction))
    receipt = _wait(chain, sent)
    if int(receipt["status"], 16) != 1:
        raise PnyxError(f"{step.what}: transaction 0x{sent.hex()} failed", hint="nothing after it was sent")
    return receipt


def _wait(chain: Chain, sent: bytes, timeout_seconds: float = 600) -> dict[str, Any]:
    import time

    deadline = time.monotonic() + timeout_seconds
    while (receipt := chain.receipt(sent)) is None:
        if time.monotonic() > deadline:
            raise PnyxError(f"transaction 0x{sent.hex()} is not mined after {timeout_seconds:.0f} s")
        time.sleep(0.2)
    return receipt
