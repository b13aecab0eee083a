"""Facts as lines of text: one canonical rendering, the same for the same facts on every machine.

Strings that somebody else may have written are JSON literals in plain ASCII (`untrusted.quoted`); everything outside
double quotes is ours. Left out on purpose: the tally and the agent's own voting power. A reader says what a proposal
does; how others vote is no part of that. Of the block only the day is told: the same facts of another block are the
same words, and need not be paid for twice.

A reader of facts alone sees no string that somebody else chose: of a symbol, a name, an error, of everything that
calldata holds as text or as bytes, only the length. What is left are addresses, numbers, hashes, functions that are in
our table or declared by the operator, and words from a list of our own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Final

from pydantic import Field, JsonValue

from pnyx_contracts.chains import in_words
from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.selectors import known_functions
from pnyx_contracts.types import ClockMode, ProposalState, Value, Vote, to_hex
from pnyx_policies.analysis import View
from pnyx_policies.context.other_chains import FarRun, OtherChains
from pnyx_policies.elsewhere import chain_in_words, far_runs, seen_elsewhere
from pnyx_policies.facts import NO_CODE, Balance, Change, Facts, Movement, SimulationStatus, TargetFacts, ToolResult
from pnyx_policies.money import decimals_of, holding_of, token_amount
from pnyx_policies.post_state import complaints
from pnyx_policies.shares import has_no_end
from pnyx_policies.untrusted import quoted, quoted_json


class Limits(Value):
    """How much a prompt may carry, see ``prompts/limits.toml``. Characters, except `text_bytes`."""

    rendering: int
    text_bytes: int = Field(gt=0)
    string_characters: int = Field(gt=0)
    argument_characters: int = Field(gt=0)
    context_characters: int = Field(gt=0)
    facts_characters: int = Field(gt=0)


UNLIMITED: Final = Limits(
    rendering=0, text_bytes=2**53, string_characters=2**53, argument_characters=2**53, context_characters=2**53,
    facts_characters=2**53,
)  # fmt: skip
"""For looking up what a prompt can have shown at most."""

_NUMBER = re.compile(r"-?[0-9]{1,78}(?:\.[0-9]{1,78})*|0x[0-9a-fA-F]{0,128}")
"""Also the path of a call."""

_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}|0x[0-9a-fA-F]{0,128}")
"""What the code of a context tool calls a part of its result."""

_DECLARED = re.compile(r"[A-Za-z0-9_$,()\[\]]{1,1000}")
"""Signatures, and names and types of arguments: from our table, or from an interface that the operator declares."""

_OUR_WORDS: Final = frozenset(
    {state.name.lower() for state in ProposalState}
    | {vote.value for vote in Vote}
    | {"other", "proposer", "executor", "canceller", "admin", "governor", "timelock", "caller"}
)
"""What results of our own context tools consist of, beside numbers, addresses and functions of the table."""

_TEXT_TYPES = re.compile(r"string|bytes(?![0-9])")
"""Types of arguments that hold whatever their author wants to say."""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Facts under limits; each section is a method that yields lines."""

    facts: Facts
    limits: Limits
    view: View
    on_request: tuple[str, ...] = ()
    """Context tools whose results are named, not shown."""

    def own(self, value: str) -> str:
        """A string of the operator's, or of ours."""
        return quoted(value, self.limits.string_characters)

    def text(self, value: str) -> str:
        """A string that somebody else may have written."""
        is_shown = self.view is View.FACTS_AND_TEXT or _says_nothing(value)
        return quoted(value, self.limits.string_characters) if is_shown else _withheld(value)

    def declared(self, value: str) -> str:
        """A signature, a name or a type of an argument."""
        is_shown = self.view is View.FACTS_AND_TEXT or _DECLARED.fullmatch(value)
        return quoted(value, self.limits.string_characters) if is_shown else _withheld(value)

    def argument(self, value: str, type_: str) -> str:
        is_speech = self.view is View.FACTS_ALONE and _TEXT_TYPES.search(type_)
        return _withheld(value) if is_speech else quoted(value, self.limits.argument_characters)

    def day(self) -> str:
        try:
            return f"{datetime.fromtimestamp(self.facts.block.timestamp, UTC):%Y-%m-%d}"
        except (OverflowError, ValueError, OSError):  # a chain may say anything
            return f"{self.facts.block.timestamp} seconds since the epoch"

    def proposal(self) -> Iterator[str]:
        proposal, governor = self.facts.proposal, self.facts.governor
        unit = "blocks" if governor.profile.clock_mode is ClockMode.BLOCK else "seconds since the epoch"
        yield f"chain {proposal.key.chain_id}, read on {self.day()} (UTC)"
        yield (
            f"governor {proposal.key.governor}, kind {self.own(governor.profile.kind)}, "
            f"name {self.text(governor.profile.name)} (its own word)"
        )
        yield f"executor (holds the treasury): {governor.profile.timelock or proposal.key.governor}"
        yield f"proposal {proposal.key.proposal_id} by {proposal.proposer}, state {governor.state.name.lower()}"
        yield f"voting snapshot {governor.snapshot}, deadline {governor.deadline} ({unit})"
        yield f"quorum {'not known yet' if governor.quorum is None else governor.quorum} (units of voting power)"

    def calls(self) -> Iterator[str]:
        for call in self.facts.every_call():
            indent = "  " * call.path.count(".")
            yield from (indent + line for line in self._call(call))

    def _call(self, call: DecodedCall) -> Iterator[str]:
        how = "delegatecall (runs with the caller's storage and rights)" if call.delegatecall else "call"
        by = f" by {call.caller}" if call.caller else ""
        yield f"{how} {call.path}{by} to {call.target}{_where(call)}, value {call.value_wei} wei"
        if call.signature:
            yield f"  function {self.declared(call.signature)}"
        elif call.calldata:
            yield f"  NOT DECODED, {len(call.calldata)} bytes: {self._undecoded(call)}"
        else:
            yield "  no calldata: a plain transfer of value"
        counted = token_amount(call)
        for place, argument in enumerate(call.arguments):
            value = self.argument(argument.value, argument.type)
            yield f"  argument {self.declared(argument.name)} of type {self.declared(argument.type)}: {value}"
            if counted is not None and place == counted.place and self._has_decimals(counted.asset):
                yield f"    of token {counted.asset}: {self._amount(counted.asset, counted.amount)}"
        if call.note:
            yield f"  note: {self.text(call.note)}"

    def _undecoded(self, call: DecodedCall) -> str:
        if self.view is View.FACTS_ALONE:
            return f'selector "{call.selector}", the rest is not shown'
        return quoted(to_hex(call.calldata), self.limits.string_characters)

    def targets(self) -> Iterator[str]:
        for target in self.facts.targets:
            yield ", ".join((f"{target.address}: {_code(target)}", *self._history(target.address)))

    def _history(self, address: str) -> Iterator[str]:
        now, created = self.facts.target(address), self.facts.proposal.created_block
        for earlier in self.facts.earlier_code:
            then = earlier.code_hashes.get(address)
            if now is not None and then != now.code_hash:
                before = "" if earlier.block == created else f", {created - earlier.block} blocks before the proposal"
                what = "NO CODE THEN" if then == NO_CODE else "OTHER CODE THEN"
                yield f"{what}: in block {earlier.block}{before or ', of the proposal'}"

    def simulation(self) -> Iterator[str]:
        simulation = self.facts.simulation
        if simulation.status is SimulationStatus.SKIPPED:
            yield f"NOT RUN, because {self.text(simulation.why_skipped)}"
            return
        yield f"{simulation.status.value}, run from {simulation.executor}{self._method()}"
        yield from self.results()
        numbered = (f"effect {number}: {self.effect(effect)}" for number, effect in enumerate(simulation.effects))
        yield from islice(numbered, len(simulation.movements) + len(simulation.changes))
        for run in simulation.delegated:
            how = "succeeded" if run.succeeded else f"REVERTED, error {self.text(run.error)}"
            yield f"code of {run.code} (call {run.path}), by itself with the rights of {run.account}: {how}"
            yield from (f"  {line}" for line in islice(numbered, len(run.movements) + len(run.changes)))
        yield from (self._balance(balance) for balance in simulation.balances if balance.before != balance.after)

    def results(self) -> Iterator[str]:
        for result in self.facts.simulation.results:
            error = "" if result.succeeded else f", error {self.text(result.error)}"
            yield f"call {result.path}: {'succeeded' if result.succeeded else 'REVERTED'}{error}"

    def elsewhere(self) -> Iterator[str]:
        """Without its block, which is another one at each look."""
        for place in seen_elsewhere(self.facts):
            run, sheet = place.run, replace(self, facts=place.facts)
            yield f"{place.chain}, {self._sent(run)}: {sheet.facts.simulation.status.value}"
            lines = (*sheet.results(), *map(sheet.effect, sheet.facts.simulation.effects))
            yield from (f"  {line}" for line in lines)
        for run in far_runs(self.facts):
            if run.why_unknown:
                where = chain_in_words(run.chain_id)
                yield f"{where}, {self._sent(run)}: NOT RUN, because {self.text(run.why_unknown)}"

    def _sent(self, run: FarRun) -> str:
        caller = f", called by {run.simulation.executor}" if run.simulation is not None else ""
        named = f", which names {run.named_sender} as the sender" if run.named_sender is not None else ""
        return f"calls {', '.join(run.paths)}{caller}{named}"

    def _method(self) -> str:
        method = self.facts.simulation.method
        return f", by {self.own(method)}" if method else ""

    def effect(self, effect: Movement | Change) -> str:
        if isinstance(effect, Movement):
            return self._movement(effect)
        return (
            f"change {self.own(effect.kind)} at {effect.contract}: "
            f"subject {self.own(effect.subject)}, detail {self.own(effect.detail)}"
        )

    def _balance(self, balance: Balance) -> str:
        is_own = balance.holder == self.facts.simulation.executor
        holder = "the executor" if is_own else balance.holder
        whose = f"{balance.spender} may take from {holder}, of" if balance.spender else f"{holder} has of"
        what = "the chain's coin" if balance.token is None else f"token {balance.token}"
        which = "" if balance.token_id is None else f", token id {balance.token_id}"
        before, after = (
            "NOT KNOWN" if units is None else self._amount(balance.token, units)
            for units in (balance.before, balance.after)
        )
        return f"{whose} {what}{which}: {before} before, {after} after"

    def probes(self) -> Iterator[str]:
        wrong = complaints(self.facts)
        if wrong is None:
            yield from (f"{self.own(probe.name)}: NOT READ" for probe in self.facts.probes)
            return
        for probe in self.facts.probes:
            said = " ".join(complaint.words for complaint in wrong if complaint.probe == probe)
            words = f"NO: {self.text(said)}" if said else "holds"
            yield f"{self.own(probe.name)} at {probe.contract} ({probe.expect.value}): {words}"

    def _movement(self, movement: Movement) -> str:
        asset = "the chain's coin" if movement.asset is None else f"token {movement.asset}"
        which = "" if movement.token_id is None else f", token id {movement.token_id}"
        return (
            f"{movement.kind} of {self._amount(movement.asset, movement.amount)} of {asset}{which} "
            f"from {movement.sender} to {movement.recipient}"
        )

    def _has_decimals(self, asset: str) -> bool:
        return decimals_of(self.facts, asset) is not None

    def _amount(self, asset: str | None, amount: int) -> str:
        symbol = (lambda _: "whole tokens") if self.view is View.FACTS_ALONE else self.text
        return _amount(self.facts, asset, amount, symbol)

    def treasury(self) -> Iterator[str]:
        for holding in self.facts.treasury:
            asset = "the chain's coin" if holding.asset is None else f"token {holding.asset}"
            yield f"{asset}: {self._amount(holding.asset, holding.balance)}"

    def context(self) -> Iterator[str]:
        """What messages do elsewhere has a section of its own."""
        for result in self.facts.context:
            if result.tool == OtherChains.TOOL and result.tool not in self.on_request:
                continue
            yield (
                f"{self._tool(result)}, shown when you call it"
                if result.tool in self.on_request
                else self.shown(result)
            )

    def shown(self, result: ToolResult) -> str:
        found = _words_alone(result.result) if self.view is View.FACTS_ALONE else result.result
        return f"{self._tool(result)}: {quoted_json(found, self.limits.context_characters)}"

    def _tool(self, result: ToolResult) -> str:
        return f"tool {self.own(result.tool)} version {self.own(result.version)} ({result.grade.value})"

    def names(self) -> Iterator[str]:
        for address, name in sorted(self.facts.known_addresses.items()):
            yield f"{address}: {self.own(name)}"

    def skipped(self) -> Iterator[str]:
        for step in self.facts.skipped:
            yield f"{self.own(step.step)}, because {self.text(step.why)}"


def factsheet(facts: Facts, limits: Limits, on_request: tuple[str, ...] = (), view: View = View.FACTS_AND_TEXT) -> str:
    """All that a reader is shown of `facts`, of any length: `limits.facts_characters` is the caller's to enforce.

    Of the context tools in `on_request` the results are left out, for `tool_result` to show.
    """
    sheet = _Sheet(facts, limits, view, on_request)
    sections: tuple[tuple[str, Callable[[], Iterator[str]]], ...] = (
        ("Proposal", sheet.proposal),
        ("Calls, in order of execution", sheet.calls),
        ("Contracts that the calls reach", sheet.targets),
        ("Simulation", sheet.simulation),
        *((("Messages, simulated on other chains", sheet.elsewhere),) if far_runs(facts) else ()),
        ("What must hold afterwards", sheet.probes),
        ("What the executor holds", sheet.treasury),
        ("Context", sheet.context),
        ("Names that the operator gave to addresses", sheet.names),
        ("Steps that could not run", sheet.skipped),
    )
    return "\n\n".join(_section(title, lines()) for title, lines in sections)


def tool_result(facts: Facts, limits: Limits, tool: str, view: View) -> str:
    """What the sheet says about the result of one context tool."""
    sheet = _Sheet(facts, limits, view)
    return "\n".join(sheet.shown(result) for result in facts.context if result.tool == tool)


def amount_in_words(facts: Facts, asset: str | None, amount: int, symbol_characters: int) -> str:
    """Exact units, and what they are in whole tokens where the executor is known to hold some; of what has no limit,
    just that.
    """
    if asset is not None and has_no_end(amount):
        return "any amount"
    return _amount(facts, asset, amount, lambda symbol: quoted(symbol, symbol_characters))


def _amount(facts: Facts, asset: str | None, amount: int, show: Callable[[str], str]) -> str:
    if asset is None:
        return f"{amount} wei (= {decimal(amount, 18)} coins)"
    decimals, holding = decimals_of(facts, asset), holding_of(facts, asset)
    if holding is None or decimals is None:
        return f"{amount} units"
    return f"{amount} units (= {decimal(amount, decimals)} {show(holding.symbol)})"


def decimal(amount: int, decimals: int) -> str:
    """`amount` shifted by `decimals`, exactly."""
    whole, fraction = divmod(amount, 10**decimals)
    return f"{whole}.{fraction:0{decimals}d}".rstrip("0").rstrip(".") if decimals else str(whole)


def _withheld(text: str) -> str:
    return f"text of {len(text)} characters, not shown"


def _words_alone(value: JsonValue) -> JsonValue:
    """`value` with the length of each string in place of what it says."""
    if isinstance(value, dict):
        return {key if _KEY.fullmatch(key) else _withheld(key): _words_alone(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_words_alone(item) for item in value]
    return value if not isinstance(value, str) or _says_nothing(value) else _withheld(value)


def _says_nothing(value: str) -> bool:
    """Whether nobody can speak in it: a number, an address, a hash, a word of ours, a function of our table."""
    return bool(_NUMBER.fullmatch(value)) or value in _OUR_WORDS or value in _signatures()


@cache
def _signatures() -> frozenset[str]:
    return frozenset(function.signature for functions in known_functions().values() for function in functions)


def _section(title: str, lines: Iterable[str]) -> str:
    """Lines that begin with a space belong to the one above."""
    body = "\n".join(line if line.startswith(" ") else f"- {line}" for line in lines)
    return f"{title}:\n{body or '- none'}"


def _where(call: DecodedCall) -> str:
    if not call.other_chain:
        return ""
    return " on ANOTHER CHAIN" if call.chain_id is None else f" on ANOTHER CHAIN, {in_words(call.chain_id)}"


def _code(target: TargetFacts) -> str:
    if not target.has_code:
        return "NO CODE"
    what = (
        "has code"
        if target.implementation is None
        else f"proxy, by its own account for the code at {target.implementation}"
    )
    return f"{what}, CAN DESTROY ITSELF" if target.can_destroy_itself else what
