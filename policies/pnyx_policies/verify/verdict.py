"""What the member's check says: verdicts, and the report that they add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from itertools import chain
from typing import Any, Final

from pydantic import JsonValue

from pnyx_contracts.canonical import first_difference
from pnyx_contracts.entry import EntryKind, Remark
from pnyx_contracts.types import BlockRef, to_hex
from pnyx_policies.facts import Grade

REPORT_FORMAT: Final = "pnyx.verification.v1"

MAX_KEPT: Final = 1_000
"""So many verdicts of each status are kept for a writer, and so many remarks; more are counted."""

_SHOWN_CHARACTERS = 240


class Step(IntEnum):
    """The steps by number; the package's docstring has them in words."""

    LOG_CODE = 1
    REGISTRATION = 2
    ENTRIES = 3
    CONFIGURATION = 4
    WRITER = 5
    VOTES = 6
    ANNOUNCED_VOTES = 7
    COMPLETENESS = 8
    BUNDLE = 9
    HEADER = 10
    DECLARED_CONFIGURATION = 11
    PROPOSAL = 12
    STATE = 13
    SIMULATION = 14
    CONTEXT = 15
    FINDINGS = 16
    PROMPTS = 17
    ANSWERS = 18
    DECISION = 19
    ENTRY = 20

    @property
    def title(self) -> str:
        return self.name.replace("_", " ").capitalize()


class Status(Enum):
    MATCHES = "matches"
    DIFFERS = "differs"
    """What was declared and what was found are not the same."""
    MISSING = "missing"
    """Something that the writer owes is not there: a decision, an entry, a vote, a bundle."""
    NOT_PROVEN = "not proven"
    """The writer withholds something that its decision rests on, or says that something could not be known which this
    check can know, or which it cannot read again. Nothing contradicts the record; nothing holds it up either.
    """
    NOT_CHECKABLE = "not checkable"
    """Nothing was concluded, for reasons on the member's side or by nature: a node without old state, a plugin."""
    PENDING = "pending"
    """Not due yet: the vote is still open."""

    @property
    def is_problem(self) -> bool:
        return self in {Status.DIFFERS, Status.MISSING}


PROBLEMS: Final = tuple(status for status in Status if status.is_problem)


class Tier(Enum):
    """What kind of promise the writer's votes rest on."""

    ENFORCED = "enforced"
    """A vote gate of ours: the chain itself refuses a vote without its entry."""
    ATOMIC = "atomic"
    """An EIP-7702 account whose every vote came in one transaction with its entry. The key could still vote alone."""
    DECLARED = "declared"
    """A plain key: entry, then vote. A vote without an entry is possible, and found."""
    UNKNOWN = "unknown"
    """Some other contract: it promises nothing that we know."""


@dataclass(frozen=True, slots=True)
class About:
    """What a verdict is about. Its methods make the verdicts."""

    writer: str = ""
    seq: int | None = None
    """Number of the entry."""
    proposal: str = ""
    """``chain:governor:id``, where it is known."""

    def matches(self, step: Step, grade: Grade = Grade.DERIVED, reason: str = "") -> Verdict:
        return Verdict(step, Status.MATCHES, self, grade, reason=reason)

    def differs(
        self,
        step: Step,
        where: str,
        *,
        expected: object = "",
        seen: object = "",
        reason: str = "",
        grade: Grade = Grade.DERIVED,
    ) -> Verdict:
        """`expected` is what the chain or the recomputation gives, `seen` what the writer or the record says."""
        return Verdict(step, Status.DIFFERS, self, grade, where, reason, shown(expected), shown(seen))

    def missing(self, step: Step, reason: str) -> Verdict:
        return Verdict(step, Status.MISSING, self, Grade.DERIVED, reason=reason)

    def not_checkable(self, step: Step, because: str, grade: Grade = Grade.DERIVED) -> Verdict:
        return Verdict(step, Status.NOT_CHECKABLE, self, grade, reason=because)

    def not_proven(self, step: Step, because: str, grade: Grade = Grade.DERIVED) -> Verdict:
        return Verdict(step, Status.NOT_PROVEN, self, grade, reason=because)

    def pending(self, step: Step, reason: str) -> Verdict:
        return Verdict(step, Status.PENDING, self, Grade.DERIVED, reason=reason)

    def compare(
        self, step: Step, where: str, *, expected: JsonValue, seen: JsonValue, grade: Grade = Grade.DERIVED
    ) -> Verdict:
        """Matches, or differs at the first place inside two JSON values that is not the same."""
        place = first_difference(expected, seen, where)
        if place is None:
            return self.matches(step, grade)
        path = place.removeprefix(where)
        return self.differs(step, place, expected=_at(expected, path), seen=_at(seen, path), grade=grade)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one step says about one thing."""

    step: Step
    status: Status
    about: About
    grade: Grade
    where: str = ""
    """The field that differs."""
    reason: str = ""
    expected: str = ""
    """What the chain, or the recomputation, gives."""
    seen: str = ""
    """What the writer, or the record, says."""

    def __str__(self) -> str:
        """``differs at decision.outcome``, ``not proven, because ...``, ``missing: ...``"""
        match self.status:
            case Status.DIFFERS:
                return f"differs at {self.where}{f': {self.reason}' if self.reason else ''}"
            case Status.NOT_PROVEN | Status.NOT_CHECKABLE:
                return f"{self.status.value}, because {self.reason}"
            case _:
                return f"{self.status.value}{f': {self.reason}' if self.reason else ''}"

    def to_json(self) -> dict[str, JsonValue]:
        return {
            "step": int(self.step),
            "status": self.status.value,
            "grade": self.grade.value,
            "entry": self.about.seq,
            "proposal": self.about.proposal or None,
            "where": self.where or None,
            "reason": self.reason or None,
            "expected": self.expected or None,
            "seen": self.seen or None,
        }


class Verdicts:
    """What was found, in little room however much it is: a count of every verdict, and those that do not match, up to
    `MAX_KEPT` of each status. `tell` hears every single one.
    """

    def __init__(self, tell: Callable[[Verdict], None] | None = None) -> None:
        self.counts: Counter[tuple[Step, Status]] = Counter()
        self.by_status: Counter[Status] = Counter()
        self.kept: list[Verdict] = []
        self._tell = tell

    def add(self, verdicts: Iterable[Verdict]) -> None:
        for verdict in verdicts:
            self._add(verdict)

    def _add(self, verdict: Verdict) -> None:
        if self._tell is not None:
            self._tell(verdict)
        self.counts[verdict.step, verdict.status] += 1
        self.by_status[verdict.status] += 1
        if verdict.status is not Status.MATCHES and self.by_status[verdict.status] <= MAX_KEPT:
            self.kept.append(verdict)

    def by_step(self) -> dict[Step, dict[Status, int]]:
        """Without zeros."""
        found: dict[Step, dict[Status, int]] = {}
        for step, status in sorted(self.counts, key=lambda key: (key[0], list(Status).index(key[1]))):
            found.setdefault(step, {})[status] = self.counts[step, status]
        return found

    @property
    def cut(self) -> dict[Status, int]:
        """How many of each status were left out of `kept`."""
        numbers = ((status, self.by_status[status]) for status in Status if status is not Status.MATCHES)
        return {status: number - MAX_KEPT for status, number in numbers if number > MAX_KEPT}

    def to_json(self) -> dict[str, JsonValue]:
        return {
            "steps": {
                str(int(step)): {status.value: count for status, count in counts.items()}
                for step, counts in self.by_step().items()
            },
            "counts": {status.value: self.by_status[status] for status in Status},
            "verdicts": [verdict.to_json() for verdict in self.kept],
            "cut": {status.value: count for status, count in self.cut.items()},
        }


@dataclass(slots=True)
class WriterReport:
    """Everything about one writer. Grows while the steps run."""

    writer: str
    tier: Tier = Tier.UNKNOWN
    entries: int = 0
    kinds: Counter[EntryKind] = field(default_factory=Counter)
    """How many entries of each kind."""
    predecessor: str | None = None
    """The writer whose place this one took."""
    successor: str | None = None
    """The writer that took this one's place."""
    safe: str | None = None
    """The Safe that votes for it, by the configuration in force."""
    remarks: list[Remark] = field(default_factory=list)
    """What others say about its entries: the first `MAX_KEPT`. Information; no verdict of this check."""
    remarks_cut: int = 0
    found: Verdicts = field(default_factory=Verdicts)

    def add(self, verdicts: Iterable[Verdict]) -> None:
        self.found.add(verdicts)

    def heed(self, remark: Remark) -> None:
        if len(self.remarks) < MAX_KEPT:
            self.remarks.append(remark)
        else:
            self.remarks_cut += 1

    def to_json(self) -> dict[str, JsonValue]:
        return {
            "writer": self.writer,
            "tier": self.tier.value,
            "safe": self.safe,
            "entries": self.entries,
            "kinds": {kind.name.lower(): count for kind, count in sorted(self.kinds.items())},
            "predecessor": self.predecessor,
            "successor": self.successor,
            **self.found.to_json(),
            "remarks": [_remark_json(remark) for remark in self.remarks],
            "remarks_cut": self.remarks_cut,
        }


@dataclass(slots=True)
class Report:
    """The whole check. `ok` means: up to `block` nothing differs, nothing is missing, nothing is left unproven."""

    chain_id: int
    log: str
    block: BlockRef
    without_evidence: bool = False
    """Steps 9 to 20 were left out, because the caller wanted it so."""
    verdicts: list[Verdict] = field(default_factory=list)
    """About the log itself."""
    writers: list[WriterReport] = field(default_factory=list)

    def kept(self, *statuses: Status) -> list[Verdict]:
        """The verdicts of these statuses that were kept: all of them, unless there are more than `MAX_KEPT`."""
        found = chain(self.verdicts, *(writer.found.kept for writer in self.writers))
        return [verdict for verdict in found if verdict.status in statuses]

    def number(self, *statuses: Status) -> int:
        """How many verdicts have one of these statuses."""
        of_log = sum(verdict.status in statuses for verdict in self.verdicts)
        return of_log + sum(writer.found.by_status[status] for writer in self.writers for status in statuses)

    @property
    def problems(self) -> list[Verdict]:
        return self.kept(*PROBLEMS)

    @property
    def unproven(self) -> list[Verdict]:
        return self.kept(Status.NOT_PROVEN)

    @property
    def ok(self) -> bool:
        """A check that looked at no writer has shown nothing."""
        return bool(self.writers) and not self.number(*PROBLEMS, Status.NOT_PROVEN)

    @property
    def exit_code(self) -> int:
        """0 when `ok`, else 1. (2, wrong usage, and 3, unreachable, are raised as errors.)"""
        return 0 if self.ok else 1

    def counts(self) -> dict[str, int]:
        """Number of verdicts by status."""
        return {status.value: self.number(status) for status in Status}

    def to_json(self) -> dict[str, JsonValue]:
        """Stable; described in docs/verifying.md."""
        return {
            "format": REPORT_FORMAT,
            "ok": self.ok,
            "chain_id": self.chain_id,
            "log": self.log,
            "block": {"number": self.block.number, "hash": to_hex(self.block.hash), "timestamp": self.block.timestamp},
            "counts": {**self.counts()},
            "without_evidence": self.without_evidence,
            "log_verdicts": [verdict.to_json() for verdict in self.verdicts],
            "writers": [writer.to_json() for writer in self.writers],
        }


@dataclass(frozen=True, slots=True)
class ChainsReport:
    """The check of one log address on several chains."""

    chains: tuple[Report, ...]

    @property
    def ok(self) -> bool:
        return bool(self.chains) and all(report.ok for report in self.chains)

    @property
    def exit_code(self) -> int:
        return 0 if self.ok else 1

    def to_json(self) -> dict[str, JsonValue]:
        return {"format": REPORT_FORMAT, "ok": self.ok, "chains": [report.to_json() for report in self.chains]}


def shown(value: object) -> str:
    """A value in a report: bytes as hex, long ones cut."""
    text = to_hex(value) if isinstance(value, bytes) else str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}... ({len(text)} characters)"


def plain(text: str) -> str:
    """Text of strangers: no escape sequences, no direction marks, on anybody's terminal."""
    return "".join(c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in text)


def _remark_json(remark: Remark) -> JsonValue:
    return {
        "from": remark.author,
        "entry": remark.seq,
        "verdict": remark.verdict.name.lower(),
        "hash": to_hex(remark.hash),
        "uri": plain(remark.uri),
    }


def _at(value: Any, path: str) -> object:  # noqa: ANN401 - any JSON value
    """What stands at a path that `first_difference` gave, like ``.rules[2].matched``; a key with dots defeats it."""
    for part in path.replace("[", ".").replace("]", "").split("."):
        if isinstance(value, dict) and part:
            value = value.get(part, "(nothing)")
        elif isinstance(value, list) and part.isdigit():
            value = value[int(part)] if int(part) < len(value) else "(nothing)"
    return value
