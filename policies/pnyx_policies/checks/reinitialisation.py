"""reinitialisation: Can anybody initialise a contract of governance, or one that the calls reach, once more?"""

from __future__ import annotations

from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.context import Initializers, OpenInitializer
from pnyx_policies.finding import Finding, Severity


class Reinitialisation:
    """Critical for governor, timelock and token: whoever calls it first owns the rules. High for what the calls reach.
    Check K14, incident I-8 (Audius).

    Tried are well-known signatures with plain arguments, from one address; what reverts so may still be open to others.
    A function of that name that does nothing the second time, and does not revert, is taken for an open one. A contract
    that accepts any call tells nothing, and is passed over.
    """

    name = "reinitialisation"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        return tuple(self._finding(view, found) for found in view.context(Initializers).open)

    def _finding(self, view: CheckView, found: OpenInitializer) -> Finding:
        is_target = found.role == "target"
        calls = tuple(call.path for call in view.facts.every_call() if call.target == found.contract)
        return Finding(
            check=self.name,
            severity=Severity.HIGH if is_target else Severity.CRITICAL,
            title=f"Anybody can call {found.signature} of the {found.role} {found.contract}",
            detail="Who initialises a contract chooses who owns it, and by which rules.",
            calls=calls,
            evidence=(found.contract,),
        )
