from __future__ import annotations

from collections.abc import Iterator

import pytest

from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy_governance, encode_call


@pytest.fixture(scope="module")
def _started() -> Iterator[Governance]:
    with Anvil() as node:
        dao = deploy_governance(node)
        node.send(dao.token, encode_call("transfer(address,uint256)", dao.timelock, 1_000 * TOKEN))
        yield dao


@pytest.fixture
def dao(_started: Governance) -> Iterator[Governance]:
    """A governor with a timelock that holds coin and tokens; every test starts from the same state."""
    before = _started.node.snapshot()
    yield _started
    _started.node.revert(before)
    _started.proposals.clear()
