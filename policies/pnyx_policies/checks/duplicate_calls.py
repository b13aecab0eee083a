"""duplicate-calls: is the same thing done twice?"""

from __future__ import annotations

from pnyx_contracts.decoded import DecodedCall
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.finding import Finding, Severity


class DuplicateCalls:
    """Two equal actions pay twice, or are padding around an odd one; a Compound timelock refuses them. Check K7."""

    name = "duplicate-calls"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        groups: dict[tuple[object, ...], list[DecodedCall]] = {}
        for call in view.facts.every_call():
            if not call.inner:
                key = (call.caller, call.target, call.value_wei, call.calldata, call.other_chain)
                groups.setdefault(key, []).append(call)
        return tuple(self._finding(calls) for calls in groups.values() if len(calls) > 1)

    def _finding(self, calls: list[DecodedCall]) -> Finding:
        return Finding(
            check=self.name,
            severity=Severity.MEDIUM,
            title=f"The same call to {calls[0].target} is made {len(calls)} times",
            calls=tuple(c.path for c in calls),
            evidence=(calls[0].target,),
        )
