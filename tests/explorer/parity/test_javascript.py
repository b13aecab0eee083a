"""The JavaScript by itself: its types, the vectors of the record format, its command."""

from __future__ import annotations

import json
import os
import re
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest
from tests.verify.javascript import VERIFIER, find_node

EXPLORER = VERIFIER.parent
COMMAND = VERIFIER / "cli.js"
VECTORS = files("pnyx_contracts").joinpath("vectors/record.json")


def run_node(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [find_node(), *arguments], cwd=EXPLORER, env=os.environ | environment,
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


def test_the_types_hold() -> None:
    compiler = EXPLORER / "node_modules/typescript/bin/tsc"
    done = run_node(str(compiler), "--project", "verifier")
    assert done.returncode == 0, done.stdout


def failing_vectors(file: Path) -> list[str]:
    """Names of the tests of vectors that fail with those of `file`."""
    reporter = ("--test-reporter=tap", f"--test-reporter-destination={file.with_suffix('.tap')}")
    done = run_node("--test", *reporter, "verifier/test/vectors.test.js", PNYX_VECTORS=str(file))
    told = file.with_suffix(".tap").read_text()
    passed = int(told.partition("# pass ")[2].split()[0])
    assert passed > 30, done.stderr
    return re.findall(r"^ *not ok \d+ - (.*)$", told, re.MULTILINE)


def test_the_vectors_of_the_record_format(tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    file.write_bytes(VECTORS.read_bytes())
    assert failing_vectors(file) == []


def test_changed_vectors_are_noticed(tmp_path: Path) -> None:
    vectors = json.loads(VECTORS.read_text())
    vectors["writer"]["entries"][-2]["head"] = "0x" + "ab" * 24
    for one in (vectors["bundles"]["opens"][0], vectors["disclosures"]["opens"][0]):
        one["text"] = one["text"].replace("Pays the auditors", "Pays the auditees")
    vectors["successor"]["entries"][0]["action"] = "0x" + "ab" * 32
    vectors["bundles"]["refused"][0]["text"] = vectors["bundles"]["opens"][1]["text"]
    file = tmp_path / "record.json"
    file.write_text(json.dumps(vectors))
    assert failing_vectors(file) == [
        "the heads of the writer",
        "the heads of the successor",
        "succession",
        "bundles that open, and what they withhold",
        "disclosures that open complete what the sealed bundle withholds",
        "bundles that are refused: another record",
    ]


def test_nothing_that_runs_in_a_browser_imports_node() -> None:
    for file in VERIFIER.glob("*.js"):
        if file.name not in {"cli.js", "command.js", "folder.js"}:
            text = file.read_text()
            assert "node:" not in text, file.name
            assert "./folder.js" not in text.replace("folderStore from ./folder.js", ""), file.name


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--rpc and --log are needed"),
        (["--rpc", "ws://example.org", "--log", "0x" + "00" * 20], "must be an http:// or https:// URL"),
        (["--rpc", "http://127.0.0.1:9/a-secret-key", "--log", "0x12"], "expected a 20-byte address"),
        (
            ["--rpc", "http://127.0.0.1:9", "--log", "0x" + "00" * 20, "--upto", "0x10"],
            "expected the number of a block",
        ),
        (["--rpc", "http://127.0.0.1:9", "--log", "0x" + "00" * 20, "--evidence", "/nowhere"], "there is no folder"),
        (["--frobnicate"], "frobnicate"),
    ],
)
def test_wrong_usage_is_one_clear_error(arguments: list[str], words: str) -> None:
    done = run_node(str(COMMAND), *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""


def test_a_node_that_is_not_there_keeps_the_secret_of_its_url() -> None:
    done = run_node(str(COMMAND), "--rpc", "http://127.0.0.1:9/a-secret-key", "--log", "0x" + "00" * 20)
    assert done.returncode == 3
    assert "cannot be reached" in done.stderr
    assert "a-secret-key" not in done.stderr
