"""Steps 9 to 20: one entry at a time, so that one bundle is in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from importlib.metadata import version

from pnyx_contracts.entry import Declaration, Entry, EntryKind
from pnyx_contracts.errors import DecodingError, DiffersError, PnyxError, UsageError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.bundle import Bundle
from pnyx_policies.checks import builtin_checks
from pnyx_policies.configuration import Configuration
from pnyx_policies.context import searched_from
from pnyx_policies.disclosure import Disclosure, complete
from pnyx_policies.facts import Facts, Grade, ToolResult
from pnyx_policies.verify.facts import (
    check_code_until_entry,
    check_context,
    check_pinned_block,
    check_simulation,
    check_simulation_told,
    check_state,
)
from pnyx_policies.verify.history import History
from pnyx_policies.verify.judgement import (
    DeclaredChecks,
    Shipped,
    check_decision,
    check_entry,
    check_findings,
    check_not_rejected,
    check_what_was_skipped,
)
from pnyx_policies.verify.record import (
    HAS_BUNDLE,
    Case,
    check_bundle,
    check_calls,
    check_configuration,
    check_declared,
    check_digest,
    check_header,
    check_proposal,
    check_voter,
    dossier_of,
    void_proposal,
)
from pnyx_policies.verify.testimony import check_answers, check_prompts
from pnyx_policies.verify.verdict import About, Step, Verdict
from pnyx_tools.code import read_targets
from pnyx_tools.context import ContextTool, OtherChainsTool, OwnLog, SearchingTool, builtin_tools
from pnyx_tools.gather import gather_facts
from pnyx_tools.reader import BlockId, MethodMissingError, RevertedError, RpcError
from pnyx_tools.verifier.casebook import Casebook
from pnyx_tools.verifier.chainview import ChainView, Governed
from pnyx_tools.verifier.desk import EvidenceDesk, EvidenceGoneError

_FACTS = ("proposal", "calls", "state", "simulation", "context")
_DECISION = frozenset({*_FACTS, "checks", "opinions", "ruleset", "rules", "decision"})
_FACT_STEPS = ((Step.STATE, Grade.RE_READ), (Step.SIMULATION, Grade.RE_SIMULATED), (Step.CONTEXT, Grade.RE_READ))


class Disclosures:
    """Those that the member brought, and which of them an entry was found for."""

    def __init__(self, disclosures: Sequence[Disclosure]) -> None:
        self._all = disclosures
        self._met: set[bytes] = set()

    def about(self, record_root: bytes) -> list[Disclosure]:
        """Those of one record, which an entry names."""
        self._met.add(record_root)
        return [disclosure for disclosure in self._all if disclosure.record_root == record_root]

    def of_no_entry(self) -> Iterator[Verdict]:
        for disclosure in self._all:
            if disclosure.record_root not in self._met:
                reason = "it opens a record that no entry names, of those that were checked"
                yield About().differs(Step.BUNDLE, "disclosure", seen=disclosure.record_root, reason=reason)


class EntryCheck:
    """For the entries of one writer, in order."""

    def __init__(
        self, view: ChainView, history: History, book: Casebook, desk: EvidenceDesk, disclosures: Disclosures
    ) -> None:
        self._view = view
        self._disclosures = disclosures
        self._desk = desk
        self._history = history
        self._book = book
        self._configurations: dict[Declaration, Configuration | None] = {}
        self._found: dict[Declaration, tuple[Verdict, ...]] = {}
        """What is to be said about those that were read, and was not said yet."""
        self._shipped = Shipped(builtin_checks(), f"pnyx {version('pnyx')}")

    def safes(self) -> dict[bytes, str]:
        """The Safe that votes for the writer, by configuration hash, as far as the configurations can be had."""
        found: dict[bytes, str] = {}
        for declaration in dict.fromkeys(scope.declaration for scope in self._history.scopes):
            configuration = self._configuration_of(declaration)
            if configuration is not None and configuration.safe is not None:
                found[declaration.config_hash] = configuration.safe
        return found

    def run(self, entry: Entry, about: About) -> Iterator[Verdict]:
        """The verdicts on one entry; none for kinds that have no bundle."""
        declaration = self._history.declaration_at(entry)
        if entry.kind not in HAS_BUNDLE or declaration is None:
            return
        disclosures = self._disclosures.about(entry.record_root)
        try:
            found = self._desk.bundle(declaration, entry.record_root)
        except EvidenceGoneError as error:
            yield about.missing(Step.BUNDLE, f"the evidence: {error.message}")
            return
        yield from self._bad_places(about, Step.BUNDLE)
        if isinstance(found, Bundle):
            for disclosure in disclosures:
                found = complete(found, disclosure)
                yield about.matches(Step.BUNDLE, reason=f"a disclosure opens {', '.join(disclosure.opened)}")
            yield from self._read_configuration(declaration)
        configuration = self._configurations.get(declaration)
        sealed = configuration.sealed if configuration else ()
        yield from check_bundle(entry, about, found, self._owner_of, sealed)
        if isinstance(found, Bundle):
            case = Case(
                entry,
                self._named(about, found),
                declaration,
                found,
                dossier_of(found),
                self._view.chain_id,
                self._view.log,
                sealed,
            )
            void = self._void_of(case)
            yield from self._record(case, void)
            if void is None:
                yield from case.run(Step.STATE, ("proposal", "state"), self._facts, Grade.RE_READ)
                yield from case.run(Step.STATE, ("state",), self._code_until_entry, Grade.RE_READ)
            yield from self._judgement(case)

    def _bad_places(self, about: About, step: Step) -> Iterator[Verdict]:
        """One place is enough; a bad one is named."""
        for bad in self._desk.take_bad_places():
            yield about.not_checkable(step, f"another place has the true file, and not {bad}")

    def _owner_of(self, record_root: bytes) -> int | None:
        return self._book.owner_of(record_root, HAS_BUNDLE)

    @staticmethod
    def _named(about: About, bundle: Bundle) -> About:
        """The chain may show no proposal with this subject; the record names it."""
        if about.proposal or "proposal" in bundle.withheld:
            return about
        return About(about.writer, about.seq, str(dossier_of(bundle).proposal.key))

    # 10 to 12

    def _void_of(self, case: Case) -> Entry | None:
        """The VOID entry that takes this one back, when its proposal is gone as that says: there is nothing on the
        chain then to read again.
        """
        void = self._book.void_of(case.entry)
        if void is None or "proposal" in case.bundle.withheld:
            return None
        key = case.dossier.proposal.key
        governed = self._view.governed(key.governor)
        if governed.adapter is None or self._view.is_there(governed, key, before=void.block_number + 1):
            return None
        return void

    def _record(self, case: Case, void: Entry | None) -> Iterator[Verdict]:
        yield from case.run(Step.HEADER, ("header", "proposal"), check_header)
        configuration = self._configurations[case.declaration]
        yield from case.run(Step.HEADER, ("state",), partial(check_voter, configuration=configuration))
        yield from self._declared(case)
        if void is None:
            yield from case.run(Step.PROPOSAL, ("proposal",), self._proposal)
        else:
            yield void_proposal(case, void)
        yield from case.run(Step.PROPOSAL, ("proposal", "calls"), check_calls)
        yield from case.run(Step.PROPOSAL, ("proposal", "state", "decision"), check_digest)

    def _declared(self, case: Case) -> Iterator[Verdict]:
        configuration = self._configurations[case.declaration]
        if configuration is None:
            yield case.about.not_checkable(
                Step.DECLARED_CONFIGURATION, "the document of the configuration is not usable"
            )
            return
        needs = ("header", "calls", "state", "context", "prompt", "opinions", "checks", "ruleset", "decision")
        check = partial(check_declared, configuration=configuration)
        yield from case.run(Step.DECLARED_CONFIGURATION, needs, check)

    def _read_configuration(self, declaration: Declaration) -> Iterator[Verdict]:
        """Once per configuration; before any step, because it says what is sealed."""
        self._configuration_of(declaration)
        yield from self._found.pop(declaration, ())

    def _configuration_of(self, declaration: Declaration) -> Configuration | None:
        if declaration not in self._configurations:
            configuration, verdict = self._configuration(declaration)
            bad = self._bad_places(About(self._history.writer), Step.DECLARED_CONFIGURATION)
            self._configurations[declaration], self._found[declaration] = configuration, (verdict, *bad)
        return self._configurations[declaration]

    def _configuration(self, declaration: Declaration) -> tuple[Configuration | None, Verdict]:
        about = About(self._history.writer)
        try:
            data = self._desk.configuration(declaration)
        except EvidenceGoneError as error:
            return None, about.missing(Step.DECLARED_CONFIGURATION, error.message)
        return check_configuration(declaration, about, data)

    def _proposal(self, case: Case) -> Iterator[Verdict]:
        recorded = case.dossier.proposal
        governed = self._view.governed(recorded.key.governor)
        if governed.adapter is None:
            yield case.about.not_checkable(Step.PROPOSAL, governed.why_not)
            return
        announced = self._announced(recorded)
        yield from check_proposal(case, announced, governed.adapter.compute_id(announced) if announced else None)

    def _announced(self, recorded: Proposal) -> Proposal | None:
        """What the governor announced, looked for in the block that the record names."""
        governed, block = self._view.governed(recorded.key.governor), recorded.created_block
        return next((p for p in self._view.proposals_in(governed, block) if p.key == recorded.key), None)

    # 13 to 15

    def _facts(self, case: Case) -> Iterator[Verdict]:
        problems = list(check_pinned_block(case, self._block(case.dossier.state.block.number)))
        yield from problems
        if problems:
            return
        again = self._gathered(case)
        if not isinstance(again, Facts):
            yield from again
            return
        yield from check_state(case, again)
        yield from case.run(
            Step.SIMULATION, ("simulation",), partial(check_simulation, again=again), Grade.RE_SIMULATED
        )
        yield from case.run(Step.CONTEXT, ("context",), partial(check_context, again=again), Grade.RE_READ)
        if not _DECISION.intersection(case.bundle.withheld):
            check = partial(
                check_what_was_skipped, again=again, shipped=self._shipped, declared=self._declared_checks(case)
            )
            yield from case.run(Step.DECISION, (), check)

    def _gathered(self, case: Case) -> Facts | tuple[Verdict, ...]:
        """The facts once more; or the verdict that the record cannot be true; or why they cannot be gathered."""
        pinned, governor = case.dossier.state.block, case.dossier.proposal.key.governor
        try:
            governed = self._view.governed(governor, pinned)
            if governed.adapter is None or governed.profile is None:
                is_known_now = self._view.governed(governor).adapter is not None
                say = case.unproven if is_known_now else case.about.not_checkable
                return tuple(say(step, governed.why_not, grade) for step, grade in _FACT_STEPS)
            return self._gather(case, governed.adapter, governed.profile)
        except (RpcError, MethodMissingError) as error:
            return tuple(self._unread(case, to_hex(pinned.hash), error, _FACT_STEPS))
        except (RevertedError, DecodingError, DiffersError, UsageError) as error:
            return (case.about.differs(Step.STATE, "state", reason=error.message, grade=Grade.RE_READ),)

    def _block(self, number: int) -> BlockRef | None:
        return self._view.reader.block(number) if number <= self._view.block.number else None

    def _gather(self, case: Case, adapter: GovernorAdapter, profile: GovernorProfile) -> Facts:
        state = case.dossier.state
        return gather_facts(
            self._view.reader,
            adapter,
            profile,
            case.dossier.proposal,
            voter=state.voter.voter if state.voter else None,
            own_log=OwnLog(self._view.log, self._history.writer),
            block=to_hex(state.block.hash),
            tools=_tools_of(case),
            known_addresses=state.known_addresses,
            interfaces=state.interfaces,
            probes=state.probes,
            prices=state.prices,
            treasury_assets=[holding.asset for holding in state.treasury if holding.asset is not None],
        )

    def _code_until_entry(self, case: Case) -> Iterator[Verdict]:
        before = case.entry.block_number - 1
        if before <= case.dossier.state.block.number:
            return
        try:
            addresses = [target.address for target in case.dossier.state.targets]
            targets = read_targets(self._view.reader, addresses, before)
        except (RpcError, MethodMissingError) as error:
            yield from self._unread(case, before, error, _FACT_STEPS[:1])
        else:
            yield from check_code_until_entry(case, targets)

    def _unread(
        self, case: Case, block: BlockId, error: PnyxError, steps: Sequence[tuple[Step, Grade]]
    ) -> Iterator[Verdict]:
        """A node without the block's state says nothing about the record. One that has it, and yet fails at what the
        record touches, does: whoever writes records could put such a thing in every one.
        """
        self._view.state(self._history.writer)  # raises when it is not the block's age but the node
        if self._has_state(block):
            say, why = case.unproven, f"the node has the state of block {block}, and the record cannot be read again"
        else:
            say, why = case.about.not_checkable, f"the node has no state at block {block}"
        yield from (say(step, f"{why}: {error.message}", grade) for step, grade in steps)

    def _has_state(self, block: BlockId) -> bool:
        """Asked for in the same way, by hash or by number: not every node knows both."""
        try:
            self._view.reader.balance(self._history.writer, block)
        except (RpcError, MethodMissingError):
            return False
        return True

    # 16 to 20

    def _judgement(self, case: Case) -> Iterator[Verdict]:
        facts = _FACTS  # what checks, prompts and rules saw
        declared = self._declared_checks(case)
        yield from case.run(Step.SIMULATION, ("state", "simulation"), check_simulation_told)
        findings = partial(check_findings, shipped=self._shipped, declared=declared)
        yield from case.run(Step.FINDINGS, (*facts, "opinions", "checks"), findings)
        yield from case.run(Step.PROMPTS, (*facts, "prompt", "attempts", "opinions"), check_prompts)
        yield from case.run(Step.ANSWERS, (*facts, "attempts", "opinions"), check_answers, Grade.ATTESTED)
        decision = partial(check_decision, shipped=self._shipped, declared=declared)
        yield from case.run(Step.DECISION, tuple(sorted(_DECISION)), decision)
        yield from case.run(Step.ENTRY, ("header", "proposal", "state", "decision", "people"), self._entry)

    def _declared_checks(self, case: Case) -> DeclaredChecks:
        """Those of the configuration; when it cannot be read, which step 11 says, those that report."""
        configuration = self._configurations.get(case.declaration)
        if configuration is not None:
            return DeclaredChecks(configuration.checks, configuration.software)
        reports = () if "checks" in case.bundle.withheld else case.dossier.checks
        return DeclaredChecks({report.check: report.version for report in reports}, "another release of pnyx")

    def _entry(self, case: Case) -> Iterator[Verdict]:
        governed = self._governed_then(case)
        if governed.adapter is None or governed.profile is None:
            yield case.about.not_checkable(Step.ENTRY, governed.why_not)
            return
        support_of = partial(governed.adapter.support_of, governed.profile)
        paused, configuration = self._book.was_paused(case.entry), self._configurations[case.declaration]
        verdicts = list(check_entry(case, support_of, configuration, paused=paused))
        yield from verdicts
        rejection = case.dossier.people.rejection
        yield from check_not_rejected(case, self._book.rejections_of(case.entry.subject))
        if (
            case.entry.kind is EntryKind.HOLD
            and rejection is not None
            and not any(v.status.is_problem for v in verdicts)
        ):
            self._book.reject(case.entry, rejection)

    def _governed_then(self, case: Case) -> Governed:
        """What the governor was at the pinned block; what it is now, where the node does not know."""
        governor = case.dossier.proposal.key.governor
        try:
            return self._view.governed(governor, case.dossier.state.block)
        except (RpcError, MethodMissingError):
            return self._view.governed(governor)


def _tools_of(case: Case) -> list[ContextTool]:
    """Those that ship, of those that the record has results of, or says could not run."""
    results = () if "context" in case.bundle.withheld else case.dossier.context
    named = {result.tool for result in results} | {skipped.tool for skipped in case.dossier.state.skipped}
    return [_as_far(tool, results) for tool in builtin_tools() if tool.name in named]


def _as_far(tool: ContextTool, results: Sequence[ToolResult]) -> ContextTool:
    """No further back than the record's own search of the past, and at its blocks of other chains, so that both see
    the same.
    """
    if isinstance(tool, OtherChainsTool):
        return tool.as_recorded(results)
    recorded = next((result for result in results if result.tool == tool.name), None)
    first = searched_from(recorded) if recorded is not None else None
    return tool.no_further_than(first) if first is not None and isinstance(tool, SearchingTool) else tool
