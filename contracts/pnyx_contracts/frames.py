"""One call on its way to be decoded, and what wrappers are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.selectors import selector_of

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """One call about to be decoded. The fields mean what they mean in `DecodedCall`, except `chain_id`."""

    target: str
    value_wei: int
    calldata: bytes
    caller: str | None = None
    delegatecall: bool = False
    other_chain: bool = False
    chain_id: int | None = None
    """The chain that this runs on, the proposal's own included; None when it is not known."""
    is_payload: bool = False
    """True for the bytes of a message that is no calldata: the receiver reads them in a way of its own."""
    note: str = ""

    @property
    def acts_as(self) -> str | None:
        """The account that makes the calls which this call's code makes."""
        return self.caller if self.delegatecall else self.target

    def call(self, target: str, value_wei: int, data: bytes, caller: str | None = None) -> Frame:
        """A call that this one's code makes, on the same chain."""
        return Frame(
            target, value_wei, data, caller or self.acts_as, other_chain=self.other_chain, chain_id=self.chain_id
        )

    def delegatecall_to(self, code: str, data: bytes, storage: str | None) -> Frame:
        """`code` runs on the same chain with the storage and the rights of `storage`."""
        return Frame(code, 0, data, storage, True, self.other_chain, self.chain_id)


@dataclass(frozen=True, slots=True)
class Content:
    """What a wrapper holds, in order of execution, and what a reader must know about it."""

    frames: tuple[Frame, ...]
    note: str = ""


Wrapper = Callable[[Frame, Arguments], Content]
"""Raises `DecodingError` when the content is malformed; then the wrapper itself counts as not decoded."""


def compound_calldata(signature: str, data: bytes) -> bytes:
    """What a Compound timelock really sends: with a signature string, `data` has no selector of its own."""
    return selector_of(signature) + data if signature else data


def text_of(raw: bytes) -> str:
    """Raises `DecodingError` for bytes that are no UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise DecodingError("a string inside is not UTF-8") from None


def demand_same_length(*lists: Sequence[object]) -> None:
    lengths = [len(items) for items in lists]
    if len(set(lengths)) > 1:
        raise DecodingError(f"its lists have different lengths {lengths}, which reverts")


def batch(
    outer: Frame,
    targets: Sequence[str],
    values: Sequence[int],
    datas: Sequence[bytes],
    delegatecalls: Sequence[bool] | None = None,
) -> tuple[Frame, ...]:
    """Calls, or where a flag says so delegatecalls, that `outer` makes one after another."""
    flags = [False] * len(targets) if delegatecalls is None else delegatecalls
    demand_same_length(targets, values, datas, flags)
    return tuple(
        outer.delegatecall_to(target, data, outer.acts_as) if flag else outer.call(target, value, data)
        for target, value, data, flag in zip(targets, values, datas, flags, strict=True)
    )


def signed(signatures: Sequence[bytes], datas: Sequence[bytes]) -> list[bytes]:
    """Calldatas of calls whose selectors come by signature strings, as Compound and Aave have them."""
    demand_same_length(signatures, datas)
    return [compound_calldata(text_of(s), d) for s, d in zip(signatures, datas, strict=True)]
