"""Whose an amount is: beside whom it stands in the text, and who is passed over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pnyx_policies.asides import mentions
from pnyx_policies.beside import Place
from pnyx_policies.claims import RAW
from pnyx_policies.finding import Severity
from pnyx_policies.money import Outflow
from pnyx_policies.receivers import behind_a_name
from pnyx_policies.wording import Wording

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

Fault = tuple[Severity, str]


def faults_of_receiver(wording: Wording, payment: Outflow) -> Iterator[Fault]:
    """What is wrong with how the text tells whose the amount of this payment is."""
    asked = (_misplaced, _between, _passed_over, _behind_a_name)
    return (fault for ask in asked if (fault := ask(wording, payment)) is not None)


def _misplaced(wording: Wording, payment: Outflow) -> Fault | None:
    if payment.is_single or payment.recipient not in wording.claims.addresses:
        return None
    units, sought, everywhere = wording.units(payment.asset), wording.readings(payment), wording.beside(payment)
    own = [place for place in everywhere if payment.recipient in place.addresses]
    naming = [place for place in everywhere if place.names(sought)]
    if not naming:
        return None
    if any(place.names(sought) for place in own):
        paid = {r for p in wording.payments if p.recipient == payment.recipient for r in wording.readings(p)}
        if any(place.has_quantity(units, but_for=paid) for place in own) and _is_bare(wording, payment, own):
            return Severity.HIGH, "the number, and another amount beside the receiver's address"
        also = any(place.has_quantity(units) and not place.names(paid) for place in own)
        return (Severity.LOW, "the amount, and another one beside the receiver's address") if also else None
    if all(place.addresses for place in naming):
        return Severity.HIGH, "the amount beside another address"
    if any(place.has_quantity(units) for place in own):
        return Severity.HIGH, "another amount beside the receiver's address"
    return None


def _between(wording: Wording, payment: Outflow) -> Fault | None:
    """Whether the amount stands beside somebody else too, who gets nothing, and not right before this receiver."""
    sought = wording.readings(payment)
    own = [p for p in wording.beside(payment) if payment.recipient in p.addresses and p.names(sought)]
    aimed = re.compile(_AIMED.format(payment.recipient.lower()))
    if payment.is_single or not own or not all(p.addresses & wording.idle and not aimed.search(p.words) for p in own):
        return None
    return Severity.HIGH, "the amount beside another address too, which gets nothing"


def _passed_over(wording: Wording, payment: Outflow) -> Fault | None:
    """Whether the text gives an amount of the asset to somebody whom no call pays, and not as a part of this."""
    units, asides = wording.units(payment.asset), {m.number.spelling for m in mentions(wording.claims.shown) if m.aside}
    promised = [
        (min(place.addresses), number)
        for place in wording.beside(payment)
        if place.addresses and place.addresses <= wording.idle and not _NO_PROMISE.search(place.words)
        for number in place.numbers
        if number.unit in units and number.spelling not in asides
    ]
    parts = sum(max(number.usual) for _, number in promised)
    hands_on = any(payment.recipient in p.addresses and _HANDS_ON.search(p.words) for p in wording.beside(payment))
    if payment.is_single or not promised or hands_on or parts in wording.readings(payment):
        return None
    return Severity.HIGH, f"the amount, and another for {promised[0][0]}, who gets nothing"


def _behind_a_name(wording: Wording, payment: Outflow) -> Fault | None:
    severity = behind_a_name(wording.facts, wording.claims, payment.recipient)
    return (severity, "the receiver by a name alone, whose link leads to this address") if severity else None


def _is_bare(wording: Wording, payment: Outflow, own: Iterable[Place]) -> bool:
    """Whether the paid number stands in these places as something else: a year, the number of a proposal."""
    sought = wording.readings(payment)
    raw = frozenset(each for each in sought if each >= RAW)
    named = any(place.has_quantity(wording.units(payment.asset), sought) or place.names(raw) for place in own)
    return not named and wording.has_name(payment.asset)
