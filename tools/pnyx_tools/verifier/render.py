"""The report for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pnyx_contracts.types import to_hex
from pnyx_policies.verify.verdict import PROBLEMS, Report, Status, Step, Tier, Verdict, Verdicts, WriterReport, plain

_TIERS: Final = {
    Tier.ENFORCED: "ENFORCED: its vote gate cannot vote without an entry",
    Tier.ATOMIC: "ATOMIC: entry and vote came in one transaction every time, but the key could vote alone",
    Tier.DECLARED: "DECLARED: a plain key, which could vote without an entry; that would be seen here",
    Tier.UNKNOWN: "UNKNOWN: this contract promises nothing that we know",
}

_STYLES: Final = {
    Status.MATCHES: "green",
    Status.DIFFERS: "bold red",
    Status.MISSING: "bold red",
    Status.NOT_PROVEN: "bold yellow",
    Status.NOT_CHECKABLE: "yellow",
    Status.PENDING: "cyan",
}

_WHAT_TO_DO: Final = {
    Step.LOG_CODE: "check the log's address with the DAO; trust nothing that this contract says",
    Step.REGISTRATION: "ask another node; if it says the same, ask the operator",
    Step.ENTRIES: "ask another node: this one leaves entries out, or made some up",
    Step.CONFIGURATION: "ask another node; our log lets no configuration come into force like this",
    Step.WRITER: "do not count on a gate here; delegates may want to take their voting power back",
    Step.VOTES: "tell the DAO: a vote that its record does not cover",
    Step.ANNOUNCED_VOTES: "ask the operator why the vote is not there, and another node whether it really is not",
    Step.COMPLETENESS: "ask the operator why there was no decision in time",
    Step.BUNDLE: "ask the operator for the original evidence; other people may hold a copy",
    Step.HEADER: "the record was made for something else; ask the operator",
    Step.DECLARED_CONFIGURATION: "the agent did not work the way it declares; ask the operator",
    Step.PROPOSAL: "the agent judged something other than what is on chain",
    Step.STATE: "ask another archive node; if it says the same, the record tells other facts than the chain",
    Step.SIMULATION: "simulate with another node; if it says the same, the record tells other effects",
    Step.CONTEXT: "run the tool with another node",
    Step.FINDINGS: "a finding was hidden or made up, or another version of Pnyx made the record (it names which)",
    Step.PROMPTS: "the model was asked something else than these facts and templates",
    Step.ANSWERS: "the recorded opinion is not what the model answered",
    Step.DECISION: "the rules give another decision than the one that was recorded",
    Step.ENTRY: "the entry on chain is not the one that its own record entitles to",
}

_SHOWN_REMARKS: Final = 20
_SHOWN_NOT_CHECKABLE: Final = 8
"""Reasons for "not checkable" that are shown for one writer; the rest is in the JSON."""


def render(report: Report, console: Console) -> None:
    """The verdict first, then what was checked, then each problem: where, and what to do."""
    console.print(_headline(report))
    console.print(
        f"Log {report.log} on chain {report.chain_id}, up to block {report.block.number}, {to_hex(report.block.hash)}",
        highlight=False,
    )
    if report.without_evidence:
        console.print(Text("Steps 9 to 20 were left out: no evidence was looked at.", style="yellow"))
    _problems(report.verdicts, console)
    for writer in report.writers:
        _writer(writer, console)


def _headline(report: Report) -> Text:
    problems = report.number(*PROBLEMS)
    if problems:
        return Text(f"DOES NOT HOLD: {problems} problem(s) found.", style="bold red")
    if report.number(Status.NOT_PROVEN):
        number = len({verdict.about for verdict in report.unproven})
        return Text(
            f"NOT PROVEN: nothing differs, but {number} decision(s) rest on what cannot be checked, see below.",
            style="bold yellow",
        )
    unchecked = report.number(Status.NOT_CHECKABLE)
    rest = f" {unchecked} could not be checked, see below." if unchecked else ""
    matches = report.number(Status.MATCHES)
    return Text(f"HOLDS: {matches} checks, nothing differs, nothing is missing.{rest}", style="bold green")


def _writer(writer: WriterReport, console: Console) -> None:
    kinds = ", ".join(f"{count} {kind.name.lower()}" for kind, count in sorted(writer.kinds.items()))
    found = writer.found
    console.print()
    console.print(Text(f"Writer {writer.writer}", style="bold"))
    console.print(f"  {_TIERS[writer.tier]}", highlight=False)
    console.print(f"  {writer.entries} entries{f': {kinds}' if kinds else ''}", highlight=False)
    if writer.safe:
        console.print(f"  votes are cast by the owners of the Safe {writer.safe}", highlight=False)
    if writer.predecessor:
        console.print(f"  took the place of {writer.predecessor}", highlight=False)
    if writer.successor:
        console.print(f"  closed: {writer.successor} took its place", highlight=False)
    console.print(_table(found))
    _problems(found.kept, console)
    _each(found.kept, Status.NOT_PROVEN, console)
    _each(found.kept, Status.PENDING, console)
    _not_checkable(found.kept, console)
    for status, count in found.cut.items():
        console.print(Text(f"  and {count} more that are {status.value}: see --verdicts", style="yellow"))
    _remarks(writer, console)


def _remarks(writer: WriterReport, console: Console) -> None:
    """What others say. Whoever wants can write one, so each stands with its author, and none is a verdict."""
    for remark in writer.remarks[:_SHOWN_REMARKS]:
        where = f" {plain(remark.uri)}" if remark.uri else ""
        said = f"{remark.author} remarks on entry {remark.seq}: {remark.verdict.name.lower()}{where}"
        console.print(Text(f"  {said}", style="dim"))
    rest = len(writer.remarks) + writer.remarks_cut - _SHOWN_REMARKS
    if rest > 0:
        console.print(Text(f"  and {rest} more remarks: see --json", style="dim"))


def _table(found: Verdicts) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("Step", no_wrap=True)
    for heading in ("matches", "problems", "not\nproven", "not\ncheckable", "pending"):
        table.add_column(heading, justify="right")
    for step, counts in found.by_step().items():
        table.add_row(f"{int(step):2}. {step.title}", *_cells(counts))
    return table


def _cells(counts: Mapping[Status, int]) -> Iterator[Text]:
    for statuses in ((Status.MATCHES,), PROBLEMS, (Status.NOT_PROVEN,), (Status.NOT_CHECKABLE,), (Status.PENDING,)):
        count, status = sum(counts.get(status, 0) for status in statuses), statuses[0]
        yield Text(str(count) if count else "-", style=_STYLES[status] if count else "dim")


def _problems(verdicts: Iterable[Verdict], console: Console) -> None:
    """By step, so that what to do about many of them is said once."""
    problems = sorted((v for v in verdicts if v.status.is_problem), key=lambda v: v.step)
    for step, of_step in groupby(problems, key=lambda v: v.step):
        for verdict in of_step:
            _one(verdict, console)
        console.print(Text(f"    to do: {_WHAT_TO_DO[step]}", style="dim"))


def _each(verdicts: Iterable[Verdict], status: Status, console: Console) -> None:
    for verdict in verdicts:
        if verdict.status is status:
            _one(verdict, console)


def _one(verdict: Verdict, console: Console) -> None:
    words = plain(f"{_place(verdict)}: {verdict}{_both_sides(verdict)}")
    console.print(Text(f"  {words}", style=_STYLES[verdict.status]))
    if verdict.about.proposal:
        # An id has up to 78 digits, so on a line of its own it can be copied whole from 80 columns.
        chain, governor, number = verdict.about.proposal.split(":")
        console.print(Text(f"    governor {governor} on chain {chain}, proposal\n  {number}", style="dim"))


def _not_checkable(verdicts: Iterable[Verdict], console: Console) -> None:
    """Equal reasons are counted, not repeated."""
    reasons = Counter((v.step, v.reason) for v in verdicts if v.status is Status.NOT_CHECKABLE)
    for (step, reason), count in reasons.most_common(_SHOWN_NOT_CHECKABLE):
        times = f" ({count} times)" if count > 1 else ""
        console.print(Text(f"  {step.title}{times}: not checkable, because {plain(reason)}", style="yellow"))
    if len(reasons) > _SHOWN_NOT_CHECKABLE:
        console.print(Text(f"  and {len(reasons) - _SHOWN_NOT_CHECKABLE} more reasons: see --json", style="yellow"))


def _place(verdict: Verdict) -> str:
    about = verdict.about
    entry = f", entry {about.seq}" if about.seq is not None else ""
    return f"{int(verdict.step)}. {verdict.step.title}{entry}"


def _both_sides(verdict: Verdict) -> str:
    if not verdict.expected and not verdict.seen:
        return ""
    return f" (expected {verdict.expected or 'nothing'}, found {verdict.seen or 'nothing'})"
