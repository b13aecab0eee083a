"""after-the-fact: Was this paid before it was asked for?"""

from __future__ import annotations

from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.context import EarlierPayment, EarlierPayments
from pnyx_policies.context.earlier_payments import SHORTLY_BEFORE_BLOCKS
from pnyx_policies.factsheet import amount_in_words
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.money import outflows
from pnyx_policies.powers import friends
from pnyx_policies.text import count

SYMBOL_CHARACTERS = 20


class AfterTheFact:
    """Medium where the treasury paid a receiver of this proposal, in the same token, since it was proposed, or in the
    week before at least half of what is asked. Low for older payments: a working group is paid again and again. Check
    K18, incident I-26 (Arbitrum AIP-1).

    Payments of the chain's own coin, those by other accounts, and those in other tokens leave no trace here.
    """

    name = "after-the-fact"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        own = {*friends(view.facts), *view.facts.known_addresses}
        paid = view.context(EarlierPayments).payments
        return tuple(self._finding(view, payment) for payment in paid if payment.receiver not in own)

    def _finding(self, view: CheckView, paid: EarlierPayment) -> Finding:
        asked = [o for o in outflows(view.facts).items if o.asset == paid.asset and o.recipient == paid.receiver]
        amount = sum(outflow.amount for outflow in asked)
        is_before = bool(paid.since_proposed) or (amount > 0 and paid.shortly_before * 2 >= amount)

        def words(units: int) -> str:
            return amount_in_words(view.facts, paid.asset, units, SYMBOL_CHARACTERS)

        return Finding(
            check=self.name,
            severity=Severity.MEDIUM if is_before else Severity.LOW,
            title=f"The treasury paid {paid.receiver} {count(paid.transfers, 'time')} before, "
            f"last in block {paid.last_block}",
            detail=(
                f"{words(paid.amount)} in all: {words(paid.shortly_before)} in the {SHORTLY_BEFORE_BLOCKS} blocks "
                f"before the proposal, {words(paid.since_proposed)} since."
            ),
            calls=tuple(dict.fromkeys(path for outflow in asked for path in outflow.paths)),
            evidence=(paid.asset, paid.receiver),
        )
