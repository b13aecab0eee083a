"""One writer's history on chain, as far as a report needs it: small values in memory, entries one at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from pnyx_contracts.decision_log import subject
from pnyx_contracts.entry import (
    ConfigurationActivated,
    ConfigurationAnnounced,
    Declaration,
    Entry,
    EntryKind,
    Registered,
    Remark,
)
from pnyx_contracts.errors import DecodingError, UnknownEncodingError
from pnyx_contracts.types import ClockMode, Proposal, ProposalKey, ProposalState, Vote
from pnyx_policies.audit.rows import CastRow, ProposalRow, RemarkRow
from pnyx_policies.audit.story import cut
from pnyx_policies.audit.title import title_of
from pnyx_policies.verify.verdict import Verdict
from pnyx_tools.clock import earlier_clock
from pnyx_tools.reader import MethodMissingError, RevertedError, RpcError
from pnyx_tools.verifier.chainview import ChainView, Governed

CACHED_BLOCKS: Final = 4_096
MOST_REMARKS: Final = 100
"""That are kept about one entry."""


class Mark(NamedTuple):
    """An entry about a proposal, as far as later and earlier ones have to know of it."""

    seq: int
    kind: EntryKind
    epoch: int
    record_root: bytes


@dataclass(frozen=True, slots=True)
class Epoch:
    """One configuration in force, from `from_block` on."""

    declaration: Declaration
    announced_block: int | None
    from_block: int


class Chronicle:
    """Reads one writer's events once and keeps what is small; `entries` reads them again, one at a time.

    Nothing is checked here: what is wrong with an event is the verifier's to say.
    """

    def __init__(self, view: ChainView, writer: str, safe: str | None = None) -> None:
        """`safe` casts the writer's votes, where it does not cast them itself."""
        self._view = view
        self._voter = safe or writer
        self.writer = writer
        self.epochs: list[Epoch] = []
        self.marks: defaultdict[bytes, list[Mark]] = defaultdict(list)
        """Entries about proposals, by subject."""
        self._voids: dict[tuple[bytes, bytes], int] = {}
        self._announced: ConfigurationAnnounced | None = None
        self.time_of = lru_cache(CACHED_BLOCKS)(lambda number: view.reader.block(number).timestamp)
        """When a block was made, in seconds since the epoch."""
        self._clock = lru_cache(CACHED_BLOCKS)(self._read_clock)
        for event in view.events(writer):
            self._take(event)
        self.remarks: defaultdict[int, list[RemarkRow]] = defaultdict(list)
        """What anybody wrote about an entry, by its number."""
        if self.epochs:
            self._read_remarks()
        self._proposals: dict[bytes, ProposalRow] = {}
        self._casts: defaultdict[bytes, list[CastRow]] = defaultdict(list)
        self.unread: dict[str, str] = {}
        """Governors that could not be read, and why."""
        for governor in sorted({g for epoch in self.epochs for g in epoch.declaration.governors}):
            self._read_governor(governor)

    def _take(self, event: Registered | Entry | ConfigurationAnnounced | ConfigurationActivated | Verdict) -> None:
        match event:
            case Registered():
                self.epochs.append(Epoch(event.declaration, None, event.block_number))
            case ConfigurationAnnounced():
                self._announced = event
            case ConfigurationActivated() if self._announced is not None:
                self.epochs.append(Epoch(self._announced.declaration, self._announced.block_number, event.block_number))
                self._announced = None
            case Entry() if event.kind in ABOUT_PROPOSALS:
                self.marks[event.subject].append(Mark(event.seq, event.kind, event.epoch, event.record_root))
                if event.kind is EntryKind.VOID:
                    self._voids.setdefault((event.subject, event.record_root), event.seq)
            case _:
                pass

    def entries(self) -> Iterator[Entry]:
        """Every entry, in chain order."""
        return (event for event in self._view.events(self.writer) if isinstance(event, Entry))

    def epoch_of(self, entry: Entry | Mark) -> Epoch | None:
        """The configuration that an entry was made under."""
        return self.epochs[entry.epoch] if entry.epoch < len(self.epochs) else None

    def voided_by(self, entry: Entry) -> int | None:
        """The VOID entry that takes a VOTE entry back."""
        return self._voids.get((entry.subject, entry.record_root)) if entry.kind is EntryKind.VOTE else None

    def _read_remarks(self) -> None:
        """At most so many of each entry: they cost nobody but their authors, and the first ones are the oldest."""
        for remark in self._view.remarks(self.writer):
            if isinstance(remark, Remark) and len(found := self.remarks[remark.seq]) < MOST_REMARKS:
                found.append(
                    RemarkRow(
                        author=remark.author, verdict=remark.verdict.name.lower(), hash=remark.hash,
                        uri=cut(remark.uri), block=remark.block_number, time=self.time_of(remark.block_number),
                    )
                )  # fmt: skip

    # Proposals and votes

    def proposal(self, about: bytes) -> ProposalRow | None:
        """What a subject stands for, where a declared governor announced it."""
        return self._proposals.get(about)

    def named(self, key: str) -> ProposalRow | None:
        """The proposal that the verifier calls ``chain:governor:id``."""
        return self._proposals.get(subject(ProposalKey.parse(key)))

    def cast_for(self, entry: Entry) -> CastRow | None:
        """The vote that a VOTE entry announced: the first after it, unless it was taken back."""
        if entry.kind is not EntryKind.VOTE or self.voided_by(entry) is not None:
            return None
        return next((cast for cast in self._casts[entry.subject] if cast.block >= entry.block_number), None)

    def row_of(self, proposal: Proposal, *, from_record: bool = False) -> ProposalRow:
        """The small part of a proposal. A record may name a block that is not there: then its time is not known."""
        known = proposal.created_block <= self._view.block.number
        return ProposalRow(
            key=proposal.key,
            title=title_of(proposal.text),
            created_block=proposal.created_block,
            created_time=self.time_of(proposal.created_block) if known else None,
            vote_start=proposal.vote_start,
            vote_end=proposal.vote_end,
            from_record=from_record,
        )

    def _read_governor(self, governor: str) -> None:
        governed = self._view.governed(governor)
        if governed.adapter is None or governed.profile is None:
            self.unread[governor] = governed.why_not
            return
        start = self.epochs[0].from_block
        try:
            for proposal in self._view.proposals(governed, start):
                if isinstance(proposal, Proposal):
                    self._proposals[subject(proposal.key)] = self.row_of(proposal)
            self._read_votes(governed, start)
        except (DecodingError, RevertedError) as error:
            self.unread[governor] = error.message

    def _read_votes(self, governed: Governed, start: int) -> None:
        adapter, profile = governed.adapter, governed.profile
        assert adapter is not None
        assert profile is not None
        topics = adapter.voter_topics(self._voter)
        topics = [list(adapter.vote_topics())] if topics is None else topics
        for log in self._view.reader.logs(start, self._view.block.number, topics, [governed.address]):
            cast = adapter.decode_vote(profile, log)
            if cast.voter == self._voter:
                self._casts[subject(cast.key)].append(
                    CastRow(
                        support=cast.support, vote=cast.vote.value if cast.vote else None, weight=cast.weight,
                        reason=cut(cast.reason), block=cast.block_number, time=self.time_of(cast.block_number),
                        transaction=cast.transaction_hash,
                    )
                )  # fmt: skip

    # What a governor says

    def word_for(self, governor: str, support: int) -> str | None:
        """The vote that `support` stands for there; None where that is not certain."""
        governed = self._view.governed(governor)
        if governed.adapter is None or governed.profile is None:
            return None
        try:
            words = {governed.adapter.support_of(governed.profile, vote): vote.value for vote in Vote}
        except UnknownEncodingError:
            return None
        return words.get(support)

    def is_open(self, key: ProposalKey) -> bool | None:
        """Whether its vote is not over yet; None where the governor does not say."""
        governed = self._view.governed(key.governor)
        if governed.adapter is None or governed.profile is None:
            return None
        try:
            state = self._view.reader.read(
                governed.adapter.read_state(governed.profile, key.proposal_id), self._view.block.number
            )
        except (DecodingError, RevertedError, RpcError, MethodMissingError):
            return None
        return state in {ProposalState.PENDING, ProposalState.ACTIVE}

    def share(self, proposal: ProposalRow, block: int) -> int | None:
        """How much of the voting period was over in a block, in hundredths of a percent."""
        now = self._clock(proposal.key.governor, block)
        length = proposal.vote_end - proposal.vote_start
        if now is None or length <= 0:
            return None
        return max(0, now - proposal.vote_start) * 10_000 // length

    def closed_at(self, proposal: ProposalRow) -> tuple[int, int] | None:
        """Block (0 where none is known) and time of the announced end of the vote; None where that is not known."""
        profile = self._view.governed(proposal.key.governor).profile
        if profile is None:
            return None
        if profile.clock_mode is ClockMode.TIMESTAMP:
            return 0, proposal.vote_end
        last = self._view.block.number
        if self._clock(proposal.key.governor, last) != last or proposal.vote_end > last:
            return None
        return proposal.vote_end, self.time_of(proposal.vote_end)

    def _read_clock(self, governor: str, block: int) -> int | None:
        """A governor's time in a block; None where the node does not tell."""
        profile = self._view.governed(governor).profile
        if profile is None:
            return None
        try:
            return earlier_clock(self._view.reader, profile, self._view.reader.block(block), self._view.block)
        except (RpcError, MethodMissingError):
            return None


ABOUT_PROPOSALS: Final = frozenset(kind for kind in EntryKind if kind.is_terminal) | {
    EntryKind.VOID,
    EntryKind.CORRECTION,
}
