"""How a text may write these payments: their amounts, their assets, what stands beside whom."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from pnyx_policies import text as reading
from pnyx_policies.asides import Mention, mentions
from pnyx_policies.beside import Place, places
from pnyx_policies.claims import Claims, readings_of
from pnyx_policies.coins import words_for_coin
from pnyx_policies.facts import Facts
from pnyx_policies.money import Outflow, holding_of
from pnyx_policies.numbered import without_numbers
from pnyx_policies.powers import friends
from pnyx_policies.sums import Sums

NATIVE_DECIMALS = 18
_SYMBOL = re.compile(r"[A-Za-z][\w.$+-]{0,23}", re.ASCII)
USUAL_ASSETS = frozenset({"usdc", "usdt", "dai", "usds", "eth", "ether", "weth", "wbtc", "btc", "steth", "wsteth"})


@dataclass(frozen=True)
class Wording:
    """The proposal's text, and all its payments (or allowances) of one kind."""

    facts: Facts
    claims: Claims
    payments: tuple[Outflow, ...]

    # --- how much

    def names_amount(self, payment: Outflow) -> bool:
        """Where something is numbered, its number is no amount of it."""
        if payment.token_id is not None:
            return not reading.amounts(without_numbers(self.claims.shown)).isdisjoint(self.readings(payment))
        return any(self.claims.names_amount(n, self.decimals(payment)) for n in self.sums.of(payment))

    def readings(self, payment: Outflow) -> frozenset[Fraction]:
        """What may stand in the text for this payment: its own amount, or a sum that it is part of."""
        return frozenset(r for n in self.sums.of(payment) for r in self.readings_of(payment, n))

    def readings_of(self, payment: Outflow, amount: int) -> frozenset[Fraction]:
        return readings_of(amount, self.decimals(payment))

    def decimals(self, payment: Outflow) -> int | None:
        """None when they are unknown: a token that does not say has 0 in its holding. What is numbered has none."""
        asset, holding = payment.asset, holding_of(self.facts, payment.asset)
        if payment.token_id is not None:
            return 0
        return NATIVE_DECIMALS if asset is None else (holding.decimals or None) if holding else None

    @cached_property
    def sums(self) -> Sums:
        return Sums.over(self.payments)

    # --- of what

    def units(self, asset: str | None) -> frozenset[str]:
        """What the asset is called, in lower case; where the text has the token's address, "tokens" will do."""
        if asset is None:
            return words_for_coin(self.facts.proposal.key.chain_id)
        holding = holding_of(self.facts, asset)
        symbol = {holding.symbol.lower()} if holding and holding.symbol else set()
        return frozenset(symbol | ({"token", "tokens"} if asset in self.claims.addresses else set()))

    def has_name(self, asset: str | None) -> bool:
        """Whether its symbol is one that a text would write."""
        holding = holding_of(self.facts, asset)
        return asset is None or (holding is not None and bool(_SYMBOL.fullmatch(holding.symbol)))

    @cached_property
    def symbols(self) -> frozenset[str]:
        coin = words_for_coin(self.facts.proposal.key.chain_id)
        return coin | {holding.symbol.lower() for holding in self.facts.treasury if holding.symbol}

    # --- where

    def naming(self, payment: Outflow) -> tuple[Mention, ...]:
        sought = self.readings(payment)
        return tuple(m for m in mentions(self.claims.shown) if not m.number.readings.isdisjoint(sought))

    def beside(self, payment: Outflow) -> tuple[Place, ...]:
        return places(self.claims.shown, self.people, self.units(payment.asset) | USUAL_ASSETS | self.symbols)

    @cached_property
    def anywhere(self) -> tuple[Place, ...]:
        return places(self.claims.shown, frozenset(), frozenset())

    @cached_property
    def people(self) -> frozenset[str]:
        """Addresses that may be meant as receivers: not the DAO, not what is called, not what is paid with."""
        paid = {payment.recipient for payment in self.payments}
        called = {call.target for call in self.facts.every_call() if call.calldata}
        assets = {payment.asset for payment in self.payments}
        others = self.claims.addresses - friends(self.facts) - called - assets - set(self.facts.known_addresses)
        return frozenset(paid | others)

    @cached_property
    def idle(self) -> frozenset[str]:
        """People of the text whom no call has anything to do with."""
        arguments = (x.value for call in self.facts.every_call() for x in call.arguments)
        used = {address for value in arguments for address in reading.addresses(value)}
        return self.people - used - {p.recipient for p in self.payments} - {self.facts.proposal.proposer}
