"""code-upgrade: whose code is replaced, and by what?"""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_contracts.selectors import known_functions
from pnyx_contracts.types import to_hex
from pnyx_policies.announced import Announcement, announcement
from pnyx_policies.checks.everywhere import everywhere
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.claims import claims_of
from pnyx_policies.code import unsteady
from pnyx_policies.context import UpgradedFunctions, Upgrades
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.power_functions import PowerKind
from pnyx_policies.powers import PowerShift, power_shifts

_HIDDEN = {Announcement.HIDDEN, Announcement.UNSPOKEN}


SHOWN = 6
"""Functions in one sentence."""


class CodeUpgrade:
    """Critical when the text does not speak of an upgrade, when the new code is not there yet, came or changed after
    the proposal, or can destroy itself; high otherwise. Functions that the new code has no more are told, where its
    code shows them.

    Answers incidents I-1 (the init contract of a diamond cut), I-4, I-15.
    """

    name = "code-upgrade"
    version = "4"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        return everywhere(view, self._findings)

    def _findings(self, view: CheckView) -> Iterator[Finding]:
        found = view.context_if_known(Upgrades)
        for shift in power_shifts(view.facts, PowerKind.CODE):
            yield self._finding(view, shift, found.to(shift.receiver) if found else None)

    def _finding(self, view: CheckView, shift: PowerShift, functions: UpgradedFunctions | None) -> Finding:
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
            else " ".join((f"{told.value}.", *traits, *_difference(functions))),
            calls=shift.paths,
            evidence=tuple(a for a in (shift.contract, shift.receiver) if a),
        )


def _difference(functions: UpgradedFunctions | None) -> Iterator[str]:
    if functions is None or not functions.functions:
        return
    count = len(functions.gone) + functions.more_gone
    if count:
        named = ", ".join(_name(selector) for selector in functions.gone[:SHOWN])
        yield f"Functions of the old code that it has no more: {count} ({named}{', ...' if count > SHOWN else ''})."
    if functions.added:
        yield f"New functions: {functions.added}."


def _name(selector: bytes) -> str:
    known = known_functions().get(selector, ())
    return known[0].signature if len(known) == 1 else to_hex(selector)
