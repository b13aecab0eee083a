"""What the check reads from the chain about one log, all of it pinned to one block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import merge
from itertools import groupby
from typing import Final

from eth_utils.address import is_address, to_checksum_address

from pnyx_contracts.decision_log import (
    ENTRY_TOPIC,
    REGISTERED_TOPIC,
    REMARKED_TOPIC,
    decode_entry,
    decode_remark,
    read_gate_account,
    read_is_gate,
    read_state,
    succession_subject,
)
from pnyx_contracts.entry import Entry, EntryKind, Remark, WriterState
from pnyx_contracts.errors import DecodingError, UsageError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, ClockMode, Log, Proposal, ProposalKey, to_hex
from pnyx_policies.verify.history import History, LogEvent
from pnyx_policies.verify.verdict import About, Step, Verdict
from pnyx_policies.verify.votes import Ballot, Duty
from pnyx_policies.verify.writer import GateEvidence
from pnyx_tools.clock import earlier_clock, earlier_number_in_contracts
from pnyx_tools.detect import detect
from pnyx_tools.pinned import ask_ahead, pinned, reads_of
from pnyx_tools.reader import BlockId, ChainReader, MethodMissingError, RevertedError, RpcError, Topics
from pnyx_tools.verifier.events import TOPICS, Unreadable, read_event
from pnyx_tools.verifier.sweep import Question, Sweeper
from pnyx_tools.wire import parse_log

MAX_LINE: Final = 100
"""So many writers are followed from successor to successor."""
MAX_TRANSACTIONS: Final = 1_024
"""Who sent a transaction is kept for so many."""

MAX_GOVERNED: Final = 1_024
"""What governors were found to be is kept for so many pairs of governor and block."""


@dataclass(frozen=True, slots=True)
class Governed:
    """One governor in scope. `why_not` says why it cannot be read; then there is no adapter."""

    address: str
    adapter: GovernorAdapter | None = None
    profile: GovernorProfile | None = None
    why_not: str = ""


class ChainView:
    """Reads for one log at one block. Everything that the node does not answer is raised.

    With a second node, whatever it shows otherwise is among the events, as a verdict.
    """

    def __init__(
        self,
        reader: ChainReader,
        log: str,
        block: BlockRef,
        adapters: Sequence[GovernorAdapter],
        first_block: int,
        second: ChainReader | None = None,
    ) -> None:
        self.reader = pinned(reader)
        self._node = reader
        self.log = log
        self.block = block
        self.chain_id = self.reader.chain_id()
        self._adapters = adapters
        self._first_block = first_block
        self._sweeper = Sweeper(reader, second)
        self._governed_at = lru_cache(MAX_GOVERNED)(self._find_out)
        self._stranger = lru_cache(MAX_GOVERNED)(self._profile_of_anyone)

    # The log

    def writers(self) -> Iterator[str | Verdict]:
        """Every address that registered, in order."""
        question = Question(Step.REGISTRATION, [REGISTERED_TOPIC], [self.log])
        for found in self._sweep(question, self._first_block):
            if isinstance(found, Verdict):
                yield found
            elif len(found.topics) > 1:
                yield to_checksum_address(found.topics[1][12:])

    def events(self, writer: str) -> Iterator[LogEvent | Verdict]:
        """The writer's events in the log, in chain order; a problem for one that our log cannot have emitted."""
        question = Question(Step.ENTRIES, [TOPICS, _topic(writer)], [self.log], writer, self.state(writer).seq)
        for found in self._sweeper.sweep(question, self._first_block, self.block.number, read_event):
            if isinstance(found, Unreadable):
                yield About(writer).differs(Step.ENTRIES, "event", reason=found.reason)
            else:
                yield found

    def remarks(self, writer: str) -> Iterator[Remark | Verdict]:
        """What anybody said about the writer's entries."""
        question = Question(Step.REGISTRATION, [REMARKED_TOPIC, None, _topic(writer)], [self.log], writer)
        for found in self._sweep(question, self._first_block):
            if isinstance(found, Verdict):
                yield found
                continue
            try:
                yield decode_remark(found)
            except DecodingError as error:
                yield About(writer).differs(Step.ENTRIES, "event", reason=error.message)

    # Succession

    def succession(self, writer: str, kind: EntryKind, other: str = "") -> Entry | None:
        """The writer's entry of this kind, with which it takes another one's place or leaves its own; with `other`,
        the one that names that one.
        """
        subject = None
        if other:
            subject = succession_subject(*((other, writer) if kind is EntryKind.SUCCEEDS else (writer, other)))
        topics = [ENTRY_TOPIC, _topic(writer), subject, int(kind).to_bytes(32, "big")]
        for log in self.reader.logs(self._first_block, self.block.number, topics, [self.log]):
            try:
                return decode_entry(log)
            except DecodingError:
                return None
        return None

    def line(self, writer: str, kind: EntryKind) -> list[str]:
        """The successors of a writer (by SUCCEEDED entries), or its predecessors (by SUCCEEDS entries), the nearest
        first.
        """
        found: list[str] = []
        while len(found) < MAX_LINE:
            entry = self.succession(found[-1] if found else writer, kind)
            other = None if entry is None else to_checksum_address(entry.action[12:])
            if other is None or other == writer or other in found:
                break
            found.append(other)
        return found

    def registered_in(self, writer: str) -> int | None:
        """The block in which a writer registered."""
        found = self.reader.logs(self._first_block, self.block.number, [REGISTERED_TOPIC, _topic(writer)], [self.log])
        return found[0].block_number if found else None

    def entries_about(self, writers: Sequence[str], subject: bytes) -> list[Entry]:
        """Entries of other writers about a subject."""
        topics: Topics = [ENTRY_TOPIC, [_topic(writer) for writer in writers], subject]
        found = []
        for log in self.reader.logs(self._first_block, self.block.number, topics, [self.log]):
            try:
                found.append(decode_entry(log))
            except DecodingError:  # step 3 of that writer's own check says so
                continue
        return found

    def state(self, writer: str) -> WriterState:
        """Asked of the node each time, so that it raises when the node is not there any more."""
        return self._node.read(read_state(self.log, writer), self.block.number)

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

    def proposals(self, governed: Governed, from_block: int) -> Iterator[Proposal | Verdict]:
        """Proposals that the governor announced, from `from_block` on."""
        adapter, profile = _known(governed)
        question = Question(Step.COMPLETENESS, [list(adapter.created_topics())], [governed.address])
        for found in self._sweep(question, from_block):
            yield found if isinstance(found, Verdict) else adapter.decode_created(profile, found)

    def proposals_in(self, governed: Governed, block: int) -> Iterator[Proposal]:
        """Proposals that the governor announced in one block."""
        adapter, profile = _known(governed)
        if block <= self.block.number:
            for log in self.reader.logs(block, block, [list(adapter.created_topics())], [governed.address]):
                yield adapter.decode_created(profile, log)

    def is_there(self, governed: Governed, key: ProposalKey, before: int) -> bool:
        """Whether the governor knows the proposal, and did so before a block: it was not only made after that."""
        adapter, profile = _known(governed)
        try:
            self.reader.read(adapter.read_state(profile, key.proposal_id), self.block.number)
        except RevertedError:
            return False
        later = self.proposals(governed, before)
        return not any(isinstance(found, Proposal) and found.key == key for found in later)

    def duty(self, governed: Governed, proposal: Proposal, writer: str, entries: Sequence[Entry]) -> Duty:
        """`entries` are those of the writer about this proposal."""
        adapter, profile = _known(governed)
        key = proposal.key
        at = self.block.number
        state, deadline = adapter.read_state(profile, key.proposal_id), adapter.read_deadline(profile, key.proposal_id)
        has_voted = adapter.read_has_voted(profile, key.proposal_id, writer)
        ask_ahead(self.reader, reads_of([state, deadline, has_voted], at))
        return Duty(
            key=key,
            state=self.reader.read(state, at),
            deadline=self.reader.read(deadline, at),
            has_voted=self.reader.read(has_voted, at),
            times={entry.block_number: self._time_of(entry, profile) for entry in entries},
            created_block=proposal.created_block,
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

    def ballots(self, history: History, from_block: int) -> Iterator[Ballot | Verdict]:
        """Every vote event that names the writer, in whatever contract; a problem for one that is none, in a governor
        that the writer ever declared. Then those of its Safes, which may vote elsewhere as they please.

        Where a dialect's events cannot be looked for by voter, only declared governors are looked at.
        """
        for voter in dict.fromkeys((history.writer, *history.safes.values())):
            yield from self._ballots_of(voter, history, from_block)

    def _ballots_of(self, voter: str, history: History, from_block: int) -> Iterator[Ballot | Verdict]:
        writer, governors = history.writer, history.governors
        sender_of = lru_cache(MAX_TRANSACTIONS)(self._sender_of)
        for adapter, log in self._vote_logs(voter, history, from_block):
            if isinstance(log, Verdict):
                yield log
                continue
            declared = log.address in governors
            try:
                cast = adapter.decode_vote(self._stranger(log.address), log)
            except DecodingError as error:
                if declared:
                    yield About(writer).differs(Step.VOTES, "event", reason=error.message)
                continue  # elsewhere anybody can emit anything
            if cast.voter != voter:
                continue
            yield Ballot(
                key=cast.key,
                support=cast.support,
                block_number=log.block_number,
                log_index=log.log_index,
                transaction_hash=log.transaction_hash,
                in_scope=log.address in history.governors_at(log.block_number),
                is_genuine=declared or sender_of(log.transaction_hash) == writer,
                counts=voter == history.voter_at(log.block_number),
                voter=voter,
                executor="" if voter == writer else sender_of(log.transaction_hash),
            )

    def _vote_logs(
        self, voter: str, history: History, from_block: int
    ) -> Iterator[tuple[GovernorAdapter, Log | Verdict]]:
        """In chain order. Dialects share topics: a governor's own adapter reads its events, where that is known."""
        own = {
            address: adapter for address in history.governors if (adapter := self.governed(address).adapter) is not None
        }
        streams = [self._votes_of(voter, adapter, history, own, from_block) for adapter in self._adapters]
        for _, same in groupby(merge(*streams, key=_place_of), key=_place_of):
            *_, (adapter, log) = same
            at_home = adapter if isinstance(log, Verdict) else own.get(log.address, adapter)
            reads = at_home if isinstance(log, Log) and log.topics[0] in at_home.vote_topics() else adapter
            yield reads, log

    def _votes_of(
        self, voter: str, adapter: GovernorAdapter, history: History, own: Mapping[str, GovernorAdapter],
        from_block: int,
    ) -> Iterator[tuple[GovernorAdapter, Log | Verdict]]:  # fmt: skip
        topics = adapter.voter_topics(voter)
        addresses = None if voter == history.writer else sorted(history.governors)
        if topics is None:
            topics, addresses = [adapter.vote_topics()], [address for address in own if own[address] is adapter]
        question = Question(Step.VOTES, topics, addresses, history.writer, history.entries)
        return ((adapter, found) for found in self._sweep(question, from_block))

    def _profile_of_anyone(self, address: str) -> GovernorProfile:
        """Enough of a profile to decode an event of a contract that nobody looked at."""
        return GovernorProfile(
            kind="", address=address, chain_id=self.chain_id, name="", version="", counting_mode="",
            clock_mode=ClockMode.BLOCK, token=None, timelock=None, can_vote=False,
        )  # fmt: skip

    def _sender_of(self, transaction_hash: bytes) -> str:
        """Empty where the node does not tell."""
        transaction = self.reader.transaction(transaction_hash)
        sender = str(transaction.get("from", "")) if transaction is not None else ""
        return str(to_checksum_address(sender)) if is_address(sender) else ""

    def _sweep(self, question: Question, from_block: int) -> Iterator[Log | Verdict]:
        return self._sweeper.sweep(question, from_block, self.block.number, parse_log)


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


def _place_of(found: tuple[GovernorAdapter, Log | Verdict]) -> tuple[int, int, int]:
    """A verdict comes at once, each for itself."""
    log = found[1]
    return (-1, -1, id(log)) if isinstance(log, Verdict) else (log.block_number, log.log_index, 0)


def _topic(address: str) -> bytes:
    return bytes(12) + bytes.fromhex(address[2:])
