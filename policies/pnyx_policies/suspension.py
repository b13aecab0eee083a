"""The kill switch: what people sign to make a signer stop, and to let it go on. Pure.

Any single approver may suspend; going on takes as many as a vote does. A suspension has a number, later than those
before it (seconds since the epoch), so no order counts twice, and a word to go on is for one suspension alone.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import Any, Final

from pydantic import Field

from pnyx_contracts.errors import RefusedError
from pnyx_contracts.types import Address, Uint, Value
from pnyx_policies.configuration import Configuration
from pnyx_policies.typed_data import TypedData, signer_of

LONGEST_WHY: Final = 500
CLOCKS_DIFFER_SECONDS: Final = int(timedelta(hours=1).total_seconds())
"""A number from further ahead is refused: after it no suspension could be given until then."""

_FIELDS: Final = (("writer", "address"), ("number", "uint64"), ("why", "string"))


class Action(Enum):
    SUSPEND = "suspend"
    """Sign nothing more, cancellations apart."""
    RESUME = "resume"

    @property
    def type_name(self) -> str:
        """Of the typed data that is signed."""
        return self.value.capitalize()


class Order(Value):
    """One person's order to the signer of one writer."""

    action: Action
    chain_id: int = Field(gt=0)
    log: Address
    writer: Address
    number: Uint = Field(ge=0, lt=2**64)
    """Of the suspension. A new one's is the time when it is signed, in seconds since the epoch."""
    why: str = Field(max_length=LONGEST_WHY)
    signature: str = ""
    """Over `digest`, 65 bytes (r, s, v)."""

    @property
    def digest(self) -> bytes:
        """EIP-712: ``Suspend(address writer,uint64 number,string why)``, or ``Resume`` with the same members."""
        return self._message.digest

    @property
    def typed_data(self) -> dict[str, Any]:
        """What wallets take, and show."""
        return self._message.for_wallets

    @property
    def _message(self) -> TypedData:
        values = (self.writer, self.number, self.why)
        return TypedData(self.action.type_name, _FIELDS, values, self.chain_id, self.log)


class Suspension(Value):
    """One that is in force. `at` in seconds since the epoch."""

    number: Uint
    by: Address
    why: str
    at: int
    resumed_by: tuple[Address, ...] = ()
    """Who signed to go on, as long as they are too few."""

    def __str__(self) -> str:
        return f"suspended by {self.by}: {self.why or 'no reason given'}"


def require_order(
    order: Order, place: tuple[int, Address, Address], configuration: Configuration, current: Suspension | None,
    last_number: int, now: int,
) -> Address:  # fmt: skip
    """Who gave it. `place` is our chain, log and writer; `last_number` that of the last suspension, lifted or not;
    `now` in seconds since the epoch. Raises `RefusedError` when it does not count.
    """
    if (order.chain_id, order.log, order.writer) != place:
        raise RefusedError(f"the order is for the writer {order.writer} in the log {order.log}, chain {order.chain_id}")
    person = signer_of(order.digest, order.signature)
    if person is None or person not in configuration.approvers:
        raise RefusedError(
            f"the order to {order.action.value} is signed by {person or 'nobody'}; the declared approvers are "
            f"{', '.join(configuration.approvers) or 'none'}",
            hint="sign with the key of an address in [signer] approvers: --keystore FILE",
        )
    if order.action is Action.SUSPEND:
        _require_new(order.number, last_number, now)
    else:
        _require_current(order.number, person, current)
    return person


def _require_new(number: int, last_number: int, now: int) -> None:
    if number <= last_number:
        raise RefusedError(
            f"the order to suspend has the number {number}, and {last_number} was given already: it is an old one",
            hint="sign it anew: pnyx pause --keystore FILE",
        )
    if number > now + CLOCKS_DIFFER_SECONDS:
        raise RefusedError(
            f"the order to suspend is from the future: its number is {number}, the signer's clock is at {now}",
            hint="set the clocks of both machines",
        )


def _require_current(number: int, person: Address, current: Suspension | None) -> None:
    if current is None or current.number != number:
        is_ours = f"in force is {current.number}" if current else "none is in force"
        raise RefusedError(
            f"the order to resume is for the suspension {number}; {is_ours}", hint="pnyx resume --keystore FILE"
        )
    if person in current.resumed_by:
        raise RefusedError(f"{person} said so already: a person counts once")


def is_lifted(current: Suspension, person: Address, configuration: Configuration) -> bool:
    """Whether the suspension ends with this person's order to resume."""
    return len({*current.resumed_by, person}) >= configuration.approvals
