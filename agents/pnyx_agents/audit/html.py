"""The report as one file: no scripts, nothing that loads, and a policy that says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import IO, Any, Final

from jinja2 import Template

from pnyx_agents import page
from pnyx_agents.audit import words
from pnyx_agents.audit.links import Links
from pnyx_contracts.types import to_hex
from pnyx_policies.audit.period import Bound
from pnyx_policies.audit.rows import DecisionRow, NoteRow, ProposalNote
from pnyx_policies.audit.tally import Summary
from pnyx_policies.text import named
from pnyx_policies.verify.verdict import PROBLEMS, Report, Status
from pnyx_tools.audit import Audit, WriterHead

_VOTES: Final = ("for", "against", "abstain", "other")


@dataclass(frozen=True, slots=True)
class Chapter:
    """One agent in the report."""

    head: WriterHead
    summary: Summary
    rows: tuple[DecisionRow, ...]
    """The newest first; as many as one page can take."""

    @property
    def left_out(self) -> int:
        """Older decisions of the period, which only ``report.json`` has."""
        return self.summary.entries - len(self.rows)

    @property
    def loose(self) -> list[tuple[NoteRow, list[ProposalNote]]]:
        """What is about proposals without an entry: equal words once, with the proposals that they are about."""
        ordered = sorted(self.head.proposals, key=lambda about: (about.note.step, about.note.status))
        found: dict[NoteRow, list[ProposalNote]] = {}
        for about in ordered:
            found.setdefault(about.note, []).append(about)
        return list(found.items())

    @property
    def votes(self) -> dict[str, int]:
        """In all governors."""
        found = {word: sum(g.votes.get(word, 0) for g in self.summary.votes) for word in _VOTES}
        return {word: count for word, count in found.items() if count}


def write_html(audit: Audit, chapters: Sequence[Chapter], links: Links | None, file: IO[bytes]) -> None:
    """Piece by piece; the whole page is never in memory."""
    report = audit.report
    stream = _template().stream(
        verdict=_verdict(report),
        report=report,
        chapters=chapters,
        period=(_bound(audit.period.since), _bound(audit.period.until)),
        currency=audit.prices.currency if audit.prices else None,
        links=links,
        release=version("pnyx"),
    )
    stream.enable_buffering(64)
    stream.dump(file, encoding="utf-8")


def _verdict(report: Report) -> tuple[str, str]:
    """As the first line of `pnyx verify`: a class for its colour, and the words."""
    if problems := report.number(*PROBLEMS):
        return "bad", f"Does not hold: {problems} problem(s) found."
    if not report.writers:
        return "bad", "Nothing was checked: the log has no writer."
    if unproven := report.number(Status.NOT_PROVEN):
        return "warn", f"Not proven: nothing differs, but {unproven} thing(s) rest on what is not shown."
    counts = report.counts()
    return "good", f"Holds: {counts['matches']} checks, nothing differs, nothing is missing."


def _bound(bound: Bound | None) -> str | None:
    if bound is None:
        return None
    return f"block {bound.block}" if bound.time is None else words.moment(bound.time)


def _bar(votes: Mapping[str, int]) -> list[tuple[str, int, int]]:
    """Pieces of a bar of 1,000: (word, where it begins, how long)."""
    total = sum(votes.values())
    pieces, before = [], 0
    for word in _VOTES:
        count = votes.get(word, 0)
        if count:
            begin, end = before * 1000 // total, (before + count) * 1000 // total
            pieces.append((word, begin, end - begin))
        before += count
    return pieces


@cache
def _template() -> Template:
    environment = page.environment()
    environment.filters |= _FILTERS
    environment.globals |= {"LABELS": words.LABELS, "TIERS": words.TIERS, "EFFECTS": words.EFFECTS, "bar": _bar}
    return page.dressed(environment, files(__package__).joinpath("report.html").read_text(encoding="utf-8"))


def _slug(text: str) -> str:
    return text.replace(" ", "-")


_FILTERS: Final[dict[str, Any]] = {
    "plain": named,
    "one_line": words.one_line,
    "moment": words.moment,
    "rfc3339": words.rfc3339,
    "duration": words.duration,
    "share": words.share,
    "coins": words.coins,
    "coins_short": words.coins_short,
    "short": words.short,
    "number": words.number,
    "kind": words.kind,
    "headline": words.headline,
    "reason": words.reason,
    "subject": words.subject,
    "hex": to_hex,
    "slug": _slug,
    "seat": words.seat,
}
