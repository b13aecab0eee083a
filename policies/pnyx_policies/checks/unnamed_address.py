"""unnamed-address: does a call hand an address over that nobody named?"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Final

from pnyx_contracts.decoded import DecodedCall
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.claims import claims_of
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.handed_over import handed_over
from pnyx_policies.losses import losses
from pnyx_policies.money import outflows
from pnyx_policies.power_functions import PowerKind
from pnyx_policies.powers import friends, power_shifts

_SHOWN: Final = 8


class UnnamedAddress:
    """High: a call gives a contract an address that neither the text names, nor the operator, nor the DAO is. Whatever
    the function is called, somebody may get fees, a claim, a seat or the last word by it. Medium where the text names
    somebody as ``wallet.example.eth``.

    Undecoded calldata, and bytes among the arguments, are read word by word. Payments, allowances and functions that
    are known to give or take power have checks of their own, and so do the calls inside a call; of a Safe's transaction
    only who gets its gas refunded, at a price, is looked at. Assets that move, and
    what is called, are no strangers. Not seen: addresses in bytes that are packed otherwise, lie deeper, or begin with
    four zero bytes.
    """

    name = "unnamed-address"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        facts = view.facts
        judged = _judged_elsewhere(facts)
        named = _named(facts) | claims_of(facts).addresses
        calls = (c for c in facts.every_call() if c.path not in judged)
        strangers = {c: found for c in calls if (found := tuple(a for a in handed_over(c) if a not in named))}
        return (self._finding(view, strangers),) if strangers else ()

    def _finding(self, view: CheckView, strangers: Mapping[DecodedCall, tuple[str, ...]]) -> Finding:
        addresses = tuple(dict.fromkeys(a for found in strangers.values() for a in found))
        what = ", ".join(dict.fromkeys(call.name or call.selector or "a call" for call in strangers))
        whom = addresses[0] if len(addresses) == 1 else f"{len(addresses)} addresses"
        handed = (f"call {call.path} to {call.target}: {', '.join(found)}" for call, found in strangers.items())
        return Finding(
            check=self.name,
            severity=Severity.MEDIUM if claims_of(view.facts).names_ens else Severity.HIGH,
            title=f"The calls hand over {whom} that the text does not name: {what[:120]}",
            detail="; ".join(islice(handed, _SHOWN)) + ("; ..." if len(strangers) > _SHOWN else "."),
            calls=tuple(call.path for call in strangers),
            evidence=addresses,
        )


def _judged_elsewhere(facts: Facts) -> frozenset[str]:
    """Paths of calls whose addresses other checks compare with the text. Of a call that brings coin that is its target
    alone, where it does something with the coin.
    """
    coin_for = {call.path for call in facts.every_call() if call.calldata and call.value_wei}
    paths = (
        *(shift.path for shift in power_shifts(facts, *PowerKind)),
        *(loss.path for loss in losses(facts)),
        *(o.path for o in outflows(facts).items if o.asset is not None or o.path not in coin_for),
    )
    return frozenset(paths)


def _named(facts: Facts) -> frozenset[str]:
    """Addresses that are no strangers: the DAO, what it votes with, what the operator knows, what moves, is held or
    called.
    """
    simulation = facts.simulation
    assets = {m.asset for m in simulation.all_movements} | {h.asset for h in facts.treasury}
    called = {call.target for call in facts.every_call() if call.calldata}
    voting = {facts.governor.profile.token}
    return frozenset(a for a in (*friends(facts), *facts.known_addresses, *assets, *called, *voting) if a)
