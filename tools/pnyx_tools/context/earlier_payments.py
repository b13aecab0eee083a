"""What the treasury paid before, in the same asset, to those whom this proposal pays.

Tokens tell of each transfer. Coin does not: it shows in the calls that the executor's own events tell of, and where a
Safe received it. Coin that went by another contract, and was not received by a Safe, is not found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.context.earlier_payments import MAX_PAYMENTS, EarlierPayee, EarlierPayments
from pnyx_policies.facts import Grade
from pnyx_policies.lookalikes import looks_like
from pnyx_tools.context.executed import executed_in
from pnyx_tools.context.history import History, SearchingTool, recent_past, search_back
from pnyx_tools.context.payments import (
    SAFE_RECEIVED,
    Paid,
    Pair,
    asked,
    by_safes,
    in_all,
    in_coin,
    in_tokens,
    topic_for,
)
from pnyx_tools.effects import TRANSFER
from pnyx_tools.reader import ChainReader

Found = tuple[History, list[Paid]]
"""What was searched, and the payments in it."""


class EarlierPaymentsTool(SearchingTool):
    """Looks only at assets that the proposal pays in: whoever wants to can make a token that tells of payments."""

    name = EarlierPayments.TOOL
    version = EarlierPayments.VERSION
    grade = Grade.RE_READ
    description = "Earlier payments of the treasury, in the same assets, to these receivers, or to who looks like them."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> EarlierPayments:
        treasury = profile.timelock or profile.address
        pairs, oldest = asked(proposal), self._oldest(proposal, block)
        tokens = list(dict.fromkeys(asset for asset, _ in pairs if asset is not None))
        payees = [receiver for asset, receiver in pairs if asset is None]
        found = [
            *(_in_tokens(reader, treasury, tokens, block, oldest) if tokens else ()),
            *(_in_coin(reader, adapter, profile, payees, block, oldest) if payees else ()),
        ]
        first = max((history.from_block for history, _ in found), default=oldest)
        every = _by_pair(first, (paid for _, payments in found for paid in payments))
        payments = [in_all(pair, every[pair], proposal) for pair in pairs if pair in every]
        payments.sort(key=lambda p: (-p.transfers, p.asset or "", p.receiver))
        return EarlierPayments(
            treasury=treasury,
            from_block=first,
            to_block=block.number,
            payments=tuple(payments[:MAX_PAYMENTS]),
            mistaken=tuple(_mistaken(pairs, every))[:MAX_PAYMENTS],
        )


def _in_tokens(
    reader: ChainReader, treasury: str, tokens: Sequence[str], block: BlockRef, oldest: int
) -> Iterator[Found]:
    history = search_back(reader, block.number, oldest, [TRANSFER, topic_for(treasury)], tokens)
    yield history, list(in_tokens(history))


def _in_coin(
    reader: ChainReader,
    adapter: GovernorAdapter,
    profile: GovernorProfile,
    payees: Sequence[str],
    block: BlockRef,
    oldest: int,
) -> Iterator[Found]:
    """A payment that both the treasury and the Safe tell of is one."""
    treasury = profile.timelock or profile.address
    history = recent_past(reader, adapter, profile, block, oldest)
    every = in_coin(executed_in(history, adapter, profile), treasury, profile.chain_id)
    sent = [paid for paid in every if paid.sender == treasury]
    yield history, sent
    if contracts := [payee for payee in payees if reader.code(payee, to_hex(block.hash))]:
        history = search_back(reader, block.number, oldest, [SAFE_RECEIVED, topic_for(treasury)], contracts)
        yield history, list((Counter(by_safes(history)) - Counter(sent)).elements())


def _by_pair(first: int, payments: Iterable[Paid]) -> dict[Pair, list[Paid]]:
    """Those from block `first` on."""
    found: dict[Pair, list[Paid]] = {}
    for paid in payments:
        if paid.block >= first:
            found.setdefault(paid.pair, []).append(paid)
    return found


def _mistaken(pairs: Sequence[Pair], every: Mapping[Pair, Sequence[Paid]]) -> Iterator[EarlierPayee]:
    known = {receiver for _, receiver in every}
    for token, receiver in pairs:
        for (asset, earlier), paid in every.items():
            if asset == token and receiver not in known and looks_like(receiver, earlier):
                last = max(one.block for one in paid)
                yield EarlierPayee(
                    asset=token, receiver=receiver, looks_like=earlier, transfers=len(paid), last_block=last
                )
