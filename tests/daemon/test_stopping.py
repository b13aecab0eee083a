"""People stop an agent, or its signer, and let it go on."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

from eth_account import Account

from pnyx_contracts.entry import EntryKind
from pnyx_tools.journal import Stage
from pnyx_tools.testing.faults.forks import run_fork

from .approvers import key_of_an_approver, wallet_signs
from .conftest import MakeAgent, pay, pnyx, start_fresh
from .test_whole_job import check_as_a_stranger


def test_it_stops_at_once_while_it_starts(tmp_path: Path) -> None:
    """An endpoint takes the connection, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config = tmp_path / "pnyx.toml"
        config.write_text(f"""
[agent]
name = "tester"
[chain]
rpc = "http://127.0.0.1:{silent.getsockname()[1]}"
chain_id = 1
[[governor]]
address = "0x{"11" * 20}"
start_block = 1
""")
        with start_fresh(["run", "--config", str(config)], tmp_path / "log", os.environ) as process:
            connection, _ = silent.accept()
            process.terminate()
            assert process.wait(timeout=60) == -signal.SIGTERM
            connection.close()


def test_a_pause_holds_all_votes_until_they_are_let_go_on(make_agent: MakeAgent) -> None:
    agent = make_agent()
    assert pnyx(agent, "pause", "--reason", "somebody looks into it").returncode == 0
    agent.start()
    proposal = pay(agent)
    agent.until("the vote to be held", lambda: "all votes are held: somebody looks into it" in agent.output)
    agent.until_stage(proposal, Stage.REVIEWED)
    assert "ALL VOTES ARE HELD: somebody looks into it" in pnyx(agent, "status").stdout
    assert (agent.entries(), agent.votes(proposal)) == ([], [])
    assert pnyx(agent, "resume").returncode == 0
    agent.until_stage(proposal, Stage.DONE)
    assert len(agent.votes(proposal)) == 1
    assert "nothing is held" in pnyx(agent, "resume").stdout


def test_an_approver_stops_the_signer_with_a_wallet_that_is_elsewhere(make_agent: MakeAgent, tmp_path: Path) -> None:
    account, stranger = Account.create(), Account.create()
    agent = make_agent(signer_lines=f'approvers = ["{account.address}"]')
    agent.start()
    agent.until("the signer", lambda: "following" in agent.output)
    stop, go_on = (("--typed-data", tmp_path / name) for name in ("stop.json", "go-on.json"))
    written = pnyx(agent, "pause", "--reason", "It votes oddly.", *stop)
    assert (written.returncode, "Nothing is held yet." in written.stdout) == (0, True), written.stderr
    assert "HELD" not in pnyx(agent, "status").stdout
    wrong = pnyx(agent, "pause", *stop, "--signature", wallet_signs(stop[1], stranger.key.hex()))
    assert (wrong.returncode, f"the signature of {stranger.address}, who is not" in wrong.stderr) == (2, True)
    signed = wallet_signs(stop[1], account.key.hex())
    stopped = pnyx(agent, "pause", *stop, "--signature", signed)
    assert (stopped.returncode, f"suspended by {account.address}: It votes oddly." in stopped.stdout) == (0, True)
    misled = pnyx(agent, "resume", *stop, "--signature", signed)
    assert (misled.returncode, "something else than an order to resume" in misled.stderr) == (2, True)
    assert pnyx(agent, "resume", *go_on).returncode == 0
    resumed = pnyx(agent, "resume", *go_on, "--signature", wallet_signs(go_on[1], account.key.hex()))
    assert "The signer signs votes again." in resumed.stdout, resumed.stderr


def test_what_the_brake_holds_back_can_be_rejected_alone(make_agent: MakeAgent) -> None:
    agent = make_agent()
    assert pnyx(agent, "pause").returncode == 0
    agent.start()
    bad, good = pay(agent), pay(agent)
    for proposal in (bad, good):
        agent.until_detail(proposal, "all votes are held")
    early = pnyx(agent, "approve", bad)
    assert (early.returncode, "cast by itself" in early.stderr) == (1, True), early.stderr
    assert pnyx(agent, "reject", bad, "--comment", "It is why we stopped.").returncode == 0
    agent.until_detail(bad, "hold, rejected by ")
    assert agent.dossier(agent.case(bad)).people.rejection is not None
    assert pnyx(agent, "resume").returncode == 0
    agent.until_stage(bad, Stage.DONE)
    agent.until_stage(good, Stage.DONE)
    assert (len(agent.votes(bad)), len(agent.votes(good))) == (0, 1)
    check_as_a_stranger(agent)


def test_a_vote_that_waits_for_its_signature_can_be_rejected_when_the_brake_is_pulled(
    make_agent: MakeAgent, tmp_path: Path
) -> None:
    key, address = key_of_an_approver(tmp_path)
    agent = make_agent(signer_lines=f'approvers = ["{address}"]')
    agent.start()
    agent.until("the signer", lambda: "following" in agent.output)
    assert pnyx(agent, "pause", *key).returncode == 0
    assert pnyx(agent, "resume").returncode == 0
    proposal = pay(agent)
    agent.until_stage(proposal, Stage.VOTING)
    agent.until("the signer's no", lambda: "all votes are suspended" in agent.output)
    assert pnyx(agent, "pause").returncode == 0
    agent.until_stage(proposal, Stage.REVIEWED)
    said = pnyx(agent, "reject", proposal, *key)
    assert said.returncode == 0, said.stderr
    agent.until("the rejection", lambda: agent.dossier(agent.case(proposal)).people.rejection)
    assert pnyx(agent, "resume", *key).returncode == 0
    agent.until_stage(proposal, Stage.DONE)
    assert agent.votes(proposal) == []
    assert [entry.kind for entry in agent.entries()] == [EntryKind.HOLD]
    check_as_a_stranger(agent)


def test_people_stop_the_signer_itself_until_they_let_it_go_on(make_agent: MakeAgent, tmp_path: Path) -> None:
    """The daemon is let go on without them, and the signer is not. One order comes in a file, from elsewhere."""
    key, address = key_of_an_approver(tmp_path)
    agent = make_agent(signer_lines=f'approvers = ["{address}"]')
    agent.start()
    agent.until("the signer", lambda: "following" in agent.output)
    order = tmp_path / "order.json"
    assert pnyx(agent, "pause", "--reason", "It votes oddly.", *key, "--to", order).returncode == 0
    assert "SUSPENDED" not in pnyx(agent, "status").stdout, "nothing is held before the order arrives"
    paused = pnyx(agent, "pause", "--reason", "It votes oddly.", "--from", order)
    assert (paused.returncode, f"suspended by {address}: It votes oddly." in paused.stdout) == (0, True), paused.stderr
    agent.until("people to be told", lambda: "the signer signs no votes" in agent.output)
    misled = pnyx(agent, "resume", "--from", order)
    assert (misled.returncode, "holds an order to suspend" in misled.stderr) == (2, True)
    assert "ALL VOTES ARE HELD" in pnyx(agent, "status").stdout
    resumed = pnyx(agent, "resume")
    assert "The daemon: votes go on" in resumed.stdout
    assert "THE SIGNER IS SUSPENDED" in resumed.stdout

    proposal = pay(agent)
    agent.until_stage(proposal, Stage.VOTING)
    agent.until("the signer's no", lambda: "all votes are suspended: the signer is suspended by" in agent.output)
    assert agent.stop() == 0
    agent.start()
    agent.until("the second start", lambda: agent.output.count('"following"') == 2)
    assert "THE SIGNER IS SUSPENDED" in pnyx(agent, "status").stdout
    assert (agent.entries(), agent.votes(proposal)) == ([], [])

    again = pnyx(agent, "pause", "--from", order)
    assert (again.returncode, "it is an old one" in again.stderr) == (1, True)
    assert "The signer signs votes again." in pnyx(agent, "resume", *key).stdout
    agent.until_stage(proposal, Stage.DONE)
    assert len(agent.votes(proposal)) == 1

    lines = [line for line in agent.config.read_text().splitlines() if not line.startswith(("keystore", "password"))]
    elsewhere = agent.folder / "elsewhere.toml"
    elsewhere.write_text("\n".join([*lines, "[database]", 'url = "postgresql://nobody@127.0.0.1:1/away"', ""]))
    alone = run_fork(["pause", *map(str, key), "--config", str(elsewhere)], timeout=60)
    assert (alone.returncode, "The daemon: NOT held: the database" in alone.stderr) == (3, True)
    assert "THE SIGNER IS SUSPENDED" in alone.stdout
