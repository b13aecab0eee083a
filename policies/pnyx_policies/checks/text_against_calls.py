"""text-against-calls: does the text say what the calls do?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pnyx_contracts.decoded import DecodedCall
from pnyx_policies import text
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.claims import Claims, claims_of
from pnyx_policies.coins import words_for_coin
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.money import Outflow, OutflowKind, holding_of, outflows
from pnyx_policies.powers import friends

SHORT_TEXT = 40
"""Letters and digits. Below this a text can still say "Pay 5 ETH to 0x..."; it then names what it pays."""

_NATIVE_DECIMALS = 18


class TextAgainstCalls:
    """Critical: an empty text, or a payment that the text names neither by amount nor by receiver. High: a payment half
    named, a call that nothing in the text points at. Low: an amount that is named as one of something else. Info:
    addresses of the text that no call uses.

    What the text says about power and code is the business of privilege-grant, code-upgrade and governor-settings.
    Answers incidents I-8 ("Hello", "World"), I-10 (Indexed Finance), I-12 (Yam), check K6.
    """

    name = "text-against-calls"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        comparison = _Comparison(view.facts, claims_of(view.facts))
        if not any(_acts(view.facts, c) for c in view.facts.calls):
            return ()
        return tuple(
            Finding(check=self.name, severity=severity, title=title, calls=calls, evidence=evidence)
            for severity, title, calls, evidence in (
                *comparison.silence(),
                *comparison.payments(),
                *comparison.unmentioned(),
                *comparison.unused(),
            )
        )


def payments_against_text(facts: Facts) -> Iterator[tuple[Outflow, Severity | None, str]]:
    """Each payment, how grave it is that the text does not name it whole (None: it does), and what the text names."""
    return _Comparison(facts, claims_of(facts)).judged()


def unmentioned_calls(facts: Facts) -> tuple[DecodedCall, ...]:
    """Calls that act and that nothing in the text points at."""
    return _Comparison(facts, claims_of(facts)).silent()


def unused_addresses(facts: Facts) -> tuple[str, ...]:
    """Addresses of the text that no call uses."""
    return _Comparison(facts, claims_of(facts)).spare()


@dataclass(frozen=True, slots=True)
class _Sums:
    """What payments add up to: per asset, and per asset and receiver."""

    by_asset: Counter[str | None]
    by_receiver: Counter[tuple[str | None, str]]

    @classmethod
    def over(cls, payments: Iterable[Outflow]) -> _Sums:
        sums = cls(Counter(), Counter())
        for payment in payments:
            sums.by_asset[payment.asset] += payment.amount
            sums.by_receiver[payment.asset, payment.recipient] += payment.amount
        return sums

    def of(self, payment: Outflow) -> set[int]:
        """Amounts that announce this payment: its own, or a sum that it is part of."""
        asset, receiver = payment.asset, payment.recipient
        return {payment.amount, self.by_asset[asset], self.by_receiver[asset, receiver]}


_Difference = tuple[Severity, str, tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Comparison:
    facts: Facts
    claims: Claims

    def silence(self) -> Iterator[_Difference]:
        if not self.claims.prose_length:
            yield Severity.CRITICAL, "The proposal acts and its text is empty", (), ()
        elif self.claims.prose_length < SHORT_TEXT and not any(map(self._is_mentioned, self.facts.every_call())):
            shown = text.quote(self.facts.proposal.text)
            yield Severity.CRITICAL, "The text is very short and says nothing of what the calls do", (), (shown,)

    def payments(self) -> Iterator[_Difference]:
        for payment, severity, missing in self.judged():
            if severity is not None:
                title = (
                    f"{payment.amount} of {payment.asset or 'coin'} to {payment.recipient}: the text names {missing}"
                )
                yield severity, title, payment.paths, (payment.recipient, str(payment.amount))

    def judged(self) -> Iterator[tuple[Outflow, Severity | None, str]]:
        items = tuple(o for o in outflows(self.facts).items if o.kind is OutflowKind.TRANSFER)
        sums = _Sums.over(items)
        return ((payment, *self._judge(payment, sums)) for payment in items)

    def _judge(self, payment: Outflow, sums: _Sums) -> tuple[Severity | None, str]:
        amount = payment.is_nft or self._names_amount(payment, sums)
        receiver = payment.recipient in self.claims.addresses
        known = payment.recipient in self.facts.known_addresses
        if amount and (receiver or known):
            return (None, "") if self._names_asset(payment, sums) else (Severity.LOW, "the amount, and not of what")
        if receiver:
            return Severity.HIGH, "the receiver, not the amount"
        if amount and not payment.is_nft:
            by_name = Severity.MEDIUM if self.claims.names_ens else Severity.HIGH
            return by_name, "the amount, not the receiver's address"
        hidden = not known and not self.claims.names_ens
        return Severity.CRITICAL if hidden else Severity.HIGH, "neither the amount nor the receiver's address"

    def _names_amount(self, payment: Outflow, sums: _Sums) -> bool:
        return any(self.claims.names_amount(n, self._decimals(payment.asset)) for n in sums.of(payment))

    def _names_asset(self, payment: Outflow, sums: _Sums) -> bool:
        """True when the amount stands before the asset's name: 20 USDC in the text are not 20 ETH in the call.

        Where nobody looked at the asset there is no name to compare, and no share of the treasury either.
        """
        if payment.asset is not None and holding_of(self.facts, payment.asset) is None:
            return True
        if payment.is_nft:
            return payment.asset in self.claims.addresses
        decimals, units = self._decimals(payment.asset), self._units(payment.asset)
        return any(self.claims.names_quantity(n, decimals, units) for n in sums.of(payment))

    def _units(self, asset: str | None) -> frozenset[str]:
        """What the asset is called, in lower case; where the text has the token's address, "tokens" will do."""
        if asset is None:
            return words_for_coin(self.facts.proposal.key.chain_id)
        holding = holding_of(self.facts, asset)
        symbol = {holding.symbol.lower()} if holding and holding.symbol else set()
        return frozenset(symbol | ({"token", "tokens"} if asset in self.claims.addresses else set()))

    def _decimals(self, asset: str | None) -> int | None:
        """None when they are unknown: a token that does not say has 0 in its holding."""
        holding = holding_of(self.facts, asset)
        return _NATIVE_DECIMALS if asset is None else (holding.decimals or None) if holding else None

    def unmentioned(self) -> Iterator[_Difference]:
        if silent := self.silent():
            title = f"Nothing in the text points at {len(silent)} of {len(self._acting())} calls"
            yield Severity.HIGH, title, tuple(c.path for c in silent), tuple(dict.fromkeys(c.target for c in silent))

    def silent(self) -> tuple[DecodedCall, ...]:
        return tuple(c for c in self._acting() if not self._is_mentioned(c))

    def _acting(self) -> list[DecodedCall]:
        return [c for c in self.facts.every_call() if not c.inner and _acts(self.facts, c)]

    def _is_mentioned(self, call: DecodedCall) -> bool:
        """By its function, its target, an address or an amount in it; or its bytes are shown."""
        claims = self.claims
        own = friends(self.facts)
        named = (claims.addresses | set(self.facts.known_addresses)) - own
        used = {call.target, *(a for x in call.arguments if "address" in x.type for a in text.addresses(x.value))}
        return (
            bool(call.name and claims.names_word(call.name))
            or bool(used & named)
            or any(claims.names_amount(amount, None) for amount in _large_numbers(call))
            or claims.shows_calldata(call.calldata)
        )

    def unused(self) -> Iterator[_Difference]:
        if spare := self.spare():
            yield Severity.INFO, f"{len(spare)} addresses of the text are used by no call", (), spare[:8]

    def spare(self) -> tuple[str, ...]:
        proposal = self.facts.proposal
        used = {proposal.proposer, proposal.key.governor, *friends(self.facts)}
        for call in self.facts.every_call():
            used |= {call.target, *(a for x in call.arguments for a in text.addresses(x.value))}
        return tuple(sorted(self.claims.addresses - used))


def _acts(facts: Facts, call: DecodedCall) -> bool:
    """False for a call that does nothing: no calldata, no coin, and no code of a stranger that would run."""
    target = facts.target(call.target)
    runs_code = target is not None and target.has_code and call.target not in friends(facts)
    return bool(call.calldata or call.value_wei or runs_code)


_SMALL = 1_000


def _large_numbers(call: DecodedCall) -> Iterator[int]:
    """Numbers that tell one call from another; a 1 or a 30 stands in any text."""
    if call.value_wei:
        yield call.value_wei
    for argument in call.arguments:
        if argument.type.startswith(("uint", "int")) and argument.value.isdecimal() and int(argument.value) >= _SMALL:
            yield int(argument.value)
