"""What the readings of the probes say: which expectation does not hold after the simulated actions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pnyx_policies.facts import Facts, ProbeReading, SimulationStatus
from pnyx_policies.probes import Expectation, Probe


@dataclass(frozen=True, slots=True)
class Complaint:
    """`is_broken`: the actions broke it. Otherwise the probe could not tell, and whoever declared it has to look."""

    probe: Probe
    is_broken: bool
    words: str


def complaints(facts: Facts) -> tuple[Complaint, ...] | None:
    """None when the declared probes were not read."""
    readings = {reading.name: reading for reading in facts.simulation.readings}
    if facts.simulation.status is SimulationStatus.SKIPPED or any(p.name not in readings for p in facts.probes):
        return None
    return tuple(found for probe in facts.probes for found in _complaint(probe, readings[probe.name]))


def _complaint(probe: Probe, reading: ProbeReading) -> Iterator[Complaint]:
    before, after = reading.before, reading.after
    if after.error and not before.error:
        yield Complaint(probe, is_broken=True, words=f"It answered before, and afterwards it does not: {after.error}.")
    elif before.error and (after.error or probe.expect is not Expectation.ANSWERS):
        yield Complaint(probe, is_broken=False, words=f"It did not answer before either: {before.error}.")
    elif probe.expect is Expectation.UNCHANGED and before.data != after.data:
        yield Complaint(probe, is_broken=True, words="Its answer changes.")
    elif probe.expect is Expectation.NEAR:
        yield from _moved(probe, probe.number(before.data), probe.number(after.data))


def _moved(probe: Probe, before: int | None, after: int | None) -> Iterator[Complaint]:
    if before is None:
        yield Complaint(probe, is_broken=False, words=f"Its answer has no word {probe.word}.")
    elif after is None:
        yield Complaint(probe, is_broken=True, words=f"Its answer has no word {probe.word} afterwards.")
    elif abs(after - before) * 10_000 > (probe.most_move or 0) * before:
        yield Complaint(probe, is_broken=True, words=f"It moves from {before} to {after}.")
