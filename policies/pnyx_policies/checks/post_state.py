"""post-state: does what the DAO relies on still hold afterwards?"""

from __future__ import annotations

from pnyx_policies.checks.protocol import CheckSkipped, CheckView
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.post_state import Complaint, complaints
from pnyx_policies.text import quote

MAX_WORDS_BYTES = 200


class PostState:
    """High when a probe that the DAO declared no longer holds after the simulated actions; low when it did not answer
    before either. Quiet without probes. A probe over a list asks for the members that it had before: what joins it by
    the actions is not asked for. Answers incidents I-4 (Compound 062), I-5 (Compound 117), check K11.
    """

    name = "post-state"
    version = "2"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        found = complaints(view.facts)
        if found is None and view.facts.probes:
            raise CheckSkipped("the declared probes could not be read in a simulation")
        return tuple(map(self._finding, found or ()))

    def _finding(self, complaint: Complaint) -> Finding:
        probe = complaint.probe
        return Finding(
            check=self.name,
            severity=Severity.HIGH if complaint.is_broken else Severity.LOW,
            title=f"{quote(probe.name)} {'does not hold afterwards' if complaint.is_broken else 'cannot be told'}",
            detail=quote(complaint.words, MAX_WORDS_BYTES),
            evidence=(probe.contract,),
        )
