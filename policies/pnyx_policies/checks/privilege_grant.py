"""privilege-grant: who gets a role, ownership, an admin seat, a module?"""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_policies.announced import Announcement, announcement
from pnyx_policies.checks.everywhere import everywhere
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.claims import claims_of
from pnyx_policies.context import PowerReceivers
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.power_functions import PowerKind
from pnyx_policies.powers import PowerShift, power_shifts
from pnyx_policies.roles import role_name

_SHOWN = 40
"""Characters of a role's name."""
_ONE_KEY = " The receiver has no code of its own: whoever has its key gets it."
_SEVERITY = {
    Announcement.OWN: Severity.INFO,
    Announcement.TO_KNOWN: Severity.MEDIUM,
    Announcement.FULL: Severity.HIGH,
    Announcement.SPOKEN: Severity.HIGH,
    Announcement.BY_NAME: Severity.HIGH,
    Announcement.UNSPOKEN: Severity.HIGH,
    Announcement.IN_OTHER_WORDS: Severity.HIGH,
    Announcement.FOREIGN: Severity.HIGH,
    Announcement.RECEIVER_HIDDEN: Severity.CRITICAL,
    Announcement.HIDDEN: Severity.CRITICAL,
}


class PrivilegeGrant:
    """Critical when the text hides the power or its receiver; high when it is announced; medium for known receivers.

    That nobody but the holder of one key gets it is told, where it is known: people decide what that is worth.

    Answers incidents I-6, I-9 (Swerve), I-10 (Indexed Finance), I-12 (Yam), I-15.
    """

    name = "privilege-grant"
    version = "4"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        return everywhere(view, self._findings)

    def _findings(self, view: CheckView) -> Iterator[Finding]:
        kinds = (PowerKind.ROLE, PowerKind.OWNERSHIP, PowerKind.ADMIN, PowerKind.MODULE, PowerKind.VOTES)
        receivers = view.context_if_known(PowerReceivers)
        return (self._finding(view, shift, receivers) for shift in power_shifts(view.facts, *kinds))

    def _finding(self, view: CheckView, shift: PowerShift, receivers: PowerReceivers | None) -> Finding:
        told = announcement(shift, claims_of(view.facts), view.facts)
        receiver = shift.receiver or "nobody in particular"
        one_key = _ONE_KEY if receivers and receivers.is_no_contract(shift.receiver) else ""
        what = (role_name(shift.role) or shift.role)[:_SHOWN] if shift.role else shift.kind.value
        return Finding(
            check=self.name,
            severity=_SEVERITY[told],
            title=f"{shift.function} gives {what} over {shift.contract} to {receiver}",
            detail=(f"{shift.detail}; {told.value}." if shift.detail else f"{told.value}.") + one_key,
            calls=shift.paths,
            evidence=tuple(a for a in (shift.contract, shift.receiver) if a),
        )
