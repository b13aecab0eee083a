"""reinitialisation: Can anybody initialise a contract of governance, or one that the calls reach, once more?"""

from __future__ import annotations

from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.context import Initializers, OpenInitializer
from pnyx_policies.context.initializers import IMPLEMENTATION
from pnyx_policies.finding import Finding, Severity


class Reinitialisation:
    """Critical for governor, timelock and token: whoever calls it first owns the rules. High for what the calls reach.
    Of an implementation that a proxy runs: high where its owner may destroy it, and what is destroyed is gone on this
    chain, for then every proxy stands empty; low otherwise. Check K14, incident I-8 (Audius).

    Tried are well-known signatures, and functions of published packages that are called like an initialiser, with plain
    arguments, from one address; what reverts so may still be open to others. A function of that name that does nothing
    the second time, and does not revert, is taken for an open one. A contract that accepts any call tells nothing, and
    is passed over; so is a function that takes calldata cut short.
    """

    name = "reinitialisation"
    version = "2"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        initializers = view.context(Initializers)
        return tuple(self._finding(view, found, initializers.makes_room) for found in initializers.open)

    def _finding(self, view: CheckView, found: OpenInitializer, makes_room: bool | None) -> Finding:
        reached = {found.contract, found.proxy}
        return Finding(
            check=self.name,
            severity=_severity(found, makes_room),
            title=f"Anybody can call {found.signature} of the {found.role} {found.contract}",
            detail=_of_implementation(found) if found.proxy else _OF_CONTRACT,
            calls=tuple(call.path for call in view.facts.every_call() if call.target in reached),
            evidence=tuple(address for address in (found.contract, found.proxy) if address),
        )


_OF_CONTRACT = "Who initialises a contract chooses who owns it, and by which rules."


def _severity(found: OpenInitializer, makes_room: bool | None) -> Severity:
    if found.role == IMPLEMENTATION:
        return Severity.HIGH if found.opcodes and makes_room else Severity.LOW
    return Severity.HIGH if found.role == "target" else Severity.CRITICAL


def _of_implementation(found: OpenInitializer) -> str:
    whose = f"{found.proxy} runs it, and keeps its own owner."
    if not found.opcodes:
        return whose
    return f"{whose} Its code can reach {', '.join(found.opcodes)}: its owner may be able to destroy it."
