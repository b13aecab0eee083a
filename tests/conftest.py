"""Fixtures that every area shares."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from pnyx_tools.shallow import shallow

with shallow():
    import eth_account  # noqa: F401 - tests import it as they like, after this

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from pnyx_tools.journal import Journal
    from pnyx_tools.testing.postgres import Postgres

# How long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for one file of tests: Playwright's event loop would stand in the way of others. Who tests no page
    needs no Playwright.
    """
    from playwright.sync_api import sync_playwright

    from .chromium import NOT_FOUND, find_chromium

    chromium = find_chromium()
    if chromium is None:
        pytest.fail(NOT_FOUND)
    with sync_playwright() as playwright:
        opened = chromium.launch(playwright)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this run alone."""
    from pnyx_tools.testing.postgres import run_postgres

    with run_postgres() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'journal.sqlite'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def journal(database_url: str) -> Iterator[Journal]:
    """An empty one in each kind of database."""
    from pnyx_tools.journal import Journal

    journal = Journal(database_url)
    yield journal
    journal.close()
