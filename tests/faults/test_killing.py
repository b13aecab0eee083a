"""Where an agent can be killed, and that it dies there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pnyx_contracts.errors import UsageError
from pnyx_tools.testing.faults import killing
from pnyx_tools.testing.faults.killing import WINDOWS, Kill, find

VICTIM = """
from pnyx_tools.journal import Journal
journal = Journal("sqlite:///" + __import__("sys").argv[1])
for number in (1, 2, 3):
    print("before", number, flush=True)
    journal.save("charged:somebody", "content")
    print("after", number, flush=True)
"""


def kill_at(where: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "victim.py").write_text(VICTIM)
    return subprocess.run(
        [sys.executable, "-m", killing.__name__, "--at", where, "victim", str(folder / "journal.sqlite")],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(folder)},
    )  # fmt: skip


@pytest.mark.parametrize("name", WINDOWS)
def test_each_window_is_a_function_of_the_program(name: str) -> None:
    assert callable(find(WINDOWS[name].path)[2])


@pytest.mark.parametrize(
    "path", ["pnyx_tools.journal:Journal.gone", "pnyx_tools.journal:Gone.save", "pnyx_tools.gone:x"]
)
def test_a_window_that_is_gone_is_named(path: str) -> None:
    with pytest.raises(UsageError, match=path):
        find(path)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("outbox.charged:before:1", ["before 1"]),
        ("outbox.charged:after:1", ["before 1"]),
        ("outbox.charged:before:2", ["before 1", "after 1", "before 2"]),
    ],
)
def test_it_dies_at_the_call_that_was_chosen(tmp_path: Path, where: str, said: list[str]) -> None:
    ended = kill_at(where, tmp_path)
    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout.splitlines() == said


def test_after_a_call_what_it_did_is_there(tmp_path: Path) -> None:
    from pnyx_tools.journal import Journal

    assert kill_at("outbox.charged:before:1", tmp_path).returncode == -signal.SIGKILL
    journal = Journal(f"sqlite:///{tmp_path / 'journal.sqlite'}")
    assert journal.load("charged:somebody") is None
    assert kill_at("outbox.charged:after:1", tmp_path).returncode == -signal.SIGKILL
    assert journal.load("charged:somebody") == "content"


def test_calls_that_do_not_say_the_word_are_survived(tmp_path: Path) -> None:
    ended = kill_at("outbox.spending:before:1", tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "after 3"


@pytest.mark.parametrize("text", ["nowhere:before:1", "chain.send:during:1", "chain.send:after:soon", "chain.send"])
def test_wrong_places_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=text):
        Kill.parse(text)
