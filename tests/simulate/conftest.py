from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from eth_hash.auto import keccak

from pnyx_contracts.chains import ARBITRUM, OP_MAINNET, OP_MESSENGER
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance, deploy, deploy_governance, encode_call
from pnyx_tools.testing.provider import Provider, Question, Reply, error

from .other_chains import ARBITRUM_INBOX, L1_MESSENGER, OP_PORTAL, TAKES_ANYTHING, Chains, put_code


@pytest.fixture(scope="session")
def _nodes() -> Iterator[dict[str, tuple[Anvil, Governance]]]:
    running: dict[str, tuple[Anvil, Governance]] = {}
    yield running
    for node, _ in running.values():
        node.stop()


def _governance(nodes: dict[str, tuple[Anvil, Governance]], name: str, **options: object) -> Iterator[Governance]:
    if name not in nodes:
        node = Anvil().start()
        nodes[name] = (node, deploy_governance(node, **options))
    node, governance = nodes[name]
    before = node.snapshot()
    yield governance
    node.revert(before)
    governance.proposals.clear()


@pytest.fixture
def dao(_nodes: dict[str, tuple[Anvil, Governance]]) -> Iterator[Governance]:
    """OpenZeppelin 5 with a timelock; every test starts from the same state."""
    yield from _governance(_nodes, "5", version=5)


@pytest.fixture
def dao4(_nodes: dict[str, tuple[Anvil, Governance]]) -> Iterator[Governance]:
    """OpenZeppelin 4.9 with a timelock."""
    yield from _governance(_nodes, "4", version=4)


@pytest.fixture
def clocked(_nodes: dict[str, tuple[Anvil, Governance]]) -> Iterator[Governance]:
    """OpenZeppelin 5 that counts seconds."""
    yield from _governance(_nodes, "5-time", version=5, clock="timestamp")


@pytest.fixture
def store(dao: Governance) -> str:
    """A proxied ParameterStore that belongs to the timelock."""
    implementation = deploy(dao.node, "ParameterStore")
    initialize = encode_call("initialize(address,uint256)", dao.timelock, 42)
    return deploy(dao.node, "ParameterStoreProxy", implementation, initialize)


PROPOSER_ROLE = keccak(b"PROPOSER_ROLE")


@pytest.fixture
def half(dao: Governance) -> Callable[..., Provider]:
    """``with half("eth_simulateV1") as node:`` a node without that method."""

    def without(*missing: str) -> Provider:
        def rule(question: Question) -> Reply | None:
            method = question["method"]
            return error(question, -32601, f"the method {method} does not exist") if method in missing else None

        return Provider(dao.node.url, rule)

    return without


@pytest.fixture(scope="module")
def _chains() -> Iterator[Chains]:
    with Anvil(chain_id=1) as home, Anvil(chain_id=ARBITRUM) as arbitrum, Anvil(chain_id=OP_MAINNET) as op:
        for bridge in (ARBITRUM_INBOX, L1_MESSENGER, OP_PORTAL):
            home.set_code(bridge, TAKES_ANYTHING)
        put_code(op, OP_MESSENGER, "OpMessenger")
        yield Chains(deploy_governance(home), arbitrum, op)


@pytest.fixture
def chains(_chains: Chains) -> Iterator[Chains]:
    nodes = (_chains.dao.node, _chains.arbitrum, _chains.op)
    before = [node.snapshot() for node in nodes]
    yield _chains
    for node, state in zip(nodes, before, strict=True):
        node.revert(state)
    _chains.dao.proposals.clear()
