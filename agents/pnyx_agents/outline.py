"""The analyst for those who have configured no model."""

from __future__ import annotations

from pnyx_agents.analyst import Transcript
from pnyx_policies.analysis import Analyst, Opinion
from pnyx_policies.facts import Facts
from pnyx_policies.outline import OUTLINE, outline


class OutlineAnalyst:
    """Writes the outline; asks nobody, so there are no attempts. See `pnyx_policies.outline`."""

    def describe(self) -> Analyst:
        return OUTLINE

    def analyse(self, facts: Facts) -> Transcript:
        return Transcript(Opinion(analyst=OUTLINE, analysis=outline(facts)))
