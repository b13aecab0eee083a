"""What the readings of the probes say: which expectation does not hold after the simulated actions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eth_utils.address import to_checksum_address

from pnyx_contracts.types import to_hex
from pnyx_policies.facts import Facts, ProbeReading, SimulationStatus
from pnyx_policies.probes import Expectation, Probe

ADDRESS_PADDING = bytes(12)


@dataclass(frozen=True, slots=True)
class Complaint:
    """`is_broken`: the actions broke it. Otherwise the probe could not tell, and whoever declared it has to look."""

    probe: Probe
    is_broken: bool
    words: str


def complaints(facts: Facts) -> tuple[Complaint, ...] | None:
    """In the order of the probes, and of the members of a list. None when the declared probes were not read."""
    readings: dict[str, list[ProbeReading]] = {}
    for reading in facts.simulation.readings:
        readings.setdefault(reading.name, []).append(reading)
    if facts.simulation.status is SimulationStatus.SKIPPED or any(p.name not in readings for p in facts.probes):
        return None
    return tuple(
        Complaint(probe, is_broken, f"{_about(reading)}{words}")
        for probe in facts.probes
        for reading in readings[probe.name]
        for is_broken, words in _complaint(probe, reading)
    )


def _about(reading: ProbeReading) -> str:
    if reading.member is None:
        return ""
    is_address = reading.member.startswith(ADDRESS_PADDING)
    member = to_checksum_address(reading.member[12:]) if is_address else to_hex(reading.member)
    return f"For {member}: "


_Verdict = tuple[bool, str]
"""Whether the actions broke it, and the words of a complaint."""


def _complaint(probe: Probe, reading: ProbeReading) -> Iterator[_Verdict]:
    before, after = reading.before, reading.after
    if after.error and not before.error:
        yield True, f"It answered before, and afterwards it does not: {after.error}."
    elif before.error and (after.error or probe.expect is not Expectation.ANSWERS):
        yield False, f"It did not answer before either: {before.error}."
    elif probe.expect is Expectation.UNCHANGED and before.data != after.data:
        yield True, "Its answer changes."
    elif probe.expect is Expectation.NEAR:
        yield from _moved(probe, probe.number(before.data), probe.number(after.data))


def _moved(probe: Probe, before: int | None, after: int | None) -> Iterator[_Verdict]:
    if before is None:
        yield False, f"Its answer has no word {probe.word}."
    elif after is None:
        yield True, f"Its answer has no word {probe.word} afterwards."
    elif abs(after - before) * 10_000 > (probe.most_move or 0) * before:
        yield True, f"It moves from {before} to {after}."
