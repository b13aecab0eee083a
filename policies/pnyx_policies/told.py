"""Does the text tell this payment: how much, of what, to whom, and these together?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from pnyx_contracts.types import ZERO_ADDRESS
from pnyx_policies import text as reading
from pnyx_policies.asides import Mention, asks_for_nothing, mentions
from pnyx_policies.beside import Place, places
from pnyx_policies.claims import RAW, Claims, claims_of, readings_of
from pnyx_policies.coins import words_for_coin
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Severity
from pnyx_policies.language import is_foreign, shows_decimal_commas, writes_decimal_commas
from pnyx_policies.money import Outflow, OutflowKind, decimals_of, holding_of, outflows
from pnyx_policies.numbered import Phrase, another_number, said_beside, without_numbers
from pnyx_policies.powers import friends
from pnyx_policies.receivers import behind_a_name, is_named_by_ens, is_redeemed, is_rest_of_what_comes
from pnyx_policies.sums import Sums

_NATIVE_DECIMALS = 18
_TOTAL = re.compile(r"\b(?:total|sum|altogether|in all|overall|combined|together|between them|shared|split)\b")
_NO = re.compile(
    r"\b(?:not|never|no longer|instead of|rather than|withdrawn|withdraws|rejected|rejects|declined|declines|refused)\b"
    r"|n['\u2019]t\b"
)
_COUNTS = {
    2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten", 11: "eleven",
    12: "twelve",
}  # fmt: skip
_SYMBOL = re.compile(r"[A-Za-z][\w.$+-]{0,23}", re.ASCII)
_NFTS = ("nft", "nfts", "name", "names", "domain", "domains", "position", "positions")
_NOT_AN_ASSET = frozenset({"usd", "dollar", "dollars", "token", "tokens"})
"""Words for what an amount is worth, or for any asset."""
_SMALL_UNITS = frozenset({"wei", "gwei", "raw", "units"})
_ASSET_WORD = re.compile(r"[a-z][a-z0-9.$+-]*[a-z0-9]")
_USUAL_ASSETS = frozenset({"usdc", "usdt", "dai", "usds", "eth", "ether", "weth", "wbtc", "btc", "steth", "wsteth"})

_AIMED = r"\b(?:to|at|in|into|via|through)\b(?: [a-z'-]+){{0,3}}[\s`*:(\[]{{1,4}}(?:https?://\S{{1,80}}/)?{}"
"""Right before the address of who gets it."""
_NO_PROMISE = re.compile(
    r"\b(?:was|were|had|has|old|previous(?:ly)?|former(?:ly)?|no longer|not|donat\w+|paid|received|from|instead"
    r"|holds?|by)\b"
)
_HANDS_ON = re.compile(
    r"\b(?:distribut\w+|splits?|splitter|dispers\w+|divid\w+|hands? \w+ on|passes \w+ on|pays? them)\b"
)
"""Of a receiver who pays others."""
_NOBODY = frozenset({ZERO_ADDRESS, "0x000000000000000000000000000000000000dEaD"})
_BURNING = ("burn", "burns", "burned", "burnt", "burning", "destroy", "destroys")

Told = tuple[Severity | None, str]
"""How grave it is that the text does not tell a payment whole (None: it does), and what the text names."""


def payments_told(
    facts: Facts, kind: OutflowKind = OutflowKind.TRANSFER
) -> Iterator[tuple[Outflow, Severity | None, str]]:
    """Each payment of the proposal, or each allowance, and how the text tells it."""
    payments = tuple(o for o in outflows(facts).items if o.kind is kind)
    telling = _Telling(facts, claims_of(facts), payments)
    return ((payment, *telling.of(payment)) for payment in payments)


@dataclass(frozen=True)
class _Telling:
    facts: Facts
    claims: Claims
    payments: tuple[Outflow, ...]

    def of(self, payment: Outflow) -> Told:
        if (exchanged := self._exchanged(payment)) is not None:
            return exchanged
        amount = self._names_nft(payment) if payment.is_single else self._names_amount(payment)
        receiver = self.claims.names_address(payment.recipient) or self._is_burned(payment)
        known = payment.recipient in self.facts.known_addresses
        if amount and (receiver or known):
            return self._together(payment)
        if receiver:
            return Severity.HIGH, "the receiver, not the NFT" if payment.is_single else "the receiver, not the amount"
        if amount and not payment.is_single and self._is_made(payment.recipient):
            return Severity.MEDIUM, "the amount; these actions make the receiver"
        if amount and not payment.is_single:
            is_named = is_named_by_ens(self.facts, self.claims, payment.recipient)
            by_name = Severity.MEDIUM if is_named else Severity.HIGH
            return by_name, "the amount, not the receiver's address"
        hidden = not (known or self.claims.names_ens or is_rest_of_what_comes(self.facts, payment))
        return Severity.CRITICAL if hidden else Severity.HIGH, "neither the amount nor the receiver's address"

    def _is_burned(self, payment: Outflow) -> bool:
        """What is burned goes to nobody whose address a text would give."""
        is_told = self.claims.names_word(*_BURNING) or is_redeemed(self.facts, payment)
        return payment.recipient in _NOBODY and is_told

    def _exchanged(self, payment: Outflow) -> Told | None:
        """Shares that a contract takes back and pays for: what it pays is a payment of its own, or comes to the DAO.
        The text has to tell one of the two amounts.
        """
        moves = [m for m in self.facts.simulation.movements if m.kind == "transfer" and m.sender == payment.asset]
        paid = Counter[str | None]()
        for move in moves:
            paid[move.asset] += move.amount if move.asset != payment.asset else 0
        if payment.recipient != ZERO_ADDRESS or payment.kind is not OutflowKind.TRANSFER or not paid.total():
            return None
        amounts = [
            (amount, decimals_of(self.facts, asset) if asset else _NATIVE_DECIMALS) for asset, amount in paid.items()
        ]
        is_told = self._names_amount(payment) or any(self.claims.names_amount(*each) for each in amounts if each[0])
        return (None, "") if is_told else (Severity.MEDIUM, "neither what goes back nor what is paid for it")

    def _is_made(self, address: str) -> bool:
        """Nobody knows the address of a contract that the actions make before they do."""
        changes = self.facts.simulation.all_changes
        return any(c.kind == "code-created" and c.contract == address for c in changes)

    def _together(self, payment: Outflow) -> Told:
        """Amount and receiver stand in the text. Do they belong to one another, how often, and of which asset?"""
        faults = (
            self._misplaced(payment), self._between(payment), self._passed_over(payment), self._behind_a_name(payment),
            self._aside(payment), self._either_way(payment), self._as_a_limit(payment), self._repeated(payment),
            self._beyond_total(payment), self._of_another_number(payment),
            self._more_than_one(payment), self._of_another_asset(payment), self._denied(payment),
        )  # fmt: skip
        return max((fault for fault in faults if fault is not None), key=lambda fault: fault[0], default=(None, ""))

    # --- which amount is whose

    def _misplaced(self, payment: Outflow) -> tuple[Severity, str] | None:
        if payment.is_single or payment.recipient not in self.claims.addresses:
            return None
        units, sought, everywhere = self._units(payment.asset), self._readings(payment), self._beside(payment)
        own = [place for place in everywhere if payment.recipient in place.addresses]
        naming = [place for place in everywhere if place.names(sought)]
        if not naming:
            return None
        if any(place.names(sought) for place in own):
            paid = {r for p in self.payments if p.recipient == payment.recipient for r in self._readings(p)}
            if any(place.has_quantity(units, but_for=paid) for place in own) and self._is_bare(payment, own):
                return Severity.HIGH, "the number, and another amount beside the receiver's address"
            also = any(place.has_quantity(units) and not place.names(paid) for place in own)
            return (Severity.LOW, "the amount, and another one beside the receiver's address") if also else None
        if all(place.addresses for place in naming):
            return Severity.HIGH, "the amount beside another address"
        if any(place.has_quantity(units) for place in own):
            return Severity.HIGH, "another amount beside the receiver's address"
        return None

    def _between(self, payment: Outflow) -> tuple[Severity, str] | None:
        """Whether the amount stands beside somebody else too, who gets nothing, and not right before this receiver."""
        sought = self._readings(payment)
        own = [p for p in self._beside(payment) if payment.recipient in p.addresses and p.names(sought)]
        aimed = re.compile(_AIMED.format(payment.recipient.lower()))
        if payment.is_single or not own or not all(p.addresses & self._idle and not aimed.search(p.words) for p in own):
            return None
        return Severity.HIGH, "the amount beside another address too, which gets nothing"

    def _passed_over(self, payment: Outflow) -> tuple[Severity, str] | None:
        """Whether the text gives an amount of the asset to somebody whom no call pays, and not as a part of this."""
        units, asides = self._units(payment.asset), {m.number.spelling for m in mentions(self.claims.shown) if m.aside}
        promised = [
            (min(place.addresses), number)
            for place in self._beside(payment)
            if place.addresses and place.addresses <= self._idle and not _NO_PROMISE.search(place.words)
            for number in place.numbers
            if number.unit in units and number.spelling not in asides
        ]
        parts = sum(max(number.usual) for _, number in promised)
        hands_on = any(payment.recipient in p.addresses and _HANDS_ON.search(p.words) for p in self._beside(payment))
        if payment.is_single or not promised or hands_on or parts in self._readings(payment):
            return None
        return Severity.HIGH, f"the amount, and another for {promised[0][0]}, who gets nothing"

    def _behind_a_name(self, payment: Outflow) -> tuple[Severity, str] | None:
        severity = behind_a_name(self.facts, self.claims, payment.recipient)
        return (severity, "the receiver by a name alone, whose link leads to this address") if severity else None

    def _beside(self, payment: Outflow) -> tuple[Place, ...]:
        return places(self.claims.shown, self._people, self._units(payment.asset) | _USUAL_ASSETS | self._symbols)

    @cached_property
    def _idle(self) -> frozenset[str]:
        """People of the text whom no call has anything to do with."""
        arguments = (x.value for call in self.facts.every_call() for x in call.arguments)
        used = {address for value in arguments for address in reading.addresses(value)}
        return self._people - used - {p.recipient for p in self.payments} - {self.facts.proposal.proposer}

    def _is_bare(self, payment: Outflow, own: Iterable[Place]) -> bool:
        """Whether the paid number stands in these places as something else: a year, the number of a proposal."""
        sought = self._readings(payment)
        raw = frozenset(reading for reading in sought if reading >= RAW)
        named = any(place.has_quantity(self._units(payment.asset), sought) or place.names(raw) for place in own)
        return not named and self._has_name(payment.asset)

    @cached_property
    def _people(self) -> frozenset[str]:
        """Addresses that may be meant as receivers: not the DAO, not what is called, not what is paid with."""
        paid = {payment.recipient for payment in self.payments}
        called = {call.target for call in self.facts.every_call() if call.calldata}
        assets = {payment.asset for payment in self.payments}
        others = self.claims.addresses - friends(self.facts) - called - assets - set(self.facts.known_addresses)
        return frozenset(paid | others)

    def _denied(self, payment: Outflow) -> tuple[Severity, str] | None:
        """A no may belong to another part of the sentence, so this proves nothing: people read it."""
        naming = [place for place in self._anywhere if place.names(self._readings(payment))]
        if naming and all(_NO.search(place.words) for place in naming):
            return Severity.LOW, "the amount beside a no"
        return None

    # --- in which sense

    def _more_than_one(self, payment: Outflow) -> tuple[Severity, str] | None:
        """Several NFTs, where the text speaks of one and gives no numbers."""
        alike = {p.token_id for p in self.payments if p.is_single and p.asset == payment.asset}
        speaks_of_one = self.claims.names_word(*_NFTS[::2]) and not self.claims.names_word(*_NFTS[1::2])
        if not payment.is_single or len(alike) < 2 or not speaks_of_one or self._said_beside(payment):
            return None
        if self._says_how_often(len(alike), payment.recipient, self._anywhere):
            return None
        return Severity.HIGH, f"one NFT, and {len(alike)} leave"

    def _of_another_number(self, payment: Outflow) -> tuple[Severity, str] | None:
        return another_number(payment, self._said_beside(payment), self._sums.of(payment))

    def _said_beside(self, payment: Outflow) -> tuple[Phrase, ...]:
        return said_beside(self.claims.shown, payment.recipient, {p.recipient for p in self.payments})

    def _naming(self, payment: Outflow) -> tuple[Mention, ...]:
        sought = self._readings(payment)
        return tuple(m for m in mentions(self.claims.shown) if not m.number.readings.isdisjoint(sought))

    def _aside(self, payment: Outflow) -> tuple[Severity, str] | None:
        """An amount may stand in a text without being what it asks for."""
        naming = self._naming(payment)
        if payment.is_single or not naming:
            return None
        if self.claims.unfolded.isdisjoint(self._readings(payment)):
            return Severity.HIGH, "the amount only in a folded part"
        if all(mention.aside for mention in naming):
            return Severity.HIGH, f"the amount only {naming[0].aside}"
        if not is_foreign(self.claims.shown) and asks_for_nothing(self.claims.shown, naming):
            return Severity.HIGH, "the amount, and no word for a payment"
        return None

    def _beyond_total(self, payment: Outflow) -> tuple[Severity, str] | None:
        """Totals of the asset, all together, have to reach what is paid of it."""
        units, paid = self._units(payment.asset), self._sums.by_unit[payment.unit]
        numbers = (m.number for m in mentions(self.claims.shown) if m.is_total and m.number.unit in units)
        totals = [max(number.usual) for number in numbers]
        decimals = self._decimals(payment)
        if payment.is_single or not totals or decimals is None or sum(totals) * 10**decimals >= paid:
            return None
        return Severity.HIGH, "the amount, and a total that is less than what is paid"

    def _either_way(self, payment: Outflow) -> tuple[Severity, str] | None:
        """``5.000`` is five or five thousand: whoever reads the smaller must not pay the larger, and where ``0,5`` is
        a half it is five thousand.
        """
        sought, naming, shown = self._readings(payment), self._naming(payment), self.claims.shown
        if payment.is_single or not naming:
            return None
        if shows_decimal_commas(shown) and all(max(m.number.usual) not in sought for m in naming):
            return Severity.HIGH, f"an amount that is a thousand times this ({naming[0].number.spelling})"
        if writes_decimal_commas(shown):
            return None
        if all(len(m.number.usual) > 1 and min(m.number.usual) not in sought for m in naming):
            return Severity.HIGH, f"an amount that may be a thousandth of this ({naming[0].number.spelling})"
        return None

    def _as_a_limit(self, payment: Outflow) -> tuple[Severity, str] | None:
        """ "Up to 900 USDC are possible; the receipts are of 20 USDC": the larger number is what there may be."""
        units, naming = self._units(payment.asset), self._naming(payment)
        if payment.is_single or not naming or not all(mention.is_limit for mention in naming):
            return None
        least = min(min(mention.number.usual) for mention in naming)
        others = (m for m in mentions(self.claims.shown) if m.number.unit in units and not (m.aside or m.is_limit))
        smaller = next((m for m in others if max(m.number.usual) < least), None)
        return (Severity.HIGH, f"the amount as a limit, beside {smaller.number.spelling}") if smaller else None

    # --- how often

    def _repeated(self, payment: Outflow) -> tuple[Severity, str] | None:
        """An amount that is paid several times has to be told as often, or with what it adds up to."""
        alike = [p for p in self.payments if (p.unit, p.amount) == (payment.unit, payment.amount)]
        if len(alike) < 2 or payment.is_single or self._names_total(payment):
            return None
        here = [place for place in self._anywhere if place.names(self._readings_of(payment, payment.amount))]
        if here and all(_TOTAL.search(place.words) for place in here):
            return Severity.HIGH, f"the amount as a total, and it is paid {len(alike)} times"
        times = sum(p.recipient == payment.recipient for p in alike)
        if times > 1 and not self._says_how_often(times, payment.recipient, here):
            return Severity.HIGH, f"the amount once, and it is paid {times} times"
        return None

    @cached_property
    def _anywhere(self) -> tuple[Place, ...]:
        return places(self.claims.shown, frozenset(), frozenset())

    def _names_total(self, payment: Outflow) -> bool:
        sums = self._sums.of(payment) - {payment.amount}
        return any(self.claims.names_amount(n, self._decimals(payment)) for n in sums)

    def _says_how_often(self, times: int, receiver: str, here: Iterable[Place]) -> bool:
        if self.claims.shown.lower().count(receiver.lower()) >= times:
            return True
        word = _COUNTS.get(times, "")
        return any(place.names({Fraction(times)}) or bool(word and word in place.words) for place in here)

    # --- of what

    def _of_another_asset(self, payment: Outflow) -> tuple[Severity, str] | None:
        if self._names_asset(payment):
            return None
        others = (_USUAL_ASSETS | self._symbols) - self._units(payment.asset) - _NOT_AN_ASSET
        sought, raw = self._readings(payment), self._sums.of(payment)
        said = {unit for amount, unit in self.claims.quantities if amount in sought}
        small = {unit for amount, unit in self.claims.quantities if amount in sought and amount not in raw}
        if self._has_name(payment.asset) and (said & others or small & _SMALL_UNITS):
            return Severity.HIGH, "the amount as one of another asset"
        if not said and self._has_name(payment.asset) and self._is_beside_another(payment, others):
            return Severity.HIGH, "the amount beside another asset"
        return Severity.LOW, "the amount, and not of what"

    def _is_beside_another(self, payment: Outflow, others: frozenset[str]) -> bool:
        """Whether every sentence with the amount speaks of another asset, and not of this one."""
        naming = [place for place in self._anywhere if place.names(self._readings(payment))]
        spoken = [frozenset(_ASSET_WORD.findall(place.words)) for place in naming]
        return bool(spoken) and all(words & others and not words & self._units(payment.asset) for words in spoken)

    def _has_name(self, asset: str | None) -> bool:
        """Whether its symbol is one that a text would write."""
        holding = holding_of(self.facts, asset)
        return asset is None or (holding is not None and bool(_SYMBOL.fullmatch(holding.symbol)))

    @cached_property
    def _symbols(self) -> frozenset[str]:
        coin = words_for_coin(self.facts.proposal.key.chain_id)
        return coin | {holding.symbol.lower() for holding in self.facts.treasury if holding.symbol}

    def _names_asset(self, payment: Outflow) -> bool:
        """True when the amount stands before the asset's name: 20 USDC in the text are not 20 ETH in the call.

        Where nobody looked at the asset there is no name to compare, and no share of the treasury either. What is
        numbered has no name: its contract says what it is.
        """
        is_counted = payment.token_id is not None and not payment.is_single
        if payment.asset is not None and holding_of(self.facts, payment.asset) is None and not is_counted:
            return True
        if payment.token_id is not None:
            return payment.asset in self.claims.addresses
        decimals, units = self._decimals(payment), self._units(payment.asset)
        return any(self.claims.names_quantity(n, decimals, units) for n in self._sums.of(payment))

    def _units(self, asset: str | None) -> frozenset[str]:
        """What the asset is called, in lower case; where the text has the token's address, "tokens" will do."""
        if asset is None:
            return words_for_coin(self.facts.proposal.key.chain_id)
        holding = holding_of(self.facts, asset)
        symbol = {holding.symbol.lower()} if holding and holding.symbol else set()
        return frozenset(symbol | ({"token", "tokens"} if asset in self.claims.addresses else set()))

    # --- how much

    def _names_nft(self, payment: Outflow) -> bool:
        """By its contract, by its number, or by a word for such things."""
        moves = self.facts.simulation.all_movements
        numbers = {m.token_id for m in moves if (m.asset, m.recipient) == (payment.asset, payment.recipient)} - {None}
        is_numbered = bool(numbers) and all(Fraction(n or 0) in self.claims.amounts for n in numbers)
        return payment.asset in self.claims.addresses or is_numbered or self.claims.names_word(*_NFTS)

    def _names_amount(self, payment: Outflow) -> bool:
        """Where something is numbered, its number is no amount of it."""
        if payment.token_id is not None:
            return not reading.amounts(without_numbers(self.claims.shown)).isdisjoint(self._readings(payment))
        return any(self.claims.names_amount(n, self._decimals(payment)) for n in self._sums.of(payment))

    def _readings(self, payment: Outflow) -> frozenset[Fraction]:
        """What may stand in the text for this payment: its own amount, or a sum that it is part of."""
        return frozenset(r for n in self._sums.of(payment) for r in self._readings_of(payment, n))

    def _readings_of(self, payment: Outflow, amount: int) -> frozenset[Fraction]:
        return readings_of(amount, self._decimals(payment))

    def _decimals(self, payment: Outflow) -> int | None:
        """None when they are unknown: a token that does not say has 0 in its holding. What is numbered has none."""
        asset, holding = payment.asset, holding_of(self.facts, payment.asset)
        if payment.token_id is not None:
            return 0
        return _NATIVE_DECIMALS if asset is None else (holding.decimals or None) if holding else None

    @cached_property
    def _sums(self) -> Sums:
        return Sums.over(self.payments)
