"""Does the text tell this payment: how much, of what, to whom, and these together?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from pnyx_contracts.types import ZERO_ADDRESS
from pnyx_policies.asides import asks_for_nothing, mentions
from pnyx_policies.beside import Place
from pnyx_policies.claims import claims_of
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Severity
from pnyx_policies.language import is_foreign, shows_decimal_commas, writes_decimal_commas
from pnyx_policies.money import Outflow, OutflowKind, decimals_of, holding_of, outflows
from pnyx_policies.numbered import Phrase, another_number, said_beside
from pnyx_policies.receivers import is_named_by_ens, is_redeemed, is_rest_of_what_comes
from pnyx_policies.whose import faults_of_receiver
from pnyx_policies.wording import NATIVE_DECIMALS, USUAL_ASSETS, Wording

_TOTAL = re.compile(r"\b(?:total|sum|altogether|in all|overall|combined|together|between them|shared|split)\b")
_NO = re.compile(
    r"\b(?:not|never|no longer|instead of|rather than|withdrawn|withdraws|rejected|rejects|declined|declines|refused)\b"
    r"|n['\u2019]t\b"
)
_COUNTS = {
    2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten", 11: "eleven",
    12: "twelve",
}  # fmt: skip
_NFTS = ("nft", "nfts", "name", "names", "domain", "domains", "position", "positions")
_NOT_AN_ASSET = frozenset({"usd", "dollar", "dollars", "token", "tokens"})
"""Words for what an amount is worth, or for any asset."""
_SMALL_UNITS = frozenset({"wei", "gwei", "raw", "units"})
_ASSET_WORD = re.compile(r"[a-z][a-z0-9.$+-]*[a-z0-9]")
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
class _Telling(Wording):
    def of(self, payment: Outflow) -> Told:
        if (exchanged := self._exchanged(payment)) is not None:
            return exchanged
        amount = self._names_nft(payment) if payment.is_single else self.names_amount(payment)
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
            (amount, decimals_of(self.facts, asset) if asset else NATIVE_DECIMALS) for asset, amount in paid.items()
        ]
        is_told = self.names_amount(payment) or any(self.claims.names_amount(*each) for each in amounts if each[0])
        return (None, "") if is_told else (Severity.MEDIUM, "neither what goes back nor what is paid for it")

    def _is_made(self, address: str) -> bool:
        """Nobody knows the address of a contract that the actions make before they do."""
        changes = self.facts.simulation.all_changes
        return any(c.kind == "code-created" and c.contract == address for c in changes)

    def _together(self, payment: Outflow) -> Told:
        """Amount and receiver stand in the text. Do they belong to one another, how often, and of which asset?"""
        faults = (
            *faults_of_receiver(self, payment),
            self._aside(payment), self._either_way(payment), self._as_a_limit(payment), self._asks_for_another(payment),
            self._repeated(payment), self._beyond_total(payment), self._of_another_number(payment),
            self._more_than_one(payment), self._of_another_asset(payment), self._denied(payment),
        )  # fmt: skip
        return max((fault for fault in faults if fault is not None), key=lambda fault: fault[0], default=(None, ""))

    def _denied(self, payment: Outflow) -> tuple[Severity, str] | None:
        """A no may belong to another part of the sentence, so this proves nothing: people read it."""
        naming = [place for place in self.anywhere if place.names(self.readings(payment))]
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
        if self._says_how_often(len(alike), payment.recipient, self.anywhere):
            return None
        return Severity.HIGH, f"one NFT, and {len(alike)} leave"

    def _of_another_number(self, payment: Outflow) -> tuple[Severity, str] | None:
        return another_number(payment, self._said_beside(payment), self.sums.of(payment))

    def _said_beside(self, payment: Outflow) -> tuple[Phrase, ...]:
        return said_beside(self.claims.shown, payment.recipient, {p.recipient for p in self.payments})

    def _aside(self, payment: Outflow) -> tuple[Severity, str] | None:
        """An amount may stand in a text without being what it asks for."""
        naming = self.naming(payment)
        if payment.is_single or not naming:
            return None
        if self.claims.unfolded.isdisjoint(self.readings(payment)):
            return Severity.HIGH, "the amount only in a folded part"
        if all(mention.aside for mention in naming):
            return Severity.HIGH, f"the amount only {naming[0].aside}"
        if not is_foreign(self.claims.shown) and asks_for_nothing(self.claims.shown, naming):
            return Severity.HIGH, "the amount, and no word for a payment"
        return None

    def _beyond_total(self, payment: Outflow) -> tuple[Severity, str] | None:
        """Totals of the asset, all together, have to reach what is paid of it."""
        units, paid = self.units(payment.asset), self.sums.by_unit[payment.unit]
        numbers = (m.number for m in mentions(self.claims.shown) if m.is_total and m.number.unit in units)
        totals = [max(number.usual) for number in numbers]
        decimals = self.decimals(payment)
        if payment.is_single or not totals or decimals is None or sum(totals) * 10**decimals >= paid:
            return None
        return Severity.HIGH, "the amount, and a total that is less than what is paid"

    def _either_way(self, payment: Outflow) -> tuple[Severity, str] | None:
        """``5.000`` is five or five thousand: whoever reads the smaller must not pay the larger, and where ``0,5`` is
        a half it is five thousand.
        """
        sought, naming, shown = self.readings(payment), self.naming(payment), self.claims.shown
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
        units, naming = self.units(payment.asset), self.naming(payment)
        if payment.is_single or not naming or not all(mention.is_limit for mention in naming):
            return None
        least = min(min(mention.number.usual) for mention in naming)
        others = (m for m in mentions(self.claims.shown) if m.number.unit in units and not (m.aside or m.is_limit))
        smaller = next((m for m in others if max(m.number.usual) < least), None)
        return (Severity.HIGH, f"the amount as a limit, beside {smaller.number.spelling}") if smaller else None

    def _asks_for_another(self, payment: Outflow) -> tuple[Severity, str] | None:
        """Whether the text asks for another amount of the asset, which nobody is paid, and only names this one."""
        units, naming = self.units(payment.asset), self.naming(payment)
        if payment.is_single or not naming or any(mention.is_asked or not mention.is_in_words for mention in naming):
            return None
        paid = {r for p in self.payments for r in self.readings(p)}
        asked = (m.number for m in mentions(self.claims.shown) if m.is_asked and not m.aside and m.number.unit in units)
        another = next((number for number in asked if number.readings.isdisjoint(paid)), None)
        return (Severity.HIGH, f"the amount, and asks for {another.spelling}") if another else None

    # --- how often

    def _repeated(self, payment: Outflow) -> tuple[Severity, str] | None:
        """An amount that is paid several times has to be told as often, or with what it adds up to."""
        alike = [p for p in self.payments if (p.unit, p.amount) == (payment.unit, payment.amount)]
        if len(alike) < 2 or payment.is_single or self._names_total(payment):
            return None
        here = [place for place in self.anywhere if place.names(self.readings_of(payment, payment.amount))]
        if here and all(_TOTAL.search(place.words) for place in here):
            return Severity.HIGH, f"the amount as a total, and it is paid {len(alike)} times"
        times = sum(p.recipient == payment.recipient for p in alike)
        if times > 1 and not self._says_how_often(times, payment.recipient, here):
            return Severity.HIGH, f"the amount once, and it is paid {times} times"
        return None

    def _names_total(self, payment: Outflow) -> bool:
        sums = self.sums.of(payment) - {payment.amount}
        return any(self.claims.names_amount(n, self.decimals(payment)) for n in sums)

    def _says_how_often(self, times: int, receiver: str, here: Iterable[Place]) -> bool:
        if self.claims.shown.lower().count(receiver.lower()) >= times:
            return True
        word = _COUNTS.get(times, "")
        return any(place.names({Fraction(times)}) or bool(word and word in place.words) for place in here)

    # --- of what

    def _of_another_asset(self, payment: Outflow) -> tuple[Severity, str] | None:
        if self._names_asset(payment):
            return None
        others = (USUAL_ASSETS | self.symbols) - self.units(payment.asset) - _NOT_AN_ASSET
        sought, raw = self.readings(payment), self.sums.of(payment)
        said = {unit for amount, unit in self.claims.quantities if amount in sought}
        small = {unit for amount, unit in self.claims.quantities if amount in sought and amount not in raw}
        if self.has_name(payment.asset) and (said & others or small & _SMALL_UNITS):
            return Severity.HIGH, "the amount as one of another asset"
        if not said and self.has_name(payment.asset) and self._is_beside_another(payment, others):
            return Severity.HIGH, "the amount beside another asset"
        return Severity.LOW, "the amount, and not of what"

    def _is_beside_another(self, payment: Outflow, others: frozenset[str]) -> bool:
        """Whether every sentence with the amount speaks of another asset, and not of this one."""
        naming = [place for place in self.anywhere if place.names(self.readings(payment))]
        spoken = [frozenset(_ASSET_WORD.findall(place.words)) for place in naming]
        return bool(spoken) and all(words & others and not words & self.units(payment.asset) for words in spoken)

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
        decimals, units = self.decimals(payment), self.units(payment.asset)
        return any(self.claims.names_quantity(n, decimals, units) for n in self.sums.of(payment))

    # --- how much

    def _names_nft(self, payment: Outflow) -> bool:
        """By its contract, by its number, or by a word for such things."""
        moves = self.facts.simulation.all_movements
        numbers = {m.token_id for m in moves if (m.asset, m.recipient) == (payment.asset, payment.recipient)} - {None}
        is_numbered = bool(numbers) and all(Fraction(n or 0) in self.claims.amounts for n in numbers)
        return payment.asset in self.claims.addresses or is_numbered or self.claims.names_word(*_NFTS)
