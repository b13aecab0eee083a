"""Which actions of this proposal the executor did before, to the last byte."""

from __future__ import annotations

from collections.abc import Sequence

from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Call, Proposal
from pnyx_policies.context.earlier_calls import MAX_CALLS, EarlierCall, EarlierCalls
from pnyx_policies.context.earlier_payments import SHORTLY_BEFORE_BLOCKS
from pnyx_policies.facts import Grade
from pnyx_tools.context.executed import executed_in, whole
from pnyx_tools.context.history import SearchingTool, recent_past
from pnyx_tools.reader import ChainReader

_PAYMENTS = tuple(bytes.fromhex(selector) for selector in ("a9059cbb", "23b872dd"))
"""`transfer` and `transferFrom`."""


class EarlierCallsTool(SearchingTool):
    """What was done already is only ratified by a vote."""

    name = EarlierCalls.TOOL
    version = EarlierCalls.VERSION
    grade = Grade.RE_READ
    description = "Actions of this proposal, other than payments, that the executor did before."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> EarlierCalls:
        history = recent_past(reader, adapter, profile, block, self._oldest(proposal, block))
        blocks: dict[Call, list[int]] = {}
        for executed in executed_in(history, adapter, profile):
            blocks.setdefault(executed.call, []).append(executed.block)
        again = [
            _earlier(str(place), blocks[call], proposal.created_block)
            for place, call in enumerate(map(whole, proposal.calls))
            if call in blocks and call.calldata and not call.calldata.startswith(_PAYMENTS)
        ]
        return EarlierCalls(from_block=history.from_block, to_block=block.number, calls=tuple(again[:MAX_CALLS]))


def _earlier(path: str, blocks: Sequence[int], proposed: int) -> EarlierCall:
    return EarlierCall(
        path=path,
        times=len(blocks),
        shortly_before=sum(proposed - SHORTLY_BEFORE_BLOCKS <= block < proposed for block in blocks),
        since_proposed=sum(block >= proposed for block in blocks),
        last_block=blocks[-1],
    )
