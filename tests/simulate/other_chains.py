"""A DAO at home and two chains that its messages go to, one node for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pnyx_contracts.chains import (
    ARBITRUM,
    OP_MAINNET,
)
from pnyx_contracts.messages import alias
from pnyx_contracts.types import Call
from pnyx_policies.checks import (
    Check,
    CheckView,
)
from pnyx_policies.context import FarRun, OtherChains, read_context
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Severity
from pnyx_tools.gather import gather_facts
from pnyx_tools.pinned import PinnedReader
from pnyx_tools.reader import ChainReader
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance, artifact, deploy, encode_call

ARBITRUM_INBOX = "0x4Dbd4fc535Ac27206064B68FfCf827b0A60BAB3f"
L1_MESSENGER = "0x25ace71c97B33Cc4729CF772ae268934F7ab5fA1"
OP_PORTAL = "0xbEb5Fc579115071764c7423A4f12eDde41f106Ed"
THIEF = "0x00000000000000000000000000000000000B0b5E"
ARBSYS = "0x0000000000000000000000000000000000000064"
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


def put_code(node: Anvil, address: str, name: str) -> None:
    node.set_code(address, bytes.fromhex(artifact(name)["deployedBytecode"][2:]))


def store_on(node: Anvil, owner: str) -> str:
    implementation = deploy(node, "ParameterStore")
    return deploy(node, "ParameterStoreProxy", implementation, encode_call("initialize(address,uint256)", owner, 42))
