"""The verifier's verdicts, kept small: many entries get the same ones."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from pnyx_policies.audit.label import label
from pnyx_policies.audit.rows import CheckRow, NoteRow
from pnyx_policies.verify.verdict import About, Status, Verdict

MOST_NOTES = 50
"""Verdicts that are kept about one entry, beside those that match; how many there were is in the counts."""
MOST_LOOSE = 1_000
"""Verdicts about no entry that are kept for one writer."""


class Notes:
    """Takes every verdict of a check; gives back those about one entry, or about none."""

    def __init__(self) -> None:
        self._by_entry: defaultdict[str, dict[int, tuple[int, ...]]] = defaultdict(dict)
        """Places in `_known`, by writer and number of the entry."""
        self._loose: defaultdict[str, list[Verdict]] = defaultdict(list)
        self._counts: defaultdict[str, Counter[Status]] = defaultdict(Counter)
        self._known: list[Verdict] = []
        """Each wording once, about nothing in particular."""
        self._places: dict[tuple[int | str, ...], int] = {}
        self._rows: dict[tuple[int, ...], tuple[int, ...]] = {}

    def take(self, verdict: Verdict) -> None:
        """The next verdict, in any order."""
        about = verdict.about
        self._counts[about.writer][verdict.status] += 1
        if about.seq is not None:
            found = self._by_entry[about.writer]
            row = (*found.get(about.seq, ()), self._place(verdict))
            found[about.seq] = self._rows.setdefault(row, row)
        elif verdict.status is not Status.MATCHES and len(self._loose[about.writer]) < MOST_LOOSE:
            self._loose[about.writer].append(verdict)

    def _place(self, verdict: Verdict) -> int:
        words = (verdict.where, verdict.reason, verdict.expected, verdict.seen)
        place = self._places.setdefault(
            (int(verdict.step), verdict.status.value, verdict.grade.value, *words), len(self._known)
        )
        if place == len(self._known):
            self._known.append(Verdict(verdict.step, verdict.status, About(), verdict.grade, *words))
        return place

    def counts(self, writer: str) -> dict[str, int]:
        """Verdicts by status, about everything of this writer."""
        return _counts(self._counts[writer])

    def loose(self, writer: str) -> Sequence[Verdict]:
        """What does not match, and is about no entry."""
        return self._loose[writer]

    def check(self, writer: str, seq: int) -> CheckRow:
        """What is said about one entry."""
        verdicts = [self._known[place] for place in self._by_entry[writer].get(seq, ())]
        notes = [NoteRow.of(verdict) for verdict in verdicts if verdict.status is not Status.MATCHES]
        return CheckRow(
            label=label(verdicts),
            counts=_counts(Counter(verdict.status for verdict in verdicts)),
            notes=tuple(notes[:MOST_NOTES]),
        )


def _counts(found: Counter[Status]) -> dict[str, int]:
    return {status.value: found[status] for status in Status if found[status]}
