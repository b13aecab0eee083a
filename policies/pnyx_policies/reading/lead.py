"""A review in one line: what would happen, whether something hidden was found, what was decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pnyx_policies.checks.text_against_calls import TextAgainstCalls
from pnyx_policies.dossier import Dossier
from pnyx_policies.facts import Facts, SimulationStatus
from pnyx_policies.finding import Severity
from pnyx_policies.money import Outflow, OutflowKind, by_asset, outflows
from pnyx_policies.power_functions import PowerKind
from pnyx_policies.powers import PowerShift, power_shifts
from pnyx_policies.reading.amounts import share, total, who
from pnyx_policies.reading.blocks import Line, Look, Piece, bad, code, line, warn
from pnyx_policies.reading.doing import HELD, POWER, foreign_code, payment, shift_of_power
from pnyx_policies.reading.judging import verdict
from pnyx_policies.shares import at_stake
from pnyx_policies.text import count

MOST_CLAUSES = 4


def lead(dossier: Dossier, facts: Facts | None) -> Line:
    """Without `facts`, because the record at hand withholds them, only what was decided."""
    if facts is None:
        return verdict(dossier)
    checked = tuple(_found(dossier)) if "checks" in dossier.model_fields_set else ()
    told = any(piece.look is Look.BAD for piece in checked)
    return line(*_effects(facts), *_executable(facts), *checked, *verdict(dossier, brief=told))


def _effects(facts: Facts) -> Line:
    clauses = [*_money(facts), *_power(facts), *_code(facts), *_rest(facts)]
    shown, more = clauses[:MOST_CLAUSES], len(clauses) - MOST_CLAUSES
    words = tuple(piece for clause in shown for piece in line(*clause, ". "))
    return line(*words, *([f"And {count(more, 'more effect')}. "] if more > 0 else []))


def _money(facts: Facts) -> Iterator[Line]:
    for flows in by_asset(facts, outflows(facts).items):
        for kind in OutflowKind:
            of_kind = tuple(flow for flow in flows if flow.kind is kind)
            if of_kind and at_stake(facts, of_kind):
                yield _of_asset(facts, of_kind)


def _of_asset(facts: Facts, flows: tuple[Outflow, ...]) -> Line:
    part = f", {words}" if (words := share(facts, flows)) else ""
    if len(flows) == 1:
        return line(*payment(facts, flows[0], brief=True), part)
    receivers = len({flow.recipient for flow in flows})
    sum_of = total(facts, flows)
    if flows[0].kind is OutflowKind.ALLOWANCE:
        return line(f"Lets {f'{receivers} others' if receivers > 1 else 'another'} take ", *sum_of, part)
    return line("Pays ", *sum_of, f" to {_count(receivers, 'receiver')} in {len(flows)} payments", part)


def _power(facts: Facts) -> Iterator[Line]:
    gains = power_shifts(facts, *(kind for kind in POWER if kind is not PowerKind.SETTING))
    yield from _one_or_many(facts, gains, _gained(gains))
    settings = power_shifts(facts, PowerKind.SETTING)
    yield from _one_or_many(facts, settings, f"Changes {len(settings)} settings of governance")


def _code(facts: Facts) -> Iterator[Line]:
    replaced = power_shifts(facts, PowerKind.CODE)
    yield from _one_or_many(facts, replaced, f"Replaces the code of {_contracts(replaced)}")
    if foreign := foreign_code(facts):
        rest = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        yield line(bad("Runs foreign code"), " of ", *who(facts, foreign[0].target), rest)


def _one_or_many(facts: Facts, shifts: tuple[PowerShift, ...], words: str) -> Iterator[Line]:
    if len(shifts) == 1:
        yield shift_of_power(facts, shifts[0])
    elif shifts:
        yield line(f"{words} (", *_names(shift.function for shift in shifts), ")")


def _gained(shifts: tuple[PowerShift, ...]) -> str:
    """``Gives a role and ownership over 4 contracts to 3 receivers``"""
    held = " and ".join(dict.fromkeys(HELD[shift.kind] for shift in shifts))
    receivers = len({shift.receiver for shift in shifts if shift.receiver})
    return f"Gives {held} over {_contracts(shifts)}" + (f" to {_count(receivers, 'receiver')}" if receivers else "")


def _contracts(shifts: tuple[PowerShift, ...]) -> str:
    return _count(len({shift.contract for shift in shifts}), "contract")


def _count(number: int, what: str) -> str:
    return f"one {what}" if number == 1 else f"{number} {what}s"


def _rest(facts: Facts) -> Iterator[Line]:
    """Calls that none of the above tells of."""
    told = {path for flow in outflows(facts).items for path in flow.paths}
    told |= {path for shift in power_shifts(facts, *PowerKind) for path in shift.paths}
    calls = [c for c in facts.every_call() if c.path not in told and c.calldata and not c.inner and not c.delegatecall]
    unknown = sum(call.signature is None for call in calls)
    known = [call for call in calls if call.signature]
    if len(known) == 1:
        yield line("Calls ", code(known[0].name), " on ", *who(facts, known[0].target))
    elif known:
        others = "other calls" if told else "calls"
        yield line(f"Makes {len(known)} {others}: ", *_names(call.name for call in known))
    if unknown:
        yield line(warn(f"{unknown} calls are not understood" if unknown > 1 else "One call is not understood"))
    if not any(call.calldata or call.value_wei for call in facts.calls):
        yield line("Executes nothing")


def _names(names: Iterable[str]) -> Line:
    return line(code(", ".join(dict.fromkeys(names))))


def _executable(facts: Facts) -> Iterator[Piece]:
    if facts.simulation.status is SimulationStatus.REVERTED:
        yield bad("As it stands it cannot be executed: it reverts. ")
    elif facts.simulation.status is SimulationStatus.SKIPPED:
        yield warn("It was not simulated. ")


def _found(dossier: Dossier) -> Iterator[Piece]:
    found = [finding for report in dossier.checks for finding in report.findings]
    hidden = {finding.check for finding in found if finding.severity is Severity.CRITICAL}
    skipped = sum(bool(report.skipped) for report in dossier.checks)
    if hidden:
        yield bad(f"Hidden or hostile: found by {', '.join(sorted(hidden))}. ")
    elif any(f.check == TextAgainstCalls.name and f.severity is Severity.HIGH for f in found):
        yield warn("Nothing hidden was found, but the text does not tell everything. ")
    elif skipped:
        yield warn(f"Nothing hidden was found, but some checks could not run ({skipped}). ")
    else:
        yield Piece("Nothing hidden was found. ")
