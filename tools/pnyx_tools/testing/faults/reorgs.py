"""Reorganisations that drop, move and repeat what happened in the last blocks."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

from pnyx_tools.testing.anvil import Anvil

DEEPEST: Final = 64


@dataclass(frozen=True, slots=True)
class Reorg:
    """What became of the transactions that were in the dropped blocks. A sender's come in the order of its nonces."""

    depth: int
    kept: int = 0
    """At the same height."""
    moved: int = 0
    dropped: int = 0

    def __str__(self) -> str:
        parts = [word for word, count in (("moves", self.moved), ("drops", self.dropped)) if count]
        return " and ".join(parts) or ("repeats" if self.kept else "empty")


def reorganise(node: Anvil, dice: random.Random, depth: int) -> Reorg:
    """Replaces the last `depth` blocks. Of each sender the first few transactions are in the new ones, at the same or
    another height; the others are gone, from the mempool too.
    """
    head = node.rpc.block().number
    by_sender: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for offset in range(depth):
        for transaction in _transactions(node, head - depth + 1 + offset):
            by_sender[transaction["from"]].append((offset, transaction["hash"]))
    placed: list[tuple[str, int]] = []
    kept = moved = dropped = 0
    for found in by_sender.values():
        stays = dice.choice((0, len(found), dice.randint(0, len(found))))
        heights = _heights(dice, depth, [offset for offset, _ in found[:stays]])
        for (offset, name), height in zip(found[:stays], heights, strict=True):
            placed.append((node.request("eth_getRawTransactionByHash", name), height))
            kept, moved = kept + (height == offset), moved + (height != offset)
        dropped += len(found) - stays
    node.reorg(depth, placed)
    return Reorg(depth, kept, moved, dropped)


def _transactions(node: Anvil, number: int) -> list[dict[str, Any]]:
    block: dict[str, list[dict[str, Any]]] = node.request("eth_getBlockByNumber", hex(number), True)
    return block["transactions"]


def _heights(dice: random.Random, depth: int, offsets: list[int]) -> list[int]:
    """Where they were, or anywhere; never before one that came earlier."""
    if dice.random() < 0.3:
        return offsets
    return sorted(dice.randrange(depth) for _ in offsets)
