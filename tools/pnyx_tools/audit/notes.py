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
        self._by_entry: defaultdict[str, dict[int, tuple[Verdict, ...]]] = defaultdict(dict)
        self._loose: defaultdict[str, list[Verdict]] = defaultdict(list)
        self._counts: defaultdict[str, Counter[Status]] = defaultdict(Counter)
        self._same: dict[Verdict, Verdict] = {}
        self._rows: dict[tuple[Verdict, ...], tuple[Verdict, ...]] = {}

    def take(self, verdict: Verdict) -> None:
        """The next verdict, in any order."""
        about = verdict.about
        self._counts[about.writer][verdict.status] += 1
        if about.seq is not None:
            found = self._by_entry[about.writer]
            row = (*found.get(about.seq, ()), self._shared(verdict))
            found[about.seq] = self._rows.setdefault(row, row)
        elif verdict.status is not Status.MATCHES and len(self._loose[about.writer]) < MOST_LOOSE:
            self._loose[about.writer].append(verdict)

    def _shared(self, verdict: Verdict) -> Verdict:
        """The same words about another entry: one object for all."""
        bare = Verdict(
            verdict.step, verdict.status, About(), verdict.grade, verdict.where, verdict.reason, verdict.expected,
            verdict.seen,
        )  # fmt: skip
        return self._same.setdefault(bare, bare)

    def counts(self, writer: str) -> dict[str, int]:
        """Verdicts by status, about everything of this writer."""
        return _counts(self._counts[writer])

    def loose(self, writer: str) -> Sequence[Verdict]:
        """What does not match, and is about no entry."""
        return self._loose[writer]

    def check(self, writer: str, seq: int) -> CheckRow:
        """What is said about one entry."""
        verdicts = self._by_entry[writer].get(seq, ())
        notes = [NoteRow.of(verdict) for verdict in verdicts if verdict.status is not Status.MATCHES]
        return CheckRow(
            label=label(verdicts),
            counts=_counts(Counter(verdict.status for verdict in verdicts)),
            notes=tuple(notes[:MOST_NOTES]),
        )


def _counts(found: Counter[Status]) -> dict[str, int]:
    return {status.value: found[status] for status in Status if found[status]}
