"""The catalogue of fields: everything that a rule may ask about, each with its type and its meaning.

A field never guesses. What is not known for certain is unknown, or known only as "at least this" (a check was skipped,
the simulation did not run); conditions then answer "unknown" rather than yes or no.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from pnyx_contracts.decoded import DecodedCall
from pnyx_policies.analysis import Analysis, Opinion, Recommendation
from pnyx_policies.checks.protocol import CheckReport
from pnyx_policies.claims import claims_of
from pnyx_policies.facts import Facts, SimulationStatus
from pnyx_policies.finding import Severity
from pnyx_policies.money import NOT_SEEN, Outflow, Outflows, by_asset, outflows, unexplained_effects
from pnyx_policies.post_state import complaints
from pnyx_policies.powers import friends
from pnyx_policies.shares import share_of_treasury
from pnyx_policies.text import count

Datum = int | str | frozenset[str]


class FieldType(Enum):
    """What a field holds; which operators and literals go with it is the business of `conditions`."""

    NUMBER = "number"
    """A whole number, 0 to 2**256-1."""
    WEI = "wei"
    """An amount of the chain's own coin, in wei."""
    SHARE = "share"
    """A part of something, in basis points (1/100 of a percent), rounded up."""
    SEVERITY = "severity"
    """``none`` < ``info`` < ``low`` < ``medium`` < ``high`` < ``critical``."""
    WORD = "word"
    """One of a few words."""
    ADDRESS = "address"
    NAMES = "set of names"
    ADDRESSES = "set of addresses"


@dataclass(frozen=True, slots=True)
class Situation:
    """All that rules may look at. `expected` are the checks that had to run."""

    facts: Facts
    reports: tuple[CheckReport, ...]
    opinions: tuple[Opinion, ...]
    expected: frozenset[str]


@dataclass(frozen=True, slots=True)
class Seen:
    """A field's value. None: unknown. `at_least`: the true number is not smaller, the true set has more members."""

    value: Datum | None
    why: str = ""
    """Why it is unknown or only a lower bound."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a condition can name. `words` are the values of a word field."""

    name: str
    type: FieldType
    meaning: str
    look: Callable[[Situation], Seen]
    words: tuple[str, ...] = ()
    from_model: bool = False
    """True when a model (and so, perhaps, an attacker) writes the value: never enough for a vote in favour."""


SEVERITIES = ("none", *(s.name.lower() for s in Severity))


def _doubt(situation: Situation) -> str:
    """Why there may be more findings than were reported; empty when every expected check ran."""
    skipped = sorted(r.check for r in situation.reports if r.skipped)
    missing = sorted(situation.expected - {r.check for r in situation.reports})
    parts = [f"skipped: {', '.join(skipped)}"] if skipped else []
    parts += [f"did not run: {', '.join(missing)}"] if missing else []
    return "; ".join(parts)


def _findings(severity: Severity) -> Callable[[Situation], Seen]:
    def look(situation: Situation) -> Seen:
        count = sum(f.severity is severity for r in situation.reports for f in r.findings)
        return Seen(count, _doubt(situation))

    return look


def _worst_of(check: str) -> Callable[[Situation], Seen]:
    def look(situation: Situation) -> Seen:
        reports = [r for r in situation.reports if r.check == check]
        if not reports:
            return Seen(None, "the check did not run")
        if skipped := next((r for r in reports if r.skipped), None):
            return Seen(None, f"the check {skipped.check} was skipped")
        return Seen(max((f.severity + 1 for r in reports for f in r.findings), default=0))

    return look


def _calls(select: Callable[[DecodedCall], bool]) -> Callable[[Situation], Seen]:
    return lambda s: Seen(sum(select(c) for c in s.facts.every_call()))


def _is_unknown(call: DecodedCall) -> bool:
    return bool(call.calldata) and call.signature is None


def _name(call: DecodedCall) -> str:
    """Coin that is sent is a payment; a call with neither calldata nor coin only makes the target's code run."""
    return call.name or ("nothing" if call.value_wei else "empty")


def _names(situation: Situation) -> Seen:
    calls = list(situation.facts.every_call())
    unknown = sum(map(_is_unknown, calls))
    names = frozenset(_name(c) for c in calls if not _is_unknown(c))
    return Seen(names, f"not understood: {count(unknown, 'call')}" if unknown else "")


def _targets(select: Callable[[Facts, str], bool | None]) -> Callable[[Situation], Seen]:
    def look(situation: Situation) -> Seen:
        called = {c.target for c in situation.facts.every_call() if c.calldata and not c.other_chain}
        answers = [select(situation.facts, address) for address in called]
        return Seen(sum(a is True for a in answers), "some targets were not looked at" if None in answers else "")

    return look


def _without_code(facts: Facts, address: str) -> bool | None:
    target = facts.target(address)
    return None if target is None else not target.has_code


def _stranger(facts: Facts, address: str) -> bool:
    return address not in facts.known_addresses and address not in friends(facts)


def _outflow(measure: Callable[[Facts, Outflows], Seen]) -> Callable[[Situation], Seen]:
    return lambda s: measure(s.facts, outflows(s.facts))


def _native(_: Facts, flows: Outflows) -> Seen:
    return Seen(sum(o.amount for o in flows.items if o.asset is None), flows.why)


def _share(facts: Facts, flows: Outflows) -> Seen:
    return _largest_share(facts, flows, by_asset(facts, flows.items))


def _recipient_share(facts: Facts, flows: Outflows) -> Seen:
    of_one = [
        tuple(o for o in items if o.recipient == recipient)
        for items in by_asset(facts, flows.items)
        for recipient in {o.recipient for o in items}
    ]
    return _largest_share(facts, flows, of_one)


def _largest_share(facts: Facts, flows: Outflows, parts: Iterable[tuple[Outflow, ...]]) -> Seen:
    """Each part is of one asset."""
    shares = [share_of_treasury(facts, items) for items in parts]
    known = max((s for s in shares if s is not None), default=0)
    return Seen(known, flows.why or ("of some assets the treasury's balance is unknown" if None in shares else ""))


def _recipients(_: Facts, flows: Outflows) -> Seen:
    return Seen(frozenset(o.recipient for o in flows.items), flows.why)


def _unknown_recipients(facts: Facts, flows: Outflows) -> Seen:
    return Seen(len({o.recipient for o in flows.items if _stranger(facts, o.recipient)}), flows.why)


def _voting_power(situation: Situation) -> Seen:
    voter = situation.facts.voter
    if voter is None:
        return Seen(None, "nobody votes: this is a review")
    return Seen(voter.voting_power, "" if voter.voting_power is not None else "the snapshot is not in the past")


def _model(read: Callable[[tuple[Analysis, ...]], Datum | None], why: str = "") -> Callable[[Situation], Seen]:
    """Reads all analyses; unknown when one is missing, or claims what nothing supports."""

    def look(situation: Situation) -> Seen:
        if any(o.struck for o in situation.opinions):
            return Seen(None, "claims of an analysis were struck out")
        analyses = tuple(o.analysis for o in situation.opinions if o.analysis is not None)
        if not analyses or len(analyses) < len(situation.opinions):
            return Seen(None, "there is no analysis" if not situation.opinions else "an analysis failed")
        value = read(analyses)
        return Seen(value, why if value is None else "")

    return look


def _agreed(analyses: tuple[Analysis, ...]) -> str | None:
    advice = {a.recommendation.value for a in analyses}
    return advice.pop() if len(advice) == 1 else None


def _time_left(situation: Situation) -> Seen:
    governor = situation.facts.governor
    return Seen(max(governor.deadline - governor.now, 0))


def _only_language_models(situation: Situation) -> Seen:
    if not situation.opinions:
        return Seen(None, "there is no analysis")
    return Seen("yes" if all(o.analyst.is_language_model for o in situation.opinions) else "no")


def _checks_skipped(situation: Situation) -> Seen:
    return Seen(sum(bool(r.skipped) for r in situation.reports))


def _steps_skipped(situation: Situation) -> Seen:
    return Seen(len(situation.facts.skipped))


def _simulation(situation: Situation) -> Seen:
    return Seen(situation.facts.simulation.status.value)


def _unexplained(situation: Situation) -> Seen:
    count = unexplained_effects(situation.facts)
    return Seen(count, NOT_SEEN[situation.facts.simulation.status] if count is None else "")


def _broken_probes(situation: Situation) -> Seen:
    found = complaints(situation.facts)
    if found is None:
        return Seen(None if situation.facts.probes else 0, "the declared probes were not read")
    return Seen(len({complaint.probe.name for complaint in found if complaint.is_broken}))


def _text_length(situation: Situation) -> Seen:
    return Seen(claims_of(situation.facts).prose_length)


def _proposer(situation: Situation) -> Seen:
    return Seen(situation.facts.proposal.proposer)


def _governor(situation: Situation) -> Seen:
    return Seen(situation.facts.proposal.key.governor)


_STATUSES = tuple(status.value for status in SimulationStatus)
_NUMBER = FieldType.NUMBER

_FINDINGS = tuple(
    Field(f"findings.{name}", _NUMBER, f"Findings of severity {name}.", _findings(severity))
    for severity, name in sorted(((s, s.name.lower()) for s in Severity), reverse=True)
)
_WORK = (
    Field("checks.skipped", _NUMBER, "Checks that could not tell.", _checks_skipped),
    Field("steps.skipped", _NUMBER, "Steps of the review that could not run.", _steps_skipped),
    Field("simulation.status", FieldType.WORD, "How the simulation ended.", _simulation, _STATUSES),
    Field(
        "simulation.unexplained",
        _NUMBER,
        "Effects seen that no payment among the calls explains, and payments not seen.",
        _unexplained,
    ),
    Field("probes.broken", _NUMBER, "Declared probes that do not hold after the actions.", _broken_probes),
)
_CALLS = (
    Field("calls.count", _NUMBER, "Calls at every depth.", _calls(lambda _: True)),
    Field("calls.unknown", _NUMBER, "Calls whose calldata nothing we know explains.", _calls(_is_unknown)),
    Field(
        "calls.delegatecalls", _NUMBER, "Calls that run foreign code as the caller.", _calls(lambda c: c.delegatecall)
    ),
    Field("calls.other_chain", _NUMBER, "Calls that are messages to another chain.", _calls(lambda c: c.other_chain)),
    Field(
        "calls.names",
        FieldType.NAMES,
        "Function names; `nothing` for a plain transfer of coin, `empty` for a call without coin and calldata.",
        _names,
    ),
    Field(
        "targets.without_code",
        _NUMBER,
        "Called addresses that have no code (plain transfers of coin call nothing).",
        _targets(_without_code),
    ),
    Field(
        "targets.unknown", _NUMBER, "Called addresses that nobody named and that are not the DAO.", _targets(_stranger)
    ),
)
_MONEY = (
    Field("outflow.native", FieldType.WEI, "The chain's own coin that leaves the DAO.", _outflow(_native)),
    Field(
        "outflow.share",
        FieldType.SHARE,
        "The largest part of any one asset that leaves or may be taken.",
        _outflow(_share),
    ),
    Field(
        "outflow.recipient_share",
        FieldType.SHARE,
        "The largest part of any one asset that any one recipient gets or may take.",
        _outflow(_recipient_share),
    ),
    Field("outflow.recipients", FieldType.ADDRESSES, "Who gets money or allowances.", _outflow(_recipients)),
    Field("outflow.unknown_recipients", _NUMBER, "Recipients that nobody named.", _outflow(_unknown_recipients)),
)
_PROPOSAL = (
    Field("text.length", _NUMBER, "Letters and digits of the description that people read.", _text_length),
    Field("proposal.proposer", FieldType.ADDRESS, "Who proposed.", _proposer),
    Field("proposal.governor", FieldType.ADDRESS, "The governor that is asked.", _governor),
    Field(
        "governor.time_left", _NUMBER, "Until the vote closes: blocks or seconds, as the governor counts.", _time_left
    ),
    Field("voter.voting_power", _NUMBER, "The agent's voting power at the snapshot, in token units.", _voting_power),
)
_MODEL = (
    Field(
        "model.recommendation",
        FieldType.WORD,
        "What all analysts advise; unknown when one failed, claims what nothing supports, or they differ.",
        _model(_agreed, "the analysts differ"),
        tuple(r.value for r in Recommendation),
        from_model=True,
    ),
    Field(
        "model.confidence_percent",
        _NUMBER,
        "The lowest confidence of any analyst, 0 to 100.",
        _model(lambda analyses: min(a.confidence_percent for a in analyses)),
        from_model=True,
    ),
    Field(
        "model.is_language_model",
        FieldType.WORD,
        "`yes` when every opinion comes from a language model (the outline analyst is none).",
        _only_language_models,
        ("yes", "no"),
    ),
)
_STATIC = (*_FINDINGS, *_WORK, *_CALLS, *_MONEY, *_PROPOSAL, *_MODEL)


def catalogue(checks: Iterable[str]) -> dict[str, Field]:
    """Every field by name; ``finding.CHECK`` for each of the checks."""
    fields = {f.name: f for f in _STATIC}
    for check in checks:
        name = f"finding.{check}"
        fields[name] = Field(name, FieldType.SEVERITY, f"The worst that the check {check} found.", _worst_of(check))
    return fields
