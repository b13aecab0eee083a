"""``pnyx audit`` as people type it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pnyx_contracts.types import Vote, to_hex
from pnyx_policies.disclosure import disclose, parse_parts
from pnyx_tools.testing.decisions import LocalAgent

from .conftest import World


def audit(world: World, *options: object, rpc: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pnyx_agents", "audit", "--rpc", rpc or world.node.url, "--log", world.log]
    world.folder.mkdir(exist_ok=True)
    place = ["--evidence", str(world.folder), "--upto", "latest"]
    return subprocess.run(
        [*command, *place, *map(str, options)], capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture
def agent(world: World) -> LocalAgent:
    """One honest vote."""
    agent = world.plain_key()
    agent.act(world.blocks, world.open_proposal())
    return agent


def test_0_when_all_holds(world: World, agent: LocalAgent, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ended = audit(world, "--out", out, "--page", "https://example.org/explorer/")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[0] == f"1 decisions of 1 agent(s): {out / 'report.html'}"
    assert sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()) == [
        f"feeds/{agent.writer}.atom", f"feeds/{agent.writer}.json", "report.html", "report.json",
    ]  # fmt: skip
    assert world.node.url not in (out / "report.html").read_text(encoding="utf-8"), "an endpoint may hold a key"
    assert world.node.url not in (out / "report.json").read_text(encoding="utf-8")


def test_json_is_the_report_and_nothing_else(world: World, agent: LocalAgent, tmp_path: Path) -> None:
    ended = audit(world, "--json", "--writer", agent.writer)
    assert ended.returncode == 0, ended.stderr
    report: Any = json.loads(ended.stdout)
    assert (report["format"], report["check"]["ok"]) == ("pnyx.audit.v1", True)
    both = audit(world, "--json", "--out", tmp_path / "out")
    assert both.stdout == (tmp_path / "out" / "report.json").read_text(encoding="ascii")


def test_1_when_something_differs(world: World, agent: LocalAgent, tmp_path: Path) -> None:
    agent.cast(world.blocks, world.blocks.proposals[world.open_proposal()].key, Vote.FOR)
    ended = audit(world, "--out", tmp_path / "out")
    assert ended.returncode == 1
    assert "1 missing" in ended.stdout


@pytest.mark.usefixtures("agent")
def test_a_period_and_prices(world: World, tmp_path: Path) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text('currency = "USD"\n')
    report = json.loads(audit(world, "--json", "--until", "2001-01-01", "--prices", prices).stdout)
    assert report["period"] == {"since": None, "until": {"block": None, "time": 978_393_599}}
    assert report["currency"] == "USD"
    assert report["agents"][0]["decisions"] == []


def test_disclosures(world: World, tmp_path: Path) -> None:
    sealing = world.plain_key(sealed=("rules",))
    sealed = sealing.act(world.blocks, world.open_proposal())
    file, out, root = tmp_path / "rules.json", tmp_path / "out", to_hex(sealed.bundle.record_root)
    file.write_bytes(disclose(sealed.bundle, parse_parts("rules")).to_bytes())
    ended = audit(world, "--out", out, "--disclosure", file)
    assert (ended.returncode, ended.stderr) == (0, "")
    report = json.loads((out / "report.json").read_text(encoding="ascii"))
    assert report["disclosures"] == [root]
    (decision,) = report["agents"][0]["decisions"]
    assert (decision["story"]["fired"], decision["story"]["disclosed"]) == (["calm"], ["rules"])
    assert "opened for this report" in (out / "report.html").read_text(encoding="utf-8")
    outside = audit(world, "--out", out, "--disclosure", file, "--until", "2001-01-01")
    assert outside.stderr == f"note: the disclosure of the record {root} opens nothing in this period\n"
    file.write_bytes(file.read_bytes().replace(b'"calm"', b'"balm"'))
    changed = audit(world, "--out", out, "--disclosure", file)
    assert (changed.returncode, "changed: the disclosure" in changed.stderr) == (1, True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "nobody said where the report goes"),
        (["--json", "--since", "soon"], "'soon' is no date and no block"),
        (["--json", "--since", "2026-03-02", "--until", "2026-03-01"], "ends (2026-03-01) before it begins"),
        (["--json", "--page", "javascript:alert(1)"], "expected an http(s) address"),
        (["--json", "--page", "https://example.org/#/x/y"], "only the endpoint may stand"),
        (["--json", "--prices", "nowhere.toml"], "nowhere.toml: No such file or directory"),
        (["--json", "--upto", "yesterday"], "is no block"),
    ],
)
def test_2_for_wrong_usage(world: World, options: list[str], words: str) -> None:
    ended = audit(world, *options)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert words in (json.loads(ended.stderr)["message"] if "--json" in options else ended.stderr)


def test_3_when_the_chain_cannot_be_read(world: World, tmp_path: Path) -> None:
    with socket.socket() as closed:  # bound and never listened at
        closed.bind(("127.0.0.1", 0))
        ended = audit(world, "--out", tmp_path / "out", rpc=f"http://127.0.0.1:{closed.getsockname()[1]}")
    assert ended.returncode == 3
    assert "cannot be reached" in ended.stderr
    assert not (tmp_path / "out").exists()


def test_the_log_of_a_period(world: World, agent: LocalAgent) -> None:
    agent.act(world.blocks, world.open_proposal())
    command = [sys.executable, "-m", "pnyx_agents", "log", "--rpc", world.node.url, "--log", world.log, "--json"]

    def listed(*options: object) -> list[dict[str, Any]]:
        ended = subprocess.run([*command, *map(str, options)], capture_output=True, text=True, check=True, timeout=120)
        entries: list[dict[str, Any]] = json.loads(ended.stdout)["entries"]
        return entries

    first, second = listed()
    assert listed("--until", first["block_number"]) == [first]
    assert listed("--since", second["block_number"]) == [second]
    assert listed("--since", "2001-01-01", "--until", "2001-12-31") == []
