"""The worlds of tests/verify, in which every check is made twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.explorer.parity.twice import Twice, once_more

globals().update(once_more("conftest"))  # their fixtures; `world` is ours


@pytest.fixture
def world(chain: Any, tmp_path: Path) -> Iterator[Twice]:
    node, log, blocks, seconds = chain
    snapshot = node.snapshot()
    with ExitStack() as servers:
        yield Twice(node, log, blocks, seconds, tmp_path / "evidence", servers)
    node.revert(snapshot)
