"""upgraded-values: Does a contract whose code is replaced still say what it said?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pnyx_contracts.decoded import DecodedCall, made_here
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.context import ChangedValue, UpgradedValues, ValuesOfUpgrades
from pnyx_policies.elsewhere import at_home
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.getters import getter_name, in_words, is_address, is_number
from pnyx_policies.power_functions import PowerKind
from pnyx_policies.powers import PowerShift, power_shifts, shifts_of

SHOWN = 6
"""Values in one sentence."""


class UpgradedValuesCheck:
    """Right after an upgrade, a contract should answer as right before it, but for what the actions set. High where it
    answers otherwise and no action set anything, where a function fails that answered, or an address becomes a number
    or the other way round: storage moved, as when a variable was put in before others. High, too, where a stranger can
    initialise it only now; critical for governor, timelock and token. Medium where the upgrade brings
    an initialiser, or another action calls the contract, and either may have set what changed. Low: constants of the
    code, and that nothing could be asked. Quiet: versions, what was not there before, what is gone. Check K4, incident
    I-8 (Audius).

    Asked are functions without arguments, and those with one for a few accounts: what other accounts have, and what
    lies in lists and mappings by other keys, may have moved unseen. Only upgrades that the calls name.
    """

    name = "upgraded-values"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        facts = at_home(view.facts)
        shifts = power_shifts(facts, PowerKind.CODE)
        if not shifts:
            return ()
        values = view.context(ValuesOfUpgrades)
        found = (finding for each in values.upgrades for finding in self._findings(facts, each))
        return (*found, *self._not_asked(shifts, values))

    def _not_asked(self, shifts: Iterable[PowerShift], values: ValuesOfUpgrades) -> Iterator[Finding]:
        """That code is replaced, and how bad that is, `code-upgrade` says."""
        asked = {address for each in values.upgrades if each.answered for address in (each.contract, each.beacon)}
        named = {each.after for each in values.upgrades if each.answered}
        for contract in dict.fromkeys(
            s.contract for s in shifts if s.receiver not in named and s.contract not in asked
        ):
            title = f"What the new code of {contract} changes was not asked"
            detail = "No call names the upgrade, or the old code shows no functions that answer."
            yield Finding(check=self.name, severity=Severity.LOW, title=title, detail=detail, evidence=(contract,))

    def _findings(self, facts: Facts, upgrade: UpgradedValues) -> Iterator[Finding]:
        calls = tuple(call for call in made_here(facts.calls) if _is_about(call, upgrade))
        for signature in upgrade.opened:
            yield self._opened(facts, upgrade, signature, calls)
        if upgrade.moved:
            yield self._moved(upgrade, calls)
        if upgrade.constants:
            number = len(upgrade.constants) + upgrade.more_constants
            title = f"Constants of the code of {upgrade.contract} are others: {number}"
            yield self._finding(Severity.LOW, title, _listed(upgrade.constants, number), upgrade, calls)

    def _opened(self, facts: Facts, upgrade: UpgradedValues, signature: str, calls: Sequence[DecodedCall]) -> Finding:
        profile = facts.governor.profile
        rules = upgrade.contract in {profile.address, profile.timelock, profile.token}
        title = f"Anybody can call {signature} of {upgrade.contract} once its code is replaced"
        detail = "Nobody could before. Who initialises a contract chooses who owns it, and by which rules."
        return self._finding(Severity.CRITICAL if rules else Severity.HIGH, title, detail, upgrade, calls)

    def _moved(self, upgrade: UpgradedValues, calls: Sequence[DecodedCall]) -> Finding:
        moved, number = upgrade.moved, len(upgrade.moved) + upgrade.more_moved
        broken, may_be_set = any(map(_is_broken, moved)), any(_may_set(call, upgrade) for call in calls)
        why = "An action may have set that." if may_be_set else "No action sets that."
        if broken:
            why += " Addresses and numbers in each other's place, and functions that fail, are signs of moved storage."
        title = f"{upgrade.contract} answers otherwise by its new code: {number} of {upgrade.answered} values"
        severity = Severity.MEDIUM if may_be_set and not broken else Severity.HIGH
        return self._finding(severity, title, f"{why} {_listed(moved, number)}", upgrade, calls)

    def _finding(
        self, severity: Severity, title: str, detail: str, upgrade: UpgradedValues, calls: Iterable[DecodedCall]
    ) -> Finding:
        return Finding(
            check=self.name,
            severity=severity,
            title=title,
            detail=detail,
            calls=tuple(call.path for call in calls),
            evidence=(upgrade.contract, upgrade.after),
        )


def _is_about(call: DecodedCall, upgrade: UpgradedValues) -> bool:
    return not {upgrade.contract, upgrade.beacon}.isdisjoint({call.target, call.argument("proxy")} - {None})


def _may_set(call: DecodedCall, upgrade: UpgradedValues) -> bool:
    """The upgrade itself sets something only by the calldata that it hands to the new code."""
    if not any(shift.receiver == upgrade.after for shift in shifts_of([call])):
        return True
    return any(argument.type == "bytes" and argument.value not in {"", "0x"} for argument in call.arguments)


def _is_broken(value: ChangedValue) -> bool:
    before, after = value.before, value.after
    if after is None:
        return True
    return (is_address(before) and is_number(after)) or (is_number(before) and is_address(after))


def _listed(values: Sequence[ChangedValue], number: int) -> str:
    shown = "; ".join(map(_one, values[:SHOWN]))
    return f"{shown}; ..." if number > SHOWN else f"{shown}."


def _one(value: ChangedValue) -> str:
    after = "and fails now" if value.after is None else f"and is {in_words(value.after)}"
    return f"{getter_name(value.selector).replace('address', value.account)} was {in_words(value.before)} {after}"
