"""Step 12 of the judgement: money. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pnyx_contracts.errors import RefusedError
from pnyx_contracts.governors import TransactionCall
from pnyx_tools.signer.keys import UnsignedTransaction
from pnyx_tools.signer.memory import Remembered
from pnyx_tools.signer.protocol import DailyLimitError, Ticket
from pnyx_tools.signer.settings import Limits


@dataclass(frozen=True, slots=True)
class Affordable:
    """`own_wei`: the most that it can cost; `cost_wei`: the most that anything signed for this nonce can cost."""

    transaction: UnsignedTransaction
    own_wei: int
    cost_wei: int


def within_limits(
    limits: Limits,
    chain_id: int,
    call: TransactionCall,
    ticket: Ticket,
    remembered: Remembered,
    *,
    is_vote: bool,
    data_fee_wei: int = 0,
) -> Affordable:
    """The transaction with the daemon's nonce and fees. Raises `RefusedError` with the limit that it would pass."""
    if call.value_wei:
        raise RefusedError(f"a vote or an entry carries no value, this one {call.value_wei} wei")
    _at_most("the gas limit (max_gas)", ticket.gas_limit, limits.max_gas, "gas")
    _at_most("the maximum fee (max_fee_gwei)", ticket.max_fee_per_gas, limits.max_fee_per_gas, "wei per gas")
    _at_most(
        "the priority fee", ticket.max_priority_fee_per_gas, ticket.max_fee_per_gas, "wei per gas, the maximum fee"
    )
    transaction = UnsignedTransaction(
        chain_id=chain_id,
        nonce=ticket.nonce,
        to=call.to,
        data=call.data,
        gas_limit=ticket.gas_limit,
        max_fee_per_gas=ticket.max_fee_per_gas,
        max_priority_fee_per_gas=ticket.max_priority_fee_per_gas,
    )
    own_wei = transaction.gas_wei + data_fee_wei
    worst = "the worst cost of one vote, or of one entry without a vote (max_spend_per_vote_ether)"
    _at_most(worst, own_wei + (remembered.spent_on_vote_wei if is_vote else 0), limits.max_spend_wei, "wei")
    cost = max(own_wei, remembered.at_this_nonce_wei)
    worst = "the worst cost of 24 hours (max_spend_per_day_ether)"
    _at_most(worst, remembered.spent_wei + cost, limits.daily_wei, "wei", DailyLimitError)
    if not is_vote:
        spent = remembered.spent_on_entries_wei + cost
        what = "the worst cost of 24 hours' entries without a vote (half of max_spend_per_day_ether)"
        _at_most(what, spent, limits.daily_entries_wei, "wei", DailyLimitError)
    return Affordable(transaction, own_wei, cost)


def _at_most(what: str, found: int, limit: int, unit: str, refusal: type[RefusedError] = RefusedError) -> None:
    """A limit per day is a refusal for now: the money of yesterday comes free again."""
    if found > limit:
        raise refusal(
            f"{what} would be {found} {unit}; this signer's limit is {limit}",
            hint="wait, or let the operator raise the limit in the signer's own settings",
        )
