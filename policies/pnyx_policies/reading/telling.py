"""The text against the calls: what it announces, what it does not, and what it names for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pnyx_policies.announced import Announcement, announcement
from pnyx_policies.checks.text_against_calls import unmentioned_calls, unused_addresses
from pnyx_policies.claims import claims_of
from pnyx_policies.facts import Facts
from pnyx_policies.money import OutflowKind, outflows
from pnyx_policies.power_functions import PowerKind
from pnyx_policies.powers import power_shifts
from pnyx_policies.reading.amounts import who
from pnyx_policies.reading.blocks import (
    Block,
    Bullet,
    Bullets,
    Quotation,
    bad,
    bullet,
    code,
    line,
    paragraph,
    soft,
    warn,
)
from pnyx_policies.reading.doing import payment, shift_of_power
from pnyx_policies.text import count
from pnyx_policies.told import payments_told

LONGEST_TEXT: Final = 1_200
MOST_ADDRESSES: Final = 8

_OPEN: Final = {Announcement.OWN, Announcement.TO_KNOWN, Announcement.FULL, Announcement.SPOKEN}


def telling(facts: Facts) -> Iterator[Block]:
    announced, silent = _compared(facts)
    if not facts.calls:
        yield paragraph("There are no calls to compare it with.")
    elif not facts.proposal.text.strip():
        yield paragraph(bad("There is no text."))
    if announced:
        yield paragraph("The text announces:")
        yield Bullets(tuple(announced))
    if silent:
        yield paragraph("The text does not announce, or not fully:")
        yield Bullets(tuple(silent))
    elif facts.calls and facts.proposal.text.strip():
        yield paragraph("Every call is pointed at by something in the text.")
    if spare := unused_addresses(facts):
        yield paragraph("The text names, and no call uses:")
        yield Bullets(tuple(bullet(*who(facts, address)) for address in spare[:MOST_ADDRESSES]))
        if len(spare) > MOST_ADDRESSES:
            yield paragraph(soft(f"And {count(len(spare) - MOST_ADDRESSES, 'more address')}."))


def _compared(facts: Facts) -> tuple[list[Bullet], list[Bullet]]:
    announced, silent = list[Bullet](), list[Bullet]()
    accounted = set[str]()
    for flow, severity, names in payments_told(facts):
        words = payment(facts, flow, brief=True)
        accounted |= set(flow.paths)
        if severity is None:
            announced.append(bullet(*words))
        else:
            silent.append(bullet(*words, warn(f" · the text names {names}")))
    for flow in outflows(facts).items:
        if flow.kind is OutflowKind.ALLOWANCE:
            is_named = flow.recipient in claims_of(facts).addresses | set(facts.known_addresses)
            says = soft(" · the text names the spender") if is_named else warn(" · the text does not name the spender")
            (announced if is_named else silent).append(bullet(*payment(facts, flow, brief=True), says))
    for shift in power_shifts(facts, *PowerKind):
        told = announcement(shift, claims_of(facts), facts)
        words = shift_of_power(facts, shift)
        accounted |= set(shift.paths)
        if told in _OPEN:
            announced.append(bullet(*words, soft(f" · {told.value}")))
        else:
            silent.append(bullet(*words, bad(f" · {told.value}")))
    for call in unmentioned_calls(facts):
        if call.path not in accounted:
            what = code(call.name) if call.name else warn("unknown")
            words = line(f"Call {call.path}, ", what, ", to ", *who(facts, call.target))
            silent.append(bullet(*words, bad(" · nothing in the text points at it")))
    return announced, silent


def own_words(facts: Facts) -> Iterator[Block]:
    """The proposal's text as it came, cut."""
    text = facts.proposal.text
    if not text.strip():
        yield paragraph(bad("The text is empty."))
        return
    yield Quotation(text[:LONGEST_TEXT], max(0, len(text) - LONGEST_TEXT))
