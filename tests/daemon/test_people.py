"""What people say to an agent that waits for them, and what it may make of it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

from eth_account import Account
from pydantic import JsonValue

from pnyx_agents import assembly
from pnyx_agents.cli.cases import open_journal
from pnyx_agents.engine import say
from pnyx_agents.settings import load_settings
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.types import Vote
from pnyx_policies.approval import answered
from pnyx_tools.journal import Stage
from pnyx_tools.notify.ledger import Ledger

from .approvers import key_of_an_approver, wallet_signs
from .conftest import VOTING_PERIOD, MakeAgent, pay, pnyx
from .test_whole_job import check_as_a_stranger

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
    key, address = key_of_an_approver(tmp_path)
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
    strangers_key, other = key_of_an_approver(tmp_path, "stranger")
    wrong = pnyx(agent, "approve", proposal, "--vote", "for", *strangers_key)
    assert (wrong.returncode, f"the key of {other}, which is not among the approvers" in wrong.stderr) == (2, True)
    signed = pnyx(agent, "approve", proposal, "--vote", "abstain", *key, "--json")
    assert signed.returncode == 0, signed.stderr
    assert json.loads(signed.stdout)["person"] == address
    journal = open_journal(load_settings(agent.config))
    assert Ledger(journal.database).answered(held.proposal, held.record_root) == {address}, "reminded of it no more"
    journal.close()
    agent.until_stage(proposal, Stage.DONE)
    assert [vote.vote for vote in agent.votes(proposal)] == [Vote.ABSTAIN]
    check_as_a_stranger(agent)


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
    (ada_key, ada), (bob_key, bob) = (key_of_an_approver(tmp_path, name) for name in ("ada", "bob"))
    agent = make_agent(rules=HOLD_ALL, signer_lines=f'approvers = ["{ada}", "{bob}"]\napprovals = 2')

    def approves(key: Sequence[object], proposal: int, *more: str) -> None:
        said = pnyx(agent, "approve", proposal, "--vote", "for", *key, *more)
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
    late = pnyx(agent, "approve", other, "--vote", "for", *ada_key)
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
