"""What payments add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from pnyx_policies.money import Outflow

_Unit = tuple[str | None, int | None]
"""An asset, or a number of it."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Per unit, and per receiver of it."""

    by_unit: Counter[_Unit]
    by_receiver: Counter[tuple[_Unit, str]]

    @classmethod
    def over(cls, payments: Iterable[Outflow]) -> Sums:
        sums = cls(Counter(), Counter())
        for payment in payments:
            sums.by_unit[payment.unit] += payment.amount
            sums.by_receiver[payment.unit, payment.recipient] += payment.amount
        return sums

    def of(self, payment: Outflow) -> set[int]:
        """Amounts that announce this payment: its own, a sum that it is part of, or by how much an allowance grows."""
        sums = {payment.amount, self.by_unit[payment.unit], self.by_receiver[payment.unit, payment.recipient]}
        return sums | ({payment.raised_by} - {0})
