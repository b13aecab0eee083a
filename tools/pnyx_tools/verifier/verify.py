"""The check of one log, writer by writer. The numbers are those of `pnyx_policies.verify`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from eth_utils.address import is_address, to_checksum_address

from pnyx_contracts.addresses import delegate_of
from pnyx_contracts.decision_log import subject
from pnyx_contracts.entry import Entry, EntryKind
from pnyx_contracts.errors import DecodingError, UnreachableError, UsageError
from pnyx_contracts.governors import GovernorAdapter, builtin_adapters
from pnyx_contracts.types import Proposal, to_hex
from pnyx_policies.disclosure import Disclosure
from pnyx_policies.verify.history import History, check_log_code, check_predecessor, check_successor
from pnyx_policies.verify.record import HAS_BUNDLE
from pnyx_policies.verify.verdict import About, ChainsReport, Report, Step, Tier, Verdict, Verdicts, WriterReport
from pnyx_policies.verify.votes import Duty, Matter, check_strangers, tier_of_account
from pnyx_policies.verify.writer import check_writer
from pnyx_tools.evidence import EvidenceStore, open_named, open_store
from pnyx_tools.reader import BlockId, ChainReader, RevertedError
from pnyx_tools.verifier.casebook import Casebook
from pnyx_tools.verifier.chainview import ChainView, Governed, first_block_with_code
from pnyx_tools.verifier.desk import EvidenceDesk
from pnyx_tools.verifier.entries import Disclosures, EntryCheck
from pnyx_tools.verifier.trusted import Trusted

MAX_STRANGERS: Final = 1_000
"""Contracts out of scope that claim votes of a writer, and that a report names one by one."""

Progress = Callable[[str], None]


def verify(
    reader: ChainReader,
    log: str,
    writer: str | None = None,
    evidence: EvidenceStore | str | Path | None = None,
    *,
    factory: str | None = None,
    upto: BlockId = "finalized",
    from_block: int | None = None,
    second_reader: ChainReader | None = None,
    adapters: Sequence[GovernorAdapter] | None = None,
    disclosures: Sequence[Disclosure] = (),
    block_hash: bytes | None = None,
    log_only: bool = False,
    open_place: Callable[[str], EvidenceStore] = open_store,
    on_verdict: Callable[[Verdict], None] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Checks one writer, or every writer, of the decision log at `log`.

    `evidence` is where the bundles lie; without it, where the writers say on chain. `factory` is the one gate factory
    to accept; without it, any that has our code. `upto` is the block that the check reaches to: by default the last one
    that cannot be reorganised away. `from_block` is where the log's events begin; found out when not given.
    `disclosures`, which hold together by themselves (`open_disclosure`), open what the published bundles withhold.
    `second_reader`, another node, must agree about the block, every writer's head, and every event that is read.
    `block_hash` is that of a block that the caller trusts: the check reaches to this block, and the log's code, the
    writers' code and their state in the log are proven against it, so that no node is believed about them. With
    `log_only`, steps 9 to 20, which need the records, are left out. `open_place` opens the places that the writers
    name; a caller that reads them again can keep what they answer. `on_verdict` hears every verdict; the report keeps
    counts, and those that do not match. `progress` gets one line now and then.

    Raises `UsageError` when there is nothing to check, `UnreachableError` when the chain, or a place of evidence that
    the caller named, cannot be read. What the check finds is never raised: it is in the report.
    """
    log, writer, factory = _address(log), writer and _address(writer), factory and _address(factory)
    store = open_named(evidence) if isinstance(evidence, str | Path) else evidence
    block = reader.block(upto if block_hash is None else to_hex(block_hash))
    code = _log_code(reader, log, block.number, upto)
    report = Report(reader.chain_id(), log, block, without_evidence=log_only)
    tell = on_verdict or (lambda _: None)
    _about_log(report, [check_log_code(code)], tell)
    trusted = None if block_hash is None else Trusted(reader, log, block_hash)
    if trusted is not None:
        _about_log(report, trusted.check_log(code, block), tell)
    if second_reader is not None:
        _about_log(report, _second_block(report, second_reader), tell)
    if report.problems or report.unproven:
        return report  # nothing that this contract or this node says can be relied on
    first = first_block_with_code(reader, log, block.number) if from_block is None else from_block
    known = builtin_adapters() if adapters is None else adapters
    view = ChainView(reader, log, block, known, first, second_reader)
    opening = Disclosures(disclosures)
    for address in [writer] if writer else _writers(view, report, tell):
        (progress or (lambda _: None))(f"writer {address}")
        of_writer = WriterReport(address, found=Verdicts(on_verdict))
        report.writers.append(of_writer)
        with Casebook(address) as book:
            check = _WriterCheck(view, of_writer, book, factory, progress or (lambda _: None))
            check.run(EvidenceSource(store, opening, open_place), log_only=log_only)
        if trusted is not None:
            code = reader.code(address, block.number)
            of_writer.add(trusted.check_writer(address, view.state(address), code))
        if second_reader is not None:
            of_writer.add(_second_state(view, second_reader, address))
    _about_log(report, opening.of_no_entry(), tell)
    return report


def verify_chains(
    readers: Sequence[ChainReader],
    log: str,
    *,
    second_readers: Sequence[ChainReader] = (),
    on_verdict: Callable[[int, Verdict], None] | None = None,
    **options: Any,  # noqa: ANN401 - those of `verify`
) -> ChainsReport:
    """`verify` on several chains, at the one address that the log has on all of them. Each second node goes with the
    first one of its chain. `on_verdict` hears the chain's id, too.
    """
    chains = _by_chain(readers, "--second-rpc names another node of the same chain")
    seconds = _by_chain(second_readers, "one second node a chain is enough")
    for chain_id in seconds.keys() - chains.keys():
        raise UsageError(f"a second node is one of chain {chain_id}, and no first one is", hint="give its --rpc, too")
    reports = []
    for chain_id, reader in chains.items():
        tell = partial(on_verdict, chain_id) if on_verdict else None
        reports.append(verify(reader, log, second_reader=seconds.get(chain_id), on_verdict=tell, **options))
    return ChainsReport(tuple(reports))


def _by_chain(readers: Sequence[ChainReader], hint: str) -> dict[int, ChainReader]:
    found: dict[int, ChainReader] = {}
    for reader in readers:
        chain_id = reader.chain_id()
        if chain_id in found:
            raise UsageError(f"two of the nodes are of chain {chain_id}", hint=hint)
        found[chain_id] = reader
    return found


def _about_log(report: Report, verdicts: Iterable[Verdict], tell: Callable[[Verdict], None]) -> None:
    for verdict in verdicts:
        tell(verdict)
        report.verdicts.append(verdict)


def _writers(view: ChainView, report: Report, tell: Callable[[Verdict], None]) -> list[str]:
    found = list(view.writers())
    _about_log(report, (one for one in found if isinstance(one, Verdict)), tell)
    writers = list(dict.fromkeys(one for one in found if isinstance(one, str)))
    if not writers:
        raise UsageError(f"no writer has registered in the log {report.log} up to block {report.block.number}")
    return writers


def _log_code(reader: ChainReader, log: str, block: int, upto: BlockId) -> bytes:
    code = reader.code(log, block)
    if not code:
        newer = upto != "latest" and bool(reader.code(log, "latest"))
        raise UsageError(
            f"there is no contract at {log} at block {block} of chain {reader.chain_id()}",
            hint="the log is newer than the newest finalized block: wait, or check up to 'latest'"
            if newer
            else "check the address, and that the endpoint is one of the right chain",
        )
    return code


def _second_block(report: Report, second: ChainReader) -> Iterator[Verdict]:
    if second.block(report.block.number) != report.block:
        yield About().differs(Step.LOG_CODE, "block", reason="the second node has another chain")


def _second_state(view: ChainView, second: ChainReader, writer: str) -> Iterator[Verdict]:
    other = ChainView(second, view.log, view.block, (), 0).state(writer)
    if other != view.state(writer):
        yield About(writer).differs(Step.ENTRIES, "head", reason="the second node has another state of the log")


def _address(text: str) -> str:
    if not is_address(text):
        raise UsageError(f"expected a 20-byte address in 0x hex with a valid checksum, got {text[:60]!r}")
    return str(to_checksum_address(text))


@dataclass(frozen=True, slots=True)
class EvidenceSource:
    """Where the evidence comes from: the place that the caller named, if any, and what was disclosed beside it."""

    named: EvidenceStore | None
    disclosures: Disclosures
    open_place: Callable[[str], EvidenceStore]


class _WriterCheck:
    """Everything about one writer. Its history lies in the casebook, its bundles are read one at a time."""

    def __init__(
        self, view: ChainView, report: WriterReport, book: Casebook, factory: str | None, tell: Progress
    ) -> None:
        self._view = view
        self._report = report
        self._book = book
        self._writer = report.writer
        self._factory = factory
        self._tell = tell
        self._code = view.reader.code(report.writer, view.block.number)
        report.tier, self._standing = self._check_writer()
        self._history = History(
            view.chain_id, view.log, self._writer, view.number_in_contracts, is_gate=report.tier is Tier.ENFORCED
        )
        self._successors: list[str] = []
        self._inherits_from: int | None = None
        """Where the duties of its predecessors begin, when it has any."""
        self._in_scope = self._together = 0
        """Votes in scope, and those that came in one transaction with their entry."""

    def run(self, evidence: EvidenceSource, *, log_only: bool) -> None:
        """With `log_only`, steps 9 to 20 are left out."""
        self._read_history()
        if self._history.start_block is None:
            return
        self._report.add([self._standing])
        self._read_remarks()
        self._check_succession()
        records = self._records(evidence)
        self._find_safes(records, log_only=log_only)
        self._check_votes(self._history.start_block)
        if not log_only:
            self._check_entries(records)

    # 2 to 4

    def _read_history(self) -> None:
        for event in self._view.events(self._writer):
            found = [event] if isinstance(event, Verdict) else self._history.take(event)
            if found:
                self._report.add(found)
            if isinstance(event, Entry):
                self._book.enter(event, paused=self._history.paused)
        self._book.all_entered()
        self._report.add(self._history.close(self._view.state(self._writer)))
        self._report.entries = self._history.entries
        self._report.kinds = self._history.kinds

    def _check_succession(self) -> None:
        history, view = self._history, self._view
        old, new = history.predecessor, history.successor
        self._report.predecessor, self._report.successor = old, new
        if old is not None:
            last = view.succession(old, EntryKind.SUCCEEDED, self._writer)
            self._report.add(check_predecessor(history, view.state(old), last))
            line = view.line(self._writer, EntryKind.SUCCEEDS)
            starts = [start for other in line if (start := view.registered_in(other)) is not None]
            self._inherits_from = min(starts, default=None)
        if new is not None:
            self._report.add(check_successor(history, view.succession(new, EntryKind.SUCCEEDS, self._writer)))
            self._successors = view.line(self._writer, EntryKind.SUCCEEDED)

    def _read_remarks(self) -> None:
        for remark in self._view.remarks(self._writer):
            if isinstance(remark, Verdict):
                self._report.add([remark])
            else:
                self._report.heed(remark)

    # 5

    def _check_writer(self) -> tuple[Tier, Verdict]:
        view, delegate = self._view, delegate_of(self._code)
        at = view.block.number
        gate = view.gate(self._writer) if self._code and delegate is None else None
        runs = view.reader.code(delegate, at) if delegate else b""
        return check_writer(self._writer, view.log, self._code, gate, self._factory, runs)

    # 6 to 8

    def _find_safes(self, records: EntryCheck, *, log_only: bool) -> None:
        """Who votes is declared, and a gate votes itself. Without the evidence, the configurations may be out of reach:
        then the writer's own votes are looked at.
        """
        if self._report.tier is not Tier.DECLARED:
            return
        try:
            self._history.safes |= records.safes()
        except UnreachableError:
            if not log_only:
                raise
        now = self._history.scopes[-1].declaration.config_hash
        self._report.safe = self._history.safes.get(now)

    def _check_votes(self, start: int) -> None:
        self._read_ballots(start)
        for governor in sorted(self._history.governors):
            self._tell(f"proposals of {governor}")
            self._check_duties(governor, start)
        for about in self._book.unsettled():
            self._check_matter(about, None)
        if delegate_of(self._code) is not None:
            self._report.tier = tier_of_account(self._in_scope, self._together)

    def _read_ballots(self, start: int) -> None:
        strangers: Counter[str] = Counter()
        for ballot in self._view.ballots(self._history, start):
            if isinstance(ballot, Verdict):
                self._report.add([ballot])
            elif ballot.is_genuine or self._book.announces_vote(subject(ballot.key)):
                self._book.cast(ballot)
            else:
                known = ballot.key.governor in strangers or len(strangers) < MAX_STRANGERS
                strangers[ballot.key.governor if known else "other contracts"] += 1
        self._book.all_cast()
        self._report.add(check_strangers(self._writer, strangers))

    def _check_duties(self, governor: str, start: int) -> None:
        """The proposals that the writer answers for: announced while the governor was in its scope."""
        governed = self._view.governed(governor)
        if governed.adapter is None:
            self._report.add([About(self._writer).not_checkable(Step.COMPLETENESS, governed.why_not)])
            return
        first = start if self._inherits_from is None else min(start, self._inherits_from)
        try:
            for proposal in self._view.proposals(governed, first):
                if isinstance(proposal, Verdict):
                    self._report.add([proposal])
                elif self._concerns(governor, proposal.created_block, start):
                    self._check_duty(governed, proposal, inherited=proposal.created_block < start)
        except (DecodingError, RevertedError) as error:
            # A writer may declare a contract of its own making; that must not end the check of the others.
            about = About(self._writer)
            self._report.add([about.differs(Step.COMPLETENESS, "governor", seen=governor, reason=error.message)])

    def _concerns(self, governor: str, block: int, start: int) -> bool:
        return self._history.answers_for(governor, max(block, start))

    def _check_duty(self, governed: Governed, proposal: Proposal, *, inherited: bool) -> None:
        about = subject(proposal.key)
        entries = self._book.entries_about(about)
        left_open = self._successors and not any(entry.kind.is_terminal for entry in entries)
        later = self._view.entries_about(self._successors, about) if left_open else []
        voter = self._history.voter_at(self._view.block.number)
        duty = self._view.duty(governed, proposal, voter, [*entries, *later])
        self._check_matter(about, duty, inherited=inherited, later=later)

    def _check_matter(
        self, about: bytes, duty: Duty | None, *, inherited: bool = False, later: Sequence[Entry] = ()
    ) -> None:
        end = self._history.end
        matter = Matter(
            self._writer, self._book.entries_about(about), self._book.ballots_about(about), duty,
            end=(end.block_number, end.log_index) if end else None, inherited=inherited,
            successor=self._history.successor or "", later=later,
        )  # fmt: skip
        key = duty.key if duty else matter.ballots[0].key if matter.ballots else None
        if key is not None and not self._book.name(about, key):
            return  # a node, or a governor, that shows one proposal twice
        self._report.add(matter.check_votes(self._report.tier))
        self._report.add(matter.check_announced_votes())
        self._report.add(matter.check_completeness())
        for together in matter.together():
            self._in_scope += 1
            self._together += together

    # 9 to 20

    def _records(self, evidence: EvidenceSource) -> EntryCheck:
        declarations = [scope.declaration for scope in self._history.scopes]
        desk = EvidenceDesk(evidence.named, declarations, open_place=evidence.open_place)
        return EntryCheck(self._view, self._history, self._book, desk, evidence.disclosures)

    def _check_entries(self, check: EntryCheck) -> None:
        for entry in self._book.with_kinds(HAS_BUNDLE):
            self._tell(f"entry {entry.seq} of {self._history.entries}")
            self._report.add(check.run(entry, About(self._writer, entry.seq, self._book.name_of(entry.subject))))
