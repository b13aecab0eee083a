"""Accounts of EIP-7702, paused gates, and what others remark."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from pnyx_contracts.decision_log import encode_remark
from pnyx_contracts.entry import EntryKind, RemarkVerdict
from pnyx_contracts.types import Vote
from pnyx_policies.entitlement import Entitlement
from pnyx_policies.verify import Status, Step, Tier
from pnyx_policies.verify.verdict import MAX_KEPT, WriterReport
from pnyx_tools.testing.deploy import delegate_account, deploy_log, encode_call
from pnyx_tools.verifier import render

# Accounts of EIP-7702


def atomic(world):
    agent = world.agent()
    agent.register_atomic()
    return agent


def what_is_said(world):
    return [v.reason for v in world.verdicts if v.step is Step.WRITER and v.status is Status.MATCHES]


def test_an_account_that_runs_our_code_is_atomic_and_the_report_names_the_code(world):
    atomic(world).act(world.blocks, world.open_proposal())
    report = world.check()
    assert report.ok, [str(v) for v in report.problems]
    assert report.writers[0].tier is Tier.ATOMIC
    assert any("our AtomicAccount at 0x" in reason for reason in what_is_said(world))


def test_an_account_that_also_votes_alone_is_not_atomic(world):
    agent = atomic(world)
    agent.act(world.blocks, world.open_proposal())
    agent.cast(world.blocks, world.blocks.proposals[world.open_proposal()].key, Vote.FOR)
    assert world.check_fails() == {(Step.VOTES, "")}
    assert world.check().writers[0].tier is Tier.DECLARED


def test_an_account_that_runs_other_code_is_said_to(world):
    agent = world.plain_key()
    world.node.set_code(agent.key, bytes.fromhex("ef0100") + bytes.fromhex(world.log[2:]))
    report = world.check()
    assert report.writers[0].tier is Tier.DECLARED
    assert any("is not our AtomicAccount" in reason for reason in what_is_said(world))


# Paused gates


@pytest.fixture
def paused(world):
    agent = world.gate()
    world.node.send(agent.writer, encode_call("pauseVotes()"))
    return agent


@pytest.mark.parametrize("kind", [EntryKind.HOLD, EntryKind.SKIP])
def test_a_gate_that_cannot_vote_may_hold_or_skip(world, paused, kind):
    sealed = paused.review(world.blocks, world.open_proposal())
    paused.write(world.blocks, sealed, Entitlement(kind))
    report = world.check()
    assert report.ok, [str(v) for v in report.problems]
    assert any("paused" in v.reason for v in world.verdicts if v.step is Step.ENTRY)


def test_a_gate_that_could_vote_may_not(world, paused):
    world.node.send(paused.writer, encode_call("unpauseVotes()"))
    sealed = paused.review(world.blocks, world.open_proposal())
    paused.write(world.blocks, sealed, Entitlement(EntryKind.HOLD))
    assert world.check_fails() == {(Step.ENTRY, "kind")}


# Remarks


def test_remarks_are_told_and_judge_nothing(world):
    agent = world.plain_key()
    agent.act(world.blocks, world.open_proposal())
    author = world.node.accounts[5]
    uri = "https://example.org/\u202ereport"
    world.node.send(
        world.log, encode_remark(agent.writer, 1, RemarkVerdict.WITHHELD, bytes([7]) * 32, uri), sender=author
    )
    report = world.check()
    assert report.ok
    (remark,) = report.to_json()["writers"][0]["remarks"]
    assert remark == {
        "from": author, "entry": 1, "verdict": "withheld", "hash": "0x" + "07" * 32,
        "uri": "https://example.org/\\u{202e}report",
    }  # fmt: skip
    out = io.StringIO()
    render(report, Console(file=out, width=200, color_system=None))
    assert f"{author} remarks on entry 1: withheld" in out.getvalue()
    assert "\u202e" not in out.getvalue()


def test_a_flood_of_remarks_is_counted():
    report = WriterReport("0x" + "11" * 20)
    for _ in range(MAX_KEPT + 3):
        report.heed(None)
    assert (len(report.remarks), report.remarks_cut) == (MAX_KEPT, 3)


def test_another_logs_account_is_not_ours(world):
    """An AtomicAccount that writes to another log."""
    agent, elsewhere = world.agent(key=world.node.accounts[4]), deploy_log(world.node)
    agent.register()
    delegate_account(world.node, agent.key, elsewhere)
    world.check()
    assert any("AtomicAccount" in reason for reason in what_is_said(world))
