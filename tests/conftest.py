"""Fixtures that every area shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REASON_NO_PROPOSALS = "ran without real proposals: set PNYX_PROPOSALS to a folder that has ens/*.json"


def pytest_report_header() -> str:
    folder = os.environ.get("PNYX_PROPOSALS")
    return f"real proposals: {folder}" if folder else f"real proposals: none ({REASON_NO_PROPOSALS})"


@pytest.fixture(scope="session")
def real_proposals() -> list[Path]:
    """Files of real proposals, in the format of `pnyx demo --proposals`."""
    folder = os.environ.get("PNYX_PROPOSALS")
    if not folder:
        pytest.skip(REASON_NO_PROPOSALS)
    files = sorted(Path(folder).glob("**/*.json"))
    assert files, f"PNYX_PROPOSALS={folder} has no JSON file"
    return files
