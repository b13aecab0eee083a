"""A proposal in few words, and the facts, findings and opinions that a real one would have.

What is not said is harmless: an open vote, some voting power, contracts with code, a simulation that saw what the
calls pay and nothing else. All checks run on the facts as in a real review.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from eth_abi.exceptions import EncodingError
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from pnyx_contracts.errors import DecodingError, UsageError
from pnyx_contracts.selectors import parse_function
from pnyx_contracts.types import Call, ProposalState, Value
from pnyx_policies.analysis import Analysis, Analyst, Opinion, Recommendation, View
from pnyx_policies.checks import Check, CheckReport, CheckView, run_checks
from pnyx_policies.facts import Change, Facts, Movement, Simulation, SimulationStatus
from pnyx_policies.fields import SEVERITIES
from pnyx_policies.finding import Finding, SeverityName
from pnyx_policies.literals import checksummed, units_of
from pnyx_policies.money import OutflowKind, outflows
from pnyx_tools.testing.facts import (
    TIMELOCK,
    address_of,
    call_of,
    facts_for,
    holding,
    not_simulated,
    proposal_of,
    simulated,
)

CLOSES_AT_BLOCK = 2_000
COIN = "coin"


def _address(value: str) -> str:
    """A word stands for an address of its own, the same each time."""
    if not value.startswith("0x"):
        return address_of(value)
    address = checksummed(value)
    if address is None:
        raise ValueError(f"expected a name, or 0x and 40 hex digits with a right checksum; got {value!r}")
    return address


def _asset(value: str) -> str:
    return value if value == COIN else _address(value)


def _units(value: object) -> int:
    units = units_of(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None
    if units is None:
        raise ValueError(f'expected an amount like "1_000_000" or "1.5 ether", got {value!r}')
    return units


Name = Annotated[str, AfterValidator(_address)]
"""A name, for which some address stands, or an address."""
Asset = Annotated[str, AfterValidator(_asset)]
"""``coin`` for the chain's own, or a token."""
Units = Annotated[int, BeforeValidator(_units, json_schema_input_type=str | int)]
"""In smallest units; ``1.5 ether`` are 10**18 of them, one and a half times."""


class SketchedCall(Value):
    """``{ to = "token", call = "transfer(address,uint256)", with = ["alice", "30 ether"] }``; without `call`, a plain
    transfer of coin.
    """

    to: Name
    call: str = ""
    arguments: tuple[str | int | bool, ...] = Field(default=(), alias="with")
    value: Units = 0


class SketchedHolding(Value):
    """What the treasury holds."""

    asset: Asset = COIN
    balance: Units
    symbol: str = ""
    decimals: int = 18


class SketchedMovement(Value):
    """What the simulation saw beside the payments of the calls."""

    asset: Asset = COIN
    sender: Name = Field(default=TIMELOCK, alias="from")
    to: Name
    amount: Units
    kind: Literal["transfer", "approval"] = "transfer"


class SketchedChange(Value):
    kind: str
    contract: Name
    subject: str = ""
    detail: str = ""


class SketchedFinding(Value):
    """In place of what the check itself finds."""

    check: str
    severity: Annotated[SeverityName, WithJsonSchema({"enum": list(SEVERITIES[1:])})]


class SketchedOpinion(Value):
    advice: Recommendation = Recommendation.HOLD
    confidence_percent: int = Field(default=90, ge=0, le=100)
    language_model: bool = True
    failure: str = ""
    """Why there is none."""
    model: str = ""
    """Whose it is; each of another model where nothing is said."""
    sees: View = View.FACTS_AND_TEXT
    struck: int = Field(default=0, ge=0, le=10)
    """So many claims rested on nothing."""


class Sketch(Value):
    """A proposal, and what is known about it."""

    text: str = ""
    """``{alice}`` is the address that stands for alice."""
    calls: tuple[SketchedCall, ...] = ()
    proposer: Name = address_of("proposer")
    chain_id: int = Field(default=1, ge=1)
    treasury: tuple[SketchedHolding, ...] = ()
    known: tuple[str, ...] = ()
    """Names that the operator's configuration gives to addresses."""
    without_code: tuple[Name, ...] = ()
    simulation: Literal["as called", "reverted", "skipped"] = "as called"
    moves: tuple[SketchedMovement, ...] = ()
    changes: tuple[SketchedChange, ...] = ()
    findings: tuple[SketchedFinding, ...] = ()
    skipped_checks: tuple[str, ...] = ()
    opinions: tuple[SketchedOpinion, ...] = ()
    state: Literal["pending", "active", "canceled", "defeated", "executed"] = "active"
    blocks_left: int = Field(default=1_000, ge=0, le=1_000)
    voting_power: Units = 10**18
    has_voted: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    """All that a ruleset looks at."""

    facts: Facts
    reports: tuple[CheckReport, ...]
    opinions: tuple[Opinion, ...]


def draw(sketch: Sketch, checks: Sequence[Check]) -> Drawn:
    """Raises `UsageError` for a call that cannot be encoded, and for a check that does not run."""
    facts = facts_of(sketch)
    opinions = tuple(_opinion(sketched, place) for place, sketched in enumerate(sketch.opinions))
    reports = run_checks(checks, CheckView(facts, opinions))
    return Drawn(facts, _overruled(sketch, reports), opinions)


def facts_of(sketch: Sketch) -> Facts:
    """What a real review would know. Raises `UsageError` for a call that cannot be encoded."""
    calls = [_call(call) for call in sketch.calls]
    text = re.sub(r"\{([^{}\s]+)\}", lambda name: address_of(name[1]), sketch.text)
    proposal = proposal_of(calls, text, proposer=sketch.proposer, chain_id=sketch.chain_id)
    facts = facts_for(
        proposal,
        state=ProposalState[sketch.state.upper()],
        now=CLOSES_AT_BLOCK - sketch.blocks_left,
        voting_power=sketch.voting_power,
        has_voted=sketch.has_voted,
        treasury=[
            holding(_none_for_coin(h.asset), h.balance, decimals=h.decimals, symbol=h.symbol) for h in sketch.treasury
        ],
        without_code=sketch.without_code,
        known_addresses={address_of(name): name for name in sketch.known},
    )
    return facts.model_copy(update={"simulation": _simulation(sketch, facts)})


def _call(call: SketchedCall) -> Call:
    _demand_signature(call.call)
    types = [kind for kind in call.call.partition("(")[2].removesuffix(")").split(",") if kind]
    if len(types) != len(call.arguments):
        raise UsageError(f"{call.call or 'a plain transfer'} takes {len(types)} arguments, got {len(call.arguments)}")
    try:
        arguments = [_argument(kind, value) for kind, value in zip(types, call.arguments, strict=True)]
        return call_of(call.to, call.call, *arguments, value_wei=call.value)
    except (ValueError, EncodingError) as error:
        raise UsageError(f"{call.call} cannot be called so: {error}", hint="arguments are flat: no tuples") from error


def _demand_signature(text: str) -> None:
    """Another spelling has another selector, and would be no such call."""
    try:
        is_one = not text or parse_function(text).signature == text
    except DecodingError:
        is_one = False
    if not is_one:
        raise UsageError(f"{text!r} is no signature of a function", hint='as in "transfer(address,uint256)", no names')


def _argument(kind: str, value: str | int | bool) -> object:
    if kind == "address":
        return _address(str(value))
    if kind.startswith(("uint", "int")) and "[" not in kind:
        return _units(value)
    return bytes.fromhex(value.removeprefix("0x")) if kind.startswith("bytes") and isinstance(value, str) else value


def _simulation(sketch: Sketch, facts: Facts) -> Simulation:
    if sketch.simulation == "skipped":
        return not_simulated()
    status = SimulationStatus.SUCCEEDED if sketch.simulation == "as called" else SimulationStatus.REVERTED
    movements = [*_called(facts), *map(_moved, sketch.moves)] if status is SimulationStatus.SUCCEEDED else []
    changes = [Change(kind=c.kind, contract=c.contract, subject=c.subject, detail=c.detail) for c in sketch.changes]
    return simulated(movements, changes, status=status)


def _called(facts: Facts) -> Iterator[Movement]:
    """What the calls by themselves pay."""
    for paid in outflows(facts).items:
        kind = "transfer" if paid.kind is OutflowKind.TRANSFER else "approval"
        yield Movement(
            kind=kind, asset=paid.asset, sender=paid.sender, recipient=paid.recipient, amount=paid.amount,
            token_id=paid.token_id,
        )  # fmt: skip


def _moved(move: SketchedMovement) -> Movement:
    return Movement(
        kind=move.kind, asset=_none_for_coin(move.asset), sender=move.sender, recipient=move.to, amount=move.amount
    )


def _none_for_coin(asset: str) -> str | None:
    return None if asset == COIN else asset


def _opinion(sketched: SketchedOpinion, place: int) -> Opinion:
    name = sketched.model or f"reader {place + 1}"
    analyst = Analyst(name=name, is_language_model=sketched.language_model, view=sketched.sees)
    if sketched.failure:
        return Opinion(analyst=analyst, analysis=None, failure=sketched.failure)
    analysis = Analysis(
        summary="", key_points=(), stated_intent="", claimed_effects=(), risks=(),
        recommendation=sketched.advice, confidence_percent=sketched.confidence_percent,
    )  # fmt: skip
    return Opinion(analyst=analyst, analysis=analysis, struck=("set by the case",) * sketched.struck)


def _overruled(sketch: Sketch, reports: Sequence[CheckReport]) -> tuple[CheckReport, ...]:
    """The reports with the findings and skips that the case sets."""
    named = {*(f.check for f in sketch.findings), *sketch.skipped_checks}
    if strangers := named - {report.check for report in reports}:
        raise UsageError(f"no check {min(strangers)!r} runs", hint="docs/checks.md lists them; plugins need --config")
    return tuple(_as_set(report, sketch) for report in reports)


def _as_set(report: CheckReport, sketch: Sketch) -> CheckReport:
    if report.check in sketch.skipped_checks:
        return report.model_copy(update={"findings": (), "skipped": "the case skips it"})
    found = tuple(
        Finding(check=f.check, severity=f.severity, title="set by the case")
        for f in sketch.findings
        if f.check == report.check
    )
    return report.model_copy(update={"findings": found}) if found else report
