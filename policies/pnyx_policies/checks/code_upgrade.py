"""code-upgrade: whose code is replaced, and by what?"""

from __future__ import annotations

from pnyx_policies.announced import Announcement, announcement
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.claims import claims_of
from pnyx_policies.code import unsteady
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.power_functions import PowerKind
from pnyx_policies.powers import PowerShift, power_shifts

_HIDDEN = {Announcement.HIDDEN, Announcement.UNSPOKEN}


class CodeUpgrade:
    """Critical when the text does not speak of an upgrade, when the new code is not there yet, came or changed after
    the proposal, or can destroy itself; high otherwise.

    Answers incidents I-1 (the init contract of a diamond cut), I-4, I-15.
    """

    name = "code-upgrade"
    version = "2"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        return tuple(self._finding(view, shift) for shift in power_shifts(view.facts, PowerKind.CODE))

    def _finding(self, view: CheckView, shift: PowerShift) -> Finding:
        told = announcement(shift, claims_of(view.facts), view.facts)
        code = view.facts.target(shift.receiver) if shift.receiver else None
        missing = code is not None and not code.has_code
        traits = unsteady(view.facts, shift.receiver) if shift.receiver and not missing else ()
        return Finding(
            check=self.name,
            severity=Severity.CRITICAL if missing or traits or told in _HIDDEN else Severity.HIGH,
            title=f"{shift.function} replaces code of {shift.contract} by {shift.receiver or 'unnamed code'}",
            detail="The new code does not exist yet: it can become anything."
            if missing
            else " ".join((f"{told.value}.", *traits)),
            calls=shift.paths,
            evidence=tuple(a for a in (shift.contract, shift.receiver) if a),
        )
