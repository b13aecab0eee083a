"""governor-settings: do the rules of governance themselves change?"""

from __future__ import annotations

from pnyx_contracts.decoded import DecodedCall
from pnyx_policies.announced import Announcement, announcement
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.claims import claims_of
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.powers import PowerKind, PowerShift, power_shifts

_HIDDEN = {Announcement.HIDDEN, Announcement.UNSPOKEN, Announcement.RECEIVER_HIDDEN}


class GovernorSettings:
    """Delays, periods, thresholds, quorum, guardian, timelock. Critical when hidden, high when announced.

    Answers incident I-8 (Audius); check K12 and the settings of K10.
    """

    name = "governor-settings"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        calls = {call.path: call for call in view.facts.every_call()}
        shifts = power_shifts(view.facts, PowerKind.SETTING)
        return tuple(self._finding(view, shift, calls.get(shift.path)) for shift in shifts)

    def _finding(self, view: CheckView, shift: PowerShift, call: DecodedCall | None) -> Finding:
        told = announcement(shift, claims_of(view.facts), view.facts)
        values = ", ".join(f"{a.name} = {a.value[:80]}" for a in call.arguments) if call else shift.receiver or ""
        return Finding(
            check=self.name,
            severity=Severity.CRITICAL if told in _HIDDEN else Severity.HIGH,
            title=f"{shift.function} changes how {shift.contract} is governed",
            detail=f"{values}; {told.value}.",
            calls=shift.paths,
            evidence=(shift.contract,),
        )
