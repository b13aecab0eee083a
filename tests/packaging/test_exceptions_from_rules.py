"""Who steps out of lint or types says why, on the same line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("agents", "tools", "policies", "contracts/pnyx_contracts", "tests", "benchmarks")
STEPS_OUT = re.compile(r"# (noqa|type: ignore)\b")
WITH_REASON = re.compile(r"# noqa: [A-Z0-9, ]+ - \S|# type: ignore\[[a-z, -]+\]  # \S")


def unexplained(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if STEPS_OUT.search(line) and not WITH_REASON.search(line))


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_exception_says_why(folder: str) -> None:
    files = [file for file in (ROOT / folder).rglob("*.py") if file != Path(__file__)]
    assert files
    assert [(file.name, line) for file in files for line in unexplained(file.read_text(encoding="utf-8"))] == []


def test_an_exception_without_a_reason_is_found() -> None:
    silent = ["x = f()  # noqa: S101", "x = f()  # type: ignore[arg-type]", "x = f()  # noqa"]
    explained = ["x = f()  # noqa: S101 - why", "x = f()  # type: ignore[arg-type]  # why", "x = f()"]
    assert list(unexplained("\n".join([*silent, *explained]))) == silent
