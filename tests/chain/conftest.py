"""A real node, and an endpoint in front of it that misbehaves on demand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance, deploy_governance
from pnyx_tools.testing.provider import Provider


@pytest.fixture(scope="session")
def chain_node() -> Iterator[Anvil]:
    with Anvil() as node:
        yield node


@pytest.fixture
def governance() -> Iterator[Governance]:
    with Anvil() as node:
        yield deploy_governance(node)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as found:
        yield found


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries happen at once."""
    monkeypatch.setattr("pnyx_tools.transport.BACKOFF_SECONDS", (0.0, 0.0, 0.0))
