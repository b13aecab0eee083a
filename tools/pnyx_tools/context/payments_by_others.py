"""What others than the treasury paid before, in the same asset, to those whom this proposal pays.

A DAO has more accounts than its executor: a Safe of a working group, a foundation. Which of the payers is one of them
is for who knows the DAO's addresses to say.
"""

from __future__ import annotations

from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.context.payments_by_others import (
    MAX_OTHER_PAYMENTS,
    MAX_PAYERS,
    OtherPayment,
    PaymentsByOthers,
)
from pnyx_policies.facts import Grade
from pnyx_tools.context.history import SearchingTool, search_back
from pnyx_tools.context.payments import SAFE_RECEIVED, Paid, Pair, asked, by_safes, in_all, in_tokens, topic_for
from pnyx_tools.effects import TRANSFER
from pnyx_tools.reader import ChainReader


class PaymentsByOthersTool(SearchingTool):
    """Dust from many senders hides none: the largest are shown."""

    name = PaymentsByOthers.TOOL
    version = PaymentsByOthers.VERSION
    grade = Grade.RE_READ
    description = "Who else paid these receivers before, in the same assets."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,  # noqa: ARG002 - the protocol's
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> PaymentsByOthers:
        pairs, oldest, head = asked(proposal), self._oldest(proposal, block), block.number
        tokens = list(dict.fromkeys(asset for asset, _ in pairs if asset is not None))
        payees = [topic_for(payee) for payee in dict.fromkeys(payee for asset, payee in pairs if asset is not None)]
        safes = [payee for asset, payee in pairs if asset is None and reader.code(payee, to_hex(block.hash))]
        found = []
        if tokens:
            history = search_back(reader, head, oldest, [TRANSFER, None, payees], tokens)
            found.append((history, list(in_tokens(history))))
        if safes:
            history = search_back(reader, head, oldest, [SAFE_RECEIVED], safes)
            found.append((history, list(by_safes(history))))
        first = max((history.from_block for history, _ in found), default=oldest)
        treasury = profile.timelock or profile.address
        every = [p for _, payments in found for p in payments if p.block >= first and p.sender != treasury]
        payers = {pair: _payers(pair, [p for p in every if p.pair == pair], proposal) for pair in pairs}
        shown = [payment for of_pair in payers.values() for payment in of_pair[:MAX_PAYERS]][:MAX_OTHER_PAYMENTS]
        return PaymentsByOthers(
            from_block=first,
            to_block=head,
            payments=tuple(shown),
            left_out=sum(map(len, payers.values())) - len(shown),
        )


def _payers(pair: Pair, paid: list[Paid], proposal: Proposal) -> list[OtherPayment]:
    """One for each, who paid most of late first."""
    by_sender: dict[str, list[Paid]] = {}
    for one in paid:
        by_sender.setdefault(one.sender, []).append(one)
    told = [
        OtherPayment(sender=sender, **in_all(pair, payments, proposal).model_dump())
        for sender, payments in by_sender.items()
    ]
    return sorted(told, key=lambda p: (-p.shortly_before - p.since_proposed, -p.amount, p.sender))
