"""The report about a period, in two passes: the verifier checks the whole log; then each writer is told entry by entry.
Evidence behind URLs is fetched in the first one, and kept for the second.

with the answer of `audit`:
    for writer in answer.writers():
        writer.head                    who it is, and what it declared
        for row in writer.rows():      the decisions of the period, one bundle in memory at a time
            ...
        writer.summary()               the sums of these rows
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

from pydantic import JsonValue

from pnyx_contracts.decision_log import subject
from pnyx_contracts.entry import Declaration, Entry, EntryKind
from pnyx_contracts.errors import DecodingError, DiffersError, UnreachableError
from pnyx_contracts.governors import builtin_adapters
from pnyx_contracts.types import Address, Value
from pnyx_policies.audit import NO_STORY, Period, Prices, Story, Tally, tell
from pnyx_policies.audit.rows import (
    Answer,
    ConfigurationRow,
    DecisionRow,
    EventRow,
    NoteRow,
    ProposalNote,
    ProposalRow,
)
from pnyx_policies.audit.story import cut
from pnyx_policies.audit.tally import Summary
from pnyx_policies.bundle import Bundle
from pnyx_policies.configuration import Configuration
from pnyx_policies.disclosure import Disclosure, complete
from pnyx_policies.verify.record import HAS_BUNDLE, dossier_of
from pnyx_policies.verify.verdict import Report, Status, Tier, WriterReport
from pnyx_tools.audit.chronicle import ABOUT_PROPOSALS, Chronicle, Epoch, Mark
from pnyx_tools.audit.gas import GasBook
from pnyx_tools.audit.notes import Notes
from pnyx_tools.evidence import EvidenceStore, Keeper, open_named
from pnyx_tools.reader import BlockId, ChainReader
from pnyx_tools.verifier import verify
from pnyx_tools.verifier.chainview import ChainView, first_block_with_code
from pnyx_tools.verifier.desk import EvidenceDesk, EvidenceGoneError

Progress = Callable[[str], None]

_WORDS = {
    EntryKind.VOTE: "voted",
    EntryKind.HOLD: "held",
    EntryKind.DECISION: "decided",
    EntryKind.SKIP: "skipped",
    EntryKind.MISSED: "missed",
}
"""What became of a hold, by the kind of the last entry after it."""


def audit(
    reader: ChainReader,
    log: str,
    writer: str | None = None,
    evidence: EvidenceStore | str | Path | None = None,
    *,
    period: Period | None = None,
    prices: Prices | None = None,
    factory: str | None = None,
    upto: BlockId = "finalized",
    from_block: int | None = None,
    disclosures: Sequence[Disclosure] = (),
    progress: Progress | None = None,
) -> Audit:
    """Checks the log with `verify`, from its beginning up to `upto`, and prepares the report about `period`.

    Arguments and errors are those of `verify`.
    """
    keeper = Keeper()
    named = open_named(evidence) if isinstance(evidence, str | Path) else evidence
    store = keeper.around(named) if named is not None else None
    tell_progress = progress or (lambda _: None)
    notes = Notes()
    report = verify(
        reader, log, writer, store, factory=factory, upto=upto, from_block=from_block, disclosures=disclosures,
        open_place=keeper.open, on_verdict=notes.take, progress=tell_progress,
    )  # fmt: skip
    first = from_block
    if report.writers and first is None:
        first = first_block_with_code(reader, report.log, report.block.number)
    view = ChainView(reader, report.log, report.block, builtin_adapters(), first or 0)
    return Audit(report, notes, view, store, keeper, period or Period(), prices, disclosures, tell_progress)


class WriterHead(Value):
    """Who a writer is, what it declared, and what the check says about all of it, in the period and outside."""

    writer: Address
    agent: str | None
    """As the configuration in force at the end of the period calls itself."""
    tier: Tier
    entries: int
    """In all, also outside of the period."""
    predecessor: Address | None
    """The writer whose place this one took."""
    successor: Address | None
    """The writer that took this one's place."""
    configuration: ConfigurationRow | None
    """In force at the end of the period."""
    changes: tuple[ConfigurationRow, ...]
    """That came into force in the period, the registration among them."""
    events: tuple[EventRow, ...]
    """Entries of the period that are about no proposal."""
    counts: dict[str, int]
    """Verdicts by status, about the whole history."""
    notes: tuple[NoteRow, ...]
    """What does not match and is about the writer as such."""
    proposals: tuple[ProposalNote, ...]
    """What does not match and is about a proposal without an entry, or a vote without one."""
    unread: dict[Address, str]
    """Governors that could not be read, and why."""


class Audit:
    """What was checked, and the writers to tell about."""

    def __init__(
        self, report: Report, notes: Notes, view: ChainView, store: EvidenceStore | None, keeper: Keeper,
        period: Period, prices: Prices | None, disclosures: Sequence[Disclosure], progress: Progress,
    ) -> None:  # fmt: skip
        self.report = report
        self.notes = notes
        self.view = view
        self.store = store
        self.keeper = keeper
        self.period = period
        self.prices = prices
        self.disclosures = disclosures
        self.progress = progress
        self._unused = {disclosure.record_root for disclosure in disclosures}

    def writers(self) -> Iterator[WriterAudit]:
        """One after another; each is done before the next is asked for."""
        for writer in self.report.writers:
            yield WriterAudit(self, writer)

    def disclosed(self, bundle: Bundle) -> tuple[Bundle, tuple[str, ...]]:
        """The bundle with what the disclosures open of its record; and the names of what they open."""
        opened: list[str] = []
        for disclosure in self.disclosures:
            if disclosure.record_root == bundle.record_root:
                bundle = complete(bundle, disclosure)
                opened += disclosure.opened
        if opened:
            self._unused.discard(bundle.record_root)
        return bundle, tuple(dict.fromkeys(opened))

    @property
    def unused_disclosures(self) -> tuple[bytes, ...]:
        """Record roots of those that opened nothing in the rows that were asked for."""
        return tuple(sorted(self._unused))


class WriterAudit:
    """One writer in the period."""

    def __init__(self, audit: Audit, report: WriterReport) -> None:
        self._audit = audit
        self._report = report
        self._writer = report.writer
        audit.progress(f"history of {self._writer}")
        self._chronicle = Chronicle(audit.view, self._writer, report.safe)
        declarations = [epoch.declaration for epoch in self._chronicle.epochs]
        self._desk = EvidenceDesk(audit.store, declarations, open_place=audit.keeper.open)
        self._gas = GasBook(audit.view.reader)
        self._tally = Tally()

    def summary(self) -> Summary:
        """The sums of the rows that were asked for."""
        return self._tally.summary()

    def rows(self) -> Iterator[DecisionRow]:
        """The decisions of the period, in the order of the log."""
        for entry in self._in_period():
            if entry.kind in ABOUT_PROPOSALS:
                self._audit.progress(f"entry {entry.seq} of {self._report.entries}")
                row = self._row(entry)
                self._tally.add(row)
                yield row

    # Who it is

    @cached_property
    def head(self) -> WriterHead:
        """Everything but the decisions."""
        audit, chronicle = self._audit, self._chronicle
        rows = self._configurations
        period_rows = [row for row in rows if audit.period.holds(row.from_block, row.from_time)]
        ended = [row for row in rows if not self._is_after(row.from_block, row.from_time)]
        in_force = ended[-1] if ended else None
        document = in_force.document if in_force else None
        name = document.get("agent") if isinstance(document, dict) else None
        loose = audit.notes.loose(self._writer)
        return WriterHead(
            writer=self._writer,
            agent=cut(name) if isinstance(name, str) else None,
            tier=self._report.tier,
            entries=self._report.entries,
            predecessor=self._report.predecessor,
            successor=self._report.successor,
            configuration=in_force,
            changes=tuple(period_rows),
            events=tuple(self._events()),
            counts=audit.notes.counts(self._writer),
            notes=tuple(NoteRow.of(verdict) for verdict in loose if not verdict.about.proposal),
            proposals=tuple(self._about_proposals()),
            unread=chronicle.unread,
        )

    def _in_period(self) -> Iterator[Entry]:
        return (e for e in self._chronicle.entries() if self._audit.period.holds(e.block_number, e.time))

    def _is_after(self, block: int, time: int) -> bool:
        return not Period(until=self._audit.period.until).holds(block, time)

    def _events(self) -> Iterator[EventRow]:
        for entry in self._in_period():
            if entry.kind not in ABOUT_PROPOSALS:
                yield EventRow(seq=entry.seq, kind=entry.kind, block=entry.block_number, time=entry.time)

    def _about_proposals(self) -> Iterator[ProposalNote]:
        """Of a proposal whose vote ended outside of the period nothing is said; when it ended may not be known."""
        for verdict in self._audit.notes.loose(self._writer):
            key = verdict.about.proposal
            if not key:
                continue
            proposal = self._chronicle.named(key)
            closed = self._chronicle.closed_at(proposal) if proposal else None
            if closed is None or verdict.status is Status.PENDING or self._audit.period.holds(*closed):
                yield ProposalNote(proposal=key, title=proposal.title if proposal else "", note=NoteRow.of(verdict))

    @cached_property
    def _configurations(self) -> list[ConfigurationRow]:
        rows: list[ConfigurationRow] = []
        before: JsonValue = None
        for number, epoch in enumerate(self._chronicle.epochs):
            row = self._configuration(number, epoch, before)
            before = row.document
            rows.append(row)
        return rows

    def _sealed(self, epoch: int) -> tuple[str, ...]:
        """Fields that a configuration declares sealed; none where its document is not there."""
        document = self._configurations[epoch].document if epoch < len(self._configurations) else None
        declared = document.get("sealed") if isinstance(document, dict) else None
        return tuple(str(name) for name in declared) if isinstance(declared, list) else ()

    def _configuration(self, number: int, epoch: Epoch, before: JsonValue) -> ConfigurationRow:
        document, why = self._document(epoch.declaration)
        time_of, announced = self._chronicle.time_of, epoch.announced_block
        return ConfigurationRow(
            epoch=number,
            config_hash=epoch.declaration.config_hash,
            governors=epoch.declaration.governors,
            evidence_uri=cut(epoch.declaration.evidence_uri),
            announced_time=None if announced is None else time_of(announced),
            from_block=epoch.from_block,
            from_time=time_of(epoch.from_block),
            document=document,
            why_no_document=why,
            changed=_changed(before, document),
        )

    def _document(self, declaration: Declaration) -> tuple[JsonValue, str]:
        try:
            data = self._desk.configuration(declaration)
        except EvidenceGoneError as error:
            return None, f"it cannot be read: {cut(error.message)}"
        if data is None:
            return None, "it is not there: removed, or withheld"
        if isinstance(data, DiffersError):
            return None, cut(data.message)
        try:
            return Configuration.parse(data).model_dump(mode="json"), ""
        except DecodingError as error:
            return None, cut(error.message)

    # One entry

    def _row(self, entry: Entry) -> DecisionRow:
        chronicle, audit = self._chronicle, self._audit
        story, proposal = self._told(entry)
        cast = chronicle.cast_for(entry)
        support = int.from_bytes(entry.action, "big") if entry.kind is EntryKind.VOTE else None
        marks = chronicle.marks.get(entry.subject)
        return DecisionRow(
            seq=entry.seq,
            kind=entry.kind,
            epoch=entry.epoch,
            block=entry.block_number,
            time=entry.time,
            transaction=entry.transaction_hash,
            record_root=entry.record_root,
            is_first=not marks or marks[0].seq == entry.seq,
            proposal=proposal,
            support=support if support is None or support < 256 else None,
            announced=chronicle.word_for(proposal.key.governor, support) if proposal and support is not None else None,
            cast=cast,
            voided_by=chronicle.voided_by(entry),
            became=self._became(entry, proposal) if _waits(entry, story) else None,
            story=story,
            seconds_to_decision=_between(proposal, entry.time),
            seconds_to_vote=_between(proposal, cast.time) if cast else None,
            decision_share=chronicle.share(proposal, entry.block_number) if proposal else None,
            vote_share=chronicle.share(proposal, cast.block) if proposal and cast else None,
            gas=self._gas.of([entry.transaction_hash, *([cast.transaction] if cast and not self._report.safe else [])]),
            remarks=tuple(chronicle.remarks.get(entry.seq, ())),
            check=audit.notes.check(self._writer, entry.seq),
        )

    def _told(self, entry: Entry) -> tuple[Story, ProposalRow | None]:
        """What the evidence says; and the proposal: the chain's own, else the one of the record."""
        announced = self._chronicle.proposal(entry.subject)
        found = self._bundle(entry)
        return self._tell(entry, found, announced) if isinstance(found, Bundle) else (found, announced)

    def _bundle(self, entry: Entry | Mark) -> Bundle | Story:
        """Its evidence; or the story that there is none."""
        epoch = self._chronicle.epoch_of(entry)
        if entry.kind not in HAS_BUNDLE or epoch is None:
            return NO_STORY
        try:
            found = self._desk.bundle(epoch.declaration, entry.record_root)
        except EvidenceGoneError as error:
            return Story(evidence="missing", why=cut(error.message))
        if found is None:
            return Story(evidence="missing", why="it is not there: removed, or withheld")
        return found if isinstance(found, Bundle) else Story(evidence="differs", why=cut(found.message))

    def _tell(self, entry: Entry, bundle: Bundle, announced: ProposalRow | None) -> tuple[Story, ProposalRow | None]:
        """A stranger's record: one that cannot be told must not end the report about the others."""
        try:
            bundle, opened = self._audit.disclosed(bundle)
            story = tell(bundle, self._audit.prices, self._sealed(entry.epoch))
            if announced is None and "proposal" not in bundle.withheld:
                announced = self._recorded(entry, bundle)
        except UnreachableError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a hostile record provokes
            return Story(evidence="differs", why=cut(f"it cannot be told: {type(error).__name__}: {error}")), announced
        return story.model_copy(update={"disclosed": opened}), announced

    def _recorded(self, entry: Entry, bundle: Bundle) -> ProposalRow | None:
        proposal = dossier_of(bundle).proposal
        return self._chronicle.row_of(proposal, from_record=True) if subject(proposal.key) == entry.subject else None

    def _became(self, entry: Entry, proposal: ProposalRow | None) -> Answer:
        """The last entry after it that answers for the proposal; else whether its vote is still open."""
        marks = self._chronicle.marks.get(entry.subject, ())
        later = [mark for mark in marks if mark.seq > entry.seq and mark.kind in _WORDS]
        if later:
            last = later[-1]
            ended = self._how_it_ended(last) if last.kind is EntryKind.HOLD else ""
            return Answer(word=ended or _WORDS[last.kind], seq=last.seq)
        is_open = self._chronicle.is_open(proposal.key) if proposal and not proposal.from_record else None
        return Answer(word="unknown" if is_open is None else "open" if is_open else "closed")

    def _how_it_ended(self, mark: Mark) -> str:
        """A person's no is a HOLD, too, and so is a wait that ended without people. Where the evidence does not say, it
        counts as another hold.
        """
        found = self._bundle(mark)
        if not isinstance(found, Bundle) or "people" in found.withheld:
            return ""
        people = dossier_of(found).people
        return "rejected" if people.rejection else "expired" if people.expired else ""


def _waits(entry: Entry, story: Story) -> bool:
    """A hold that waits for people; not one that writes down what a person said."""
    return entry.kind is EntryKind.HOLD and story.person is None


def _between(proposal: ProposalRow | None, time: int) -> int | None:
    if proposal is None or proposal.created_time is None:
        return None
    return time - proposal.created_time


def _changed(before: JsonValue, after: JsonValue) -> tuple[str, ...]:
    if not isinstance(before, dict) or not isinstance(after, dict):
        return ()
    return tuple(name for name in after if before.get(name) != after[name])
