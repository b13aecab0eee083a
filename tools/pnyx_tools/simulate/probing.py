"""Which calls the probes are: one each, or one for each member of a list as it is at the pinned block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pnyx_contracts.types import BlockRef, to_hex
from pnyx_policies.facts import ProbeAnswer, ProbeReading
from pnyx_policies.probes import MAX_MEMBERS, Each, Probe, members
from pnyx_tools.reader import ChainReader, RevertedError
from pnyx_tools.reasons import revert_reason


@dataclass(frozen=True)
class Asked:
    """One call of a probe; none is made where `why_not` says that its list gives no members, or gives more."""

    probe: Probe
    member: bytes | None = None
    why_not: str = ""

    @property
    def calldata(self) -> bytes:
        return self.probe.calldata_for(self.member)

    def reading(self, before: ProbeAnswer, after: ProbeAnswer) -> ProbeReading:
        return ProbeReading(name=self.probe.name, member=self.member, before=before, after=after)


def asked(reader: ChainReader, probes: Sequence[Probe], block: BlockRef) -> tuple[Asked, ...]:
    """In order. Raises as the reader does, except where a list's contract reverts."""
    return tuple(call for probe in probes for call in _asked(reader, probe, block))


def with_lists(every: Sequence[Asked], readings: Sequence[ProbeReading]) -> tuple[ProbeReading, ...]:
    """The readings of the calls that were made, and in their places those of lists that gave nothing to ask for."""
    made = iter(readings)
    return tuple(_unasked(call) if call.why_not else next(made) for call in every)


def _unasked(call: Asked) -> ProbeReading:
    answer = ProbeAnswer(error=call.why_not)
    return call.reading(answer, answer)


def _asked(reader: ChainReader, probe: Probe, block: BlockRef) -> Iterator[Asked]:
    if probe.each is None:
        yield Asked(probe)
        return
    found = _members(reader, probe.each, block)
    if isinstance(found, str):
        yield Asked(probe, why_not=found)
        return
    yield from (Asked(probe, member) for member in found[:MAX_MEMBERS])
    if len(found) > MAX_MEMBERS:
        yield Asked(
            probe, why_not=f"of the {len(found)} members of its list only the first {MAX_MEMBERS} were asked for"
        )


def _members(reader: ChainReader, each: Each, block: BlockRef) -> tuple[bytes, ...] | str:
    """Or why there are none."""
    try:
        found = members(reader.call(each.contract, each.calldata, to_hex(block.hash)))
    except RevertedError as error:
        return f"its list cannot be read: {revert_reason(error.data) or 'reverts without a reason'}"
    if found is None:
        return "what should be its list is none"
    return found or "its list is empty"
