"""Logs of the recent past, as far back as a bounded search gets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.selectors import parse_function
from pnyx_contracts.types import BlockRef, Log, Proposal, VoteCast
from pnyx_policies.context.reading import full_reach
from pnyx_tools.effects import topic_of
from pnyx_tools.reader import ChainReader, RpcError, Topics

FIRST_SPAN_BLOCKS: Final = 1_000
GROWTH: Final = 4
MOST_REQUESTS: Final = 10
"""For one span. Spans grow until a node gives so little at once that this is not enough; what is older is not looked
at. A context tool must hold up neither a vote nor a stranger's check."""

SCHEDULED: Final = parse_function(
    "CallScheduled(bytes32 id, uint256 index, address target, uint256 value, bytes data, bytes32 predecessor, "
    "uint256 delay)"
)
SCHEDULED_TOPIC: Final = topic_of(SCHEDULED)
CALL_EXECUTED: Final = parse_function(
    "CallExecuted(bytes32 id, uint256 index, address target, uint256 value, bytes data)"
)
COMPOUNDS_EXECUTION: Final = parse_function(
    "ExecuteTransaction(bytes32 txHash, address target, uint256 value, string signature, bytes data, uint256 eta)"
)
"""Of Compound's timelock, and of who took it over (Uniswap, Nouns)."""
PROPOSAL_EXECUTED: Final = parse_function("ProposalExecuted(uint256 proposalId)")
EXECUTED_TOPICS: Final = tuple(map(topic_of, (CALL_EXECUTED, COMPOUNDS_EXECUTION, PROPOSAL_EXECUTED)))
ENDED_TOPICS: Final = (topic_of(CALL_EXECUTED), topic_of(parse_function("Cancelled(bytes32 id)")))
"""Of operations in OpenZeppelin's timelock."""


@dataclass(frozen=True, slots=True)
class History:
    """What was found from `from_block` on. A stranger who searches the same range finds the same."""

    logs: tuple[Log, ...]
    from_block: int

    def of(self, address: str, topics: Sequence[bytes]) -> Iterator[Log]:
        """Those of one contract."""
        return (log for log in self.logs if log.address == address and log.topics and log.topics[0] in topics)


def search_back(
    reader: ChainReader, newest: int, oldest: int, topics: Topics, addresses: Sequence[str] | None
) -> History:
    """Logs of the blocks `oldest` to `newest`, in chain order; of fewer blocks when the node shows too few at once.

    The spans follow from the two numbers alone, so that two searches for the same end at the same block. An empty
    answer about the newest blocks is asked for twice: of the nodes behind one endpoint, some have a block and not yet
    its logs. Raises `RpcError` when the node shows nothing, or cannot be reached.
    """
    found: list[Log] = []
    start, span = newest + 1, FIRST_SPAN_BLOCKS
    while start > max(oldest, 0):
        end, begin = start - 1, max(oldest, 0, start - span)
        try:
            logs = reader.logs(begin, end, topics, addresses, MOST_REQUESTS)
        except RpcError as error:
            if end == newest or not error.is_about_the_question:
                raise
            break
        if not logs and end == newest:
            logs = reader.logs(begin, end, topics, addresses, MOST_REQUESTS)
        found[:0] = logs
        start, span = begin, span * GROWTH
    return History(tuple(found), start)


class SearchingTool:
    """A context tool that looks back: as far as `full_reach`, or no further than to block `not_before`."""

    def __init__(self, not_before: int = 0) -> None:
        self._not_before = not_before

    def no_further_than(self, block: int) -> Self:
        """For who reads again what another one saw, whose node may have shown less."""
        return type(self)(block)

    def _oldest(self, proposal: Proposal, block: BlockRef) -> int:
        return max(full_reach(proposal.created_block, block.number), self._not_before)


def recent_past(
    reader: ChainReader, adapter: GovernorAdapter, profile: GovernorProfile, block: BlockRef, oldest: int
) -> History:
    """Proposals, votes, what was scheduled in the timelock and what was executed: one search for all tools that need a
    part of it.
    """
    of_timelock = dict.fromkeys((SCHEDULED_TOPIC, *ENDED_TOPICS, *EXECUTED_TOPICS))
    topics = [(*adapter.created_topics(), *adapter.vote_topics(), *of_timelock)]
    addresses = [profile.address, *([profile.timelock] if profile.timelock else [])]
    return search_back(reader, block.number, oldest, topics, addresses)


def proposals_in(history: History, adapter: GovernorAdapter, profile: GovernorProfile) -> Iterator[Proposal]:
    """In chain order, without those that cannot be read."""
    for log in history.of(profile.address, adapter.created_topics()):
        try:
            yield adapter.decode_created(profile, log)
        except DecodingError:
            continue


def votes_in(history: History, adapter: GovernorAdapter, profile: GovernorProfile) -> Iterator[VoteCast]:
    """In chain order, without those that cannot be read."""
    for log in history.of(profile.address, adapter.vote_topics()):
        try:
            yield adapter.decode_vote(profile, log)
        except DecodingError:
            continue
