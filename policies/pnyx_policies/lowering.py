"""Lines on a model's word, and which way they lead: worse advice may stop a vote in favour, and never brings one about.

    a rule that can vote in favour      its lines on advice hold the more, the better the advice is
    a rule before one of these          its lines on advice hold the more, the worse the advice is

So when all models say something worse, or are less sure, a rule in favour matches less, and what stands before it more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Final, Protocol

from pnyx_policies.conditions import Condition, Truth
from pnyx_policies.fields import Datum, Seen

WORST_FIRST: Final[Mapping[str, Sequence[Datum]]] = MappingProxyType(
    {
        "model.recommendation": ("against", "hold", "abstain", "for"),
        "model.confidence_percent": range(101),
        "model.is_language_model": ("no", "yes"),
    }
)
"""What each field that a model writes can say."""


class InOrder(Protocol):
    """`ruleset.Rule`."""

    @property
    def id(self) -> str: ...

    @property
    def when(self) -> tuple[Condition, ...]: ...

    @property
    def some(self) -> tuple[Condition, ...]: ...

    @property
    def may_favour(self) -> bool: ...


def lifted(rules: Sequence[InOrder]) -> str:
    """Which line lets worse advice lead to a vote in favour, and what to write; empty when none does."""
    for place, rule in enumerate(rules):
        stands_before = any(later.may_favour for later in rules[place + 1 :])
        for line in (*rule.when, *rule.some):
            if line.field.name not in WORST_FIRST:
                continue
            if rule.may_favour and not _rises(line):
                return f"rule {rule.id!r} can vote in favour, and {line.text!r} holds when the advice is worse"
            if stands_before and not _rises(line, worst_first=False):
                return (
                    f"rule {rule.id!r} stands before one that can vote in favour, and {line.text!r} does not hold when "
                    'the advice is worse: ask for what should stop it, like "not model.recommendation is for"'
                )
    return ""


def _rises(line: Condition, *, worst_first: bool = True) -> bool:
    """Whether the line, once it holds, goes on to hold in this order."""
    values = WORST_FIRST[line.field.name]
    holds = [line.holds_for(Seen(value)) is Truth.YES for value in (values if worst_first else reversed(values))]
    return all(after or not before for before, after in pairwise(holds))
