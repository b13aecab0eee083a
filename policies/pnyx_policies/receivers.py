"""Who gets a payment where no address tells: by a name of ENS, by a link, nobody, the other side of a stream."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pnyx_contracts.errors import DecodingError
from pnyx_policies import text as reading
from pnyx_policies.claims import Claims
from pnyx_policies.context import EnsNames, read_context
from pnyx_policies.facts import Facts, Movement
from pnyx_policies.finding import Severity
from pnyx_policies.money import Outflow
from pnyx_policies.powers import friends

_NAME = r"(?<![\w.-]){}(?![\w-]|\.\w)"


def is_named_by_ens(facts: Facts, claims: Claims, address: str) -> bool:
    """Whether the text has a name that leads to the address, and back."""
    found, shown = _ens_names(facts), claims.shown.lower()
    names = (re.escape(one.name) for one in found.names if one.address == address) if found else ()
    return any(re.search(_NAME.format(name), shown) for name in names)


def behind_a_name(facts: Facts, claims: Claims, address: str) -> Severity | None:
    """How grave it is that only links lead to the address, under a name of ENS that nobody found to lead there."""
    labels = [label for label, target in reading.links(claims.text) if address in reading.addresses(target)]
    is_shown = address in reading.addresses(f"{reading.without_links(claims.text)} {' '.join(labels)}")
    if is_shown or not any(map(reading.has_ens_name, labels)) or is_named_by_ens(facts, claims, address):
        return None
    found = _ens_names(facts)
    return Severity.HIGH if found is not None and found.registry is not None else Severity.LOW


_PER_THOUSAND = 1_000


def is_redeemed(facts: Facts, payment: Outflow) -> bool:
    """Whether as much of something else comes to the DAO: what stood for it is gone."""
    comes = (m for m in _comes(facts) if m.asset != payment.asset)
    return any(abs(m.amount - payment.amount) * _PER_THOUSAND <= payment.amount for m in comes)


def is_rest_of_what_comes(facts: Facts, payment: Outflow) -> bool:
    """Whether a contract gives the DAO more of the asset in the same actions: a stream that ends pays both sides."""
    comes = sum(m.amount for m in _comes(facts) if (m.sender, m.asset) == (payment.sender, payment.asset))
    return comes > payment.amount


def _comes(facts: Facts) -> Iterator[Movement]:
    """What others give the DAO."""
    own = friends(facts)
    moves = (m for m in facts.simulation.all_movements if m.kind == "transfer")
    return (m for m in moves if m.recipient in own and m.sender not in own)


def _ens_names(facts: Facts) -> EnsNames | None:
    """None where nobody looked."""
    try:
        return read_context(EnsNames, facts.context, facts.skipped)
    except DecodingError:
        return None
