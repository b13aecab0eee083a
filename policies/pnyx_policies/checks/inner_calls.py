"""inner-calls: Do the calls create contracts for money or power, or run code that can destroy who runs it?"""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.context import InnerCalls
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.power_functions import PowerKind
from pnyx_policies.powers import power_shifts

_CREATED = "code-created"


class InnerCallsCheck:
    """A contract that the actions create themselves has no past that anybody could have read: medium where it gets
    power in the same actions, low where it gets money. Medium where a contract runs code by delegatecall that can
    destroy it for good. Check K2.

    Contracts that are created by CREATE2 in silence, and code that is run by delegatecall elsewhere, show only where a
    node traces: without, nothing is said of them.
    """

    name = "inner-calls"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        inner = view.context_if_known(InnerCalls)
        return (*self._gaining(view.facts, _created(view.facts, inner)), *(self._fatal(inner) if inner else ()))

    def _gaining(self, facts: Facts, created: dict[str, str]) -> Iterator[Finding]:
        shifts = power_shifts(facts, *PowerKind)
        powerful = {shift.receiver for shift in shifts if shift.kind is not PowerKind.CODE}
        paid = {movement.recipient for movement in facts.simulation.all_movements if movement.amount}
        for contract, how in created.items():
            if contract in powerful:
                yield self._finding(
                    Severity.MEDIUM, f"Power goes to {contract}, which the actions create", how, contract
                )
            elif contract in paid:
                yield self._finding(Severity.LOW, f"Money goes to {contract}, which the actions create", how, contract)

    def _fatal(self, inner: InnerCalls) -> Iterator[Finding]:
        for each in inner.delegated:
            if inner.makes_room and "SELFDESTRUCT" in each.opcodes:
                title = f"{each.caller} runs code of {each.code} that can destroy it"
                yield self._finding(Severity.MEDIUM, title, "Other code can lie there then.", each.caller, each.code)

    def _finding(self, severity: Severity, title: str, detail: str, *evidence: str) -> Finding:
        return Finding(check=self.name, severity=severity, title=title, detail=detail, evidence=evidence)


def _created(facts: Facts, inner: InnerCalls | None) -> dict[str, str]:
    """Contracts that the actions create, with how."""
    seen = {c.contract: "There was no code." for c in facts.simulation.all_changes if c.kind == _CREATED}
    traced = inner.created if inner else ()
    return seen | {each.contract: f"{each.creator} creates it by {each.how}." for each in traced}
