"""What the tests of the signer share: nodes, and parliaments on them that begin anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pnyx_tools.signer.settings import WriterKind
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import deploy_log

from .parliament import Parliament, found_parliament
from .senders import World


@pytest.fixture(scope="module")
def signer_node() -> Iterator[Anvil]:
    """One for each file: reviews look at other proposals that are live, so what they see rests on the file alone."""
    with Anvil() as node:
        yield node


@pytest.fixture(scope="module")
def founded() -> dict[str, Parliament]:
    """What was deployed already. Tests share contracts and never a proposal, a memory or an outbox."""
    return {}


@pytest.fixture
def found(signer_node: Anvil, founded: dict[str, Parliament], tmp_path: Path) -> Iterator[Callable[..., Parliament]]:
    """A parliament of the wanted kind, with a signer that remembers nothing."""
    made: list[Parliament] = []

    def find(**wishes: Any) -> Parliament:
        known = str(sorted(wishes.items(), key=str))
        if known not in founded:
            founded[known] = found_parliament(signer_node, tmp_path, **wishes)
        old = founded[known]
        places = {"socket": tmp_path / "run" / "signer.sock", "memory": tmp_path / "memory.db"}
        made.append(
            Parliament(
                signer_node,
                old.governance,
                old.key,
                old.secret,
                old.settings.model_copy(update=places),
                tmp_path,
                old.safe,
                _titles=old._titles,
            )
        )
        return made[-1]

    yield find
    signer_node.request("evm_setAutomine", True)
    signer_node.mine()
    for parliament in made:
        parliament.close()


@pytest.fixture(params=list(WriterKind), ids=lambda kind: kind.value)
def parliament(request: pytest.FixtureRequest, found: Callable[..., Parliament]) -> Parliament:
    return found(kind=request.param)


@pytest.fixture
def gate(found: Callable[..., Parliament]) -> Parliament:
    return found(kind=WriterKind.GATE)


@pytest.fixture
def atomic(found: Callable[..., Parliament]) -> Parliament:
    return found(kind=WriterKind.ATOMIC)


@pytest.fixture
def plain(found: Callable[..., Parliament]) -> Parliament:
    return found(kind=WriterKind.PLAIN_KEY)


# --- senders ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def node_with_log() -> Iterator[tuple[Anvil, str]]:
    with Anvil() as node:
        yield node, deploy_log(node)


@pytest.fixture
def world(node_with_log: tuple[Anvil, str]) -> Iterator[World]:
    made = World(*node_with_log)
    yield made
    made.automine(True)
    made.node.mine()
