"""A long log takes no more memory than a short one, and a report of many verdicts stays small."""

from __future__ import annotations

import tracemalloc
from typing import NamedTuple

import pytest

from pnyx_contracts.decision_log import ENTRY_TOPIC
from pnyx_policies.verify import About, Status, Step, Verdicts
from pnyx_policies.verify.verdict import MAX_KEPT
from pnyx_tools.pieces import AIM_LOGS, FIRST_BLOCKS, MAX_BLOCKS, Pace
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.bulk import write_bulk
from pnyx_tools.testing.deploy import deploy_log
from pnyx_tools.testing.passing_on import PassingOn
from pnyx_tools.verifier import verify


class Long(NamedTuple):
    """A log with a short writer and a long one, each with the block before its first."""

    node: Anvil
    log: str
    writers: list[tuple[int, str]]


FEW, MANY = 6_000, 24_000  # both fill the pieces in which logs are read


def test_a_report_counts_all_and_keeps_some():
    told = []
    found = Verdicts(told.append)
    about = About("0x" + "11" * 20, 1)
    found.add(about.matches(Step.VOTES) for _ in range(5))
    found.add(about.pending(Step.COMPLETENESS, "open") for _ in range(MAX_KEPT + 7))
    found.add([about.missing(Step.BUNDLE, "gone")])
    assert len(told) == MAX_KEPT + 13
    assert [v.status for v in found.kept] == [Status.PENDING] * MAX_KEPT + [Status.MISSING]
    said = found.to_json()
    assert said["steps"] == {"6": {"matches": 5}, "8": {"pending": MAX_KEPT + 7}, "9": {"missing": 1}}
    assert said["cut"] == {"pending": 7}
    assert said["counts"]["matches"] == 5


def test_a_problem_that_was_cut_still_counts(world):
    world.plain_key().act(world.blocks, world.open_proposal())
    report = world.check()
    assert report.ok
    report.writers[0].found.kept.clear()
    report.writers[0].add([About().missing(Step.BUNDLE, "gone")])
    report.writers[0].found.kept.clear()
    assert not report.ok


@pytest.fixture(scope="module")
def long():
    """A chain of its own: its writers are no part of the other tests' log."""
    with Anvil() as node:
        log = deploy_log(node)
        yield Long(node, log, [(node.rpc.block().number, write_bulk(node, log, entries)) for entries in (FEW, MANY)])


def peak(long, first, writer):
    """Bytes at the worst moment of a check of the log alone."""
    tracemalloc.start()
    try:
        report = verify(long.node.rpc, long.log, writer, upto="latest", from_block=first, log_only=True)
        assert report.problems == []
        return report.writers[0].entries, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_log(long):
    (few, small), (many, large) = (peak(long, *writer) for writer in long.writers)
    assert (few, many) == (FEW, MANY)
    assert large < 1.2 * small


def test_what_is_left_out_is_said(long):
    report = verify(long.node.rpc, long.log, long.writers[0][1], upto="latest", log_only=True)
    assert report.to_json()["without_evidence"] is True
    assert not any(int(step) > 8 for step in report.to_json()["writers"][0]["steps"])


def test_a_dropped_entry_of_many_is_seen(long):
    class Dropping(PassingOn):
        def logs(self, *question):
            found = super().logs(*question)
            return [log for log in found if log.topics[0] != ENTRY_TOPIC or log.data[27:32] != (2_345).to_bytes(5)]

    report = verify(Dropping(long.node.rpc), long.log, long.writers[0][1], upto="latest", log_only=True)
    assert {(v.step, v.where, v.about.seq) for v in report.problems} == {
        (Step.ENTRIES, "seq", 2_346),
        (Step.ENTRIES, "head", None),
    }


def test_the_pace_follows_the_answers():
    pace = Pace(blocks=10)
    pace.learn(10, 0)
    assert pace.blocks == 20
    pace.learn(20, 10 * AIM_LOGS)
    assert pace.blocks == 2
    pace.learn(1, 0)  # the end of a range says nothing about the rest
    assert pace.blocks == 2
    pace.learn(2, 100 * AIM_LOGS)
    assert pace.blocks == 1


def test_the_first_piece_fits_what_there_may_be():
    assert Pace.of(51, 3).blocks >= 51
    assert Pace.of(1_000, 100 * AIM_LOGS).blocks == 5
    assert Pace.of(10, 10**9).blocks == 1
    assert Pace.of(10**9, 0).blocks == MAX_BLOCKS
    assert Pace.of(10**9, None).blocks == FIRST_BLOCKS
