"""Questions that a contract may or may not answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.governors import Read
from pnyx_contracts.selectors import call_data
from pnyx_tools.context.protocol import ToolSkipped
from pnyx_tools.pinned import ask_ahead, reads_of
from pnyx_tools.reader import BlockId, ChainReader, RevertedError

T = TypeVar("T")


def number_of(to: str, signature: str, *arguments: object) -> Read[int]:
    """A function that gives one word, such as ``votingDelay()``."""

    def decode(answer: bytes) -> int:
        if len(answer) != 32:
            raise DecodingError(f"{to} does not answer {signature} with one number")
        return int.from_bytes(answer, "big")

    return Read(to, call_data(signature, *arguments), decode)


def ask(reader: ChainReader, read: Read[T], at: BlockId) -> T | None:
    """None where the contract refuses, or answers with something else. Raises `RpcError` when the node does not."""
    try:
        return reader.read(read, at)
    except (RevertedError, DecodingError):
        return None


def require_state(reader: ChainReader, governor: str, block: int) -> None:
    """Some nodes answer as if nothing had been there, when they have forgotten a block: the governor, which had code,
    is asked as a proof. Raises `ToolSkipped`; `RpcError` for nodes that say so.
    """
    if not reader.code(governor, block):
        raise ToolSkipped(f"the node shows no code of the governor in block {block}")


def ask_all(reader: ChainReader, reads: Sequence[Read[Any]], at: BlockId) -> list[Any]:
    """`ask`, many together."""
    ask_ahead(reader, reads_of(reads, at))
    return [ask(reader, read, at) for read in reads]
