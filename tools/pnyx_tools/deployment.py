"""Putting log, factory and gate on a chain, or making a key's own account a writer: first a plan, then the
transactions.

Contracts go to the same address on every chain (`pnyx_contracts.addresses`); what stands there already is used.

The operator's key signs here, in the operator's own process. It is never the signer's key that runs unattended, except
for what only that key can do: register its own account, and delegate it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pnyx_contracts.addresses import DEPLOYER, DEPLOYER_CODE, encode_deploy, usual_address
from pnyx_contracts.artifacts import ContractName, artifact
from pnyx_contracts.decision_log import (
    GATE_CREATED_TOPIC,
    decode_gate_created,
    encode_activate,
    encode_announce,
    encode_create_gate,
    encode_register,
    encode_remark,
    encode_succeed,
    read_factory_log,
    read_operator,
    read_state,
)
from pnyx_contracts.entry import Declaration, RemarkVerdict, WriterState
from pnyx_contracts.errors import DiffersError, PnyxError, UsageError
from pnyx_contracts.governors import TransactionCall
from pnyx_contracts.types import ZERO_ADDRESS, Address, Value, to_hex
from pnyx_tools.atomic import atomic_log
from pnyx_tools.chain import Chain
from pnyx_tools.data_fee import data_fee_wei
from pnyx_tools.reader import ChainReader
from pnyx_tools.registration import standing
from pnyx_tools.signer.settings import WriterKind
from pnyx_tools.wire import parse_logs

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

GAS_MARGIN_PERCENT = 120

USUAL_GAS = 3_000_000
"""What a step may cost that nobody can estimate yet: making a factory or a gate."""

DELEGATION_GAS = 40_000
PATIENCE_SECONDS = 600
"""For one transaction to be mined."""
"""Above a plain transfer: the authorization (EIP-7702) and the call of the account by itself."""


class Wish(Value):
    """What the operator wants on chain. A log or factory that is None is the one at the usual address."""

    log: Address | None = None
    factory: Address | None = None
    kind: WriterKind
    signer: Address
    operator: Address | None = None
    """Who announces changes; None for the account that deploys."""
    guardian: Address | None = None
    """Of a gate; None for the operator."""
    notice_seconds: int
    delay_seconds: int
    """Of a gate."""
    declaration: Declaration


@dataclass(frozen=True, slots=True)
class Place:
    """One of our contracts, and whether its code is on this chain."""

    name: ContractName
    address: str
    is_there: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction. `creates` is what will stand there afterwards, `delegates_to` the contract whose code the
    sender's account will run.
    """

    what: str
    to: str
    data: bytes
    creates: Place | None = None
    delegates_to: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be sent, in order, and where the contracts are."""

    sender: str
    places: tuple[Place, ...]
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


def find_place(reader: ChainReader, name: ContractName, address: str) -> Place:
    """Raises `UsageError` when something else stands there."""
    code = reader.code(address)
    if code and artifact(name).immutables_of(code) is None:
        raise UsageError(
            f"the code at {address} is not our {name}",
            hint="check the address and the chain; leave the option out to use the one at the usual address",
        )
    return Place(name, address, is_there=bool(code))


def plan(chain: Chain, wish: Wish, sender: str) -> Plan:
    """Works out every transaction and its cost without sending any. Raises `UsageError` when the wish contradicts
    the chain.
    """
    draft = _Draft(chain, sender)
    log = draft.use("DecisionLog", wish.log)
    if wish.kind is WriterKind.GATE:
        factory = draft.use("VoteGateFactory", wish.factory, log)
        draft.make_gate(wish, factory)
        return draft.plan(log, factory, sender)
    if sender != wish.signer:
        raise UsageError(
            f"a key registers its own account: the registration must come from the signer {wish.signer}, not {sender}",
            hint="name the signer's own keystore as --keystore",
        )
    if wish.kind is WriterKind.ATOMIC:
        draft.delegate(log)  # first: where that does not work, nothing was registered
    draft.register(wish, log)
    return draft.plan(log, None, sender)


def plan_delegation(chain: Chain, log: str, sender: str) -> Plan:
    """Makes the account of a writer that registered before run `AtomicAccount`. Raises `UsageError` when it does."""
    _require_writer(chain, log, sender)
    if atomic_log(chain, sender) == log:
        raise UsageError(f"the account {sender} runs AtomicAccount already: nothing to do")
    draft = _Draft(chain, sender)
    draft.delegate(log)
    return draft.plan(log, None, sender)


def plan_change(chain: Chain, log: str, writer: str, sender: str, declaration: Declaration) -> Plan:
    """Make the chain follow a changed configuration: announce it, or activate what was announced long enough ago.

    Raises `UsageError` when there is nothing to do, or not yet, or not by this account.
    """
    found = standing(chain, log, writer)
    if found is None:
        raise UsageError(
            f"{writer} is not registered in the log {log}", hint="take [log] out of the file to deploy anew"
        )
    seq = _require_writer(chain, log, writer).seq + 1
    if found.active == declaration:
        raise UsageError("the chain has this configuration already: nothing to deploy")
    draft = _Draft(chain, sender)
    pending = found.pending
    if pending is not None and pending.declaration == declaration:
        now = chain.block().timestamp
        if now < pending.active_at:
            when = datetime.fromtimestamp(pending.active_at, UTC).isoformat(" ", "minutes")
            raise UsageError(f"announced already; the notice ends at {when}", hint="run this again then")
        draft.add(f"activate the announced configuration of {writer}", log, encode_activate(writer, seq))
    else:
        if sender != found.operator:
            raise UsageError(f"only the operator {found.operator} can announce a change, not {sender}")
        what = f"announce the configuration 0x{declaration.config_hash.hex()} of {writer}"
        draft.add(what, log, encode_announce(writer, seq, declaration))
    return draft.plan(log, None, writer)


def plan_succession(chain: Chain, log: str, old: str, new: str, sender: str) -> Plan:
    """Close the chain of `old`, and begin that of `new` with its last head. Raises `UsageError` when the log would not
    take it.
    """
    if old == new:
        raise UsageError("a writer cannot succeed itself", hint="--new names the writer that takes over")
    before, after = (_require_writer(chain, log, writer) for writer in (old, new))
    for writer in (old, new):
        operator, _ = chain.read(read_operator(log, writer))
        if operator != sender:
            raise UsageError(f"the operator of {writer} is {operator}, not {sender}: one account must be that of both")
    if after.seq:
        raise UsageError(
            f"{new} has entries already ({after.seq}): only a new chain can begin with the head of another",
            hint="register a new writer with `pnyx deploy`",
        )
    draft = _Draft(chain, sender)
    draft.add(
        f"close {old} with entry {before.seq + 1}, and begin {new} with its last head",
        log,
        encode_succeed(old, before.seq + 1, new),
    )
    return draft.plan(log, None, new)


def plan_remark(
    chain: Chain, log: str, writer: str, seq: int, verdict: RemarkVerdict, document_hash: bytes, uri: str, sender: str
) -> Plan:
    """Say something about an entry. Raises `UsageError` when there is no such entry."""
    _require_log(chain, log)
    entries = chain.read(read_state(log, writer)).seq
    if not 1 <= seq <= entries:
        raise UsageError(f"{writer} has no entry {seq}: its entries are numbered 1 to {entries}")
    draft = _Draft(chain, sender)
    what = f"remark about entry {seq} of {writer}: {verdict.name.lower()}"
    draft.add(what, log, encode_remark(writer, seq, verdict, document_hash, uri))
    return draft.plan(log, None, writer)


def carry_out(chain: Chain, plan: Plan, account: LocalAccount, progress: Callable[[str], None]) -> Deployed:
    """Send the plan. Each step must succeed, and each contract must have exactly our code, before the next is sent."""
    writer, start_block = plan.writer, 0
    for receipt in _receipts(chain, plan, account, progress):
        start_block = int(receipt["blockNumber"], 16)
        for log in parse_logs(receipt["logs"]):
            if log.topics[:1] == (GATE_CREATED_TOPIC,):
                writer = decode_gate_created(log).gate
    if not chain.read(read_state(plan.log, writer)).registered:
        raise DiffersError(f"{writer} is not registered in {plan.log}, though every transaction succeeded")
    return Deployed(log=plan.log, factory=plan.factory, writer=writer, start_block=start_block)


def _receipts(
    chain: Chain, plan: Plan, account: LocalAccount, progress: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    for step in plan.steps:
        progress(step.what)
        if step.creates is not None and find_place(chain, step.creates.name, step.creates.address).is_there:
            progress("there by now: somebody else was faster")
            continue
        yield _send(chain, step, account)
        if step.creates is not None and not find_place(chain, step.creates.name, step.creates.address).is_there:
            raise DiffersError(f"{step.what}: the transaction succeeded, and there is no code")
        if step.delegates_to is not None and atomic_log(chain, account.address) != plan.log:
            raise DiffersError(
                f"{step.what}: the transaction succeeded, and the account does not run that code",
                hint="does this chain know EIP-7702? Another transaction of the account in between undoes it as well",
            )


class _Draft:
    """A plan in the making."""

    def __init__(self, chain: Chain, sender: str) -> None:
        self._chain = chain
        self._sender = sender
        self._places: list[Place] = []
        self._steps: list[Step] = []

    def add(self, what: str, to: str, data: bytes, creates: Place | None = None) -> None:
        self._steps.append(Step(what, to, data, creates))

    def use(self, name: ContractName, named: str | None, *bound_to: str) -> str:
        """Its address. It is deployed when it is not there; what was named has to be there, and bound to the same."""
        place = find_place(self._chain, name, named or usual_address(name, *bound_to))
        self._places.append(place)
        if named and not place.is_there:
            raise UsageError(f"there is no {name} at {named} on chain {self._chain.chain_id()}")
        if named and bound_to and self._chain.read(read_factory_log(named)) != bound_to[0]:
            raise UsageError(f"the {name} {named} is bound to another log than {bound_to[0]}")
        if not place.is_there:
            _require_deployer(self._chain)
            self.add(f"deploy {name} at {place.address}", DEPLOYER, encode_deploy(name, *bound_to), place)
        return place.address

    def make_gate(self, wish: Wish, factory: str) -> None:
        operator = wish.operator or self._sender
        guardian = wish.guardian or operator
        data = encode_create_gate(
            operator, guardian, wish.signer, wish.delay_seconds, wish.notice_seconds, wish.declaration
        )
        self.add(f"make a gate (operator {operator}, guardian {guardian}, signer {wish.signer})", factory, data)

    def delegate(self, log: str) -> None:
        contract = self.use("AtomicAccount", None, log)
        what = f"delegate the account {self._sender} to AtomicAccount (EIP-7702)"
        self._steps.append(Step(what, self._sender, b"", delegates_to=contract))

    def register(self, wish: Wish, log: str) -> None:
        if self._chain.code(log) and self._chain.read(read_state(log, self._sender)).registered:
            raise UsageError(
                f"{self._sender} is registered in the log {log} already",
                hint="name that log as [log] address in the configuration: this command then makes the chain follow it",
            )
        operator = wish.operator or self._sender
        data = encode_register(operator, wish.notice_seconds, wish.declaration)
        self.add(f"register {self._sender} as a writer of the log (operator {operator})", log, data)

    def plan(self, log: str, factory: str | None, writer: str) -> Plan:
        limits = [self._gas(step) for step in self._steps]
        gas = sum(limits)
        beside = [
            data_fee_wei(self._chain, TransactionCall(step.to, step.data), limit)
            for step, limit in zip(self._steps, limits, strict=True)
        ]
        cost = gas * self._chain.fees().max_fee + sum(beside)
        return Plan(self._sender, tuple(self._places), tuple(self._steps), log, factory, writer, gas, cost)

    def _gas(self, step: Step) -> int:
        """A step that speaks of a contract which is not there yet would revert in an estimate."""
        missing = {place.address for place in self._places if not place.is_there and place != step.creates}
        if step.to in missing or any(bytes.fromhex(address[2:]) in step.data for address in missing):
            return USUAL_GAS
        return _gas_limit(self._chain, self._sender, step)


def _require_log(chain: Chain, log: str) -> None:
    if not find_place(chain, "DecisionLog", log).is_there:
        raise UsageError(
            f"there is no decision log at {log} on chain {chain.chain_id()}",
            hint="check the log's address, and that the RPC endpoint is one of the right chain",
        )


def _require_writer(chain: Chain, log: str, writer: str) -> WriterState:
    """The state of a writer that can write."""
    _require_log(chain, log)
    state = chain.read(read_state(log, writer))
    if not state.registered:
        raise UsageError(f"{writer} is not registered in the log {log}", hint="`pnyx deploy` registers a writer")
    if state.closed:
        raise UsageError(f"another writer succeeded {writer}: nothing is written for it any more")
    return state


def _require_deployer(chain: Chain) -> None:
    if chain.code(DEPLOYER) != DEPLOYER_CODE:
        raise UsageError(
            f"chain {chain.chain_id()} has no CREATE2 deployer at {DEPLOYER}, which puts our contracts at the same "
            "address on every chain",
            hint="put it there (docs/running.md, 'A chain without the deployer', has the transaction), or deploy the "
            "contracts in your own way and name them as --log and --factory",
        )


def _gas_limit(chain: Chain, sender: str, step: Step) -> int:
    to, extra = (ZERO_ADDRESS, DELEGATION_GAS) if step.delegates_to else (step.to, 0)
    call = {"from": sender, "to": to, "data": to_hex(step.data)}
    return (int(chain.request("eth_estimateGas", [call]), 16) + extra) * GAS_MARGIN_PERCENT // 100


def _send(chain: Chain, step: Step, account: LocalAccount) -> dict[str, Any]:
    fees = chain.fees()
    transaction: dict[str, Any] = {
        "type": 2,
        "chainId": chain.chain_id(),
        "nonce": chain.pending_nonce(account.address),
        "to": step.to,
        "value": 0,
        "data": step.data,
        "gas": _gas_limit(chain, account.address, step),
        "maxFeePerGas": fees.max_fee,
        "maxPriorityFeePerGas": fees.max_priority_fee,
    }
    if step.delegates_to is not None:
        transaction |= {"type": 4, "authorizationList": [_authorization(transaction, step.delegates_to, account)]}
    sent = chain.send_raw(bytes(account.sign_transaction(transaction).raw_transaction))
    receipt = _wait(chain, sent)
    if int(receipt["status"], 16) != 1:
        raise PnyxError(f"{step.what}: transaction 0x{sent.hex()} failed", hint="nothing after it was sent")
    return receipt


def _authorization(transaction: dict[str, Any], contract: str, account: LocalAccount) -> Any:  # noqa: ANN401 - eth_account's
    """The account authorizes itself: by then its own transaction has taken the nonce before."""
    return account.sign_authorization(
        {"chainId": transaction["chainId"], "address": contract, "nonce": transaction["nonce"] + 1}
    )


def _wait(chain: Chain, sent: bytes) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (receipt := chain.receipt(sent)) is None:
        if time.monotonic() > deadline:
            raise PnyxError(f"transaction 0x{sent.hex()} is not mined after {PATIENCE_SECONDS:.0f} s")
        time.sleep(0.2)
    return receipt
