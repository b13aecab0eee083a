"""What to pay. Pure.

The tip follows what blocks of the last minutes took (`FeeMarket`), and the time that is left: a note can wait for a
cheap block, the last vote of the hour pays what nearly everybody pays at most. Nothing is ever above the limit.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from pnyx_tools.chain import FeeMarket, Fees
from pnyx_tools.sender.effort import Attempt

BUMP_PERCENT: Final = 15
"""Nodes want a replacement to pay at least 10 % more, some 12.5 %."""


class Urgency(IntEnum):
    """How soon it has to land; the place of the tip that is paid for it in `FeeMarket.tips`."""

    CALM = 0
    """Without a deadline, or one that is far."""
    BRISK = 1
    HIGH = 2
    """Relays are not waited for any more."""
    LAST = 3
    """Every block counts."""


_INTERVALS_LEFT: Final = ((3, Urgency.LAST), (8, Urgency.HIGH), (20, Urgency.BRISK))
"""So many times `replace_after_seconds` before the deadline."""
_PARTS_OF_INTERVAL: Final = {Urgency.CALM: 1, Urgency.BRISK: 1, Urgency.HIGH: 2, Urgency.LAST: 6}


def urgency_of(seconds_left: float | None, interval_seconds: float) -> Urgency:
    """`interval_seconds` is the usual time before a replacement."""
    if seconds_left is None:
        return Urgency.CALM
    near = (urgency for intervals, urgency in _INTERVALS_LEFT if seconds_left <= intervals * interval_seconds)
    return next(near, Urgency.CALM)


def patience(urgency: Urgency, interval_seconds: float) -> float:
    """Seconds before a transaction is replaced."""
    return interval_seconds / _PARTS_OF_INTERVAL[urgency]


def offer(market: FeeMarket, urgency: Urgency, limit: int, rival: Attempt | None = None) -> Fees | None:
    """What to pay at most `limit` wei per gas, and enough to replace `rival` at the same nonce.

    None when the limit does not reach for that. The base fee may double before the transaction has to be replaced.
    """
    if market.base_fee + market.tips[Urgency.CALM] > limit:
        return None
    tip = min(market.tips[urgency], limit - market.base_fee)
    highest = min(2 * market.base_fee + tip, limit)
    if rival is not None:
        tip = max(tip, bumped(rival.max_priority_fee_per_gas))
        highest = max(highest, bumped(rival.max_fee_per_gas), tip)
    return Fees(market.base_fee, tip, highest) if highest <= limit else None


def bumped(fee: int) -> int:
    """The least that replaces it."""
    return fee + max(1, fee * BUMP_PERCENT // 100 + 1)
