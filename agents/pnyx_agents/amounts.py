"""Amounts of money as people write them: ``"0.02"`` ether, 200 gwei. Exact; nothing here is ever a float."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

GWEI_DECIMALS: Final = 9
ETHER_DECIMALS: Final = 18

_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,18})?", re.ASCII)
"""Short enough that an amount in wei has no more digits than a `Decimal` keeps (28)."""


def _exact(value: Any) -> Decimal:  # noqa: ANN401 - a validator sees what came in, whatever it is
    if isinstance(value, float):
        raise ValueError(f'a number with a decimal point is not exact: write it in quotes, as in "{value}"')
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal) or not _DECIMAL.fullmatch(f"{value}"):
        raise ValueError(f'expected an amount such as 200 or "0.02", got {str(value)[:40]!r}')
    return Decimal(value)


Amount = Annotated[Decimal, BeforeValidator(_exact)]
"""Below a billion; a whole number, or a text with up to 18 decimals."""


def smallest_units(amount: Decimal, decimals: int) -> int:
    """In wei, for gwei (9 decimals) and ether (18). What is below a wei is cut off."""
    return int(amount.scaleb(decimals))
