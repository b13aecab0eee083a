"""What the transactions of a decision took, from their receipts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pnyx_contracts.errors import DecodingError
from pnyx_policies.audit.rows import GasRow
from pnyx_tools.reader import ChainReader, MethodMissingError
from pnyx_tools.wire import parse_quantity


class GasBook:
    """Receipts, each counted once: one transaction may carry several entries."""

    def __init__(self, reader: ChainReader) -> None:
        self._reader = reader
        self._counted: set[bytes] = set()

    def of(self, transactions: Iterable[bytes]) -> GasRow:
        """Of those that were not counted yet."""
        wanted = dict.fromkeys(transactions)
        fresh = [transaction for transaction in wanted if transaction not in self._counted]
        self._counted.update(fresh)
        found = [_paid(self._receipt(transaction)) for transaction in fresh]
        gas = [used for used, _ in found if used is not None]
        costs = [cost for _, cost in found if cost is not None]
        return GasRow(
            transactions=tuple(fresh),
            shared=len(fresh) < len(wanted),
            gas_used=sum(gas) if len(gas) == len(found) else None,
            cost_wei=sum(costs) if len(costs) == len(found) else None,
        )

    def _receipt(self, transaction: bytes) -> dict[str, Any] | None:
        try:
            return self._reader.receipt(transaction)
        except (MethodMissingError, DecodingError):
            return None


def _paid(receipt: dict[str, Any] | None) -> tuple[int | None, int | None]:
    """Gas and wei. Rollups pay for their data besides (``l1Fee``)."""
    if receipt is None:
        return None, None
    used, price = _quantity(receipt, "gasUsed"), _quantity(receipt, "effectiveGasPrice")
    data_fee = _quantity(receipt, "l1Fee") if receipt.get("l1Fee") is not None else 0
    cost = None if used is None or price is None or data_fee is None else used * price + data_fee
    return used, cost


def _quantity(receipt: dict[str, Any], name: str) -> int | None:
    try:
        return parse_quantity(receipt.get(name))
    except (ValueError, TypeError):
        return None
