"""Values of the report for people. Text that somebody else wrote comes out with its hidden characters named."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from pydantic import JsonValue

from pnyx_contracts.entry import EntryKind
from pnyx_policies.analysis import Analyst
from pnyx_policies.audit import Label
from pnyx_policies.audit.rows import DecisionRow
from pnyx_policies.reading.amounts import decimal
from pnyx_policies.text import named
from pnyx_policies.verify.verdict import Tier

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_LATEST = 253_402_300_799  # the last second of the year 9999

LABELS: Final = {
    Label.DIFFERS: "Something does not match, or something that is owed is not there.",
    Label.WITHHELD: "The evidence cannot be found.",
    Label.NOT_PROVEN: "It rests on something that the record does not show.",
    Label.NOT_CHECKABLE: "Nothing differs, but a whole step could not be checked.",
    Label.PENDING: "Something is not due yet.",
    Label.CHECKED: "Nothing differs, and something of every step matches.",
}

TIERS: Final = {
    Tier.ENFORCED: "Its vote gate cannot vote without an entry in the log.",
    Tier.ATOMIC: "Entry and vote came in one transaction every time, but the key could vote alone.",
    Tier.DECLARED: "A plain key, which could vote without an entry; the check would find such a vote.",
    Tier.UNKNOWN: "A contract that promises nothing that we know.",
}

EFFECTS: Final = {
    "confirmed": "confirmed the vote of the rules",
    "changed": "changed the vote of the rules",
    "lifted": "voted where the rules held",
    "rejected": "rejected the vote",
    "vetoed": "stopped a vote that the rules would have cast",
    "expired": "nobody decided in time",
}

_SAID: Final = {
    EntryKind.SKIP: "Skipped",
    EntryKind.HOLD: "Held for people",
    EntryKind.DECISION: "Decided, not voted",
    EntryKind.VOID: "Vote taken back",
    EntryKind.MISSED: "Missed",
    EntryKind.CORRECTION: "Correction",
}


def one_line(text: str) -> str:
    """`named`, on one line."""
    return " ".join(named(text).split())


def moment(seconds: int) -> str:
    """``2026-03-31 18:00:05 UTC``; the number itself where no calendar has it."""
    return _date(seconds).strftime("%Y-%m-%d %H:%M:%S UTC") if 0 <= seconds <= _LATEST else f"second {seconds}"


def rfc3339(seconds: int) -> str:
    """For feeds and for machines."""
    return _date(min(max(seconds, 0), _LATEST)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _date(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def duration(seconds: int | None) -> str:
    """The two largest units: ``2 d 3 h``."""
    if seconds is None:
        return "unknown"
    if seconds < 0:
        return f"{seconds} s"
    largest = next((i for i, (size, _) in enumerate(_UNITS) if seconds >= size), len(_UNITS) - 1)
    parts: list[str] = []
    rest = seconds
    for size, unit in _UNITS[largest : largest + 2]:
        count, rest = divmod(rest, size)
        parts += [f"{count} {unit}"] if count or not parts else []
    return " ".join(parts)


def share(hundredths: int | None) -> str:
    """``12.5 %``"""
    return "unknown" if hundredths is None else f"{decimal(hundredths, 2)} %"


def coins(wei: int | None) -> str:
    """Exact, in the chain's coin."""
    return "unknown" if wei is None else decimal(wei, 18)


def coins_short(wei: int) -> str:
    """To six digits after the point, for a glance."""
    whole = decimal(wei // 10**12, 6)
    return whole if wei % 10**12 == 0 else f"≈ {whole}" if wei >= 10**12 else "< 0.000001"


def short(address: str) -> str:
    """Enough of an address to tell it from its neighbours."""
    return f"{address[:6]}…{address[-4:]}"


def number(value: int | None) -> str:
    """With separators."""
    return "unknown" if value is None else f"{value:,}"


def kind(value: EntryKind) -> str:
    """``config announced``"""
    return value.name.lower().replace("_", " ")


def headline(row: DecisionRow) -> str:
    """What the entry says, in few words: ``Voted for``, ``Held for people``."""
    if row.kind is EntryKind.HOLD and row.story.person is not None:
        return "No answer in time" if row.story.person.effect == "expired" else "Rejected by a person"
    if row.kind is not EntryKind.VOTE:
        return _SAID.get(row.kind, kind(row.kind).capitalize())
    if row.cast is not None:
        return f"Voted {row.cast.vote or f'with support {row.cast.support}'}"
    announced = row.announced or ("unknown" if row.support is None else f"support {row.support}")
    return f"Announced the vote {announced}, " + ("taken back" if row.voided_by else "not cast")


def reason(row: DecisionRow) -> str:
    """One line: of the record, else of the vote on chain, else why there is none."""
    if row.story.reason is not None:
        return one_line(row.story.reason)
    if row.cast is not None and row.cast.reason:
        return one_line(row.cast.reason)
    if row.kind is EntryKind.VOID:
        return "The announced vote did not land and will not, or the proposal is gone."
    lacks = {"missing": "Its evidence cannot be found.", "differs": "Its evidence is not what was sealed."}
    return lacks.get(row.story.evidence, "The record does not show a reason.")


def seat(analyst: JsonValue) -> str:
    """Of an analyst as it stands in the document of a configuration."""
    return Analyst.model_validate(analyst).seat


def subject(row: DecisionRow) -> str:
    """What the entry is about."""
    if row.proposal is None:
        return "a proposal that the chain does not show"
    return one_line(row.proposal.title) or "a proposal without a title"
