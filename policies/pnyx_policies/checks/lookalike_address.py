"""lookalike-address: does an address only look like another one?"""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_contracts.decoded import DecodedCall
from pnyx_policies import text
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.claims import claims_of
from pnyx_policies.coins import words_for_coin
from pnyx_policies.context import EarlierPayments
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.lookalikes import looks_like
from pnyx_policies.money import outflows
from pnyx_policies.powers import friends


class LookalikeAddress:
    """Critical: a call uses an address that begins and ends like another one: of the text, the operator, the DAO, or of
    somebody whom the treasury paid before in the same token, while it never paid this one.

    That the text names it is no excuse: whoever poisons an address book writes the text, too. Only an address that the
    operator knows, or that is the DAO's own, may look like another. Answers check K15 (address poisoning).

    High: a token that moves has the symbol of another one that is held or known, or of the chain's coin: anybody can
    make a token of any name. Not seen: a token that poses as one that nobody here knows of.
    """

    name = "lookalike-address"
    version = "3"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        found = (*self._in_words(view.facts), *self._in_the_books(view), *self._tokens(view.facts))
        return tuple(dict.fromkeys(found))

    def _in_the_books(self, view: CheckView) -> Iterator[Finding]:
        trusted = {*view.facts.known_addresses, *friends(view.facts)}
        paid = view.context_if_known(EarlierPayments)
        for payee in paid.mistaken if paid else ():
            if payee.receiver not in trusted:
                yield self._finding(payee.receiver, payee.looks_like)

    def _in_words(self, facts: Facts) -> Iterator[Finding]:
        trusted = set(facts.known_addresses) | friends(facts)
        models = sorted(trusted) + sorted(claims_of(facts).addresses - trusted)
        used = dict.fromkeys(a for c in facts.every_call() for a in _addresses_of(c))
        pairs = ((a, next((m for m in models if looks_like(m, a)), None)) for a in used)
        yield from (self._finding(a, model) for a, model in pairs if model is not None and a not in trusted)

    def _tokens(self, facts: Facts) -> Iterator[Finding]:
        moving = {m.asset for m in facts.simulation.all_movements} | {o.asset for o in outflows(facts).items}
        named = [(name, address) for address, name in facts.known_addresses.items()]
        named += [(h.symbol, h.asset or "the chain's coin") for h in facts.treasury]
        named += [(word, "the chain's coin") for word in words_for_coin(facts.proposal.key.chain_id)]
        for holding in facts.treasury:
            if holding.asset is None or holding.asset not in moving or holding.asset in facts.known_addresses:
                continue
            same = {who for name, who in named if who != holding.asset and _is_same(name, holding.symbol)}
            if same:
                yield Finding(
                    check=self.name,
                    severity=Severity.HIGH,
                    title=f"{holding.asset} has the symbol of another token",
                    detail=f"{text.quote(holding.symbol, 40)} is {', '.join(sorted(same))}, too.",
                    evidence=(holding.asset, *sorted(same - {"the chain's coin"})),
                )

    def _finding(self, address: str, model: str) -> Finding:
        return Finding(
            check=self.name,
            severity=Severity.CRITICAL,
            title=f"{address} looks like {model} and is another address",
            evidence=(address, model),
        )


def _is_same(one: str, other: str) -> bool:
    """Whether people would read one name as the other."""
    first, second = (text.fold(name.translate(text.LOOKALIKES)) for name in (one, other))
    return bool(first) and first == second


def _addresses_of(call: DecodedCall) -> Iterator[str]:
    yield call.target
    for argument in call.arguments:
        if "address" in argument.type:
            yield from sorted(text.addresses(argument.value))
