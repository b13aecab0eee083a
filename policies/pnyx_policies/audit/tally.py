"""The sums over one writer's rows. Takes one row at a time and keeps none."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from decimal import Decimal
from statistics import median_low
from typing import Final

from pnyx_contracts.entry import EntryKind
from pnyx_contracts.types import Address, Uint, Value, Vote
from pnyx_policies.audit.rows import CheckRow, DecisionRow
from pnyx_policies.audit.story import MOST_NAMES, ModelUse, Story
from pnyx_policies.prices import spelled, total
from pnyx_policies.verify.verdict import Status

MOST_COUNTED: Final = 500
"""So many different names (of rules, reasons, fields) are counted one by one; a record may make up any number."""
OTHERS: Final = "(others)"

_NUMBERS = re.compile(r"0x[0-9a-fA-F]+|\d+")
"""Block numbers and hashes make one reason look like many."""

DECIDES: Final = frozenset({EntryKind.VOTE, EntryKind.SKIP, EntryKind.HOLD, EntryKind.DECISION})
"""Kinds by which the agent answers a proposal in time. MISSED says that it did not."""


class GovernorVotes(Value):
    """Votes that were cast in one governor, as its events have them."""

    governor: Address
    votes: dict[str, int]
    """By word; ``other`` for a support number without one."""


class RuleCount(Value):
    rule: str
    decided: int
    fired: int
    """Its conditions held, whether it decided or not. None of the records that withhold the rules are in here."""


class ReasonCount(Value):
    reason: str
    count: int


class UncheckedCount(Value):
    """One reason why something could not be checked, and how often."""

    step: int
    title: str
    reason: str
    count: int


class Timing(Value):
    """Over `count` decisions; `unknown` more have no time. Shares are hundredths of a percent of the voting period."""

    count: int
    unknown: int
    median_seconds: int | None
    """The lower one of two in the middle."""
    worst_seconds: int | None
    worst_seq: int | None
    median_share: int | None
    worst_share: int | None


class GasSum(Value):
    """Each transaction counts once. `unknown` decisions have a transaction about which the node does not say enough."""

    transactions: int
    gas_used: int
    cost_wei: Uint
    unknown: int


class ModelSum(Value):
    """`use` adds up the `decisions` for which a model was asked; `unknown` more withhold whether one was."""

    decisions: int
    unknown: int
    use: ModelUse


class Summary(Value):
    """What one writer did in the period."""

    entries: int
    """Entries about proposals."""
    kinds: dict[str, int]
    votes: tuple[GovernorVotes, ...]
    not_cast: int
    """VOTE entries without a vote: taken back, not cast yet, or owed; the check says which."""
    voided: int
    rules: tuple[RuleCount, ...]
    reasons: tuple[ReasonCount, ...]
    people: dict[str, int]
    """What people did, by effect: confirmed, changed, lifted, rejected, vetoed; and what expired."""
    overrides: int
    """All of these but confirmed."""
    holds: dict[str, int]
    """Holds that waited for people, by what became of them."""
    decision_time: Timing
    """From a proposal to the first entry that decides about it."""
    vote_time: Timing
    """From a proposal to the vote."""
    gas: GasSum
    model: ModelSum
    labels: dict[str, int]
    counts: dict[str, int]
    """Verdicts about these entries by status."""
    not_checkable: tuple[UncheckedCount, ...]
    not_proven: tuple[UncheckedCount, ...]
    evidence: dict[str, int]
    withheld: dict[str, int]
    """How many records withhold a field."""
    remarks: dict[str, int]


class Tally:
    """Give it the rows of one writer, in order, then ask for the `summary`."""

    def __init__(self) -> None:
        self._kinds: Counter[str] = Counter()
        self._votes: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._not_cast = 0
        self._voided = 0
        self._decided: Counter[str] = Counter()
        self._fired: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._people: Counter[str] = Counter()
        self._overrides = 0
        self._holds: Counter[str] = Counter()
        self._decision_time = _Times()
        self._vote_time = _Times()
        self._gas = _Gas()
        self._model = _Model()
        self._labels: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._unchecked: dict[Status, Counter[tuple[int, str, str]]] = {
            Status.NOT_CHECKABLE: Counter(),
            Status.NOT_PROVEN: Counter(),
        }
        self._evidence: Counter[str] = Counter()
        self._withheld: Counter[str] = Counter()
        self._remarks: Counter[str] = Counter()

    def add(self, row: DecisionRow) -> None:
        """One more row."""
        self._kinds[row.kind.name.lower()] += 1
        if row.became is not None:
            self._holds[row.became.word] += 1
        for remark in row.remarks:
            self._remarks[remark.verdict] += 1
        self._gas.add(row)
        self._add_vote(row)
        self._add_times(row)
        self._add_story(row.story)
        self._add_check(row.check)

    def _add_vote(self, row: DecisionRow) -> None:
        if row.kind is not EntryKind.VOTE:
            return
        self._voided += row.voided_by is not None
        if row.cast is None:
            self._not_cast += 1
        elif row.proposal is not None:
            self._votes[row.proposal.key.governor][row.cast.vote or "other"] += 1

    def _add_times(self, row: DecisionRow) -> None:
        if row.is_first and row.kind in DECIDES:
            self._decision_time.add(row.seq, row.seconds_to_decision, row.decision_share)
        if row.cast is not None:
            self._vote_time.add(row.seq, row.seconds_to_vote, row.vote_share)

    def _add_story(self, story: Story) -> None:
        self._evidence[story.evidence] += 1
        _count(self._withheld, story.withheld)
        _count(self._decided, [story.decided_by] if story.decided_by is not None else [])
        _count(self._fired, story.fired or ())
        _count(self._reasons, [story.reason] if story.reason is not None else [])
        self._model.add(story)
        if story.person is not None:
            self._people[story.person.effect] += 1
            self._overrides += story.person.overrides

    def _add_check(self, check: CheckRow) -> None:
        self._labels[check.label.value] += 1
        self._counts.update(check.counts)
        for note in check.notes:
            found = self._unchecked.get(Status(note.status))
            if found is not None:
                named = note.step, note.title, _NUMBERS.sub("#", note.reason)
                found[named if named in found or len(found) < MOST_COUNTED else (note.step, note.title, OTHERS)] += 1

    def summary(self) -> Summary:
        """The sums so far."""
        return Summary(
            entries=self._kinds.total(),
            kinds=dict(self._kinds),
            votes=tuple(
                GovernorVotes(governor=governor, votes=_in_order(votes))
                for governor, votes in sorted(self._votes.items())
            ),
            not_cast=self._not_cast,
            voided=self._voided,
            rules=tuple(
                RuleCount(rule=rule, decided=self._decided[rule], fired=self._fired[rule])
                for rule, _ in (self._decided + self._fired).most_common()
            ),
            reasons=tuple(ReasonCount(reason=reason, count=n) for reason, n in self._reasons.most_common()),
            people=dict(self._people),
            overrides=self._overrides,
            holds=dict(self._holds),
            decision_time=self._decision_time.timing(),
            vote_time=self._vote_time.timing(),
            gas=self._gas.sum(),
            model=self._model.sum(),
            labels=dict(self._labels),
            counts=dict(self._counts),
            not_checkable=_unchecked(self._unchecked[Status.NOT_CHECKABLE]),
            not_proven=_unchecked(self._unchecked[Status.NOT_PROVEN]),
            evidence=dict(self._evidence),
            withheld=dict(self._withheld.most_common()),
            remarks=dict(self._remarks),
        )


class _Times:
    def __init__(self) -> None:
        self._seconds: list[int] = []
        self._shares: list[int] = []
        self._worst: tuple[int, int] | None = None
        """Seconds, and the entry."""
        self._unknown = 0

    def add(self, seq: int, seconds: int | None, share: int | None) -> None:
        if seconds is None:
            self._unknown += 1
            return
        if self._worst is None or seconds > self._worst[0]:
            self._worst = seconds, seq
        self._seconds.append(seconds)
        if share is not None:
            self._shares.append(share)

    def timing(self) -> Timing:
        return Timing(
            count=len(self._seconds),
            unknown=self._unknown,
            median_seconds=median_low(self._seconds) if self._seconds else None,
            worst_seconds=self._worst[0] if self._worst else None,
            worst_seq=self._worst[1] if self._worst else None,
            median_share=median_low(self._shares) if self._shares else None,
            worst_share=max(self._shares, default=None),
        )


class _Gas:
    def __init__(self) -> None:
        self._transactions = self._gas = self._cost = self._unknown = 0

    def add(self, row: DecisionRow) -> None:
        gas = row.gas
        self._transactions += len(gas.transactions)
        self._unknown += gas.cost_wei is None
        self._gas += gas.gas_used or 0
        self._cost += gas.cost_wei or 0

    def sum(self) -> GasSum:
        return GasSum(transactions=self._transactions, gas_used=self._gas, cost_wei=self._cost, unknown=self._unknown)


class _Model:
    def __init__(self) -> None:
        self._numbers: Counter[str] = Counter()
        self._costs: Decimal | None = None
        self._unpriced: Counter[str] = Counter()
        self._decisions = 0
        self._unknown = 0

    _NUMBERS = ("opinions", "requests", "retries", "failures", "input_tokens", "output_tokens", "without_tokens")

    def add(self, story: Story) -> None:
        use = story.model
        if use is None:
            self._unknown += story.evidence != "none"
            return
        self._decisions += use.requests > 0
        self._numbers.update({name: getattr(use, name) for name in self._NUMBERS})
        _count(self._unpriced, use.unpriced)
        if use.cost is not None:
            self._costs = total([self._costs or Decimal(0), Decimal(use.cost)])

    def sum(self) -> ModelSum:
        return ModelSum(
            decisions=self._decisions,
            unknown=self._unknown,
            use=ModelUse(
                **{name: self._numbers[name] for name in self._NUMBERS},
                cost=None if self._costs is None else spelled(self._costs),
                unpriced=tuple(sorted(self._unpriced))[:MOST_NAMES],
            ),
        )


def _count(found: Counter[str], names: Iterable[str]) -> None:
    for name in names:
        found[name if name in found or len(found) < MOST_COUNTED else OTHERS] += 1


def _in_order(votes: Counter[str]) -> dict[str, int]:
    return {word: votes[word] for word in (*(vote.value for vote in Vote), "other") if votes[word]}


def _unchecked(found: Counter[tuple[int, str, str]]) -> tuple[UncheckedCount, ...]:
    return tuple(
        UncheckedCount(step=step, title=title, reason=reason, count=count)
        for (step, title, reason), count in found.most_common()
    )
