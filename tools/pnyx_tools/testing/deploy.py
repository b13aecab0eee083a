"""Deploys whole governance systems and our own contracts on a local node: for tests, the demo and plugin authors.

Nothing here needs a key: the accounts of `Anvil` are unlocked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from eth_abi.abi import encode
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_contracts.addresses import delegation_to
from pnyx_contracts.errors import PnyxError, UsageError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile, builtin_adapters
from pnyx_contracts.selectors import selector_of
from pnyx_contracts.types import Call, Proposal, ProposalState, Vote
from pnyx_tools.detect import detect
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.wire import parse_logs

TOKEN: Final = 10**18
"""One whole governance token in its smallest units; also one ether in wei."""
DAY: Final = 86_400

Clock = Literal["block", "timestamp"]


@cache
def artifact(name: str) -> dict[str, Any]:
    """ABI and bytecode of a compiled contract that ships with Pnyx, ours or a sample for tests."""
    for package, folder in (("pnyx_tools", "testing/artifacts"), ("pnyx_contracts", "abi")):
        file = files(package).joinpath(f"{folder}/{name}.json")
        if file.is_file():
            found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            return found
    raise UsageError(f"no compiled contract called {name!r} ships with Pnyx")


def encode_call(signature: str, *arguments: object) -> bytes:
    """Calldata for a canonical signature without tuples: ``encode_call("transfer(address,uint256)", to, 1)``.

    A ``string`` may be given as bytes, so that a test can send what is not UTF-8.
    """
    types = signature[signature.index("(") + 1 : -1]
    kinds = ["bytes" if kind == "string" else kind for kind in types.split(",") if kind]
    given = [a.encode() if isinstance(a, str) and k == "bytes" else a for k, a in zip(kinds, arguments, strict=True)]
    return selector_of(signature) + encode(kinds, given)


def deploy(node: Anvil, name: str, *arguments: object, sender: str | None = None) -> str:
    """Deploys one contract by the name of its artifact; its address."""
    compiled = artifact(name)
    inputs: list[dict[str, Any]] = next(
        (item["inputs"] for item in compiled["abi"] if item["type"] == "constructor"), []
    )
    code = bytes.fromhex(compiled["bytecode"].removeprefix("0x"))
    receipt = node.send(None, code + encode([i["type"] for i in inputs], arguments), sender=sender)
    return str(to_checksum_address(receipt["contractAddress"]))


class Governance:
    """A governor, its token and its timelock on a local node. Made by `deploy_governance`."""

    def __init__(
        self,
        node: Anvil,
        governor: str,
        token: str,
        timelock: str,
        adapters: Sequence[GovernorAdapter] | None = None,
    ) -> None:
        self.node = node
        self.governor = governor
        self.token = token
        self.timelock = timelock
        self.adapter: GovernorAdapter
        self.profile: GovernorProfile
        self.adapter, self.profile = detect(node.rpc, governor, adapters or builtin_adapters())
        self.proposals: dict[int, Proposal] = {}
        """What was proposed through `propose`, by id."""

    # --- people ------------------------------------------------------------------------------------------------------

    def give_power(self, voter: str, tokens: int) -> None:
        """`voter`, a person or a contract, becomes the delegate of somebody who has so many whole tokens.

        Counts for proposals whose snapshot is later than the block that this mines.
        """
        holder = to_checksum_address(keccak(b"holder" + self.governor.encode() + voter.encode())[:20])
        self.node.set_balance(holder, TOKEN)
        self.node.impersonate(holder)
        self.node.send(self.token, encode_call("transfer(address,uint256)", holder, tokens * TOKEN))
        self.node.send(self.token, encode_call("delegate(address)", voter), sender=holder)
        self.node.mine()

    # --- the life of a proposal --------------------------------------------------------------------------------------

    def propose(
        self,
        targets: Sequence[str],
        values: Sequence[int],
        calldatas: Sequence[bytes],
        description: bytes | str,
        sender: str | None = None,
    ) -> int:
        """Opens a proposal and returns its id. The description may be any bytes."""
        text = description.encode() if isinstance(description, str) else description
        signature = "propose(address[],uint256[],bytes[],string)"
        data = encode_call(signature, list(targets), list(values), list(calldatas), text)
        return self.proposed(self.node.send(self.governor, data, sender=sender))

    def proposed(self, receipt: Mapping[str, Any]) -> int:
        """The id of the proposal that this transaction opened; a contract may have proposed it."""
        logs = parse_logs(receipt["logs"])
        created = [log for log in logs if log.topics[:1] == (self.adapter.created_topics()[0],)]
        if not created:
            code, block = self.node.rpc.code(self.governor), int(receipt["blockNumber"], 16)
            raise PnyxError(
                f"the governor {self.governor} told of no proposal: the transaction {receipt['transactionHash']} in "
                f"block {block} has {len(logs)} logs, and the governor {len(code)} bytes of code"
            )
        proposal = self.adapter.decode_created(self.profile, created[0])
        self.proposals[proposal.key.proposal_id] = proposal
        return proposal.key.proposal_id

    def state(self, proposal_id: int) -> ProposalState:
        return self.node.rpc.read(self.adapter.read_state(self.profile, proposal_id))

    def advance_to_active(self, proposal_id: int) -> None:
        """To the first moment at which votes count."""
        self._advance_past(self.node.rpc.read(self.adapter.read_snapshot(self.profile, proposal_id)))

    def advance_to_closed(self, proposal_id: int) -> None:
        """To the first moment at which votes count no more."""
        self._advance_past(self.node.rpc.read(self.adapter.read_deadline(self.profile, proposal_id)))

    def vote(self, proposal_id: int, vote: Vote, sender: str, reason: str = "") -> dict[str, Any]:
        """Votes from an unlocked account; the receipt."""
        call = self.adapter.encode_vote(self.profile, proposal_id, vote, reason)
        return self.node.send(call.to, call.data, sender=sender)

    def queue(self, proposal_id: int) -> None:
        self._act("queue", proposal_id)

    def execute(self, proposal_id: int) -> None:
        """Waits for the timelock's delay first."""
        delay = int.from_bytes(self.node.rpc.call(self.timelock, encode_call("getMinDelay()")), "big")
        self.node.increase_time(delay + 1)
        self._act("execute", proposal_id)

    def cancel(self, proposal_id: int, sender: str | None = None) -> None:
        """The proposer can, before the vote begins."""
        self._act("cancel", proposal_id, sender)

    def _act(self, verb: str, proposal_id: int, sender: str | None = None) -> None:
        proposal = self.proposals[proposal_id]
        calls: tuple[Call, ...] = proposal.calls
        data = encode_call(
            f"{verb}(address[],uint256[],bytes[],bytes32)",
            [call.target for call in calls],
            [call.value_wei for call in calls],
            [call.calldata for call in calls],
            keccak(proposal.description),
        )
        self.node.send(self.governor, data, sender=sender)

    def _advance_past(self, timepoint: int) -> None:
        head = self.node.rpc.block()
        if self.profile.clock_mode.value == "blocknumber":
            self.node.mine(max(0, timepoint + 1 - head.number))
        elif head.timestamp <= timepoint:
            self.node.request("evm_setNextBlockTimestamp", timepoint + 1)
            self.node.mine()


def deploy_governance(
    node: Anvil,
    version: Literal[4, 5] = 5,
    clock: Clock = "block",
    *,
    contract: str | None = None,
    voting_delay: int = 1,
    voting_period: int | None = None,
    threshold: int = 0,
    quorum_percent: int = 4,
    timelock_delay_seconds: int = 0,
    treasury_wei: int = 100 * TOKEN,
    powers: Mapping[str, int] | None = None,
    supply: int = 1_000_000,
) -> Governance:
    """A token, a timelock that holds the treasury, and a governor that is its only proposer (anybody may execute).

    `voting_delay` and `voting_period` are in units of the clock (default period: 50 blocks, or an hour). `contract`
    names another governor artifact with the same constructor. `powers` gives delegated whole tokens by voter; default:
    600,000, 300,000 and 50,000 of the 1,000,000 tokens for the first three accounts of the node. What nobody got stays,
    undelegated, with the first account.
    """
    suffix = {"block": "Block", "timestamp": "Timestamp"}[clock]
    first = node.accounts[0]
    token = deploy(node, f"VotesToken{suffix}", first, supply * TOKEN)
    timelock = deploy(node, f"Timelock{version}", timelock_delay_seconds, [], ["0x" + "00" * 20], first)
    period = voting_period or (50 if clock == "block" else 3600)
    name = contract or f"Governor{version}{suffix}"
    governor = deploy(node, name, token, timelock, voting_delay, period, threshold, quorum_percent)
    for role in (b"PROPOSER_ROLE", b"CANCELLER_ROLE"):
        node.send(timelock, encode_call("grantRole(bytes32,address)", keccak(role), governor))
    admin_role = keccak(b"TIMELOCK_ADMIN_ROLE") if version == 4 else bytes(32)
    node.send(timelock, encode_call("renounceRole(bytes32,address)", admin_role, first))
    node.set_balance(timelock, treasury_wei)
    governance = Governance(node, governor, token, timelock)
    if powers is None:
        powers = dict(zip(node.accounts, (600_000, 300_000, 50_000), strict=False))
    for voter, tokens in powers.items():
        governance.give_power(voter, tokens)
    return governance


def deploy_log(node: Anvil) -> str:
    """A `DecisionLog` of one's own, not the one at the usual address; its address."""
    return deploy(node, "DecisionLog")


def deploy_factory(node: Anvil, log: str) -> str:
    """A `VoteGateFactory` for a decision log; its address."""
    return deploy(node, "VoteGateFactory", log)


def delegate_account(node: Anvil, account: str, log: str) -> str:
    """Makes an account of the node run an `AtomicAccount` for `log`, as if it had delegated itself (EIP-7702); the
    contract's address. Only the account's key could do it by a transaction.
    """
    contract = deploy(node, "AtomicAccount", log)
    node.set_code(account, delegation_to(contract))
    return contract


@dataclass(frozen=True, slots=True)
class Gate:
    """A `VoteGate` with the log and the factory that it belongs to."""

    address: str
    log: str
    factory: str


def deploy_gate(
    node: Anvil,
    *,
    signer: str,
    governors: Sequence[str],
    config_hash: bytes,
    operator: str | None = None,
    guardian: str | None = None,
    delay_seconds: int = DAY,
    notice_seconds: int = DAY,
    evidence_uri: str = "",
    log: str | None = None,
    factory: str | None = None,
) -> Gate:
    """A gate that may vote on `governors`, from a factory (both log and factory are made when not given).

    Operator and guardian are the first account of the node unless told otherwise. Delegate power to `address`.
    """
    log = log or deploy_log(node)
    factory = factory or deploy_factory(node, log)
    signature = "create(address,address,address,uint32,uint32,(bytes32,address[],string))"
    kinds = ["address", "address", "address", "uint32", "uint32", "(bytes32,address[],string)"]
    first = node.accounts[0]
    configuration = (config_hash, list(governors), evidence_uri)
    parts = (operator or first, guardian or first, signer, delay_seconds, notice_seconds, configuration)
    receipt = node.send(factory, selector_of(signature) + encode(kinds, parts))
    made = [log_["topics"][1] for log_ in receipt["logs"] if log_["address"].lower() == factory.lower()]
    if len(made) != 1:
        raise PnyxError(f"the factory {factory} did not report one gate")
    return Gate(address=str(to_checksum_address("0x" + made[0][-40:])), log=log, factory=factory)
