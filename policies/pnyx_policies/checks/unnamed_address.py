"""unnamed-address: does a call hand an address over that nobody named?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from eth_utils.address import to_checksum_address

from pnyx_contracts.decoded import DecodedCall
from pnyx_policies import text
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.claims import claims_of
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.losses import losses
from pnyx_policies.money import outflows
from pnyx_policies.power_functions import PowerKind
from pnyx_policies.powers import friends, power_shifts

_WORD_BYTES: Final = 32
_LEAST: Final = 2**128
"""From here on a word of undecoded calldata is no number: below, amounts; the addresses among them are few."""
_NUMBERS: Final = frozenset({2**160 - 1})
_PLACES: Final = (0, 4, 8)
"""In a word: of data, of a call, of a call in bytes of a call."""
_HEX: Final = re.compile(r"0x((?:[0-9a-f]{2}){32,})")
_SHOWN: Final = 8
_SPECIAL: Final = 0xFFFF
"""Precompiled contracts, and the zero address."""


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
        strangers = {c: found for c in calls if (found := tuple(a for a in _handed_over(c) if a not in named))}
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
    """Paths of calls whose addresses other checks compare with the text."""
    paths = (
        *(shift.path for shift in power_shifts(facts, *PowerKind)),
        *(loss.path for loss in losses(facts)),
        *(outflow.path for outflow in outflows(facts).items),
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


def _handed_over(call: DecodedCall) -> Iterator[str]:
    """Addresses among the arguments, each once; of a call that carries others, who gets the gas refunded."""
    read = _refunded if call.inner else _decoded if call.signature else _undecoded
    found = read(call)
    yield from dict.fromkeys(address for address in found if int(address, 16) > _SPECIAL)


def _refunded(call: DecodedCall) -> Iterator[str]:
    """A Safe pays gas at the price that the transaction says, to whom it says."""
    if call.argument("gasPrice") not in {None, "0"}:
        yield from sorted(text.addresses(call.argument("refundReceiver") or ""))


def _decoded(call: DecodedCall) -> Iterator[str]:
    for argument in call.arguments:
        if "address" in argument.type:
            yield from sorted(text.addresses(argument.value))
        if "bytes" in argument.type:
            for digits in _HEX.findall(argument.value):
                yield from _words(bytes.fromhex(digits))


def _undecoded(call: DecodedCall) -> Iterator[str]:
    return _words(call.calldata)


def _words(data: bytes) -> Iterator[str]:
    """At the places of words, and of words behind a selector: a call may stand inside."""
    for start in range(len(data) - _WORD_BYTES + 1):
        if start % _WORD_BYTES not in _PLACES:
            continue
        word = int.from_bytes(data[start : start + _WORD_BYTES], "big")
        if _LEAST <= word < 2**160 and word not in _NUMBERS:
            yield str(to_checksum_address(word.to_bytes(20, "big")))
