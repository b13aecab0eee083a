"""What actions do, so that two runs of them can be compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pnyx_policies.facts import Change, Movement, Simulation


@dataclass(frozen=True, slots=True)
class Doing:
    """Each effect as often as it was seen."""

    movements: Counter[Movement] = field(default_factory=Counter)
    changes: Counter[Change] = field(default_factory=Counter)

    def beyond(self, other: Doing) -> Doing:
        return Doing(self.movements - other.movements, self.changes - other.changes)


def doing_of(simulation: Simulation) -> Doing:
    return Doing(Counter(simulation.movements), Counter(simulation.changes))
