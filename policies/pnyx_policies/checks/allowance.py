"""allowance: who may take money later?"""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_policies.checks.everywhere import everywhere
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.claims import claims_of
from pnyx_policies.facts import Facts
from pnyx_policies.factsheet import amount_in_words
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.money import Outflow, OutflowKind, holding_of, outflows
from pnyx_policies.shares import has_no_end

SYMBOL_CHARACTERS = 20


class Allowance:
    """An allowance moves nothing today and anything tomorrow: it is judged by whether the text names the spender.

    One without end, or over all that the treasury has, is critical without the spender's name and high with it; a
    smaller one is high where the text names only the spender or only the amount, or the spender is paid, too; medium
    where the text names both, or the operator knows the spender. Nothing is left to take of one that the same actions
    use up: it is judged as a smaller one. Answers check K5, incident I-15.
    """

    name = "allowance"
    version = "3"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        return everywhere(view, self._findings)

    def _findings(self, view: CheckView) -> Iterator[Finding]:
        flows = outflows(view.facts).items
        paid = {(o.asset, o.recipient, o.amount) for o in flows if o.kind is OutflowKind.TRANSFER and o.path}
        allowances = (o for o in flows if o.kind is OutflowKind.ALLOWANCE)
        return (self._finding(view.facts, o, is_paid=(o.asset, o.recipient, o.amount) in paid) for o in allowances)

    def _finding(self, facts: Facts, outflow: Outflow, *, is_paid: bool) -> Finding:
        claims, holding = claims_of(facts), holding_of(facts, outflow.asset)
        is_known = outflow.recipient in facts.known_addresses
        named = outflow.recipient in claims.addresses or is_known
        is_told = claims.names_amount(outflow.amount, holding.decimals if holding else None)
        is_all = holding is not None and 0 < holding.balance <= outflow.amount
        endless = has_no_end(outflow.amount)
        if (endless or is_all) and not _is_used_up(facts, outflow):
            severity = Severity.HIGH if named else Severity.CRITICAL
        else:
            severity = Severity.MEDIUM if (is_known or (named and is_told)) and not is_paid else Severity.HIGH
        amount = amount_in_words(facts, outflow.asset, outflow.amount, SYMBOL_CHARACTERS)
        spender = "names the spender" if named else "does not name the spender"
        return Finding(
            check=self.name,
            severity=severity,
            title=f"{outflow.recipient} may take {'everything' if endless else amount} of {outflow.asset}"
            f"{', all that the treasury has' if is_all and not endless else ''}",
            detail=f"The text {spender}{'' if endless or is_told else ', and not this amount'}."
            f"{' As much is paid to it by the same actions.' if is_paid else ''}",
            calls=outflow.paths,
            evidence=(outflow.recipient,),
        )


def _is_used_up(facts: Facts, allowance: Outflow) -> bool:
    """Whether the simulation shows that nothing may be taken any more once the actions are done."""
    simulation = facts.simulation
    if allowance.sender != simulation.executor:
        return False
    place = (allowance.asset, allowance.recipient)
    return any((balance.token, balance.spender) == place and balance.after == 0 for balance in simulation.balances)
