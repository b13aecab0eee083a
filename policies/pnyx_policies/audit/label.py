"""One word for what the check says about one decision."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from pnyx_policies.verify.verdict import Status, Step, Verdict


class Label(Enum):
    """From the worst to the best; a decision has the worst that fits."""

    DIFFERS = "differs"
    """What was declared and what was found are not the same, or something that is owed is not there."""
    WITHHELD = "withheld"
    """Its evidence cannot be found."""
    NOT_PROVEN = "not proven"
    """It rests on something that the record does not show."""
    PENDING = "pending"
    """Something is not due yet."""
    CHECKED = "checked"
    """Everything that could be checked matches. What could not be checked is listed beside it."""
    NOT_CHECKABLE = "not checkable"
    """Nothing about it could be checked."""


def label(verdicts: Iterable[Verdict]) -> Label:
    """The label of the decision that these verdicts are about."""
    found = {_label_of(verdict) for verdict in verdicts}
    return next((one for one in Label if one in found), Label.NOT_CHECKABLE)


def _label_of(verdict: Verdict) -> Label:
    match verdict.status:
        case Status.MISSING if verdict.step is Step.BUNDLE:
            return Label.WITHHELD
        case Status.DIFFERS | Status.MISSING:
            return Label.DIFFERS
        case Status.NOT_PROVEN:
            return Label.NOT_PROVEN
        case Status.PENDING:
            return Label.PENDING
        case Status.MATCHES:
            return Label.CHECKED
        case Status.NOT_CHECKABLE:
            return Label.NOT_CHECKABLE
