"""What people say to a waiting agent, and what it may make of it."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

from eth_account import Account
from eth_hash.auto import keccak
from pydantic import JsonValue

from pnyx_agents import assembly
from pnyx_agents.cli.cases import open_journal
from pnyx_agents.engine import say
from pnyx_agents.settings import load_settings
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.types import Vote, to_hex
from pnyx_policies.approval import answered
from pnyx_tools.journal import Stage
from pnyx_tools.keystore import create_keystore
from pnyx_tools.notify.ledger import Ledger
from pnyx_tools.testing.faults.forks import run_fork
from pnyx_tools.testing.settling import PASSWORD

from .conftest import VOTING_PERIOD, Agent, MakeAgent, pay, pnyx
from .test_whole_job import check_as_a_stranger

CAST = str(Path(__file__).parents[2] / "contracts" / "node_modules" / ".bin" / "cast")

HOLD_ALL = """
name = "hold"
version = "1"
description = "People decide."

[[rule]]
id = "people"
because = "People decide everything."
when = ["calls.count > 0"]
then = "hold"
"""


def approver(agent_folder: Path, name: str = "approver") -> tuple[Path, str]:
    keystore = agent_folder / f"{name}.json"
    return keystore, create_keystore(keystore, PASSWORD, scrypt_work=2**12)


def key_of_an_approver(agent_folder: Path) -> tuple[tuple[object, ...], str]:
    """How a command is given it, and its address."""
    keystore, address = approver(agent_folder)
    password = agent_folder / "password"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    return ("--keystore", keystore, "--password-file", password), address


def test_propose_mode_votes_when_a_person_approves(make_agent: MakeAgent) -> None:
    agent = make_agent(mode="propose")
    agent.start()
    proposal = pay(agent)
    agent.until_stage(proposal, Stage.HELD)
    assert agent.votes(proposal) == []
    said = pnyx(agent, "approve", proposal, "--comment", "Looks right.")
    assert said.returncode == 0, said.stderr
    case = agent.until_stage(proposal, Stage.DONE)
    assert [vote.vote for vote in agent.votes(proposal)] == [Vote.FOR]
    assert [entry.kind for entry in agent.entries()] == [EntryKind.HOLD, EntryKind.VOTE]
    (approval,) = agent.dossier(case).people.words
    assert approval.comment == "Looks right."
    again = pnyx(agent, "approve", proposal)
    assert (again.returncode, "nothing waits for a person" in again.stderr) == (1, True)
    check_as_a_stranger(agent)


def test_an_approval_given_while_the_daemon_is_down_counts(make_agent: MakeAgent) -> None:
    agent = make_agent(mode="propose")
    agent.start()
    proposal = pay(agent)
    agent.until_stage(proposal, Stage.HELD)
    agent.kill()
    assert pnyx(agent, "approve", proposal).returncode == 0
    agent.start()
    agent.until_stage(proposal, Stage.DONE)
    assert len(agent.votes(proposal)) == 1


def test_a_rejection_is_recorded_and_nothing_is_voted(make_agent: MakeAgent) -> None:
    agent = make_agent(mode="propose")
    agent.start()
    proposal = pay(agent)
    first = agent.until_stage(proposal, Stage.HELD)
    assert pnyx(agent, "reject", proposal, "--comment", "Not now.").returncode == 0
    agent.until("the second entry", lambda: len(agent.entries()) == 2)
    case = agent.until(
        "the new record", lambda: (c := agent.case(proposal)) and c.record_root != first.record_root and c
    )
    (approval,) = agent.dossier(case).people.words
    assert (approval.verdict, approval.comment) == ("reject", "Not now.")
    assert agent.votes(proposal) == []
    check_as_a_stranger(agent)


def test_lifting_a_hold_takes_an_approvers_signature(make_agent: MakeAgent, tmp_path: Path) -> None:
    keystore, address = approver(tmp_path)
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    agent = make_agent(rules=HOLD_ALL, signer_lines=f'approvers = ["{address}"]')
    agent.start()
    proposal = pay(agent)
    held = agent.until_stage(proposal, Stage.HELD)
    without_vote = pnyx(agent, "approve", proposal)
    assert (without_vote.returncode, "must name the vote" in without_vote.stderr) == (2, True)
    unsigned = pnyx(agent, "approve", proposal, "--vote", "abstain")
    assert (unsigned.returncode, "is not signed" in unsigned.stderr) == (1, True)
    for line in (f"proposal       {agent.case(proposal).proposal}", "decision       hold: ", "vote           abstain"):
        assert line in unsigned.stderr, "what would be signed is shown"
    stranger = tmp_path / "stranger.json"
    other = create_keystore(stranger, PASSWORD, scrypt_work=2**12)
    wrong = pnyx(agent, "approve", proposal, "--vote", "for", "--keystore", stranger, "--password-file", password)
    assert (wrong.returncode, f"the key of {other}, which is not among the approvers" in wrong.stderr) == (2, True)
    signed = pnyx(
        agent, "approve", proposal, "--vote", "abstain", "--keystore", keystore, "--password-file", password, "--json"
    )
    assert signed.returncode == 0, signed.stderr
    assert json.loads(signed.stdout)["person"] == address
    journal = open_journal(load_settings(agent.config))
    assert Ledger(journal.database).answered(held.proposal, held.record_root) == {address}, "reminded of it no more"
    journal.close()
    agent.until_stage(proposal, Stage.DONE)
    assert [vote.vote for vote in agent.votes(proposal)] == [Vote.ABSTAIN]
    check_as_a_stranger(agent)


def wallet_signs(file: Path, key: str) -> str:
    """By a program of other people, which reads the file as wallets do."""
    command = [CAST, "wallet", "sign", "--private-key", key, "--data", "--from-file", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def test_an_approver_signs_with_a_wallet_that_is_elsewhere(make_agent: MakeAgent, tmp_path: Path) -> None:
    account, stranger = Account.create(), Account.create()
    agent = make_agent(rules=HOLD_ALL, signer_lines=f'approvers = ["{account.address}"]')
    agent.start()
    proposal, paper = pay(agent), tmp_path / "word.json"
    agent.until_stage(proposal, Stage.HELD)
    file = ("--typed-data", paper)
    written = pnyx(agent, "approve", proposal, "--vote", "abstain", "--comment", "Ça va.", *file)
    assert (written.returncode, written.stdout) == (0, ""), written.stderr
    assert f"pnyx approve {proposal} --typed-data {paper} --signature" in written.stderr
    again = pnyx(agent, "approve", proposal, "--vote", "abstain", *file)
    assert (again.returncode, "exists already" in again.stderr) == (2, True)
    no = tmp_path / "no.json"
    assert json.loads(pnyx(agent, "reject", proposal, "--typed-data", no, "--json").stdout) == {"typed_data": str(no)}

    signature = wallet_signs(paper, account.key.hex())
    foreign = wallet_signs(paper, stranger.key.hex())
    other = tmp_path / "other.json"
    other.write_text(paper.read_text().replace('"abstain"', '"for"'))
    for words, code, says in (
        (("approve", proposal, *file, "--signature", "0x12"), 2, "is not 65 bytes in hex"),
        (("approve", proposal, *file, "--signature", "0x" + "00" * 65), 2, "is none that a key gives"),
        (("approve", proposal, *file, "--signature", foreign), 1, f"signed by {stranger.address}, which is not"),
        (("approve", proposal, "--typed-data", other, "--signature", signature), 1, "which is not declared"),
        (("reject", proposal, *file, "--signature", signature), 1, "another verdict"),
        (("approve", proposal, *file, "--signature", signature, "--vote", "for"), 2, "leave these options out"),
        (("approve", proposal, "--signature", signature), 2, "--signature needs --typed-data"),
        (("approve", proposal, "--typed-data", tmp_path / "none", "--signature", signature), 2, "cannot be read"),
        (("approve", proposal, "--typed-data", agent.config, "--signature", signature), 2, "holds no typed data"),
        (("approve", proposal, "--keystore", "k", *file), 2, "exclude each other"),
    ):
        refused = pnyx(agent, *words)
        assert (refused.returncode, says in refused.stderr) == (code, True), refused.stderr
    assert agent.case(proposal).stage is Stage.HELD

    counted_from_zero = signature[:-2] + f"{int(signature[-2:], 16) - 27:02X}"
    given = pnyx(agent, "approve", proposal, *file, "--signature", counted_from_zero, "--json")
    assert given.returncode == 0, given.stderr
    assert json.loads(given.stdout)["person"] == account.address
    case = agent.until_stage(proposal, Stage.DONE)
    assert [vote.vote for vote in agent.votes(proposal)] == [Vote.ABSTAIN]
    (word,) = agent.dossier(case).people.words
    assert (word.comment, word.signature) == ("Ça va.", signature)
    check_as_a_stranger(agent)

    later = pay(agent)
    agent.until_stage(later, Stage.HELD)
    old = pnyx(agent, "approve", later, *file, "--signature", signature)
    assert (old.returncode, "another proposalId" in old.stderr) == (1, True), old.stderr


def test_two_people_approve_or_the_wait_for_them_expires(make_agent: MakeAgent, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    (ada_key, ada), (bob_key, bob) = (approver(tmp_path, name) for name in ("ada", "bob"))
    agent = make_agent(rules=HOLD_ALL, signer_lines=f'approvers = ["{ada}", "{bob}"]\napprovals = 2')

    def approves(keystore: Path, proposal: int, *more: str) -> None:
        said = pnyx(
            agent, "approve", proposal, "--vote", "for", "--keystore", keystore, "--password-file", password, *more
        )
        assert said.returncode == 0, said.stderr

    def so_far(proposal: int, detail: str) -> None:
        agent.until(detail, lambda: (case := agent.case(proposal)) and case.detail == detail)

    agent.start()
    proposal = pay(agent)
    agent.until_stage(proposal, Stage.HELD)
    so_far(proposal, "hold, 0 of 2 approvals")
    approves(ada_key, proposal)
    so_far(proposal, f"hold, 1 of 2 approvals by {ada} (for)")
    agent.kill()
    approves(ada_key, proposal, "--comment", "Once more, with feeling.")
    assert "hold, 1 of 2 approvals by" in pnyx(agent, "status").stdout
    agent.start()
    approves(bob_key, proposal)
    done = agent.until_stage(proposal, Stage.DONE)
    assert [(word.person, word.comment) for word in agent.dossier(done).people.words] == [
        (ada, "Once more, with feeling."), (bob, "")
    ]  # fmt: skip
    assert [vote.vote for vote in agent.votes(proposal)] == [Vote.FOR]

    other = pay(agent)
    agent.until_stage(other, Stage.HELD)
    approves(bob_key, other)
    so_far(other, f"hold, 1 of 2 approvals by {bob} (for)")
    approves(ada_key, other, "--vote", "against")
    so_far(other, f"hold, 1 of 2 approvals by {bob} (for), {ada} (against)")
    agent.node.mine(VOTING_PERIOD * 4 // 5)
    expired = agent.until_stage(other, Stage.DONE)
    assert expired.detail == f"hold, expired: 1 of 2 approvals by {bob} (for), {ada} (against)"
    people = agent.dossier(expired).people
    assert people.expired is not None
    assert people.expired.now < people.expired.deadline == agent.dao.proposals[other].vote_end
    late = pnyx(agent, "approve", other, "--vote", "for", "--keystore", ada_key, "--password-file", password)
    assert (late.returncode, "the wait for people on" in late.stderr) == (1, True)
    assert agent.votes(other) == []
    assert [entry.kind for entry in agent.entries()] == [EntryKind.HOLD, EntryKind.VOTE, EntryKind.HOLD, EntryKind.HOLD]
    check_as_a_stranger(agent)


def test_a_word_that_does_not_count_changes_nothing(make_agent: MakeAgent) -> None:
    """Said past `pnyx approve`, by whoever can write the database."""
    agent = make_agent(rules=HOLD_ALL)
    agent.start()
    proposal = pay(agent)
    case = agent.until_stage(proposal, Stage.HELD)
    dossier = agent.dossier(case)

    def approval(seconds: int, **parts: object) -> JsonValue:
        until = int(time.time()) + seconds
        word = answered(dossier, person="Eve", verdict="approve", vote="for", expires_at=until)
        return word.model_copy(update=parts).model_dump(mode="json")

    words = [approval(-1), approval(60), approval(60, decision_digest=bytes(32)), {"verdict": "approve"}, "yes", None]
    for word in words:
        say(assembly.paths(load_settings(agent.config)).workflows, case.workflow, word)
    reasons = ("expired at", "nobody signed for 'for' instead", "its digest differs", "validation error")
    agent.until("the refusals", lambda: all(reason in agent.output for reason in reasons))
    held = agent.case(proposal)
    assert held is not None
    assert (held.stage, held.record_root) == (Stage.HELD, case.record_root)
    assert agent.votes(proposal) == []

    assert pnyx(agent, "reject", proposal).returncode == 0
    assert agent.until_stage(proposal, Stage.DONE).detail.startswith("hold, rejected by ")
    assert [entry.kind for entry in agent.entries()] == [EntryKind.HOLD, EntryKind.HOLD]


def test_a_held_proposal_is_done_when_its_vote_is_over(make_agent: MakeAgent) -> None:
    agent = make_agent(mode="propose")
    agent.start()
    proposal = pay(agent)
    agent.until_stage(proposal, Stage.HELD)
    assert agent.stop() == 0
    agent.dao.advance_to_closed(proposal)
    agent.start()
    agent.until_stage(proposal, Stage.DONE)
    late = pnyx(agent, "approve", proposal, "--json")
    assert (late.returncode, json.loads(late.stderr)["error"]) == (1, "RefusedError")
    assert [entry.kind for entry in agent.entries()] == [EntryKind.HOLD, EntryKind.HOLD]
    assert agent.dossier(agent.until_stage(proposal, Stage.DONE)).people.expired is not None


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


def until_detail(agent: Agent, proposal: int, words: str) -> None:
    agent.until(words, lambda: (case := agent.case(proposal)) and words in case.detail)


def test_what_the_brake_holds_back_can_be_rejected_alone(make_agent: MakeAgent) -> None:
    agent = make_agent()
    assert pnyx(agent, "pause").returncode == 0
    agent.start()
    bad, good = pay(agent), pay(agent)
    for proposal in (bad, good):
        until_detail(agent, proposal, "all votes are held")
    early = pnyx(agent, "approve", bad)
    assert (early.returncode, "cast by itself" in early.stderr) == (1, True), early.stderr
    assert pnyx(agent, "reject", bad, "--comment", "It is why we stopped.").returncode == 0
    until_detail(agent, bad, "hold, rejected by ")
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


def test_a_veto_stops_a_vote_also_after_a_restart(make_agent: MakeAgent) -> None:
    agent = make_agent(agent_lines="delay_seconds = 600")
    agent.start()
    proposal = pay(agent)
    agent.until_stage(proposal, Stage.REVIEWED)
    assert agent.stop() == 0
    agent.start()
    agent.until("the second start", lambda: agent.output.count('"following"') == 2)
    early = pnyx(agent, "approve", proposal)
    assert (early.returncode, "is cast by itself" in early.stderr) == (1, True)
    assert agent.votes(proposal) == [], "a stop does not end the wait"
    assert pnyx(agent, "reject", proposal, "--comment", "Wait.").returncode == 0
    agent.until_stage(proposal, Stage.DONE)
    assert [entry.kind for entry in agent.entries()] == [EntryKind.HOLD]
    assert agent.votes(proposal) == []
    check_as_a_stranger(agent)


def test_a_veto_outlives_a_new_review_of_the_same_decision(make_agent: MakeAgent) -> None:
    """The work failed after a person had said no, and is taken up again."""
    agent, proposal = decided_with_veto_time(make_agent)
    assert pnyx(agent, "reject", proposal, "--comment", "Wait.").returncode == 0
    case = agent.until_stage(proposal, Stage.DONE)
    assert agent.stop() == 0
    journal = open_journal(load_settings(agent.folder / "pnyx.toml"))
    journal.advance(case.proposal, Stage.FAILED)
    journal.close()
    agent.start()
    agent.until("the work is taken up", lambda: "trying again" in agent.output)
    assert "rejected" in agent.until_stage(proposal, Stage.DONE).detail
    assert {entry.kind for entry in agent.entries()} == {EntryKind.HOLD}
    assert agent.votes(proposal) == []
    check_as_a_stranger(agent)


def test_the_veto_time_leaves_the_vote_half_of_its_time(make_agent: MakeAgent) -> None:
    agent = make_agent(agent_lines="delay_seconds = 600")
    agent.start()
    proposal = pay(agent)
    agent.until_stage(proposal, Stage.REVIEWED)
    assert agent.votes(proposal) == []
    agent.node.mine(250)  # of 400
    agent.until_stage(proposal, Stage.DONE)
    assert len(agent.votes(proposal)) == 1


def test_a_vote_waits_for_the_margin_that_the_operator_set(make_agent: MakeAgent) -> None:
    """An hour before the end, by the governor's clock, wherever the end is by then."""
    agent = make_agent(clock="timestamp", agent_lines='vote = "30 minutes before the end"')
    agent.start()
    proposal = pay(agent)
    agent.until_stage(proposal, Stage.REVIEWED)
    agent.until("the wait", lambda: agent.node.rpc.block().timestamp)
    deadline = agent.dao.proposals[proposal].vote_end
    assert agent.votes(proposal) == []
    agent.node.request("evm_setNextBlockTimestamp", deadline - 29 * 60)
    agent.node.mine()
    agent.until_stage(proposal, Stage.DONE)
    assert len(agent.votes(proposal)) == 1


def test_a_vote_that_people_gave_waits_for_the_margin_as_well_and_can_be_rejected_until_then(
    make_agent: MakeAgent,
) -> None:
    agent = make_agent(mode="propose", clock="timestamp", agent_lines='vote = "30 minutes before the end"')
    agent.start()
    wanted, regretted = pay(agent), pay(agent)
    for proposal in (wanted, regretted):
        agent.until_stage(proposal, Stage.HELD)
        assert pnyx(agent, "approve", proposal).returncode == 0
        agent.until_stage(proposal, Stage.REVIEWED)
        until_detail(agent, proposal, "vote for, approved by")
    assert pnyx(agent, "reject", regretted).returncode == 0
    agent.until_stage(regretted, Stage.DONE)
    assert agent.votes(wanted) == []
    agent.node.request("evm_setNextBlockTimestamp", agent.dao.proposals[wanted].vote_end - 29 * 60)
    agent.node.mine()
    case = agent.until_stage(wanted, Stage.DONE)
    assert "approved by" in case.detail
    assert (len(agent.votes(wanted)), len(agent.votes(regretted))) == (1, 0)
    check_as_a_stranger(agent)


VOTE_DURATION_BIT, CANCELED_BIT = 208, 248


def rewrite_proposal(agent: Agent, proposal: int, bit: int, bits: int, value: int) -> None:
    """What extensions of a governor do in their own ways (end a vote early, move its deadline): here in its storage.

    OpenZeppelin 5 packs a proposal into a word: proposer, start (48 bits), duration (32), executed, canceled (8 each).
    """
    node, governor = agent.node, agent.dao.governor
    start = agent.dao.proposals[proposal].vote_start
    for place in range(20):
        slot = int.from_bytes(keccak(proposal.to_bytes(32, "big") + place.to_bytes(32, "big")), "big")
        word = int.from_bytes(node.rpc.storage(governor, slot), "big")
        if (word >> 160) % 2**48 == start:
            mask = (2**bits - 1) << bit
            changed = (word & ~mask) | (value << bit)
            node.request("anvil_setStorageAt", governor, hex(slot), to_hex(changed.to_bytes(32, "big")))
            node.mine()
            return
    raise AssertionError("the proposal's storage was not found")


def decided_with_veto_time(make_agent: MakeAgent) -> tuple[Agent, int]:
    agent = make_agent(agent_lines="delay_seconds = 600")
    agent.start()
    proposal = pay(agent)
    agent.until_stage(proposal, Stage.REVIEWED)
    assert agent.votes(proposal) == []
    return agent, proposal


def test_a_deadline_that_comes_nearer_ends_the_veto_time(make_agent: MakeAgent) -> None:
    agent, proposal = decided_with_veto_time(make_agent)
    since = agent.node.rpc.block().number - agent.dao.proposals[proposal].vote_start
    rewrite_proposal(agent, proposal, VOTE_DURATION_BIT, 32, since + 50)  # of 400
    agent.until_stage(proposal, Stage.DONE)
    assert [vote.vote for vote in agent.votes(proposal)] == [Vote.FOR]


def test_a_vote_that_ends_early_ends_the_veto_time_and_is_recorded(make_agent: MakeAgent) -> None:
    agent, proposal = decided_with_veto_time(make_agent)
    rewrite_proposal(agent, proposal, CANCELED_BIT, 8, 1)
    case = agent.until_stage(proposal, Stage.DONE)
    assert (case.outcome, case.reason) == ("skip", "No vote: the proposal is canceled, not active.")
    assert [entry.kind for entry in agent.entries()] == [EntryKind.SKIP]
    assert agent.votes(proposal) == []
