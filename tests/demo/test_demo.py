"""`pnyx demo`, as a stranger runs it: it must succeed, and it must be able to fail."""

from __future__ import annotations

import copy
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pnyx_agents.demo import play
from pnyx_agents.demo.play import PER_PROPOSAL, demand_whole_check
from pnyx_agents.demo.scenario import own_sketches, sketches_from
from pnyx_agents.demo.stage import Stage, set_stage
from pnyx_contracts.decision_log import read_state
from pnyx_contracts.errors import DiffersError, PnyxError, UsageError
from pnyx_policies.verify import Step

MUST_END_WITHIN_SECONDS = 60


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pnyx_agents", "demo", "--json", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)


def report_of(ended: subprocess.CompletedProcess[str]) -> Any:
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.fixture(scope="module")
def report() -> Any:
    """Of one demo with our own proposals."""
    return report_of(demo())


def test_the_whole_job_on_our_own_proposals(report: Any) -> None:
    votes = {act["name"]: act["vote"] for act in report["acts"]}
    assert votes == {
        "honest transfer": "for",
        "parameter change": None,
        "hostile role grant": "against",
        "hidden instruction": "against",
        "empty text": "against",
    }
    verification = report["verification"]
    assert verification["ok"]
    assert verification["counts"]["differs"] == verification["counts"]["missing"] == 0
    assert verification["writers"][0]["tier"] == "enforced"
    assert report["seconds"] < MUST_END_WITHIN_SECONDS


def test_it_fails_loudly_when_a_decision_is_not_the_right_one(tmp_path: Path) -> None:
    rules = tmp_path / "naive.toml"
    rules.write_text(
        'name = "naive"\nversion = "1"\ndescription = "Trusts everybody."\n\n'
        '[[rule]]\nid = "yes"\nbecause = "Everything is fine."\nwhen = ["calls.count > 0"]\nthen = "for"\n'
    )
    ended = demo("--ruleset", str(rules))
    assert ended.returncode == 1
    assert "expected against" in ended.stderr


def without(step: Step) -> Callable[[Any], None]:
    """The stranger did not look at one proposal in this step."""

    def forget(verification: Any) -> None:
        verdicts = verification["every_verdict"]
        about = next(v["proposal"] or v["entry"] for v in verdicts if v["step"] == step)
        verdicts[:] = [v for v in verdicts if v["step"] != step or (v["proposal"] or v["entry"]) != about]

    return forget


def problem(verification: Any) -> None:
    verification["writers"][0]["verdicts"].append(verification["every_verdict"][-1] | {"status": "differs"})


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda v: v.update(ok=False), "says ok: False"),
        (lambda v: v.update(writers=[]), "0 writers"),
        (lambda v: v["writers"][0].update(tier="declared"), "tier: declared"),
        (lambda v: v.update(every_verdict=[]), "of 0 proposals, not 5"),
        (problem, "finds 1 problems"),
        *((without(step), f"could check {step.title!r} of 4 proposals, not 5") for step in PER_PROPOSAL),
    ],
)
def test_no_success_unless_the_stranger_checked_everything(
    report: Any, spoil: Callable[[Any], None], says: str
) -> None:
    verification = copy.deepcopy(report["verification"])
    demand_whole_check(verification, len(report["acts"]))
    spoil(verification)
    with pytest.raises(DiffersError, match=re.escape(says)):
        demand_whole_check(verification, len(report["acts"]))


def signer_of(daemon: subprocess.Popen[bytes]) -> int | None:
    """The signer among the children of the daemon, once it is there."""
    for child in Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children").read_text().split():
        with suppress(FileNotFoundError, ProcessLookupError):  # some children live for a moment only
            if b"pnyx_tools.signer" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
    return None


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the signer in /proc")
def test_it_fails_loudly_when_the_signer_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = play.start_daemon

    def start_and_kill_the_signer(stage: Stage) -> subprocess.Popen[bytes]:
        daemon = start(stage)
        while (signer := signer_of(daemon)) is None:
            assert daemon.poll() is None, "the agent starts its signer"
        os.kill(signer, signal.SIGKILL)
        return daemon

    monkeypatch.setattr(play, "start_daemon", start_and_kill_the_signer)
    with set_stage(tmp_path / "demo", "steward", {}, lambda _: None) as stage:
        with pytest.raises(PnyxError, match="the agent ended by itself"):
            play.play(stage, list(own_sketches(stage.store)), lambda _: None)
        assert stage.node.rpc.read(read_state(stage.deployed.log, stage.deployed.writer)).seq == 0


def test_all_real_proposals_go_the_same_way(real_proposals: list[Path]) -> None:
    report = report_of(demo("--proposals", str(real_proposals[0].parent)))
    assert len(report["acts"]) == len(real_proposals)
    assert [act["name"] for act in report["acts"] if act["worst_finding"] == "critical"] == []
    assert report["verification"]["ok"]


@pytest.mark.parametrize("content", ["{", '{"name": "x"}', "[]"])
def test_a_file_that_is_no_proposal_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "broken.json").write_text(content)
    with pytest.raises(UsageError, match=r"broken\.json"):
        list(sketches_from(tmp_path))


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no \*\.json"):
        list(sketches_from(tmp_path))
