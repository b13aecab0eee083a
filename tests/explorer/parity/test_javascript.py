"""The JavaScript by itself: its types, the vectors of the record format, its command."""

from __future__ import annotations

import subprocess

import pytest
from tests.verify.javascript import VERIFIER, find_node

EXPLORER = VERIFIER.parent
COMMAND = VERIFIER / "cli.js"


def run_node(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [find_node(), *arguments], cwd=EXPLORER, capture_output=True, text=True, timeout=240, check=False
    )


def test_the_types_hold() -> None:
    compiler = EXPLORER / "node_modules/typescript/bin/tsc"
    done = run_node(str(compiler), "--project", "verifier")
    assert done.returncode == 0, done.stdout


def test_the_vectors_of_the_record_format() -> None:
    done = run_node("--test", "verifier/test/vectors.test.js")
    assert done.returncode == 0, done.stdout


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
