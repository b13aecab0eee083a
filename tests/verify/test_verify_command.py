"""``pnyx verify`` as people type it: what it says first, and its exit code."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest

from pnyx_contracts.types import Vote
from pnyx_policies.verify import Status, Step


def verify(world, *options, rpc=None, log=None):
    command = [sys.executable, "-m", "pnyx_agents", "verify", "--rpc", rpc or world.node.url, "--log", log or world.log]
    world.folder.mkdir(exist_ok=True)
    place = ["--evidence", world.folder, "--upto", "latest"]
    return subprocess.run([*command, *place, *options], capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def sealed(world):
    """One honest vote."""
    return world.plain_key().act(world.blocks, world.open_proposal())


@pytest.mark.usefixtures("sealed")
def test_0_when_all_holds(world):
    ended = verify(world)
    assert (ended.returncode, ended.stdout.splitlines()[0][:6]) == (0, "HOLDS:"), ended.stderr
    report = json.loads(verify(world, "--json").stdout)
    assert report["ok"] is True


@pytest.mark.usefixtures("sealed")
def test_1_when_something_differs(world):
    agent = world.agent()
    agent.cast(world.blocks, world.blocks.proposals[world.open_proposal()].key, Vote.FOR)
    ended = verify(world)
    assert (ended.returncode, ended.stdout.splitlines()[0]) == (1, "DOES NOT HOLD: 1 problem(s) found."), ended.stderr


def test_1_when_something_is_not_proven(world, sealed):
    file = world.bundle_file(sealed.bundle.record_root)
    raw = json.loads(file.read_text())
    del raw["fields"]["decision"], raw["salts"]["decision"]
    file.write_text(json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
    ended = verify(world)
    assert (ended.returncode, ended.stdout.splitlines()[0][:11]) == (1, "NOT PROVEN:"), ended.stderr
    report = json.loads(verify(world, "--json").stdout)
    assert report["ok"] is False
    assert report["counts"]["differs"] == report["counts"]["missing"] == 0
    unproven = [v for w in report["writers"] for v in w["verdicts"] if v["status"] == Status.NOT_PROVEN.value]
    assert {v["reason"] for v in unproven} == {"the record withholds decision"}
    assert Step.DECISION in {v["step"] for v in unproven}


@pytest.mark.usefixtures("sealed")
def test_2_when_there_is_no_log_at_the_address(world):
    ended = verify(world, log=world.RECIPIENT)
    assert ended.returncode == 2
    assert "there is no contract at" in ended.stderr
    assert verify(world, "--upto", "yesterday").returncode == 2


@pytest.mark.usefixtures("sealed")
def test_2_when_there_is_no_such_folder_of_evidence(world):
    for place in (world.folder / "misspelled", (world.folder / "misspelled").as_uri()):
        ended = verify(world, "--evidence", place)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert f"there is no folder {world.folder / 'misspelled'}" in ended.stderr


def test_3_when_the_chain_cannot_be_read(world):
    with socket.socket() as closed:  # bound and never listened at: nobody else takes the port, and nobody answers
        closed.bind(("127.0.0.1", 0))
        ended = verify(world, rpc=f"http://127.0.0.1:{closed.getsockname()[1]}")
    assert ended.returncode == 3
    assert "cannot be reached" in ended.stderr
    assert ended.stdout == ""


@pytest.mark.usefixtures("sealed")
def test_3_when_the_evidence_that_was_named_cannot_be_read(world):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        ended = verify(world, "--evidence", f"http://127.0.0.1:{closed.getsockname()[1]}")
    assert ended.returncode == 3
    assert "try: is that server up" in ended.stderr
    assert ended.stdout == ""


@pytest.mark.usefixtures("sealed")
def test_every_verdict_goes_into_the_file(world, tmp_path):
    file = tmp_path / "verdicts.jsonl"
    report = json.loads(verify(world, "--json", "--verdicts", file).stdout)
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == sum(report["counts"].values())
    assert {line["chain_id"] for line in lines} == {31337}
    assert {line["step"] for line in lines} >= {1, 2, 3, 9, 20}


@pytest.mark.usefixtures("sealed")
def test_the_log_alone_needs_no_evidence(world):
    report = json.loads(verify(world, "--json", "--log-only").stdout)
    assert (report["ok"], report["without_evidence"]) == (True, True)
    assert "Steps 9 to 20 were left out" in verify(world, "--log-only").stdout


@pytest.mark.usefixtures("sealed")
def test_a_trusted_block_hash_is_typed_in_hex(world):
    block = "0x" + world.node.rpc.block().hash.hex()
    ended = verify(world, "--block-hash", block)
    assert ended.returncode == 0, ended.stderr
    ended = verify(world, "--block-hash", block[:-2])
    assert (ended.returncode, "expected 32 bytes in 0x hex" in ended.stderr) == (2, True)
    ended = verify(world, "--block-hash", block, "--rpc", world.node.url)
    assert (ended.returncode, "belongs to one chain" in ended.stderr) == (2, True)
