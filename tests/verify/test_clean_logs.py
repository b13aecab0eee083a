"""Honest logs pass, whoever writes them, whatever they decide, however their governor counts time."""

from __future__ import annotations

import io
import json

import pytest
from eth_account import Account
from rich.console import Console

from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import UnreachableError, UsageError
from pnyx_contracts.governors import builtin_adapters
from pnyx_contracts.types import Vote, to_hex
from pnyx_policies.approval import answer_in, answered
from pnyx_policies.decision import Mode
from pnyx_policies.dossier import Expired
from pnyx_policies.facts import Grade, SimulationStatus
from pnyx_policies.verify import Status, Step, Tier
from pnyx_tools.context import builtin_tools
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.openai_server import answer, refusal
from pnyx_tools.testing.serving import FileServer
from pnyx_tools.verifier import render, verify
from pnyx_tools.verifier.chainview import ChainView


def assert_clean(report):
    assert [f"{v.step.name}: {v} ({v.expected} / {v.seen})" for v in report.problems] == []
    assert report.ok
    assert report.exit_code == 0


@pytest.mark.parametrize("governor", ["blocks", "seconds"])
@pytest.mark.parametrize("kind", ["plain_key", "gate"])
def test_an_honest_vote(world, kind, governor):
    agent = getattr(world, kind)()
    governance = getattr(world, governor)
    proposal = world.open_proposal(governance)
    agent.act(governance, proposal)
    governance.advance_to_closed(proposal)
    report = world.check()
    assert_clean(report)
    (writer,) = report.writers
    assert writer.tier is (Tier.ENFORCED if kind == "gate" else Tier.DECLARED)
    assert writer.kinds == {EntryKind.VOTE: 1}
    steps = {v.step for v in world.verdicts if v.status is Status.MATCHES}
    assert steps == set(Step) - {Step.CONFIGURATION}  # no change of configuration, so nothing to check
    grades = {v.grade for v in world.verdicts if v.status is Status.MATCHES}
    assert grades == {Grade.DERIVED, Grade.RE_READ, Grade.RE_SIMULATED}


def test_every_writer_of_the_log(world):
    plain, gate = world.plain_key(), world.gate(key=world.node.accounts[3])
    proposal = world.open_proposal()
    plain.act(world.blocks, proposal)
    gate.act(world.blocks, proposal)
    report = world.check()
    assert_clean(report)
    assert [w.writer for w in report.writers] == [plain.writer, gate.writer]
    assert [w.writer for w in world.check(gate).writers] == [gate.writer]


def test_context_tools_are_run_again(world):
    agent = world.plain_key(tools=builtin_tools())
    sealed = agent.act(world.blocks, world.open_proposal())
    report = world.check()
    assert_clean(report)
    context = [v for v in world.verdicts if v.step is Step.CONTEXT]
    assert len(context) == len(sealed.dossier.context) > 0


def test_a_language_model_behind_a_vote(world):
    agent = world.model(refusal(), answer({"not": "an analysis"}), answer(world.CALM))
    sealed = agent.act(world.blocks, world.open_proposal())
    assert [a.outcome for a in sealed.dossier.attempts] == ["refusal", "invalid", "ok"]
    report = world.check()
    assert_clean(report)
    graded = {v.step: v.grade for v in world.verdicts if v.status is Status.MATCHES}
    assert graded[Step.PROMPTS] is Grade.DERIVED
    assert graded[Step.ANSWERS] is Grade.ATTESTED  # a response is the operator's word


def test_a_model_that_never_answers(world):
    agent = world.model(refusal())
    sealed = agent.act(world.blocks, world.open_proposal())
    assert sealed.dossier.opinions[0].analysis is None
    assert_clean(world.check())


def test_skip_hold_and_observed_decisions(world):
    proposal = world.open_proposal()
    world.plain_key(key=world.node.accounts[7]).act(world.blocks, proposal)  # no voting power
    world.plain_key(key=world.node.accounts[1], ruleset='name = "empty"\nversion = "1"\n').act(world.blocks, proposal)
    world.plain_key(key=world.node.accounts[2], mode=Mode.OBSERVE).act(world.blocks, proposal)
    report = world.check()
    assert_clean(report)
    assert [list(w.kinds) for w in report.writers] == [[EntryKind.SKIP], [EntryKind.HOLD], [EntryKind.DECISION]]


def test_a_missed_vote_that_the_log_admits(world):
    agent = world.plain_key()
    proposal = world.open_proposal()
    world.blocks.advance_to_closed(proposal)
    sealed = agent.act(world.blocks, proposal)
    report = world.check()
    assert_clean(report)
    assert report.writers[0].kinds == {EntryKind.MISSED: 1}
    assert sealed.dossier.decision.outcome.value == "skip"
    assert "missed, and the log says so" in {v.reason for v in world.verdicts}


def test_a_vote_that_a_person_approved(world):
    agent = world.plain_key(mode=Mode.PROPOSE)
    proposal = world.open_proposal()
    held = agent.act(world.blocks, proposal)
    expires = held.dossier.state.block.timestamp + 3600
    approval = answered(held.dossier, person="Ada", verdict="approve", vote="for", expires_at=expires)
    agent.write(world.blocks, agent.review(world.blocks, proposal, approval))
    report = world.check()
    assert_clean(report)
    assert report.writers[0].kinds == {EntryKind.HOLD: 1, EntryKind.VOTE: 1}
    approved = [v for v in world.verdicts if v.step is Step.ENTRY and v.grade is Grade.ATTESTED]
    assert [v.reason for v in approved] == ["approved, as the operator attests, by 'Ada': nobody signed"]


def signed(person, decided, **kind):
    expires_at = decided.state.block.timestamp + 3600
    word = answered(decided, person=person.address, expires_at=expires_at, **{"verdict": "approve", **kind})
    signature = person.sign_typed_data(full_message=answer_in(decided, word).typed_data).signature
    return word.model_copy(update={"signature": to_hex(bytes(signature))})


@pytest.mark.parametrize("mode", [Mode.PROPOSE, Mode.AUTONOMOUS])
def test_a_word_that_a_declared_approver_signed(world, mode):
    """In propose mode another vote than the rules give; in autonomous mode a veto."""
    ada = Account.create()
    agent = world.plain_key(mode=mode, approvers=(ada.address,))
    proposal = world.open_proposal()
    decided = agent.review(world.blocks, proposal).dossier
    kind = {"verdict": "approve", "vote": "against"} if mode is Mode.PROPOSE else {"verdict": "reject"}
    agent.write(world.blocks, agent.review(world.blocks, proposal, signed(ada, decided, **kind)))
    report = world.check()
    assert_clean(report)
    (entry,) = [v for v in world.verdicts if v.step is Step.ENTRY]
    said = "approved" if mode is Mode.PROPOSE else "rejected"
    assert entry.reason == f"{said} by {ada.address}, a declared approver: signature recovered"
    assert entry.grade is Grade.DERIVED


def test_an_announced_change_of_configuration(world):
    agent = world.plain_key()
    agent.act(world.blocks, world.open_proposal())
    agent.change(world.OTHER_RULESET)
    sealed = agent.act(world.blocks, world.open_proposal())
    assert sealed.dossier.decision.outcome.value == "abstain"
    report = world.check()
    assert_clean(report)
    assert len([v for v in world.verdicts if v.step is Step.CONFIGURATION]) == 2


def test_a_governor_that_changed_since(world):
    """Governance moved on to another timelock. What was reviewed before was reviewed with the old one."""
    agent = world.plain_key()
    agent.act(world.blocks, world.open_proposal())
    governor, rpc = world.blocks.governor, world.node.rpc
    old, new = (bytes(12) + bytes.fromhex(address[2:]) for address in (world.blocks.timelock, world.RECIPIENT))
    (slot,) = (slot for slot in range(32) if rpc.storage(governor, slot) == old)
    world.node.mine(1)  # what is set belongs to the newest block
    world.node.request("anvil_setStorageAt", governor, f"0x{slot:064x}", f"0x{new.hex()}")
    world.node.mine(1)
    assert ChainView(rpc, world.log, rpc.block(), builtin_adapters(), 0).governed(governor).profile.timelock == (
        world.RECIPIENT
    )
    assert_clean(world.check())


def test_a_vote_that_was_taken_back(world):
    agent = world.plain_key()
    proposal = world.open_proposal()
    sealed = agent.review(world.blocks, proposal)
    key, bundle = sealed.dossier.proposal.key, sealed.bundle
    agent.enter(key, EntryKind.VOTE, bundle.record_root, bundle.prompt_hash, (1).to_bytes(32, "big"))
    pending = [v.step for v in world.check().kept(Status.PENDING) if v.status is Status.PENDING]
    assert pending == [Step.ANNOUNCED_VOTES]
    world.blocks.advance_to_closed(proposal)
    agent.enter(key, EntryKind.VOID, bundle.record_root, bundle.prompt_hash)
    assert_clean(world.check())


def test_open_and_canceled_proposals_are_no_duty_yet(world):
    agent = world.plain_key()
    world.open_proposal()
    canceled = world.blocks.propose([world.RECIPIENT], [0], [b""], "# Never mind\n\nNothing.")
    world.blocks.cancel(canceled)
    report = world.check()
    assert_clean(report)
    found = {v.status: v.reason for v in world.verdicts if v.step is Step.COMPLETENESS}
    assert found[Status.PENDING].startswith("no decision yet")
    assert found[Status.MATCHES].startswith("canceled")
    assert report.writers[0].writer == agent.writer


def test_a_record_may_withhold_what_no_step_needs(world):
    agent = world.plain_key()
    sealed = agent.act(world.blocks, world.open_proposal())
    raw = json.loads(world.bundle_file(sealed.bundle.record_root).read_text())
    del raw["fields"]["software"], raw["salts"]["software"]
    text = json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    world.bundle_file(sealed.bundle.record_root).write_text(text, encoding="utf-8")
    report = world.check()
    assert_clean(report)
    unchecked = {v.step: v.reason for v in world.verdicts if v.status is Status.NOT_CHECKABLE}
    assert unchecked == {Step.BUNDLE: "the record withholds software; no step needs it"}


# Where the evidence lies


@pytest.fixture
def web(world):
    """URL of the evidence folder."""
    with FileServer(world.folder) as server:
        yield server.url


def test_evidence_is_found_through_the_chain_alone(world, web):
    agent = world.plain_key(evidence_uri=web)
    agent.act(world.blocks, world.open_proposal())
    assert_clean(world.check(evidence=None))


@pytest.mark.parametrize("uri", ["", "/etc", "file:///etc", "http://127.0.0.1:9/nobody"])
def test_evidence_that_no_stranger_can_read_is_missing(world, uri):
    agent = world.plain_key(evidence_uri=uri)
    agent.act(world.blocks, world.open_proposal())
    report = world.check(evidence=None)
    assert {(v.step, v.status) for v in report.problems} == {(Step.BUNDLE, Status.MISSING)}


def test_a_place_that_the_member_named_must_answer(world):
    world.plain_key().act(world.blocks, world.open_proposal())
    with pytest.raises(UnreachableError):
        world.check(evidence="http://127.0.0.1:9/nobody")


# What the check says


def test_json_is_stable(world):
    agent = world.plain_key()
    agent.act(world.blocks, world.open_proposal())
    agent.cast(world.blocks, world.blocks.proposals[world.open_proposal()].key, Vote.FOR)
    report = world.check().to_json()
    assert json.dumps(report) == json.dumps(world.check().to_json())
    assert list(report) == [
        "format", "ok", "chain_id", "log", "block", "counts", "without_evidence", "log_verdicts", "writers",
    ]  # fmt: skip
    (writer,) = report["writers"]
    assert list(writer) == [
        "writer", "tier", "safe", "entries", "kinds", "predecessor", "successor", "steps", "counts", "verdicts", "cut",
        "remarks", "remarks_cut",
    ]  # fmt: skip
    assert writer["steps"]["6"] == {"matches": 1, "missing": 1}
    assert {v["status"] for v in writer["verdicts"]} == {"missing", "pending"}
    assert list(writer["verdicts"][0]) == [
        "step", "status", "grade", "entry", "proposal", "where", "reason", "expected", "seen",
    ]  # fmt: skip


def test_people_read_the_verdict_first(world):
    agent = world.plain_key()
    proposal = world.open_proposal()
    agent.cast(world.blocks, world.blocks.proposals[proposal].key, Vote.FOR)
    out = io.StringIO()
    render(world.check(), Console(file=out, width=200, color_system=None))
    lines = out.getvalue().splitlines()
    assert lines[0] == "DOES NOT HOLD: 1 problem(s) found."
    assert any("a vote without an entry" in line for line in lines)
    assert any("to do: tell the DAO" in line for line in lines)


def test_many_problems_of_one_kind_are_answered_once_and_name_their_proposals(world):
    agent = world.plain_key()
    proposals = [world.open_proposal() for _ in range(3)]
    sealed = [agent.act(world.blocks, proposal) for proposal in proposals]
    for one in sealed:
        world.bundle_file(one.bundle.record_root).unlink()
    out = io.StringIO()
    render(world.check(), Console(file=out, width=80, color_system=None))
    lines = out.getvalue().splitlines()
    assert sum("to do:" in line for line in lines) == 1
    assert max(map(len, lines)) <= 80
    for proposal, one in zip(proposals, sealed, strict=True):
        assert f"  {proposal}" in lines, "whole, on a line of its own"
        assert any(to_hex(one.bundle.record_root) in line for line in lines)


def test_a_record_cannot_write_to_the_terminal(world):
    agent = world.plain_key(mode=Mode.PROPOSE)
    proposal = world.open_proposal()
    honest = agent.review(world.blocks, proposal)
    simulation = honest.dossier.simulation.model_copy(
        update={"status": SimulationStatus.SKIPPED, "why_skipped": "\x1b[2J\u202egnp.exe"}
    )
    sealed = agent.seal(honest.dossier.model_copy(update={"simulation": simulation}))
    agent.enter(honest.dossier.proposal.key, EntryKind.HOLD, sealed.bundle.record_root, sealed.bundle.prompt_hash)
    out = io.StringIO()
    render(world.check(), Console(file=out, width=400, color_system=None))
    assert "\x1b" not in out.getvalue()
    assert "\u202e" not in out.getvalue()
    assert r"\u{1b}[2J\u{202e}gnp.exe" in out.getvalue()


def test_a_second_node_that_agrees_and_one_of_another_chain(world):
    world.plain_key().act(world.blocks, world.open_proposal())
    assert_clean(world.check(second_reader=Rpc(world.node.url)))

    class OtherChain:
        def block(self, number):
            return world.node.rpc.block(number - 1)

    report = world.check(second_reader=OtherChain())
    assert world.only_problem(report).step is Step.LOG_CODE


def test_nothing_to_check_is_wrong_usage(world):
    world.folder.mkdir()
    with pytest.raises(UsageError, match="no writer has registered"):
        world.check()
    with pytest.raises(UsageError, match="no contract"):
        verify(world.node.rpc, world.node.accounts[0], upto="latest")
    with pytest.raises(UsageError, match="no folder"):
        world.check(evidence=world.folder / "misspelled")
    with pytest.raises(UsageError, match="address"):
        world.check(factory="0x12")


def test_an_address_that_never_registered(world):
    world.plain_key()
    agent = world.agent(key=world.node.accounts[5])
    problem = world.only_problem(world.check(agent))
    assert (problem.step, problem.reason) == (Step.REGISTRATION, "never registered")


def test_a_vote_that_two_people_approved_and_a_wait_that_expired(world):
    ada, bob, eve = (Account.create() for _ in range(3))
    agent = world.plain_key(
        mode=Mode.PROPOSE, approvers=tuple(person.address for person in (ada, bob, eve)), approvals=2
    )
    approved, expired = world.open_proposal(), world.open_proposal()
    decided = agent.review(world.blocks, approved).dossier
    agent.write(world.blocks, agent.review(world.blocks, approved, *(signed(each, decided) for each in (ada, bob))))
    decided = agent.act(world.blocks, expired).dossier
    governor = decided.state.governor
    ended = Expired(now=governor.deadline - 1, deadline=governor.deadline)
    agent.write(world.blocks, agent.review(world.blocks, expired, signed(eve, decided), expired=ended))
    report = world.check()
    assert_clean(report)
    assert report.writers[0].kinds == {EntryKind.VOTE: 1, EntryKind.HOLD: 2}
    assert {(v.reason, v.grade) for v in world.verdicts if v.step is Step.ENTRY and v.reason} == {
        (f"approved by {ada.address}, {bob.address}, declared approvers: signatures recovered", Grade.DERIVED),
        (
            "the wait for people ended without them, at a time that the operator attests: 1 of 2 approvals",
            Grade.ATTESTED,
        ),
    }
