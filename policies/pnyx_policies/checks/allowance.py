"""allowance: who may take money later?"""

from __future__ import annotations

from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.claims import claims_of
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.money import Outflow, OutflowKind, outflows

UNLIMITED = 2**159
"""From here on an allowance is meant to have no end: no token has so many units. Permit2 counts to 2**160 - 1."""

UNLIMITED_IN_96_BITS = 2**96 - 1
"""What COMP and UNI make of an allowance without end."""


class Allowance:
    """An allowance moves nothing today and anything tomorrow: it is judged by whether the text names the spender.

    Unlimited and unnamed is critical, unlimited or unnamed is high, limited and named is medium.
    Answers check K5, incident I-15.
    """

    name = "allowance"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        allowances = (o for o in outflows(view.facts).items if o.kind is OutflowKind.ALLOWANCE)
        return tuple(self._finding(view, o) for o in allowances)

    def _finding(self, view: CheckView, outflow: Outflow) -> Finding:
        named = outflow.recipient in claims_of(view.facts).addresses or outflow.recipient in view.facts.known_addresses
        unlimited = outflow.amount >= UNLIMITED or outflow.amount == UNLIMITED_IN_96_BITS
        worst = Severity.CRITICAL if unlimited and not named else Severity.HIGH
        limit = "everything" if unlimited else str(outflow.amount)
        return Finding(
            check=self.name,
            severity=worst if unlimited or not named else Severity.MEDIUM,
            title=f"{outflow.recipient} may take {limit} of {outflow.asset}",
            detail=f"The text {'names' if named else 'does not name'} the spender.",
            calls=outflow.paths,
            evidence=(outflow.recipient,),
        )
