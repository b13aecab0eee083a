"""after-the-fact: Was this paid, or done, before it was asked for?"""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.context import AlreadySo, EarlierCalls, EarlierPayment, EarlierPayments, PaymentsByOthers
from pnyx_policies.context.earlier_payments import SHORTLY_BEFORE_BLOCKS
from pnyx_policies.facts import Facts
from pnyx_policies.factsheet import amount_in_words
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.money import outflows
from pnyx_policies.powers import friends
from pnyx_policies.text import count

SYMBOL_CHARACTERS = 20


class AfterTheFact:
    """Medium where the treasury, or another account of the DAO, paid a receiver of this proposal, in the same asset,
    since it was proposed, or in the week before at least half of what is asked; and where the executor made one of
    these very calls in that time. Low for what is older: a working group is paid again and again. Low, too, where a
    call asks for what is so already. Check K18, incident I-26 (Arbitrum AIP-1).

    Accounts of the DAO are those that the operator named, and those that act in the calls. Not seen: payments in
    another asset, coin that neither the executor's events nor a Safe tell of, and the same done by another call.
    """

    name = "after-the-fact"
    version = "2"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        facts = view.facts
        paid, others = view.context(EarlierPayments).payments, view.context_if_known(PaymentsByOthers)
        done, so = view.context_if_known(EarlierCalls), view.context_if_known(AlreadySo)
        own = {*friends(facts), *facts.known_addresses}
        acting = {call.caller for call in facts.every_call() if call.caller and not call.other_chain}
        payments = [("The treasury", payment) for payment in paid]
        payments += [
            (f"{payment.sender}, an account of the DAO,", payment)
            for payment in (others.payments if others else ())
            if payment.sender in own | acting
        ]
        return (
            *(self._paid(facts, who, payment) for who, payment in payments if payment.receiver not in own),
            *(self._done(done) if done else ()),
            *(self._so(so) if so and so.so else ()),
        )

    def _paid(self, facts: Facts, who: str, paid: EarlierPayment) -> Finding:
        asked = [o for o in outflows(facts).items if o.asset == paid.asset and o.recipient == paid.receiver]
        amount = sum(outflow.amount for outflow in asked)
        is_before = bool(paid.since_proposed) or (amount > 0 and paid.shortly_before * 2 >= amount)

        def words(units: int) -> str:
            return amount_in_words(facts, paid.asset, units, SYMBOL_CHARACTERS)

        return Finding(
            check=self.name,
            severity=Severity.MEDIUM if is_before else Severity.LOW,
            title=f"{who} paid {paid.receiver} {count(paid.transfers, 'time')} before, last in block {paid.last_block}",
            detail=(
                f"{words(paid.amount)} in all: {words(paid.shortly_before)} in the {SHORTLY_BEFORE_BLOCKS} blocks "
                f"before the proposal, {words(paid.since_proposed)} since."
            ),
            calls=tuple(dict.fromkeys(path for outflow in asked for path in outflow.paths)),
            evidence=(paid.asset or "coin", paid.receiver),
        )

    def _done(self, found: EarlierCalls) -> Iterator[Finding]:
        for call in found.calls:
            yield Finding(
                check=self.name,
                severity=Severity.MEDIUM if call.shortly_before or call.since_proposed else Severity.LOW,
                title=f"The executor made this very call {count(call.times, 'time')} before, "
                f"last in block {call.last_block}",
                detail=(
                    f"{count(call.shortly_before, 'time')} in the {SHORTLY_BEFORE_BLOCKS} blocks before the proposal, "
                    f"{count(call.since_proposed, 'time')} since."
                ),
                calls=(call.path,),
            )

    def _so(self, found: AlreadySo) -> Iterator[Finding]:
        yield Finding(
            check=self.name,
            severity=Severity.LOW,
            title=f"What {count(len(found.so), 'call')} ask{'s' if len(found.so) == 1 else ''} for is so already",
            detail=f"By the answers to {', '.join(dict.fromkeys(one.question for one in found.so))}.",
            calls=tuple(one.path for one in found.so),
            evidence=tuple(dict.fromkeys(one.contract for one in found.so)),
        )
