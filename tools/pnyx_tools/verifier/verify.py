"""The check of one log, writer by writer. The numbers are those of `pnyx_policies.verify`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from eth_utils.address import is_address, to_checksum_address

from pnyx_contracts.decision_log import subject
from pnyx_contracts.entry import Entry
from pnyx_contracts.errors import DecodingError, UsageError
from pnyx_contracts.governors import GovernorAdapter, builtin_adapters
from pnyx_contracts.types import Proposal
from pnyx_policies.disclosure import Disclosure
from pnyx_policies.verify.history import (
    DELEGATION_PREFIX,
    History,
    check_administration,
    check_log_code,
    check_writer,
)
from pnyx_policies.verify.verdict import About, Report, Step, Verdict, WriterReport
from pnyx_policies.verify.votes import Ballot, Docket, Duty
from pnyx_tools.evidence import EvidenceStore, open_named
from pnyx_tools.reader import BlockId, ChainReader, RevertedError
from pnyx_tools.verifier.chainview import ChainView, first_block_with_code
from pnyx_tools.verifier.desk import EvidenceDesk
from pnyx_tools.verifier.entries import Disclosures, EntryCheck

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
    progress: Progress | None = None,
) -> Report:
    """Checks one writer, or every writer, of the decision log at `log`.

    `evidence` is where the bundles lie; without it, where the writers say on chain. `factory` is the one gate factory
    to accept; without it, any that has our code. `upto` is the block that the check reaches to: by default the last one
    that cannot be reorganised away. `from_block` is where the log's events begin; found out when not given.
    `disclosures`, which hold together by themselves (`open_disclosure`), open what the published bundles withhold.
    `second_reader`, another node, must agree about the block and about every writer's head. `progress` gets one line
    now and then.

    Raises `UsageError` when there is nothing to check, `UnreachableError` when the chain, or a place of evidence that
    the caller named, cannot be read. What the check finds is never raised: it is in the report.
    """
    log, writer, factory = _address(log), writer and _address(writer), factory and _address(factory)
    tell = progress or (lambda _: None)
    store = open_named(evidence) if isinstance(evidence, str | Path) else evidence
    block = reader.block(upto)
    code = _log_code(reader, log, block.number, upto)
    report = Report(chain_id=reader.chain_id(), log=log, block=block, verdicts=[check_log_code(code)])
    if second_reader is not None:
        report.verdicts += _second_block(report, second_reader)
    if report.problems:
        return report  # nothing that this contract or this node says can be relied on
    first = first_block_with_code(reader, log, block.number) if from_block is None else from_block
    view = ChainView(reader, log, block, builtin_adapters() if adapters is None else adapters, first)
    writers = [writer] if writer else view.writers()
    if not writers:
        raise UsageError(f"no writer has registered in the log {log} up to block {block.number}")
    opening = Disclosures(disclosures)
    for address in writers:
        tell(f"writer {address}")
        check = _WriterCheck(view, address, factory, tell, opening)
        report.writers.append(check.run(store))
        if second_reader is not None:
            report.writers[-1].add(_second_state(view, second_reader, address))
    report.verdicts += opening.of_no_entry()
    return report


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


class _WriterCheck:
    """Everything about one writer; its history is in memory, its bundles are one at a time."""

    def __init__(
        self, view: ChainView, writer: str, factory: str | None, tell: Progress, disclosures: Disclosures
    ) -> None:
        self._view = view
        self._writer = writer
        self._factory = factory
        self._tell = tell
        self._disclosures = disclosures
        self._history = History(view.chain_id, view.log, writer, view.number_in_contracts)
        self._report = WriterReport(writer)
        self._proposals: dict[bytes, Proposal] = {}
        self._entries_about: dict[bytes, list[Entry]] = defaultdict(list)

    def run(self, evidence: EvidenceStore | None) -> WriterReport:
        self._read_history()
        if self._history.start_block is None:
            return self._report
        code = self._check_writer()
        docket = self._check_votes(code)
        self._check_entries(docket, evidence)
        return self._report

    # 2 to 4

    def _read_history(self) -> None:
        for event in self._view.events(self._writer):
            if isinstance(event, DecodingError):
                self._report.add([About(self._writer).differs(Step.ENTRIES, "event", reason=event.message)])
            else:
                self._history.take(event)
        self._history.close(self._view.state(self._writer))
        self._report.add(self._history.verdicts)
        self._report.entries = len(self._history.entries)
        self._report.kinds.update(entry.kind for entry in self._history.entries)
        for entry in self._history.entries:
            self._entries_about[entry.subject].append(entry)

    # 5

    def _check_writer(self) -> bytes:
        code = self._view.reader.code(self._writer, self._view.block.number)
        is_contract = bool(code) and not code.startswith(DELEGATION_PREFIX)
        gate = self._view.gate(self._writer) if is_contract else None
        self._report.tier, verdict = check_writer(self._writer, self._view.log, code, gate, self._factory)
        self._report.add([verdict])
        self._report.add(check_administration(self._writer, self._report.tier, self._history.entries))
        return code

    # 6 to 8

    def _check_votes(self, code: bytes) -> Docket:
        history, start = self._history, self._history.start_block or 0
        duties = [duty for governor in sorted(history.governors) for duty in self._duties(governor, start)]
        ballots = self._ballots(start)
        docket = Docket(self._writer, history.entries, ballots, duties)
        if code.startswith(DELEGATION_PREFIX):
            self._report.tier = docket.tier_of_account()
        self._report.add(docket.check_votes(self._report.tier))
        self._report.add(docket.check_announced_votes())
        self._report.add(docket.check_completeness())
        return docket

    def _ballots(self, start: int) -> list[Ballot]:
        found = list(self._view.ballots(self._history, start))
        for error in found:
            if isinstance(error, DecodingError):
                self._report.add([About(self._writer).differs(Step.VOTES, "event", reason=error.message)])
        return [ballot for ballot in found if isinstance(ballot, Ballot)]

    def _duties(self, governor: str, start: int) -> Iterator[Duty]:
        """The proposals that the writer answers for: announced while the governor was in its scope."""
        self._tell(f"proposals of {governor}")
        governed = self._view.governed(governor)
        if governed.adapter is None:
            self._report.add([About(self._writer).not_checkable(Step.COMPLETENESS, governed.why_not)])
            return
        try:
            for proposal in self._view.proposals(governed, start):
                if governor in self._history.governors_at(proposal.created_block):
                    entries = self._entries_about.get(subject(proposal.key), ())
                    yield self._view.duty(governed, proposal.key, self._writer, entries)
        except (DecodingError, RevertedError) as error:
            # A writer may declare a contract of its own making; that must not end the check of the others.
            about = About(self._writer)
            self._report.add([about.differs(Step.COMPLETENESS, "governor", seen=governor, reason=error.message)])

    # 9 to 20

    def _check_entries(self, docket: Docket, evidence: EvidenceStore | None) -> None:
        history = self._history
        desk = EvidenceDesk(evidence, [scope.declaration for scope in history.scopes])
        check = EntryCheck(self._view, history, desk, self._disclosures)
        for number, entry in enumerate(history.entries, 1):
            self._tell(f"entry {number} of {len(history.entries)}")
            self._report.add(check.run(entry, docket.about(entry)))
