"""An analysis written from facts alone, by rules. It is no language model and reads no meaning, and its words say so.

It exists so that everything runs without a model. Its advice is always "hold", so only rules can decide. Pure: a
verifier writes it again and compares.
"""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_contracts.decoded import DecodedCall
from pnyx_policies.analysis import Analysis, Analyst, KeyPoint, Recommendation, Risk, RiskLevel
from pnyx_policies.facts import Facts, SimulationStatus
from pnyx_policies.factsheet import amount_in_words
from pnyx_policies.untrusted import clean, quoted

OUTLINE = Analyst(name="outline (no language model)", is_language_model=False)
"""How records and configurations name it."""

NOTICE = "No language model was involved: this outline was written by fixed rules from the facts."

_ITEMS = 12
_CHARACTERS = 600
_TITLE_CHARACTERS = 80
_GRAVEST_FIRST = (RiskLevel.HIGH, RiskLevel.MEDIUM, RiskLevel.LOW, RiskLevel.NONE)


def outline(facts: Facts) -> Analysis:
    """The outline of `facts`; the same facts give the same words."""
    calls = tuple(facts.every_call())
    return Analysis(
        summary=f"{NOTICE} {_counts(facts, calls)}",
        key_points=_key_points(facts, calls),
        stated_intent=_stated(facts),
        claimed_effects=(),
        risks=_risks(facts, calls),
        recommendation=Recommendation.HOLD,
        confidence_percent=0,
    )


def _counts(facts: Facts, calls: tuple[DecodedCall, ...]) -> str:
    simulation = facts.simulation
    unknown = sum(1 for call in calls if _is_unknown(call))
    simulated = {
        SimulationStatus.SUCCEEDED: f"In the simulation, movements of assets: {len(simulation.all_movements)}, "
        f"changes of powers or code: {len(simulation.all_changes)}.",
        SimulationStatus.REVERTED: "It reverts in the simulation.",
        SimulationStatus.SKIPPED: "It was not simulated.",
    }[simulation.status]
    return f"Calls at all depths: {len(calls)}, not decoded: {unknown}. {simulated}"


def _stated(facts: Facts) -> str:
    lines = (line.strip("# \t") for line in clean(facts.proposal.text).text.splitlines())
    title = next((line for line in lines if line), "")
    return f"Not read. {'The text begins ' + quoted(title, _TITLE_CHARACTERS) if title else 'There is no text'}."


def _key_points(facts: Facts, calls: tuple[DecodedCall, ...]) -> tuple[KeyPoint, ...]:
    """One per call; where there are more than fit, the last one says how many are missing."""
    points = [KeyPoint(claim=_claim(facts, call), call=call.path) for call in calls[:_ITEMS]]
    if len(calls) > _ITEMS:
        rest = len(calls) - _ITEMS + 1
        points[-1] = KeyPoint(
            claim=f"{rest} further calls, from this one on, are listed in the facts.", call=calls[_ITEMS - 1].path
        )
    return tuple(points)


def _claim(facts: Facts, call: DecodedCall) -> str:
    how = "Delegatecall" if call.delegatecall else "Call"
    value = f" with {amount_in_words(facts, None, call.value_wei, 0)}" if call.value_wei else ""
    if call.signature:
        arguments = ", ".join(f"{quoted(a.name, 30)} = {quoted(a.value, 60)}" for a in call.arguments)
        what = f"{quoted(call.signature, 100)}, {arguments or 'no arguments'}"
    else:
        what = "not decoded" if call.calldata else "a plain transfer of value"
    return f"{how} to {call.target}{value}: {what}"[:_CHARACTERS]


def _risks(facts: Facts, calls: tuple[DecodedCall, ...]) -> tuple[Risk, ...]:
    """The gravest first; where there are more than fit, the last one says how many are missing."""
    found = (*_simulation_risks(facts), *_call_risks(facts, calls))
    risks = sorted(found, key=lambda risk: _GRAVEST_FIRST.index(risk.level))
    if len(risks) <= _ITEMS:
        return tuple(risks)
    rest = risks[_ITEMS - 1 :]
    return (*risks[: _ITEMS - 1], _risk(rest[0].level, f"{len(rest)} further points are in the facts."))


def _simulation_risks(facts: Facts) -> Iterator[Risk]:
    simulation = facts.simulation
    if simulation.status is SimulationStatus.REVERTED:
        yield _risk(RiskLevel.HIGH, "The simulation reverted: as it stands, the proposal cannot execute.")
    if simulation.status is SimulationStatus.SKIPPED:
        yield _risk(RiskLevel.MEDIUM, f"Not simulated, because {quoted(simulation.why_skipped, 300)}")
    for change in simulation.all_changes:
        what = f"{quoted(change.kind, 40)}, {quoted(change.subject, 100)}, {quoted(change.detail, 200)}"
        yield _risk(RiskLevel.HIGH, f"Change of power or code at {change.contract}: {what}")
    for movement in simulation.all_movements:
        asset = "the chain's coin" if movement.asset is None else f"token {movement.asset}"
        amount = amount_in_words(facts, movement.asset, movement.amount, 20)
        way = f"from {movement.sender} to {movement.recipient}"
        yield _risk(RiskLevel.LOW, f"{movement.kind} of {amount} of {asset} {way}")


def _call_risks(facts: Facts, calls: tuple[DecodedCall, ...]) -> Iterator[Risk]:
    for call in calls:
        if call.delegatecall:
            yield _risk(RiskLevel.HIGH, f"Call {call.path} runs foreign code with its caller's rights.")
        if _is_unknown(call):
            yield _risk(RiskLevel.MEDIUM, f"Call {call.path} to {call.target} is not decoded.")
    called = {call.target for call in calls if call.calldata or call.delegatecall}
    for target in facts.targets:
        if target.address in called and not target.has_code:  # a payment to an account is none of these
            yield _risk(RiskLevel.MEDIUM, f"{target.address} is called and has no code: nothing happens there.")


def _risk(level: RiskLevel, text: str) -> Risk:
    return Risk(level=level, text=text[:_CHARACTERS])


def _is_unknown(call: DecodedCall) -> bool:
    return call.signature is None and bool(call.calldata)
