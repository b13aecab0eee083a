"""The same question for the proposal's own chain and for every other one on which its messages were simulated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.elsewhere import at_home, seen_elsewhere
from pnyx_policies.finding import Finding

Look = Callable[[CheckView], Iterable[Finding]]


def everywhere(view: CheckView, look: Look) -> tuple[Finding, ...]:
    """What `look` finds at home, where calls that were simulated on another chain do not stand, and then there."""
    return (*look(replace(view, facts=at_home(view.facts))), *elsewhere(view, look))


def elsewhere(view: CheckView, look: Look) -> Iterator[Finding]:
    """What `look` finds on the other chains, which the titles name."""
    for place in seen_elsewhere(view.facts):
        for finding in look(replace(view, facts=place.facts)):
            yield finding.model_copy(update={"title": f"{finding.title} on {place.chain}"})
