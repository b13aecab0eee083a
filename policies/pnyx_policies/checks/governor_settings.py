"""governor-settings: do the rules of governance themselves change?"""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_policies.announced import Announcement, announcement
from pnyx_policies.checks.everywhere import everywhere
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.claims import claims_of
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.power_functions import PowerKind
from pnyx_policies.powers import PowerShift, power_shifts, shows
from pnyx_policies.settings_told import only_number, other_numbers, says_number

_HIDDEN = {Announcement.HIDDEN, Announcement.UNSPOKEN, Announcement.RECEIVER_HIDDEN}


class GovernorSettings:
    """Delays, periods, thresholds, quorum, guardian, timelock. Critical when hidden, also behind another number than
    the call's; high when announced. A text that has the number, and no name of the setting, is for people, too.

    Numbers are compared where the text gives them with a unit (3%, 14,400 blocks, 2 days) in a sentence about the
    setting; blocks may take from a fifth of a second to 16 seconds. Answers incident I-8 (Audius); check K12 and the
    settings of K10.
    """

    name = "governor-settings"
    version = "3"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        return everywhere(view, self._findings)

    def _findings(self, view: CheckView) -> Iterator[Finding]:
        return (self._finding(view, shift) for shift in power_shifts(view.facts, PowerKind.SETTING))

    def _finding(self, view: CheckView, shift: PowerShift) -> Finding:
        told = announcement(shift, claims_of(view.facts), view.facts)
        others = _other_numbers(view.facts, shift)
        says = f"{told.value}, and says {', '.join(others[:4])}" if others else told.value
        return Finding(
            check=self.name,
            severity=Severity.CRITICAL if others or self._is_hidden(view.facts, shift, told) else Severity.HIGH,
            title=f"{shift.function} changes how {shift.contract} is governed",
            detail=f"{'; '.join(filter(None, (*_values(view.facts, shift), says)))}.",
            calls=shift.paths,
            evidence=(shift.contract,),
        )

    def _is_hidden(self, facts: Facts, shift: PowerShift, told: Announcement) -> bool:
        """A text that has the number in the setting's own unit ("votes last 7 days") speaks of it in other words."""
        call = facts.call_at(shift.path)
        number = only_number(call) if call and shift.receiver is None else None
        return told in _HIDDEN and not (number and says_number(claims_of(facts).shown, number))


def _values(facts: Facts, shift: PowerShift) -> Iterator[str]:
    """What the call says, and what the simulation saw of it."""
    call = facts.call_at(shift.path)
    yield ", ".join(f"{a.name} = {a.value[:80]}" for a in call.arguments) if call else shift.detail
    if call is not None:
        yield next((change.detail for change in facts.simulation.all_changes if shows(shift, change)), "")


def _other_numbers(facts: Facts, shift: PowerShift) -> tuple[str, ...]:
    """What the text says instead, where the call has one number."""
    call = facts.call_at(shift.path)
    number = only_number(call) if call else None
    return () if number is None else other_numbers(claims_of(facts).shown, shift.words, number)
