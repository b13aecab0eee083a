"""What the signer refused stays known, also while it runs and after it ended."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pnyx_agents.cli.main import main
from pnyx_contracts.errors import RefusedError, UsageError
from pnyx_contracts.types import to_hex
from pnyx_tools.signer import refusals
from pnyx_tools.signer.client import SignerClient
from pnyx_tools.signer.memory import Memory
from pnyx_tools.signer.process import _bookkeeper, spawn
from pnyx_tools.signer.protocol import Again, NotYetError, Refusal, parse_reply
from pnyx_tools.signer.refusals import Refused, read_refusals

from .parliament import STRANGER, Parliament
from .serving import Parrot, Serving, keystore_of, raw


def test_a_refusal_is_kept_with_what_it_was_about(gate: Parliament) -> None:
    with spawn(gate.settings, keystore_of(gate)) as child:
        held = gate.dossier(gate.open(to=STRANGER))
        with pytest.raises(RefusedError):
            child.client.sign(gate.ask_vote(held))
        running = read_refusals(gate.settings.memory)
    assert running == read_refusals(gate.settings.memory)
    (refused,) = running
    assert refused.request == "sign-vote"
    assert refused.proposal == str(held.proposal.key)
    assert refused.record_root == to_hex(gate.case(held).roots.record_root)
    assert refused.reason.startswith("the rules give no vote here")
    assert refused.again is Again.NEVER


def test_every_refusal_is_heard_of_also_of_what_was_no_request(tmp_path: Path) -> None:
    heard: list[tuple[Any, Refusal]] = []
    path = tmp_path / "run" / "signer.sock"

    def not_yet(_request: Any) -> None:
        raise NotYetError("in a moment")

    with Serving(Parrot(not_yet), path, on_refusal=lambda request, refusal: heard.append((request, refusal))):
        with pytest.raises(NotYetError):
            SignerClient(path).identity()
        assert isinstance(parse_reply(raw(path, b"\x00\x00\x00\x02{}")), Refusal)
    assert [Refused.of(request, refusal, 7) for request, refusal in heard] == [
        Refused(at=7, request="hello", proposal="", record_root="", reason="in a moment", again=Again.SOON),
        Refused(at=7, request="unreadable", proposal="", record_root="", reason=heard[1][1].reason, again=Again.NEVER),
    ]


def refused(reason: str, again: Again = Again.NEVER) -> Refused:
    return Refused(at=1_800_000_000, request="sign-vote", proposal="p", record_root="r", reason=reason, again=again)


def test_a_node_that_lags_pushes_out_no_refusal_that_matters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "KEPT", 3)
    memory = Memory(tmp_path / "memory.db")
    memory.remember_refusal(refused("it matters"))
    for number in range(9):
        memory.remember_refusal(refused(f"lag {number}", Again.SOON))
    memory.close()
    kept = [found.reason for found in read_refusals(tmp_path / "memory.db")]
    assert kept == ["it matters", "lag 6", "lag 7", "lag 8"]


def test_a_refusal_is_never_rewritten(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory.db")
    memory.remember_refusal(refused("as it was"))
    memory.close()
    with sqlite3.connect(tmp_path / "memory.db") as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute("UPDATE refusal SET reason = 'another'")


def test_a_memory_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no signer's memory"):
        read_refusals(tmp_path / "nothing.db")
    (tmp_path / "text.db").write_text("no database " * 100)
    with pytest.raises(UsageError, match="cannot be read"):
        read_refusals(tmp_path / "text.db")


@pytest.fixture
def told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """`pnyx refusals` over a memory with two of them."""
    (tmp_path / "pnyx.toml").write_text(
        '[agent]\nname = "a"\n[chain]\nrpc = "http://127.0.0.1:1"\nchain_id = 1\n'
        f'[[governor]]\naddress = "{STRANGER}"\nstart_block = 0\n'
    )
    memory = Memory(tmp_path / "data" / "signer.sqlite")
    memory.remember_refusal(refused("a stranger's \x1b[2J words"))
    memory.remember_refusal(refused("the node lags", Again.SOON).model_copy(update={"proposal": ""}))
    memory.close()

    def tell(*options: str) -> str:
        main(["refusals", "-c", str(tmp_path / "pnyx.toml"), *options])
        return capsys.readouterr().out

    return tell


def test_what_is_asked_again_and_again_is_shown_once(told: Callable[..., str], tmp_path: Path) -> None:
    memory = Memory(tmp_path / "data" / "signer.sqlite")
    for minutes in range(1, 40):
        lags = refused("the node lags", Again.SOON)
        memory.remember_refusal(lags.model_copy(update={"proposal": "", "at": lags.at + 60 * minutes}))
    memory.close()
    shown = told()
    assert shown.count("the node lags") == 1
    assert "2027-01-15 08:00:00 UTC and 39 times more until 2027-01-15 08:39:00 UTC  sign-vote (asked again" in shown


def test_the_command_shows_them_to_people(told: Callable[..., str]) -> None:
    shown = told()
    assert "2027-01-15 08:00:00 UTC  sign-vote: a stranger's" in shown
    assert "proposal p, record r" in shown
    assert "sign-vote (asked again soon): the node lags\n  no proposal that could be read" in shown
    assert "\x1b" not in shown


def test_the_command_speaks_json(told: Callable[..., str]) -> None:
    first, second = json.loads(told("--json"))
    assert first["proposal"] == "p"
    assert (second["reason"], second["again"]) == ("the node lags", "soon")


def test_a_full_disk_does_not_turn_a_refusal_into_something_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    memory = Memory(tmp_path / "memory.db")
    write_down = _bookkeeper(memory)
    memory._connection.execute("PRAGMA max_page_count = 1")
    for _ in range(50):
        write_down(None, Refusal(reason="x" * 1000))
    memory.close()
    assert "a refusal is not remembered: database or disk is full" in caplog.text
