"""What models were asked and what that cost, and what they answered, in tables of the journal's database: they survive
restarts, and hold for all workers. Money is exact: tokens are kept with the prices of that moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from eth_hash.auto import keccak

from pnyx_contracts.types import DAY_SECONDS
from pnyx_policies.analysis import Analyst
from pnyx_policies.answer import OK
from pnyx_policies.prices import Rate, spelled, total
from pnyx_tools.database import Database

if TYPE_CHECKING:
    import sqlalchemy as sa

FOR_ONE: Final = "for this proposal"
IN_A_DAY: Final = "in 24 hours"


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a model, after it."""

    proposal: str
    model: str
    outcome: str
    """As `Attempt.outcome`."""
    input_tokens: int
    output_tokens: int
    rate: Rate | None
    cached_tokens: int = 0
    """Those of `input_tokens` that the server knew from before."""


@dataclass(frozen=True, slots=True)
class Spent:
    """A sum over requests."""

    tokens: int = 0
    money: Decimal = Decimal(0)
    """For requests whose price is known."""
    unpriced: int = 0
    """Requests without a price: what they cost is not known."""


@dataclass(frozen=True, slots=True)
class Caps:
    """At most so much; None: no cap. Tokens are those of requests and answers together, a day is any 24 hours."""

    tokens_per_proposal: int | None = None
    tokens_per_day: int | None = None
    money_per_proposal: Decimal | None = None
    money_per_day: Decimal | None = None
    currency: str = "USD"

    def reached(self, proposal: Spent, day: Spent) -> str:
        """Which cap leaves nothing for another request, in words; empty when none does."""
        for_one = _reached(proposal, self.tokens_per_proposal, self.money_per_proposal, self.currency, FOR_ONE)
        return for_one or _reached(day, self.tokens_per_day, self.money_per_day, self.currency, IN_A_DAY)


def _tables(sa: Any, metadata: Any) -> dict[str, Any]:  # noqa: ANN401 - sqlalchemy is imported late
    column, text, integer = sa.Column, sa.Text, sa.BigInteger
    return {
        "model_request": sa.Table(
            "model_request", metadata, column("id", text, primary_key=True),
            column("at", sa.Double, nullable=False, index=True), column("proposal", text, nullable=False, index=True),
            column("model", text, nullable=False), column("outcome", text, nullable=False),
            column("input_tokens", integer, nullable=False), column("output_tokens", integer, nullable=False),
            column("input_per_million", text), column("output_per_million", text),
            column("cached_tokens", integer, nullable=False), column("cached_input_per_million", text),
        ),
        "model_answer": sa.Table(
            "model_answer", metadata, column("question", text, primary_key=True),
            column("at", sa.Double, nullable=False, index=True), column("response", sa.LargeBinary, nullable=False),
        ),
    }  # fmt: skip


class CostBook:
    """In the database that the journal opened. `now` in seconds since the epoch."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        import sqlalchemy as sa

        self._table = _tables(sa, sa.MetaData())["model_request"]
        self._begin = database.begin
        self._now = now

    def note(self, request: Request) -> None:
        rate = request.rate
        row = {
            "id": uuid4().hex,
            "at": self._now(),
            "proposal": request.proposal,
            "model": request.model,
            "outcome": request.outcome,
            "input_tokens": request.input_tokens,
            "output_tokens": request.output_tokens,
            "input_per_million": rate and rate.input_per_million,
            "output_per_million": rate and rate.output_per_million,
            "cached_tokens": request.cached_tokens,
            "cached_input_per_million": rate and rate.cached_input_per_million,
        }
        with self._begin() as connection:
            connection.execute(self._table.insert().values(**row))

    def on_proposal(self, proposal: str) -> Spent:
        return self._spent(self._table.c.proposal == proposal)

    def in_a_day(self) -> Spent:
        """The last 24 hours."""
        return self._spent(self._table.c.at > self._now() - DAY_SECONDS)

    def last_answer(self, model: str) -> float:
        """When this model last gave an answer that could be used, in seconds since the epoch; 0 for never."""
        import sqlalchemy as sa

        table = self._table
        query = sa.select(sa.func.max(table.c.at)).where(table.c.model == model, table.c.outcome == OK)
        with self._begin() as connection:
            return connection.execute(query).scalar() or 0.0

    def _spent(self, which: sa.ColumnElement[bool]) -> Spent:
        import sqlalchemy as sa

        table, total_of = self._table, sa.func.sum
        rate = table.c.input_per_million, table.c.output_per_million, table.c.cached_input_per_million
        tokens = total_of(table.c.input_tokens), total_of(table.c.output_tokens), total_of(table.c.cached_tokens)
        query = sa.select(*rate, *tokens, sa.func.count()).where(which).group_by(*rate)
        with self._begin() as connection:
            sums = [_of_one_rate(*row) for row in connection.execute(query)]
        return Spent(sum(s.tokens for s in sums), total(s.money for s in sums), sum(s.unpriced for s in sums))


def _of_one_rate(
    for_input: str | None,
    for_output: str | None,
    for_cached: str | None,
    asked: int | Decimal,
    answered: int | Decimal,
    cached: int | Decimal,
    requests: int,
) -> Spent:
    """PostgreSQL sums integers into decimals."""
    tokens = int(asked) + int(answered)
    if for_input is None or for_output is None:
        return Spent(tokens, unpriced=requests)
    rate = Rate(input_per_million=for_input, output_per_million=for_output, cached_input_per_million=for_cached)
    return Spent(tokens, rate.of(int(asked), int(answered), int(cached)))


KEPT_SECONDS: Final = 2 * DAY_SECONDS
"""Prompts name the day: what was asked earlier is not asked again in the same words."""


class AnswerBook:
    """Usable answers, by who gave them and the exact request. In the database that the journal opened."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        import sqlalchemy as sa

        self._table = _tables(sa, sa.MetaData())["model_answer"]
        self._database = database
        self._now = now

    def recall(self, seat: Analyst, request: bytes) -> bytes | None:
        """The response that this seat gave to these bytes."""
        import sqlalchemy as sa

        query = sa.select(self._table.c.response).where(self._table.c.question == _question(seat, request))
        with self._database.begin() as connection:
            found = connection.execute(query).scalar_one_or_none()
        return None if found is None else bytes(found)

    def remember(self, seat: Analyst, request: bytes, response: bytes) -> None:
        """The first answer stays; old ones are forgotten."""
        question, table = _question(seat, request), self._table
        row = {"question": question, "at": self._now(), "response": response}
        with self._database.begin() as connection:
            connection.execute(table.delete().where(table.c.at < self._now() - KEPT_SECONDS))
            if connection.execute(table.select().where(table.c.question == question)).first() is None:
                self._database.upsert(connection, table, row)


def _question(seat: Analyst, request: bytes) -> str:
    return keccak(seat.model_dump_json().encode() + b"\0" + request).hex()


def _reached(spent: Spent, tokens: int | None, money: Decimal | None, currency: str, where: str) -> str:
    if tokens is not None and spent.tokens >= tokens:
        return f"{spent.tokens} of {tokens} tokens {where}"
    if money is not None and spent.money >= money:
        return f"{spelled(spent.money)} of {spelled(money)} {currency} {where}"
    return ""
