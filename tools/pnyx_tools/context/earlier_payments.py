"""What the treasury paid before, in the same token, to those whom this proposal pays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decoded import made_here
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal
from pnyx_policies.context.earlier_payments import (
    MAX_PAYMENTS,
    SHORTLY_BEFORE_BLOCKS,
    EarlierPayee,
    EarlierPayment,
    EarlierPayments,
)
from pnyx_policies.facts import Grade
from pnyx_policies.lookalikes import looks_like
from pnyx_tools.context.history import History, SearchingTool, search_back
from pnyx_tools.effects import TRANSFER, Event, movements
from pnyx_tools.reader import ChainReader, Topics

MAX_PAIRS = 64
"""Of a token and a receiver."""

Paid = tuple[int, int]
"""Block and amount."""


class EarlierPaymentsTool(SearchingTool):
    """Looks only at tokens that the proposal pays in: whoever wants to can make a token that tells of payments."""

    name = EarlierPayments.TOOL
    version = EarlierPayments.VERSION
    grade = Grade.RE_READ
    description = "Earlier payments of the treasury, in the same tokens, to these receivers, or to who looks like them."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,  # noqa: ARG002 - the protocol's
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> EarlierPayments:
        treasury = profile.timelock or profile.address
        pairs = _pairs(proposal)
        history = _transfers(reader, treasury, pairs, block, self._oldest(proposal, block))
        every = _paid(history)
        payments = [_payment(pair, every[pair], proposal) for pair in pairs if pair in every]
        payments.sort(key=lambda p: (-p.transfers, p.asset, p.receiver))
        return EarlierPayments(
            treasury=treasury,
            from_block=history.from_block,
            to_block=block.number,
            payments=tuple(payments[:MAX_PAYMENTS]),
            mistaken=tuple(_mistaken(pairs, every))[:MAX_PAYMENTS],
        )


def _pairs(proposal: Proposal) -> list[tuple[str, str]]:
    """Token and receiver of each payment among the calls."""
    found: dict[tuple[str, str], None] = {}
    for call in made_here(decode_calls(proposal.calls, proposal.key.chain_id)):
        place = {"transfer(address,uint256)": 0, "transferFrom(address,address,uint256)": 1}.get(call.signature or "")
        if place is not None:
            found.setdefault((call.target, call.arguments[place].value))
    return list(found)[:MAX_PAIRS]


def _transfers(
    reader: ChainReader, treasury: str, pairs: Sequence[tuple[str, str]], block: BlockRef, oldest: int
) -> History:
    if not pairs:
        return History((), oldest)
    topics: Topics = [TRANSFER, _topic(treasury)]
    return search_back(reader, block.number, oldest, topics, list(dict.fromkeys(token for token, _ in pairs)))


def _paid(history: History) -> dict[tuple[str, str], list[Paid]]:
    """By token and receiver. Transfers of nothing are none: anybody can make them, also from the treasury."""
    found: dict[tuple[str, str], list[Paid]] = {}
    for log in history.logs:
        for movement in movements([Event(log.address, log.topics, log.data)]):
            if movement.amount:
                found.setdefault((log.address, movement.recipient), []).append((log.block_number, movement.amount))
    return found


def _mistaken(
    pairs: Sequence[tuple[str, str]], every: Mapping[tuple[str, str], Sequence[Paid]]
) -> Iterator[EarlierPayee]:
    known = {receiver for _, receiver in every}
    for token, receiver in pairs:
        for (asset, earlier), paid in every.items():
            if asset == token and receiver not in known and looks_like(receiver, earlier):
                yield EarlierPayee(
                    asset=token, receiver=receiver, looks_like=earlier, transfers=len(paid), last_block=paid[-1][0]
                )


def _payment(pair: tuple[str, str], paid: Sequence[Paid], proposal: Proposal) -> EarlierPayment:
    proposed = proposal.created_block
    return EarlierPayment(
        asset=pair[0],
        receiver=pair[1],
        transfers=len(paid),
        amount=sum(amount for _, amount in paid),
        shortly_before=sum(amount for block, amount in paid if proposed - SHORTLY_BEFORE_BLOCKS <= block < proposed),
        since_proposed=sum(amount for block, amount in paid if block >= proposed),
        last_block=max(block for block, _ in paid),
    )


def _topic(address: str) -> bytes:
    return bytes(12) + bytes.fromhex(address.removeprefix("0x"))
