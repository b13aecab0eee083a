"""The JavaScript by itself: its types, the vectors of the record format; and that the comparison can fail."""

from __future__ import annotations

import subprocess

import pytest
from tests.explorer.parity.twice import COMMAND, ROOT, node

EXPLORER = ROOT / "explorer"


def run_node(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([node(), *arguments], cwd=EXPLORER, capture_output=True, text=True, timeout=240, check=False)


def test_the_types_hold() -> None:
    compiler = EXPLORER / "node_modules/typescript/bin/tsc"
    if not compiler.exists():
        pytest.skip("needs TypeScript: run `npm ci --ignore-scripts` in explorer/")
    done = run_node(str(compiler), "--project", "verifier")
    assert done.returncode == 0, done.stdout


def test_the_vectors_of_the_record_format() -> None:
    done = run_node("--test", "verifier/test/vectors.test.js")
    assert done.returncode == 0, done.stdout


def test_nothing_that_runs_in_a_browser_imports_node() -> None:
    for file in (EXPLORER / "verifier").glob("*.js"):
        if file.name not in {"cli.js", "folder.js"}:
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


def test_the_comparison_does_notice(world) -> None:
    agent = world.plain_key()
    agent.act(world.blocks, world.open_proposal())
    report = world.check()
    code, verdicts, theirs = world.elsewhere(None, {})
    world.compare(report, code, verdicts, theirs)
    other = [{**verdict, "status": "differs"} if verdict["step"] == 20 else verdict for verdict in verdicts]
    with pytest.raises(AssertionError):
        world.compare(report, code, other, theirs)
    with pytest.raises(AssertionError):
        world.compare(report, code, verdicts[:-1], theirs)
    with pytest.raises(AssertionError):
        world.compare(report, 1, verdicts, theirs)
