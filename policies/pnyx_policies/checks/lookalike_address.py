"""lookalike-address: does an address only look like another one?"""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_contracts.decoded import DecodedCall
from pnyx_policies import text
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.claims import claims_of
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.powers import friends

SHOWN = 4
"""Hex digits at each end that wallets show, and that people compare."""


class LookalikeAddress:
    """Critical: a call uses an address that begins and ends like another one of the text, the operator or the DAO.

    That the text names it is no excuse: whoever poisons an address book writes the text, too. Only an address that the
    operator knows, or that is the DAO's own, may look like another. Answers check K15 (address poisoning). Chance makes
    such a pair once in four billion.
    """

    name = "lookalike-address"
    version = "2"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        facts = view.facts
        trusted = set(facts.known_addresses) | friends(facts)
        models = sorted(trusted) + sorted(claims_of(facts).addresses - trusted)
        used = dict.fromkeys(a for c in facts.every_call() for a in _addresses_of(c))
        pairs = ((a, next((m for m in models if m != a and _ends(m) == _ends(a)), None)) for a in used)
        return tuple(self._finding(a, model) for a, model in pairs if model is not None and a not in trusted)

    def _finding(self, address: str, model: str) -> Finding:
        return Finding(
            check=self.name,
            severity=Severity.CRITICAL,
            title=f"{address} looks like {model} and is another address",
            evidence=(address, model),
        )


def _ends(address: str) -> str:
    digits = address[2:].lower()
    return digits[:SHOWN] + digits[-SHOWN:]


def _addresses_of(call: DecodedCall) -> Iterator[str]:
    yield call.target
    for argument in call.arguments:
        if "address" in argument.type:
            yield from sorted(text.addresses(argument.value))
