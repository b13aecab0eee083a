"""Every check of `world` is made by Python and by JavaScript: where they would disagree, it is seen."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace

import pytest

from pnyx_contracts.errors import UsageError

from .javascript import VERIFIER, find_node, require_same


@pytest.fixture
def answers(world, agent, proposal):
    """Of both, about an honest vote."""
    agent.act(world.blocks, proposal)
    report = world.check()
    return report, world.verdicts, world.check_in_javascript(world.node.url, None, evidence=world.folder, upto="latest")


def test_the_same_is_the_same(answers):
    require_same(*answers)


@pytest.mark.parametrize("step", [1, 6, 12, 19, 20])
def test_another_verdict_is_seen(answers, step):
    report, ours, theirs = answers
    verdicts = [v | {"status": "differs"} if v["step"] == step else v for v in theirs.verdicts]
    assert verdicts != theirs.verdicts
    said = [*map(json.dumps, verdicts), theirs.said[-1]]
    with pytest.raises(AssertionError, match="differs"):
        require_same(report, ours, replace(theirs, said=said))


def test_a_verdict_that_one_does_not_give_is_seen(answers):
    report, ours, theirs = answers
    with pytest.raises(AssertionError, match="matches"):
        require_same(report, ours, replace(theirs, said=theirs.said[1:]))
    with pytest.raises(AssertionError, match="matches"):
        require_same(report, ours[1:], theirs)


def test_another_exit_code_is_seen(answers):
    report, ours, theirs = answers
    for code in (1, 2):
        with pytest.raises(AssertionError, match=str(code)):
            require_same(report, ours, replace(theirs, code=code))


def test_an_error_of_one_alone_is_seen(world, monkeypatch):
    def refuse(*_, **__):
        raise UsageError("no")

    world.plain_key()
    monkeypatch.setattr(world, "check_in_python", refuse)
    with pytest.raises(AssertionError, match="Python ends with 2"):
        world.check()


def test_the_program_says_what_the_long_process_says(world, answers):
    program = [find_node(), str(VERIFIER / "cli.js"), "--rpc", world.node.url, "--log", world.log]
    options = [f"--evidence={world.folder}", "--upto=latest"]
    done = subprocess.run([*program, *options, "--stream"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == answers[2].code == 0
    assert done.stdout.splitlines() == answers[2].said
    told = subprocess.run([*program, *options], capture_output=True, text=True, timeout=120, check=True)
    assert told.stdout.startswith("HOLDS, as far as it is checked here.")
