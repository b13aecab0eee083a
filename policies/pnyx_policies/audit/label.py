"""One word for what the check says about one decision."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from pnyx_policies.verify.verdict import Status, Step, Verdict


class Label(Enum):
    """From the worst to the best; a decision has the worst that fits. The members' page uses the same ones."""

    DIFFERS = "differs"
    """What was declared and what was found are not the same, or something that is owed is not there."""
    WITHHELD = "withheld"
    """Its evidence cannot be found."""
    NOT_PROVEN = "not proven"
    """It rests on something that the record does not show."""
    NOT_CHECKABLE = "not checkable"
    """Nothing differs, but a whole step could not be checked."""
    PENDING = "pending"
    """Something is not due yet."""
    CHECKED = "checked"
    """Nothing differs, and something of every step matches."""


def label(verdicts: Iterable[Verdict]) -> Label:
    """The label of the decision that these verdicts are about; not checkable without any."""
    known = tuple(verdicts)
    matched = {verdict.step for verdict in known if verdict.status is Status.MATCHES}
    found = {_label_of(verdict, verdict.step in matched) for verdict in known}
    return next((one for one in Label if one in found), Label.NOT_CHECKABLE)


def _label_of(verdict: Verdict, step_matches: bool) -> Label:
    match verdict.status:
        case Status.MISSING if verdict.step is Step.BUNDLE:
            return Label.WITHHELD
        case Status.DIFFERS | Status.MISSING:
            return Label.DIFFERS
        case Status.NOT_PROVEN:
            return Label.NOT_PROVEN
        case Status.PENDING:
            return Label.PENDING
        case Status.NOT_CHECKABLE if not step_matches:
            return Label.NOT_CHECKABLE
        case Status.MATCHES | Status.NOT_CHECKABLE:
            return Label.CHECKED
