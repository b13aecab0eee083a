"""What could not be known, and why. It lowers trust; it never passes silently."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pnyx_contracts.decoded import DecodedCall
from pnyx_policies.context import FarRun
from pnyx_policies.dossier import Dossier
from pnyx_policies.elsewhere import chain_in_words, far_runs
from pnyx_policies.facts import Facts, Simulation
from pnyx_policies.reading.blocks import Block, Bullet, Bullets, bullet, code, paragraph, strong, warn
from pnyx_policies.text import count

_BEGINNING: Final = 60
"""So much of a reason tells it from others."""


def unknown(dossier: Dossier) -> Iterator[Block]:
    items = tuple(_items(dossier))
    yield Bullets(items) if items else paragraph("Every step ran, every check ran, every call is decoded.")


def _items(dossier: Dossier) -> Iterator[Bullet]:
    simulation = dossier.simulation
    for method in simulation.passed_over:
        yield bullet(strong(method.step), f" was not used: {method.why.removeprefix(f'{method.step}: ')}")
    for step in dossier.state.skipped:
        yield bullet(strong(step.step), f" was skipped: {_once(simulation, step.why)}")
    for report in dossier.checks:
        if report.skipped:
            yield bullet("The check ", strong(report.check), f" did not run: {_once(simulation, report.skipped)}")
    unseen = _unseen(dossier.facts)
    for call in dossier.facts.every_call():
        if call.signature is None and call.calldata:
            size = f": {count(len(call.calldata), 'byte')}"
            yield bullet(warn(f"Call {call.path} is not decoded"), f"{size} to ", code(call.target))
        if call.path in unseen:
            where = f"Call {call.path} acts on {chain_in_words(call.chain_id)}"
            yield bullet(warn(where), f": it was not looked at there, because {unseen[call.path]}")
    for opinion in dossier.opinions:
        if opinion.analysis is None:
            yield bullet("No analysis of ", strong(opinion.analyst.seat), f": {opinion.failure}")


def _unseen(facts: Facts) -> dict[str, str]:
    """Why nobody saw what a call does on another chain, by its path."""
    runs = far_runs(facts)
    return {call.path: why for call in facts.every_call() if call.other_chain and (why := _why_unseen(call, runs))}


def _why_unseen(call: DecodedCall, runs: Sequence[FarRun]) -> str:
    """The message that a call belongs to may have been seen where the call sends on to a third chain."""
    run = next(run for run in runs if any(f"{call.path}.".startswith(f"{path}.") for path in run.paths))
    passed_on = "it is sent on from there" if call.chain_id != run.chain_id else ""
    return run.why_unknown or passed_on


def _once(simulation: Simulation, why: str) -> str:
    """Why methods of simulation were not used is told with each of them. A check may cut the reason that it repeats."""
    over = "; ".join(method.why for method in simulation.passed_over)
    if over and why.startswith(over):
        return why.removeprefix(over).lstrip("; ")
    before, repeated, _ = why.partition(over[:_BEGINNING]) if over else (why, "", "")
    return f"{before}nothing was simulated" if repeated else why
