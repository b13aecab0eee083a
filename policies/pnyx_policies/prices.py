"""What models cost, as somebody's own table says. Exact: decimals in, decimals out, no rounding."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal, Inexact
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import Value
from pnyx_policies.toml import TomlError, parse_toml

_EXACT = Context(prec=200, traps=[Inexact])
"""Refuses to round; prices and token counts need far fewer digits."""
_PER_MILLION = 6


def _decimal(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f'expected a decimal number in quotes, like "0.25", got {value!r}')
    return value


def _plain(value: str) -> str:
    whole, point, fraction = value.partition(".")
    digits = all(part.isascii() and part.isdigit() for part in (whole, fraction) if part or part is whole)
    if not digits or len(value) > 40 or bool(point) != bool(fraction):
        raise ValueError(f'expected a decimal number without sign, like "0.25", got {value[:40]!r}')
    return value


DecimalText = Annotated[str, BeforeValidator(_decimal), AfterValidator(_plain)]


class Rate(Value):
    """What a million tokens cost."""

    input_per_million: DecimalText
    cached_input_per_million: DecimalText | None = None
    """Of requests that the server knew from before; None: as much as of others."""
    output_per_million: DecimalText

    def of(self, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> Decimal:
        """The cost of so many tokens, exact. `cached_tokens` are among those of the input."""
        cached = min(cached_tokens, input_tokens)
        for_cached = self.input_per_million if self.cached_input_per_million is None else self.cached_input_per_million
        parts = (
            (input_tokens - cached, self.input_per_million),
            (cached, for_cached),
            (output_tokens, self.output_per_million),
        )
        costs = [_EXACT.multiply(Decimal(tokens), Decimal(price)) for tokens, price in parts]
        return _EXACT.scaleb(total(costs), -_PER_MILLION)


class Price(Rate):
    """What one model costs."""

    name: str = Field(min_length=1)
    """As the server calls itself in its answers, else as the configuration names it. Exactly: no prefix is guessed."""


class Prices(Value):
    """The table: one currency, one price for each model."""

    currency: str = Field(min_length=1, max_length=12)
    model: tuple[Price, ...] = ()

    @model_validator(mode="after")
    def _require_one_price_each(self) -> Self:
        names = [price.name for price in self.model]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"model: {twice!r} has two prices")
        return self

    @classmethod
    def parse(cls, text: str, source: str) -> Prices:
        """From TOML. Raises `UsageError`."""
        hint = 'currency = "USD", then for each model [[model]] with name, input_per_million, output_per_million'
        try:
            return cls.model_validate(parse_toml(text))
        except TomlError as error:
            raise UsageError(f"{source}: not TOML: {error}", hint=hint) from error
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            message = first["msg"].removeprefix("Value error, ")
            raise UsageError(f"{source}: {f'{place}: ' if place else ''}{message}", hint=hint) from error

    def find(self, *names: str) -> Price | None:
        """The price of the first of these names that is in the table."""
        by_name = {price.name: price for price in self.model}
        return next((by_name[name] for name in names if name in by_name), None)


def total(costs: Iterable[Decimal]) -> Decimal:
    """The sum, exact."""
    result = Decimal(0)
    for cost in costs:
        result = _EXACT.add(result, cost)
    return result


def spelled(cost: Decimal) -> str:
    """Without exponent and without zeros at the end: ``0.00125``."""
    text = format(cost, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
