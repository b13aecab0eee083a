"""From whom did the account that proposes get its first coin?

1. Whether the account was empty and unused a week before the proposal. If not, nothing more is asked.
2. The first block in which it was not, by bisection.
3. In that block, a transaction to the account; else what happened inside those whose events name it, as a mixer's do.
   Other coin that came inside a transaction is not found.
"""

from __future__ import annotations

from collections.abc import Iterable

from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import Address, BlockRef, Proposal
from pnyx_policies.context.first_coin import FirstCoin
from pnyx_policies.facts import LONG_BEFORE_BLOCKS, Grade
from pnyx_tools.context.asking import require_state
from pnyx_tools.context.receipts import MOST_TRACES, Receipt, receipts_of, steps_of
from pnyx_tools.reader import ChainReader
from pnyx_tools.wire import parse_quantity


class FirstCoinTool:
    """Needs old states, and traces where coin came inside a transaction."""

    name = FirstCoin.TOOL
    version = FirstCoin.VERSION
    grade = Grade.RE_READ
    description = "Who sent the first coin to an account that was empty and unused a week before it proposed."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,  # noqa: ARG002 - the protocol's
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,  # noqa: ARG002 - the protocol's
    ) -> FirstCoin:
        return first_coin(reader, profile.address, proposal.proposer, proposal.created_block)


def first_coin(reader: ChainReader, governor: Address, account: Address, proposed: int) -> FirstCoin:
    """Of an account that proposed in block `proposed`. Raises `ToolSkipped`, or `RpcError`, where the node does not
    have the states of the week before.
    """
    low, high = proposed - LONG_BEFORE_BLOCKS, proposed
    nothing = FirstCoin(account=account, block=None, sender=None, transaction=None)
    if low <= 0:
        return nothing
    require_state(reader, governor, low)
    if _is_in_use(reader, account, low) or not _is_in_use(reader, account, high):
        return nothing
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _is_in_use(reader, account, middle) else (middle, high)
    found = _giver(reader, account, receipts_of(reader, high))
    sender, transaction = found or (None, None)
    return FirstCoin(account=account, block=high, sender=sender, transaction=transaction)


def _is_in_use(reader: ChainReader, account: Address, block: int) -> bool:
    return bool(reader.balance(account, block) or reader.nonce(account, block) or reader.code(account, block))


def _giver(reader: ChainReader, account: Address, receipts: Iterable[Receipt]) -> tuple[Address, bytes] | None:
    direct = [receipt for receipt in receipts if receipt.called == account]
    for receipt in direct:
        sent = reader.transaction(receipt.transaction)
        if sent is not None and parse_quantity(sent["value"]):
            return receipt.sender, receipt.transaction
    inside = [receipt for receipt in receipts if receipt.called != account and receipt.mentions(account)]
    for receipt in inside[:MOST_TRACES]:
        for step in steps_of(reader, receipt.transaction):
            if step.receiver == account and step.value_wei:
                return step.sender, receipt.transaction
    return None
