"""Whether there is code at the addresses that the calls reach, right before and right after the actions.

Not every method shows what is created or destroyed. So small code reads the hashes of the code, many in one call. Of
what is created where nobody looks only that is seen which tells of something: an event proves that there is code, and
there was none at the pinned block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pnyx_contracts.types import to_hex
from pnyx_policies.facts import NO_CODE, Change, ProbeAnswer, ProbeReading
from pnyx_policies.probes import DERIVED, WORD_BYTES, Probe
from pnyx_tools.effects import NATIVE, Event
from pnyx_tools.pinned import CodeOf, ask_ahead
from pnyx_tools.simulate.probing import Asked
from pnyx_tools.simulate.task import Overrides, Task

_AT_ONCE: Final = 100
MAX_TELLING: Final = 64
"""Contracts that tell of something in a simulation, and are looked at."""

READER: Final = "0x0000000000000000000000000000000000C0de5e"
READER_CODE: Final = (
    "0x60005b8036116013576014900460051b6000f3"  # i = 0; while i < calldatasize, else return the words
    "5b803560601c3f816014900460051b52601401600256"  # keep the EXTCODEHASH of an address; i += 20
)
"""Its input is addresses of 20 bytes, one after another; its output one word for each."""


@dataclass(frozen=True)
class Codes:
    """Those of some addresses."""

    addresses: tuple[str, ...] = ()

    @property
    def overrides(self) -> Overrides:
        return {READER: {"code": READER_CODE}} if self.addresses else {}

    @property
    def asked(self) -> tuple[Asked, ...]:
        return tuple(
            Asked(Probe(name=f"{DERIVED}codes", contract=READER, calldata=b"".join(bytes.fromhex(a[2:]) for a in some)))
            for some in self._portions()
        )

    def changes(self, readings: Sequence[ProbeReading]) -> Iterator[Change]:
        """None of those that could not be read in full, before and after."""
        for some, reading in zip(self._portions(), readings, strict=True):
            before, after = _hashes(reading.before), _hashes(reading.after)
            if len(before) == len(after) == len(some):
                yield from (_change(*each) for each in zip(some, before, after, strict=True) if each[1] != each[2])

    def _portions(self) -> list[tuple[str, ...]]:
        return [self.addresses[i : i + _AT_ONCE] for i in range(0, len(self.addresses), _AT_ONCE)]


def born(task: Task, events: Sequence[Event]) -> tuple[Change, ...]:
    """Contracts that the actions make at addresses where nobody looks, as far as events tell of them."""
    told = dict.fromkeys(event.address for event in events if event.address not in (NATIVE, *task.code_at))
    some, at = list(told)[:MAX_TELLING], to_hex(task.block.hash)
    ask_ahead(task.reader, [CodeOf(address, at) for address in some])
    return tuple(
        Change(kind="code-created", contract=address, subject="code", detail=f"before: {_words(None)}")
        for address in some
        if not task.reader.code(address, at)
    )


def _hashes(answer: ProbeAnswer) -> list[bytes | None]:
    """None where there is no code."""
    words = [answer.data[i : i + WORD_BYTES] for i in range(0, len(answer.data), WORD_BYTES)]
    return [None if word in (NO_CODE, bytes(WORD_BYTES)) else word for word in words]


def _change(address: str, before: bytes | None, after: bytes | None) -> Change:
    kind = "code-created" if before is None else "code-destroyed" if after is None else "code-replaced"
    return Change(kind=kind, contract=address, subject=_words(after), detail=f"before: {_words(before)}")


def _words(code: bytes | None) -> str:
    return "no code" if code is None else f"code {to_hex(code)}"
