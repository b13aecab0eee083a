"""The judge: reads the chain and the bundles, as a member would, and counts what must be zero.

It believes nothing that the agent says; what the agent's journal claims is only compared with what is there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pnyx_contracts.decision_log import ENTRY_TOPIC, decode_entry, subject, vote_action
from pnyx_contracts.entry import Entry, EntryKind
from pnyx_contracts.errors import DiffersError
from pnyx_contracts.types import Proposal, VoteCast, to_hex
from pnyx_policies.bundle import Bundle, open_bundle
from pnyx_policies.entitlement import entitlement
from pnyx_tools.evidence import FolderStore
from pnyx_tools.journal import Case, Stage
from pnyx_tools.reader import ChainReader
from pnyx_tools.testing.deploy import Governance
from pnyx_tools.verifier import verify

WRONGS = (
    "proposals missed", "votes doubled", "votes without an entry", "votes that differ from their decision",
    "entries lost", "entries doubled", "agents that need help", "problems that members find",
)  # fmt: skip
"""What may happen nowhere."""


@dataclass
class Ruling:
    """What was found wrong, by kind, in words; and how much was looked at."""

    proposals: int = 0
    votes: int = 0
    entries: int = 0
    wrongs: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in WRONGS})

    @property
    def ok(self) -> bool:
        return not any(self.wrongs.values())

    @property
    def counts(self) -> dict[str, int]:
        return {kind: len(found) for kind, found in self.wrongs.items()}

    def add(self, other: Ruling) -> None:
        self.proposals += other.proposals
        self.votes += other.votes
        self.entries += other.entries
        for kind, found in other.wrongs.items():
            self.wrongs[kind] += found

    def lines(self) -> list[str]:
        return [f"{kind}: {what}" for kind, found in self.wrongs.items() for what in found]


@dataclass(frozen=True, slots=True)
class Oracle:
    """Of one writer. `reader` reaches the node itself, past all faults."""

    reader: ChainReader
    log: str
    writer: str
    governances: tuple[Governance, ...]
    evidence: Path
    start_block: int = 0

    def rule(self, cases: Sequence[Case] | None = None) -> Ruling:
        """`cases` is what the agent claims, when it keeps a journal."""
        proposals, votes, entries = self.proposals(), self.votes(), self.entries()
        by_subject: dict[bytes, list[Entry]] = defaultdict(list)
        for entry in entries:
            by_subject[entry.subject].append(entry)
        ruling = Ruling(len(proposals), len(votes), len(entries))
        wrongs = {
            "proposals missed": self._missed(proposals, votes, by_subject),
            "votes doubled": _doubled_votes(votes),
            "votes without an entry": _without_entry(votes, by_subject),
            "votes that differ from their decision": self._differing(votes, by_subject),
            "entries lost": self._lost(cases or (), entries),
            "entries doubled": _doubled_entries(entries),
            "agents that need help": _stuck(proposals, cases),
            "problems that members find": self._problems(),
        }
        for kind, found in wrongs.items():
            ruling.wrongs[kind] += found
        return ruling

    # --- what is there -----------------------------------------------------------------------------------------------

    def proposals(self) -> list[Proposal]:
        return [
            governance.adapter.decode_created(governance.profile, log)
            for governance in self.governances
            for log in self.reader.logs(
                self.start_block, self._head, [list(governance.adapter.created_topics())], [governance.governor]
            )
        ]

    def votes(self) -> list[VoteCast]:
        found = []
        for governance in self.governances:
            topics = governance.adapter.voter_topics(self.writer)
            assert topics is not None, "a governor whose events do not index the voter"
            logs = self.reader.logs(self.start_block, self._head, topics, [governance.governor])
            found += [governance.adapter.decode_vote(governance.profile, log) for log in logs]
        return found

    def entries(self) -> list[Entry]:
        topics = [ENTRY_TOPIC, bytes(12) + bytes.fromhex(self.writer[2:])]
        return [decode_entry(log) for log in self.reader.logs(self.start_block, self._head, topics, [self.log])]

    @property
    def _head(self) -> int:
        return self.reader.block().number

    def _bundle(self, root: bytes) -> Bundle | None:
        data = FolderStore(self.evidence).read(root)
        return None if data is None else open_bundle(root, data)

    # --- what is wrong -----------------------------------------------------------------------------------------------

    def _missed(
        self, proposals: Iterable[Proposal], votes: Iterable[VoteCast], entries: dict[bytes, list[Entry]]
    ) -> Iterator[str]:
        """No answer at all, an answer that says so, or an announced vote that is neither there nor voided."""
        voted = {vote.key for vote in votes}
        for proposal in proposals:
            kinds = {entry.kind for entry in entries[subject(proposal.key)]}
            if not any(kind.is_terminal for kind in kinds):
                yield f"{proposal.key}: no entry"
            elif EntryKind.MISSED in kinds:
                yield f"{proposal.key}: the agent says that it missed it"
            elif EntryKind.VOTE in kinds and EntryKind.VOID not in kinds and proposal.key not in voted:
                yield f"{proposal.key}: a vote was announced, and is not there"

    def _differing(self, votes: Iterable[VoteCast], entries: dict[bytes, list[Entry]]) -> Iterator[str]:
        for vote in votes:
            announced = [entry for entry in entries[subject(vote.key)] if entry.kind is EntryKind.VOTE]
            for entry in announced:
                why = self._difference(vote, entry)
                if why:
                    yield f"{vote.key}: {why}"

    def _difference(self, vote: VoteCast, entry: Entry) -> str:
        if entry.action != vote_action(vote.support):
            return f"cast was {vote.support}, its entry {entry.seq} announces another vote"
        try:
            bundle = self._bundle(entry.record_root)
        except DiffersError as error:
            return error.message
        if bundle is None:
            return f"the record {to_hex(entry.record_root)} of its entry {entry.seq} is nowhere"
        dossier = bundle.dossier
        decided = entitlement(dossier).vote
        if (dossier.proposal.key, decided, dossier.decision.reason) != (vote.key, vote.vote, vote.reason):
            return f"cast was {vote.vote} ({vote.reason}), decided {decided} ({dossier.decision.reason})"
        return ""

    def _lost(self, cases: Iterable[Case], entries: Iterable[Entry]) -> Iterator[str]:
        there = {to_hex(entry.transaction_hash) for entry in entries}
        for case in cases:
            if case.stage is Stage.DONE and case.entry_transaction not in there:
                yield f"{case.proposal}: done by {case.entry_transaction or 'no transaction'}, which has no entry"

    def _problems(self) -> Iterator[str]:
        """What anyone's check says."""
        store = FolderStore(self.evidence)
        report = verify(self.reader, self.log, self.writer, store, upto="latest")
        yield from (str(problem) for problem in report.problems)


def _doubled_votes(votes: Iterable[VoteCast]) -> Iterator[str]:
    counted = Counter(vote.key for vote in votes)
    yield from (f"{key}: {count} votes" for key, count in counted.items() if count > 1)


def _without_entry(votes: Iterable[VoteCast], entries: dict[bytes, list[Entry]]) -> Iterator[str]:
    """The entry comes before its vote: in an earlier transaction, or in the same one."""
    for vote in votes:
        announced = [entry for entry in entries[subject(vote.key)] if entry.kind is EntryKind.VOTE]
        place = (vote.block_number, vote.log_index)
        if not any((entry.block_number, entry.log_index) < place or _is_one(entry, vote) for entry in announced):
            yield f"{vote.key}: voted in block {vote.block_number}, without an entry before it"


def _is_one(entry: Entry, vote: VoteCast) -> bool:
    return entry.transaction_hash == vote.transaction_hash


def _doubled_entries(entries: Iterable[Entry]) -> Iterator[str]:
    """Twice the same answer, or two votes announced for one proposal."""
    records = Counter((entry.subject, entry.kind, entry.record_root) for entry in entries if entry.kind.is_terminal)
    yield from (f"{kind.name} {to_hex(root)}: {n} times" for (_, kind, root), n in records.items() if n > 1)
    roots: dict[bytes, set[bytes]] = defaultdict(set)
    for entry in entries:
        if entry.kind is EntryKind.VOTE:
            roots[entry.subject].add(entry.record_root)
    yield from (f"subject {to_hex(about)}: {len(of)} different votes" for about, of in roots.items() if len(of) > 1)


def _stuck(proposals: Iterable[Proposal], cases: Sequence[Case] | None) -> Iterator[str]:
    """At the end each proposal that is there is done."""
    if cases is None:
        return
    there: set[str] = {str(proposal.key) for proposal in proposals}
    known = {case.proposal: case for case in cases}
    for key in sorted(there):
        case = known.get(key)
        if case is None:
            yield f"{key}: never seen"
        elif case.stage is not Stage.DONE:
            yield f"{key}: {case.stage.value} at the end, {case.detail or 'without a reason'}"
