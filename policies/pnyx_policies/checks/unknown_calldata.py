"""unknown-calldata: is there a call that nobody here can read?"""

from __future__ import annotations

from pnyx_contracts.decoded import DecodedCall
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.claims import claims_of
from pnyx_policies.finding import Finding, Severity


class UnknownCalldata:
    """High: nobody can say what is done. Medium where the operator knows the contract, and the text has its address.

    That the text names the contract, or shows these bytes, explains nothing: people do not read hex. Check K6.
    """

    name = "unknown-calldata"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        calls = (c for c in view.facts.every_call() if c.calldata and c.signature is None)
        return tuple(self._finding(view, c) for c in calls)

    def _finding(self, view: CheckView, call: DecodedCall) -> Finding:
        is_known = call.target in view.facts.known_addresses and call.target in claims_of(view.facts).addresses
        return Finding(
            check=self.name,
            severity=Severity.MEDIUM if is_known else Severity.HIGH,
            title=f"Nothing we know explains the call to {call.target}",
            detail=f"{len(call.calldata)} bytes, selector {call.selector or 'none'}.",
            calls=(call.path,),
            evidence=(call.target,),
        )
