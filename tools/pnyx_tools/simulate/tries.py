"""Whether calls by a stranger would go through, right before and right after the simulated actions.

Small code calls itself, and from inside calls the contract; then it reverts, with whether that went through. So the
call is undone, whatever it did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pnyx_policies.facts import ProbeAnswer, ProbeReading
from pnyx_policies.probes import DERIVED, WORD_BYTES, Probe
from pnyx_tools.simulate.task import Overrides

CALLER: Final = "0x0000000000000000000000000000000000007e57"
"""A stranger to everybody."""
CALLER_CODE: Final = (
    "0x333014601e57"  # inside?
    "366000602037602060003660206000305af15060206000f3"  # no: call itself with the same, return what it reverts with
    "5b60143603806014600037"  # yes: copy the calldata behind the address
    "60006000826000600060003560601c5af160005260206000fd"  # call, and revert with whether that went through
)
"""Its input is packed: an address (20 bytes), and the calldata for it. It answers 1 where that goes through."""

_YES: Final = (1).to_bytes(WORD_BYTES, "big")


@dataclass(frozen=True, slots=True)
class Try:
    """One call."""

    contract: str
    calldata: bytes


@dataclass(frozen=True)
class Tries:
    """Some calls, each from the same state."""

    calls: tuple[Try, ...]

    @property
    def overrides(self) -> Overrides:
        return {CALLER: {"code": CALLER_CODE}}

    @property
    def probes(self) -> tuple[Probe, ...]:
        return tuple(
            Probe(name=f"{DERIVED}tries", contract=CALLER, calldata=bytes.fromhex(call.contract[2:]) + call.calldata)
            for call in self.calls
        )

    def read(self, readings: Sequence[ProbeReading]) -> Iterator[tuple[Try, bool, bool]]:
        """Each call, and whether it goes through before, and after. What wastes all gas does not."""
        for call, reading in zip(self.calls, readings, strict=True):
            yield call, _goes_through(reading.before), _goes_through(reading.after)


def _goes_through(answer: ProbeAnswer) -> bool:
    return answer.data == _YES
