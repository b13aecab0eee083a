"""The shape of decoded calldata. `calldata.decode_call` makes it; checks, prompts and people read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import Field

from pnyx_contracts.types import Address, Hex, Uint, Value, to_hex


class Argument(Value):
    """One ABI argument. `value` is text: decimal integers, 0x hex bytes, checksummed addresses, JSON for lists and
    tuples.
    """

    name: str
    type: str
    value: str


class DecodedCall(Value):
    """One call, decoded as deep as it goes.

    `path` is the place in the proposal: ``"0"`` is the first action, ``"0.1"`` the second call inside it.
    `signature` is None when nothing we know matches: the calldata stays hex and unknown, never guessed.
    """

    path: str
    target: Address
    value_wei: Uint
    calldata: Hex
    signature: str | None
    """Canonical Solidity signature, for example ``transfer(address,uint256)``."""
    arguments: tuple[Argument, ...] = ()
    delegatecall: bool = False
    """True when the code of `target` runs with the storage and the rights of the caller."""
    caller: Address | None = None
    """Who makes this call, where a wrapper (Safe, timelock, MultiSend) decides that; None for the executor itself."""
    other_chain: bool = False
    """True when this call is a message to another chain: `target` and `caller` are addresses there, not here."""
    chain_id: int | None = Field(default=None, ge=1)
    """The other chain, where it is known; None for a call on the proposal's own."""
    inner: tuple[DecodedCall, ...] = ()
    note: str = ""
    """What a reader must know: why decoding stopped, what a wrapper does."""

    @property
    def selector(self) -> str:
        """First four bytes as 0x hex; empty for a plain transfer of value."""
        return to_hex(self.calldata[:4]) if len(self.calldata) >= 4 else ""

    @property
    def name(self) -> str:
        return self.signature.partition("(")[0] if self.signature else ""

    def argument(self, name: str) -> str | None:
        """The value of the first argument called `name`."""
        return next((a.value for a in self.arguments if a.name == name), None)

    def walk(self) -> Iterator[DecodedCall]:
        """This call, then everything inside it, in order of execution."""
        yield self
        for call in self.inner:
            yield from call.walk()


def made_here(calls: Iterable[DecodedCall]) -> Iterator[DecodedCall]:
    """Every call, also inside others, that runs on the proposal's own chain, in order of execution."""
    return (call for outer in calls for call in outer.walk() if not call.other_chain)
