"""Who gets a payment, by a name of ENS or by a link, where the address alone would tell."""

from __future__ import annotations

import re

from pnyx_contracts.errors import DecodingError
from pnyx_policies import text as reading
from pnyx_policies.claims import Claims
from pnyx_policies.context import EnsNames, read_context
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Severity

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


def _ens_names(facts: Facts) -> EnsNames | None:
    """None where nobody looked."""
    try:
        return read_context(EnsNames, facts.context, facts.skipped)
    except DecodingError:
        return None
