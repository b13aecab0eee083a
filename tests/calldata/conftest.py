from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def cast() -> str:
    """Foundry's `cast`: an independent implementation of ABI coding."""
    found = sorted((ROOT / "contracts" / "node_modules").glob("@foundry-rs/cast-*/bin/cast"))
    if not found:
        pytest.skip("needs contracts/node_modules (npm ci in contracts/)")
    return str(found[0])
