"""What the check reads from the chain about one log, all of it pinned to one block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from eth_utils.address import to_checksum_address

from pnyx_contracts.decision_log import (
    ACTIVATED_TOPIC,
    ANNOUNCED_TOPIC,
    ENTRY_TOPIC,
    REGISTERED_TOPIC,
    decode_configuration_activated,
    decode_configuration_announced,
    decode_entry,
    decode_registered,
    read_gate_account,
    read_is_gate,
    read_state,
)
from pnyx_contracts.entry import Entry, WriterState
from pnyx_contracts.errors import DecodingError, UsageError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, ClockMode, Log, Proposal, ProposalKey, to_hex
from pnyx_policies.verify.history import GateEvidence, History, LogEvent
from pnyx_policies.verify.votes import Ballot, Duty
from pnyx_tools.clock import earlier_clock, earlier_number_in_contracts
from pnyx_tools.detect import detect
from pnyx_tools.reader import BlockId, ChainReader, MethodMissingError, RevertedError, RpcError, Topics

SPAN_BLOCKS = 200_000
"""Logs are asked for in pieces of so many blocks, so that a long history need not fit into one answer."""

MAX_GOVERNED = 1_024
"""What governors were found to be is kept for so many pairs of governor and block."""

_DECODERS: dict[bytes, Callable[[Log], LogEvent]] = {
    REGISTERED_TOPIC: decode_registered,
    ENTRY_TOPIC: decode_entry,
    ANNOUNCED_TOPIC: decode_configuration_announced,
    ACTIVATED_TOPIC: decode_configuration_activated,
}


@dataclass(frozen=True, slots=True)
class Governed:
    """One governor in scope. `why_not` says why it cannot be read; then there is no adapter."""

    address: str
    adapter: GovernorAdapter | None = None
    profile: GovernorProfile | None = None
    why_not: str = ""


class ChainView:
    """Reads for one log at one block. Everything that the node does not answer is raised."""

    def __init__(
        self, reader: ChainReader, log: str, block: BlockRef, adapters: Sequence[GovernorAdapter], first_block: int
    ) -> None:
        self.reader = reader
        self.log = log
        self.block = block
        self.chain_id = reader.chain_id()
        self._adapters = adapters
        self._first_block = first_block
        self._governed_at = lru_cache(MAX_GOVERNED)(self._find_out)

    # The log

    def writers(self) -> list[str]:
        """Every address that registered, in order."""
        found = self._logs(self._first_block, [REGISTERED_TOPIC], [self.log])
        return list(dict.fromkeys(to_checksum_address(log.topics[1][12:]) for log in found if len(log.topics) > 1))

    def events(self, writer: str) -> Iterator[LogEvent | DecodingError]:
        """The writer's events in the log, in chain order; an error for one that our log cannot have emitted."""
        for log in self._logs(self._first_block, [list(_DECODERS), _topic(writer)], [self.log]):
            try:
                yield _DECODERS[log.topics[0]](log)
            except DecodingError as error:
                yield error

    def state(self, writer: str) -> WriterState:
        return self.reader.read(read_state(self.log, writer), self.block.number)

    def gate(self, writer: str) -> GateEvidence:
        """What a writer that has code says about its factory, and the factory about it."""
        try:
            factory = self.reader.read(read_gate_account(writer, "factory"), self.block.number)
            confirmed = self.reader.read(read_is_gate(factory, writer), self.block.number)
        except (RevertedError, DecodingError):
            return GateEvidence(factory=None, factory_code=b"", confirmed=False)
        return GateEvidence(factory, self.reader.code(factory, self.block.number), confirmed)

    # Governors

    def governed(self, address: str, block: BlockRef | None = None) -> Governed:
        """What a governor is: at the block that the check reaches to, or was at another one: its timelock, its token
        and its code can change by a vote.
        """
        return self._governed_at(address, to_hex(block.hash) if block else self.block.number)

    def _find_out(self, address: str, block: BlockId) -> Governed:
        try:
            return Governed(address, *detect(self.reader, address, self._adapters, block))
        except (UsageError, DecodingError) as error:
            return Governed(address, why_not=error.message)

    def proposals(self, governed: Governed, from_block: int, to_block: int | None = None) -> Iterator[Proposal]:
        """Proposals that the governor announced, from `from_block` on."""
        adapter, profile = _known(governed)
        for log in self._logs(from_block, [list(adapter.created_topics())], [governed.address], to_block):
            yield adapter.decode_created(profile, log)

    def duty(self, governed: Governed, key: ProposalKey, writer: str, entries: Sequence[Entry]) -> Duty:
        """`entries` are those of the writer about this proposal."""
        adapter, profile = _known(governed)
        at = self.block.number
        return Duty(
            key=key,
            state=self.reader.read(adapter.read_state(profile, key.proposal_id), at),
            deadline=self.reader.read(adapter.read_deadline(profile, key.proposal_id), at),
            has_voted=self.reader.read(adapter.read_has_voted(profile, key.proposal_id, writer), at),
            times={entry.block_number: self._time_of(entry, profile) for entry in entries},
        )

    # Time

    def number_in_contracts(self, number: int) -> int | None:
        """The number by which contracts know a block; None when the node cannot tell."""
        return self._if_told(lambda: earlier_number_in_contracts(self.reader, self.reader.block(number), self.block))

    def _time_of(self, entry: Entry, profile: GovernorProfile) -> int | None:
        """When an entry was made, on the governor's clock; None when the node cannot tell."""
        place = self.reader.block(entry.block_number)
        return self._if_told(lambda: earlier_clock(self.reader, profile, place, self.block))

    def _if_told(self, read: Callable[[], int]) -> int | None:
        """None when the node keeps too little state, or does not answer such a call; raises when it is gone."""
        try:
            return read()
        except MethodMissingError:
            return None
        except RpcError:
            self.reader.balance(self.log, self.block.number)
            return None

    # Votes

    def ballots(self, history: History, from_block: int) -> Iterator[Ballot | DecodingError]:
        """Every vote event that names the writer, in whatever contract; an error for one that is none, in a governor
        that the writer ever declared.

        Where a dialect's events cannot be looked for by voter, only these governors are looked at.
        """
        writer = history.writer
        sent_by_writer = cache(lambda digest: self._sent_by(digest, writer))
        for adapter, log in self._vote_logs(history, from_block):
            declared = log.address in history.governors
            try:
                cast = adapter.decode_vote(_profile_of_anyone(self.chain_id, log.address), log)
            except DecodingError as error:
                if declared:
                    yield error
                continue  # elsewhere anybody can emit anything
            if cast.voter != writer:
                continue
            yield Ballot(
                key=cast.key,
                support=cast.support,
                block_number=log.block_number,
                log_index=log.log_index,
                transaction_hash=log.transaction_hash,
                in_scope=log.address in history.governors_at(log.block_number),
                is_genuine=declared or sent_by_writer(log.transaction_hash),
            )

    def _vote_logs(self, history: History, from_block: int) -> list[tuple[GovernorAdapter, Log]]:
        """In chain order. Dialects share topics: a governor's own adapter reads its events, where that is known."""
        own = {
            address: adapter for address in history.governors if (adapter := self.governed(address).adapter) is not None
        }
        found: dict[tuple[int, int], tuple[GovernorAdapter, Log]] = {}
        for adapter in self._adapters:
            topics, addresses = adapter.voter_topics(history.writer), None
            if topics is None:
                topics, addresses = [adapter.vote_topics()], [address for address in own if own[address] is adapter]
            for log in self._logs(from_block, topics, addresses):
                at_home = own.get(log.address, adapter)
                reads = at_home if log.topics[0] in at_home.vote_topics() else adapter
                found[log.block_number, log.log_index] = reads, log
        return [found[place] for place in sorted(found)]

    def _sent_by(self, transaction_hash: bytes, writer: str) -> bool:
        transaction = self.reader.transaction(transaction_hash)
        return transaction is not None and str(transaction.get("from", "")).lower() == writer.lower()

    def _logs(
        self,
        from_block: int,
        topics: Topics,
        addresses: list[str] | None,
        to_block: int | None = None,
    ) -> Iterator[Log]:
        last = self.block.number if to_block is None else min(to_block, self.block.number)
        for start in range(from_block, last + 1, SPAN_BLOCKS):
            yield from self.reader.logs(start, min(start + SPAN_BLOCKS - 1, last), topics, addresses)


def first_block_with_code(reader: ChainReader, address: str, last: int) -> int:
    """Where to begin reading a contract's events: its first block, or 0 when the node keeps too little state to tell.

    A node that lies here hides entries, and the log's state tells.
    """
    low, high = 0, last
    try:
        while low < high:
            middle = (low + high) // 2
            if reader.code(address, middle):
                high = middle
            else:
                low = middle + 1
    except RpcError:
        return 0
    return low


def _known(governed: Governed) -> tuple[GovernorAdapter, GovernorProfile]:
    if governed.adapter is None or governed.profile is None:
        raise UsageError(governed.why_not)
    return governed.adapter, governed.profile


def _topic(address: str) -> bytes:
    return bytes(12) + bytes.fromhex(address[2:])


def _profile_of_anyone(chain_id: int, address: str) -> GovernorProfile:
    """Enough of a profile to decode an event of a contract that nobody looked at."""
    return GovernorProfile(
        kind="", address=address, chain_id=chain_id, name="", version="", counting_mode="", clock_mode=ClockMode.BLOCK,
        token=None, timelock=None, can_vote=False,
    )  # fmt: skip
