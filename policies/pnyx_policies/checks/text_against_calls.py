"""text-against-calls: does the text say what the calls do?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from pnyx_contracts.decoded import Argument, DecodedCall
from pnyx_policies import text
from pnyx_policies.checks.everywhere import elsewhere
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.claims import Claims, claims_of, words_of_name
from pnyx_policies.facts import Facts
from pnyx_policies.factsheet import amount_in_words
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.losses import Loss, losses
from pnyx_policies.money import Outflow, asset_words, outflows
from pnyx_policies.power_functions import PowerKind
from pnyx_policies.powers import PowerShift, friends, power_shifts
from pnyx_policies.settings_told import odd_whole, only_number, other_bare_numbers, other_numbers, says_number
from pnyx_policies.streams import receiver_of, untold
from pnyx_policies.told import payments_told

SHORT_TEXT = 40
"""Letters and digits. Below this a text can still say "Pay 5 ETH to 0x..."; it then names what it pays."""

SYMBOL_CHARACTERS = 20

_NO_ACTION = re.compile(
    r"\b(?:nothing (?:is|will be|gets) executed|executes nothing|does not execute anything"
    r"|no (?:on-?chain )?(?:actions?|executions?|transactions?) (?:is|are|will be) (?:executed|made|taken)"
    r"|(?:this|it)(?: proposal| vote)? is (?:(?:only|just|merely) a signal|(?:only |just |merely )?a (?:text-only|"
    r"signall?ing|signal|social|non-?binding) (?:proposal|vote|only)))\b"
)
_NO_MONEY = re.compile(r"\bno (?:funds|money|tokens) (?:is|are|will be) (?:moved|spent|requested|transferred|paid)\b")


_Difference = tuple[Severity, str, tuple[str, ...], tuple[str, ...]]
"""Severity, title, calls, evidence."""


class TextAgainstCalls:
    """Critical: an empty text, a payment or a stream that the text names neither by amount nor by receiver. High: a
    payment half named, or named as somebody else's, once for several, as a total for each, of another asset, beside
    the request only; a call that nothing in the text points at, or only its contract; a setting or a stream with
    another number than the text's; the root of a list that the text does not show; calls behind a text that says
    that nothing is executed; neither text nor calls. Low: an amount without the name of its asset, beside a no, or
    beside other amounts for the same receiver. Info: addresses of the text that no call uses.

    Not seen: an amount that stands in a request for something else, a request in words that only look like a report, a
    denial in unusual words.

    What the text says about power and code is the business of privilege-grant, code-upgrade and governor-settings.
    Answers incidents I-8 ("Hello", "World"), I-10 (Indexed Finance), I-12 (Yam), check K6.
    """

    name = "text-against-calls"
    version = "4"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        comparison = _Comparison(view.facts, claims_of(view.facts))
        if not any(_acts(view.facts, c) for c in view.facts.calls):
            return () if view.facts.calls or comparison.claims.prose_length else (self._nothing(),)
        silence = tuple(comparison.silence())
        here = self._findings(
            (
                *silence,
                *comparison.denial(),
                *comparison.payments(),
                *(() if silence else comparison.unmentioned()),
                *comparison.numbers(),
                *comparison.roots(),
                *comparison.streams(),
                *comparison.unused(),
            )
        )
        return (*here, *elsewhere(view, self._payments))

    def _payments(self, view: CheckView) -> Iterator[Finding]:
        return self._findings(_Comparison(view.facts, claims_of(view.facts)).payments())

    def _findings(self, differences: Iterable[_Difference]) -> Iterator[Finding]:
        for severity, title, calls, evidence in differences:
            yield Finding(check=self.name, severity=severity, title=title, calls=calls, evidence=evidence)

    def _nothing(self) -> Finding:
        return Finding(check=self.name, severity=Severity.HIGH, title="The proposal says nothing and does nothing")


def unmentioned_calls(facts: Facts) -> tuple[DecodedCall, ...]:
    """Calls that act and that nothing in the text points at."""
    return _Comparison(facts, claims_of(facts)).silent()


def unused_addresses(facts: Facts) -> tuple[str, ...]:
    """Addresses of the text that no call uses."""
    return _Comparison(facts, claims_of(facts)).spare()


@dataclass(frozen=True)
class _Comparison:
    facts: Facts
    claims: Claims

    def silence(self) -> Iterator[_Difference]:
        if not self.claims.prose_length:
            yield Severity.CRITICAL, "The proposal acts and its text is empty", (), ()
        elif self.claims.prose_length < SHORT_TEXT and not any(map(self._is_touched_on, self.facts.every_call())):
            shown = text.quote(self.facts.proposal.text)
            yield Severity.CRITICAL, "The text is very short and says nothing of what the calls do", (), (shown,)

    def denial(self) -> Iterator[_Difference]:
        """The proposal acts: `run` made sure of that."""
        shown = text.fold(self.claims.shown)
        said = _NO_ACTION.search(shown) or (_NO_MONEY.search(shown) if outflows(self.facts).items else None)
        if said:
            paths = tuple(call.path for call in self._acting())
            yield (
                Severity.HIGH,
                f"The text says that it does nothing; what acts: {text.count(len(paths), 'call')}",
                paths,
                (said.group(),),
            )

    def payments(self) -> Iterator[_Difference]:
        """What is wrong with many payments in the same way is told once."""
        groups: dict[tuple[Severity, str, str | None, int | None], list[Outflow]] = {}
        for payment, severity, names in payments_told(self.facts):
            if severity is not None:
                groups.setdefault((severity, names, *payment.unit), []).append(payment)
        for (severity, names, asset, number), items in groups.items():
            amount = amount_in_words(self.facts, asset, sum(o.amount for o in items), SYMBOL_CHARACTERS)
            of = f" of {asset_words(asset, number)}" if asset else ""
            whom = items[0].recipient if len(items) == 1 else f"{len(items)} receivers"
            if len(items) > 1 and len({o.recipient for o in items}) == 1:
                whom = f"{items[0].recipient}, in {len(items)} payments"
            title = f"{amount}{of} to {whom}: the text names {names}"
            evidence = tuple(dict.fromkeys(word for o in items for word in (o.recipient, str(o.amount))))
            yield severity, title, tuple(dict.fromkeys(p for o in items for p in o.paths)), evidence

    def unmentioned(self) -> Iterator[_Difference]:
        if silent := self.silent():
            title = f"Nothing in the text points at {len(silent)} of {text.count(len(self._acting()), 'call')}"
            yield Severity.HIGH, title, tuple(c.path for c in silent), tuple(dict.fromkeys(c.target for c in silent))
        if addressed := [c for c in self._told_by_words() if self._is_only_addressed(c)]:
            what = ", ".join(dict.fromkeys(call.name for call in addressed))
            title = f"The text names the contract, and not what is done there: {what[:200]}"
            targets = tuple(dict.fromkeys(call.target for call in addressed))
            yield Severity.HIGH, title, tuple(call.path for call in addressed), targets

    def silent(self) -> tuple[DecodedCall, ...]:
        return tuple(c for c in self._told_by_words() if not self._is_mentioned(c))

    def _told_by_words(self) -> list[DecodedCall]:
        """Payments and allowances aside: they are told by amount and receiver."""
        paid = {path for o in outflows(self.facts).items for path in o.paths}
        return [c for c in self._acting() if c.path not in paid]

    def _acting(self) -> list[DecodedCall]:
        return [c for c in self.facts.every_call() if not c.inner and _acts(self.facts, c)]

    def _is_mentioned(self, call: DecodedCall) -> bool:
        """By its function or the power that it shifts, its target, an address or an amount in it; or its bytes. That
        the operator knows a contract says nothing of what is done there.
        """
        if self._is_described(call) or call.target in self._addresses:
            return True
        name = self.facts.known_addresses.get(call.target)
        return name is not None and self.claims.names_stem(*words_of_name(call.name), *words_of_name(name))

    def _is_touched_on(self, call: DecodedCall) -> bool:
        """By a word of the function's name, too."""
        return self._is_mentioned(call) or self.claims.names_stem(*words_of_name(call.name))

    def _is_described(self, call: DecodedCall) -> bool:
        claims = self.claims
        used = {a for x in call.arguments if "address" in x.type for a in text.addresses(x.value)}
        return (
            bool(call.name and claims.names_word(call.name))
            or self._is_put_in_words(call)
            or self._has_its_number(call)
            or any(shift.is_spoken_of(claims) for shift in self._shifts if shift.path == call.path)
            or any(loss.is_spoken_of(claims) for loss in self._losses if loss.path == call.path)
            or bool(used & (self._addresses | set(self.facts.known_addresses)) - friends(self.facts))
            or any(claims.names_amount(amount, None) for amount in _large_numbers(call))
            or claims.shows_calldata(call.calldata)
        )

    def _has_its_number(self, call: DecodedCall) -> bool:
        """What it sets, in a unit: "votes last 7 days"."""
        number = only_number(call) if _what_is_set(call.name) else None
        return bool(number) and says_number(self.claims.shown, number or 0)

    def _is_put_in_words(self, call: DecodedCall) -> bool:
        """``acceptOwnership`` as "accepts ownership": each of several words."""
        words = words_of_name(call.name)
        return len(words) > 1 and all(map(self.claims.names_stem, words))

    def _is_only_addressed(self, call: DecodedCall) -> bool:
        """True where the text names the contract that is called, and no word of what the function is called."""
        return bool(
            call.signature
            and call.calldata
            and call.target in self._addresses
            and not self._is_described(call)
            and call.path not in {shift.path for shift in self._shifts} | {loss.path for loss in self._losses}
            and not self.claims.names_stem(*words_of_name(call.name))
        )

    @cached_property
    def _addresses(self) -> frozenset[str]:
        """Those of the text, without the DAO's own: they stand in many texts."""
        return self.claims.addresses - friends(self.facts)

    @cached_property
    def _shifts(self) -> tuple[PowerShift, ...]:
        return power_shifts(self.facts, *PowerKind)

    @cached_property
    def _losses(self) -> tuple[Loss, ...]:
        return losses(self.facts)

    def numbers(self) -> Iterator[_Difference]:
        """Settings of governance have a check of their own."""
        judged = {shift.path for shift in self._shifts if shift.kind is PowerKind.SETTING}
        for call in self._told_by_words():
            value, what = only_number(call), _what_is_set(call.name)
            if value is None or not what or call.path in judged:
                continue
            shown = self.claims.shown
            if others := other_numbers(shown, (what,), value) or other_bare_numbers(shown, what, value):
                title = f"{call.name} sets {value}, and the text says {', '.join(others[:4])}"
                yield Severity.HIGH, title, (call.path,), (call.target,)
            elif (whole := odd_whole(shown, value)) is not None:
                title = f"{call.name} sets {value}: that is what the text says only where {whole:,} are the whole"
                yield Severity.HIGH, title, (call.path,), (call.target,)

    def streams(self) -> Iterator[_Difference]:
        """One that flows to somebody whom nobody names, at a rate that nobody names, is as hidden as such a payment."""
        named = self.claims.addresses | friends(self.facts) | self.facts.known_addresses.keys()
        for call in self._acting():
            receiver = receiver_of(call)
            is_hidden = receiver is not None and receiver not in named and not self.claims.names_ens
            for told in untold(call, self.claims):
                severity = Severity.CRITICAL if is_hidden else Severity.HIGH
                yield severity, f"{call.name} {told}", (call.path,), (receiver or call.target,)

    def roots(self) -> Iterator[_Difference]:
        """A root stands for a list that nobody sees in the call: who may claim, and how much."""
        for call in self._acting():
            hidden = [x.value for x in call.arguments if x.type == "bytes32" and self._is_hidden_root(call, x)]
            if hidden:
                title = f"{call.name} sets the root of a list, and the text does not show it"
                yield Severity.HIGH, title, (call.path,), (call.target, *hidden)

    def _is_hidden_root(self, call: DecodedCall, argument: Argument) -> bool:
        is_root = "root" in call.name.lower() or "root" in argument.name.lower()
        return is_root and int(argument.value, 16) > 0 and argument.value not in self.claims.blobs

    def unused(self) -> Iterator[_Difference]:
        if spare := self.spare():
            yield Severity.INFO, f"No call uses {text.count(len(spare), 'address')} of the text", (), spare[:8]

    def spare(self) -> tuple[str, ...]:
        proposal = self.facts.proposal
        used = {proposal.proposer, proposal.key.governor, *friends(self.facts)}
        for call in self.facts.every_call():
            used |= {call.target, *(a for x in call.arguments for a in text.addresses(x.value))}
        return tuple(sorted(self.claims.addresses - used))


def _acts(facts: Facts, call: DecodedCall) -> bool:
    """False for a call that does nothing: no calldata, no coin, and no code of a stranger that would run."""
    target = facts.target(call.target)
    runs_code = target is not None and target.has_code and call.target not in friends(facts)
    return bool(call.calldata or call.value_wei or runs_code)


_SETTER = re.compile(r"_?(?:set|update|change|adjust)(?=[A-Z])")


def _what_is_set(function: str) -> str:
    """``collateral factor`` of ``_setCollateralFactor``; empty for other functions."""
    return " ".join(words_of_name(function)) if _SETTER.match(function) else ""


_SMALL = 1_000


def _large_numbers(call: DecodedCall) -> Iterator[int]:
    """Numbers that tell one call from another; a 1 or a 30 stands in any text."""
    if call.value_wei:
        yield call.value_wei
    for argument in call.arguments:
        if argument.type.startswith(("uint", "int")) and argument.value.isdecimal() and int(argument.value) >= _SMALL:
            yield int(argument.value)
