"""The demo itself: proposals in, a running agent, votes out, a stranger's check; every step compared with what is
right.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import JsonValue

from pnyx_agents.demo.scenario import Sketch
from pnyx_agents.demo.stage import VOTING_PERIOD_BLOCKS, Stage, open_proposal
from pnyx_contracts.errors import DiffersError, PnyxError
from pnyx_contracts.types import Value, VoteCast
from pnyx_policies.bundle import Bundle
from pnyx_policies.finding import Severity
from pnyx_policies.verify import Status, Step, Tier
from pnyx_tools.evidence import FolderStore
from pnyx_tools.journal import Case, Journal
from pnyx_tools.journal import Stage as CaseStage

SECONDS_PER_PROPOSAL = 30
BLOCK_SECONDS = 1
"""The set-up mines a block for each transaction; from then on time passes as on a real chain."""
FINAL_BLOCKS = 8
LAST_LINES = 15
"""Of the daemon's log, shown when it ended too early."""


class Act(Value):
    """What became of one proposal."""

    name: str
    proposal_id: str
    outcome: str
    reason: str
    decided_by: str
    entry: str
    vote: str | None
    """The vote as the governor's event reports it, None when none was cast."""
    worst_finding: str | None
    record_root: str
    entry_transaction: str
    vote_transaction: str


class Report(Value):
    """The whole demo."""

    rpc: str
    log: str
    writer: str
    governor: str
    evidence: str
    acts: tuple[Act, ...]
    verification: JsonValue
    seconds: float


def play(stage: Stage, sketches: Sequence[Sketch], say: Callable[[str], None]) -> Report:
    """Raises `DiffersError` or `PnyxError` as soon as anything is not as it should be."""
    started = time.monotonic()
    say(f"opening {len(sketches)} proposals")
    opened = {str(open_proposal(stage, sketch)): sketch for sketch in sketches}
    stage.node.request("evm_setIntervalMining", BLOCK_SECONDS)
    daemon = start_daemon(stage)
    try:
        say("the agent follows, decodes, simulates, analyzes, checks, decides, records, votes")
        cases = _await_all(stage, daemon, opened, say)
    finally:
        _stop(daemon)
    say("letting the votes end")
    stage.node.mine(VOTING_PERIOD_BLOCKS + FINAL_BLOCKS)
    acts = tuple(_compare(stage, opened[_id(case)], case) for case in cases)
    say("a stranger verifies: a new process, with one RPC endpoint and the log's address")
    verification = _verify(stage)
    demand_whole_check(verification, len(acts))
    return Report(
        rpc=stage.node.url, log=stage.deployed.log, writer=stage.deployed.writer,
        governor=stage.governance.governor, evidence=str(stage.folder / "evidence"), acts=acts,
        verification=verification, seconds=round(time.monotonic() - started, 1),
    )  # fmt: skip


def start_daemon(stage: Stage) -> subprocess.Popen[bytes]:
    """`pnyx run`, as a process of its own; it starts its signer."""
    log = (stage.folder / "daemon.log").open("ab")
    command = [sys.executable, "-m", "pnyx_agents", "run", "--config", str(stage.folder / "pnyx.toml")]
    return subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)


def _stop(daemon: subprocess.Popen[bytes]) -> None:
    daemon.terminate()
    try:
        daemon.wait(30)
    except subprocess.TimeoutExpired:
        daemon.kill()
        raise PnyxError("the agent did not stop within 30 seconds of SIGTERM") from None


def _await_all(
    stage: Stage, daemon: subprocess.Popen[bytes], opened: dict[str, Sketch], say: Callable[[str], None]
) -> list[Case]:
    """Until each proposal is answered for."""
    deadline = time.monotonic() + SECONDS_PER_PROPOSAL * (len(opened) + 1)
    told: set[str] = set()
    while time.monotonic() < deadline:
        if daemon.poll() is not None:
            raise PnyxError(f"the agent ended by itself:\n{_last_lines(stage)}")
        cases = _cases(stage)
        for case in cases:
            if case.stage is CaseStage.FAILED:
                raise PnyxError(f"{opened[_id(case)].name}: {case.detail}\n{_last_lines(stage)}")
            if case.stage in {CaseStage.DONE, CaseStage.HELD} and case.proposal not in told:
                told.add(case.proposal)
                say(f"  {opened[_id(case)].name}: {case.outcome} ({case.reason})")
        if len(told) == len(opened):
            return cases
        time.sleep(0.2)
    missing = [sketch.name for key, sketch in opened.items() if not any(key in done for done in told)]
    raise PnyxError(f"no decision in time about: {', '.join(missing)}\n{_last_lines(stage)}")


def _cases(stage: Stage) -> list[Case]:
    file = stage.settings.data / "journal.sqlite"
    if not file.exists():
        return []
    journal = Journal(f"sqlite:///{file}")
    try:
        return journal.cases()
    finally:
        journal.close()


def _compare(stage: Stage, sketch: Sketch, case: Case) -> Act:
    """What the agent says it did, against the chain and against what is right."""
    data = FolderStore(stage.folder / "evidence").get_bundle(bytes.fromhex(case.record_root.removeprefix("0x")))
    if data is None:
        raise DiffersError(f"{sketch.name}: there is no bundle of its record {case.record_root}")
    dossier = Bundle.parse(data).dossier
    worst = max((f.severity for report in dossier.checks for f in report.findings), default=None)
    cast = _vote_on_chain(stage, int(_id(case)))
    act = Act(
        name=sketch.name, proposal_id=_id(case), outcome=case.outcome, reason=case.reason,
        decided_by=dossier.decision.decided_by, entry=case.detail, vote=cast.vote.value if cast and cast.vote else None,
        worst_finding=worst.name.lower() if worst is not None else None, record_root=case.record_root,
        entry_transaction=case.entry_transaction, vote_transaction=case.vote_transaction,
    )  # fmt: skip
    decided = dossier.decision.outcome.vote
    if act.vote != (decided.value if decided else None):
        raise DiffersError(f"{sketch.name}: decided {act.outcome}, but the governor counted {act.vote or 'no vote'}")
    if sketch.expected and act.outcome not in sketch.expected:
        raise DiffersError(f"{sketch.name}: decided {act.outcome}, expected {' or '.join(sketch.expected)}")
    if not sketch.expected and worst is Severity.CRITICAL:
        raise DiffersError(f"{sketch.name}: a critical finding on an honest proposal: {act.reason}")
    return act


def _vote_on_chain(stage: Stage, proposal_id: int) -> VoteCast | None:
    """Read anew from the governor's events."""
    governance, reader = stage.governance, stage.node.rpc
    topics = governance.adapter.voter_topics(stage.deployed.writer) or [governance.adapter.vote_topics()]
    logs = reader.logs(0, reader.block().number, topics, [governance.governor])
    votes = [governance.adapter.decode_vote(governance.profile, log) for log in logs]
    found = [vote for vote in votes if vote.key.proposal_id == proposal_id]
    if len(found) > 1:
        raise DiffersError(f"proposal {proposal_id} was voted on {len(found)} times")
    return found[0] if found else None


def _verify(stage: Stage) -> Any:  # noqa: ANN401 - JSON
    """The stranger's report, and beside it, as `every_verdict`, also what matches."""
    verdicts = stage.folder / "verdicts.jsonl"
    command = [
        sys.executable, "-m", "pnyx_agents", "verify", "--rpc", stage.node.url, "--log", stage.deployed.log,
        "--evidence", str(stage.folder / "evidence"), "--verdicts", str(verdicts), "--json",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_nothing_of_ours())
    try:
        report = json.loads(done.stdout)
        lines = verdicts.read_text(encoding="utf-8").splitlines()
        return report | {"every_verdict": [json.loads(line) for line in lines]}
    except (OSError, ValueError):
        told = done.stderr.strip()
        raise DiffersError(f"the stranger's verification ended with {done.returncode} and no report: {told}") from None


PER_PROPOSAL = (
    Step.COMPLETENESS, Step.BUNDLE, Step.PROPOSAL, Step.SIMULATION, Step.FINDINGS, Step.PROMPTS, Step.DECISION,
    Step.ENTRY,
)  # fmt: skip


def demand_whole_check(report: Any, proposals: int) -> None:  # noqa: ANN401 - JSON
    """A check that looked at less than everything would prove nothing: each proposal must have come up in each step."""
    if len(report["writers"]) != 1:
        raise DiffersError(f"the stranger finds {len(report['writers'])} writers in the log, not 1")
    (writer,) = report["writers"]
    problems = [v for v in writer["verdicts"] if Status(v["status"]).is_problem]
    if problems:
        raise DiffersError(f"the stranger finds {len(problems)} problems, the first: {json.dumps(problems[0])}")
    if not report["ok"] or writer["tier"] != Tier.ENFORCED.value:
        raise DiffersError(f"the stranger's report says ok: {report['ok']}, tier: {writer['tier']}")
    for step in PER_PROPOSAL:
        every = report["every_verdict"]
        verdicts = [v for v in every if v["step"] == step and v["status"] == Status.MATCHES.value]
        checked = {v["proposal"] or v["entry"] for v in verdicts}
        if len(checked) != proposals:
            raise DiffersError(f"the stranger could check {step.title!r} of {len(checked)} proposals, not {proposals}")


def _nothing_of_ours() -> dict[str, str]:
    """A stranger's environment."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PNYX_", "OPENAI_"))}


def _last_lines(stage: Stage) -> str:
    lines = (stage.folder / "daemon.log").read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-LAST_LINES:])


def _id(case: Case) -> str:
    return case.proposal.rpartition(":")[2]
