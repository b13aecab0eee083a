"""allowance: who may take money later?"""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_policies.checks.everywhere import everywhere
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.claims import claims_of
from pnyx_policies.facts import Facts
from pnyx_policies.factsheet import amount_in_words
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.money import Outflow, OutflowKind, asset_words, holding_of, outflows
from pnyx_policies.shares import has_no_end, left_to_take
from pnyx_policies.told import payments_told

SYMBOL_CHARACTERS = 20


class Allowance:
    """An allowance moves nothing today and anything tomorrow: it is judged by whether the text names the spender.

    One without end, or over all that the treasury has, is critical without the spender's name and high with it; a
    smaller one is high where the text names only the spender or only the amount, or not the two together, as for a
    payment, or the spender is paid, too; medium where the text names both, or the operator knows the spender. Nothing
    is left to take of one that the same actions use up: it is judged as a smaller one. Answers check K5, incident I-15.
    """

    name = "allowance"
    version = "4"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        return everywhere(view, self._findings)

    def _findings(self, view: CheckView) -> Iterator[Finding]:
        flows = outflows(view.facts).items
        paid = {(o.unit, o.recipient, o.amount) for o in flows if o.kind is OutflowKind.TRANSFER and o.path}
        return (
            self._finding(
                view.facts,
                allowance,
                instead=names if severity is not None and severity >= Severity.HIGH else "",
                is_paid=(allowance.unit, allowance.recipient, allowance.amount) in paid,
            )
            for allowance, severity, names in payments_told(view.facts, OutflowKind.ALLOWANCE)
        )

    def _finding(self, facts: Facts, outflow: Outflow, *, instead: str, is_paid: bool) -> Finding:
        """`instead`: what the text names, where that is not this amount for this spender."""
        claims, holding = claims_of(facts), holding_of(facts, outflow.asset)
        is_known = outflow.recipient in facts.known_addresses
        named = claims.names_address(outflow.recipient) or is_known
        decimals, amounts = holding.decimals if holding else None, {outflow.amount, outflow.raised_by} - {0}
        says = outflow.token_id is not None or any(claims.names_amount(each, decimals) for each in amounts)
        is_told = says and not instead
        is_all = holding is not None and 0 < holding.balance <= outflow.amount
        endless = has_no_end(outflow.amount)
        if (endless or is_all) and not _is_used_up(facts, outflow):
            severity = Severity.HIGH if named else Severity.CRITICAL
        else:
            severity = Severity.MEDIUM if (is_known or (named and is_told)) and not is_paid else Severity.HIGH
        amount = amount_in_words(facts, outflow.asset, outflow.amount, SYMBOL_CHARACTERS)
        spender = "names the spender" if named else "does not name the spender"
        other = f", and {instead}" if instead and says and named else ", and not this amount"
        return Finding(
            check=self.name,
            severity=severity,
            title=f"{outflow.recipient} may take {'everything' if endless else amount} of {asset_words(*outflow.unit)}"
            f"{', all that the treasury has' if is_all and not endless else ''}",
            detail=f"The text {spender}{'' if endless or is_told or (says and not named) else other}."
            f"{' As much is paid to it by the same actions.' if is_paid else ''}",
            calls=outflow.paths,
            evidence=(outflow.recipient,),
        )


def _is_used_up(facts: Facts, allowance: Outflow) -> bool:
    """Whether the simulation shows that nothing may be taken any more once the actions are done: by what may be taken
    then, or, where nobody read that, by what the spender gets.
    """
    simulation, place = facts.simulation, (allowance.asset, allowance.recipient)
    if allowance.sender != simulation.executor or has_no_end(allowance.amount):
        return False
    left = left_to_take(facts, allowance)
    if left is not None:
        return left == 0
    moves = (m for m in simulation.movements if (m.kind, m.sender) == ("transfer", allowance.sender))
    return sum(move.amount for move in moves if (move.asset, move.recipient) == place) >= allowance.amount
