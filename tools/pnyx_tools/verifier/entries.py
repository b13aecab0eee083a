"""Steps 9 to 20: one entry at a time, so that one bundle is in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pnyx_contracts.entry import Declaration, Entry
from pnyx_contracts.errors import DecodingError, DiffersError, UsageError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import Proposal, ProposalKey, to_hex
from pnyx_policies.bundle import Bundle
from pnyx_policies.checks import builtin_checks
from pnyx_policies.configuration import Configuration
from pnyx_policies.facts import Facts, Grade
from pnyx_policies.verify.facts import check_context, check_pinned_block, check_simulation, check_state
from pnyx_policies.verify.history import History
from pnyx_policies.verify.judgement import (
    check_answers,
    check_decision,
    check_entry,
    check_findings,
    check_prompts,
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
    dossier_of,
)
from pnyx_policies.verify.verdict import About, Step, Verdict
from pnyx_tools.context import builtin_tools
from pnyx_tools.gather import gather_facts
from pnyx_tools.reader import MethodMissingError, RevertedError, RpcError
from pnyx_tools.verifier.chainview import ChainView
from pnyx_tools.verifier.desk import EvidenceDesk, EvidenceGoneError

_FACTS = ("proposal", "calls", "state", "simulation", "context")
_FACT_STEPS = ((Step.STATE, Grade.RE_READ), (Step.SIMULATION, Grade.RE_SIMULATED), (Step.CONTEXT, Grade.RE_READ))


class EntryCheck:
    """For the entries of one writer, in order."""

    def __init__(self, view: ChainView, history: History, desk: EvidenceDesk) -> None:
        self._view = view
        self._desk = desk
        self._history = history
        self._roots = {e.record_root: e.seq for e in reversed(history.entries) if e.kind in HAS_BUNDLE}
        self._configurations: dict[bytes, Configuration | None] = {}
        self._checks = builtin_checks()

    def run(self, entry: Entry, about: About) -> Iterator[Verdict]:
        """The verdicts on one entry; none for kinds that have no bundle."""
        declaration = self._history.declaration_at(entry)
        if entry.kind not in HAS_BUNDLE or declaration is None:
            return
        try:
            found = self._desk.bundle(declaration, entry.record_root)
        except EvidenceGoneError as error:
            yield about.missing(Step.BUNDLE, f"the evidence: {error.message}")
            return
        yield from check_bundle(entry, about, found, self._roots)
        if isinstance(found, Bundle):
            case = Case(
                entry,
                self._named(about, found),
                declaration,
                found,
                dossier_of(found),
                self._view.chain_id,
                self._view.log,
            )
            yield from self._record(case)
            yield from case.run(Step.STATE, _FACTS, self._facts, Grade.RE_READ)
            yield from self._judgement(case)

    @staticmethod
    def _named(about: About, bundle: Bundle) -> About:
        """The chain may show no proposal with this subject; the record names it."""
        if about.proposal or "proposal" in bundle.withheld:
            return about
        return About(about.writer, about.seq, str(dossier_of(bundle).proposal.key))

    # 10 to 12

    def _record(self, case: Case) -> Iterator[Verdict]:
        yield from case.run(Step.HEADER, ("header", "proposal"), check_header)
        yield from self._declared(case)
        yield from case.run(Step.PROPOSAL, ("proposal",), self._proposal)
        yield from case.run(Step.PROPOSAL, ("proposal", "calls"), check_calls)
        yield from case.run(Step.PROPOSAL, ("proposal", "state", "decision"), check_digest)

    def _declared(self, case: Case) -> Iterator[Verdict]:
        declared = case.declaration.config_hash
        if declared not in self._configurations:
            self._configurations[declared], verdict = self._configuration(case.declaration)
            yield verdict
        configuration = self._configurations[declared]
        if configuration is None:
            yield case.about.not_checkable(
                Step.DECLARED_CONFIGURATION, "the document of the configuration is not usable"
            )
            return
        needs = ("header", "state", "context", "prompt", "opinions", "checks", "ruleset", "decision")
        check = partial(check_declared, configuration=configuration)
        yield from case.run(Step.DECLARED_CONFIGURATION, needs, check)

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
        found = self._view.proposals(governed, block, block)
        return next((p for p in found if p.key == recorded.key), None)

    # 13 to 15

    def _facts(self, case: Case) -> Iterator[Verdict]:
        again = self._gathered(case)
        if isinstance(again, str):
            yield from (case.about.not_checkable(step, again, grade) for step, grade in _FACT_STEPS)
        elif isinstance(again, Verdict):
            yield again
        else:
            yield from check_pinned_block(case, again.block)
            yield from check_state(case, again)
            yield from check_simulation(case, again)
            yield from check_context(case, again)

    def _gathered(self, case: Case) -> Facts | Verdict | str:
        """The facts once more; a verdict when the record cannot be true; a reason when they cannot be gathered."""
        state, key = case.dossier.state, case.dossier.proposal.key
        governed = self._view.governed(key.governor)
        if governed.adapter is None or governed.profile is None:
            return governed.why_not
        pinned = state.block
        if pinned.number > self._view.block.number or self._view.reader.block(pinned.number).hash != pinned.hash:
            return case.about.differs(
                Step.STATE, "state.block", seen=to_hex(pinned.hash), reason=f"no block {pinned.number} of this chain"
            )
        try:
            return self._gather(case, governed.adapter, governed.profile)
        except (RpcError, MethodMissingError) as error:
            self._view.state(self._history.writer)  # raises when it is not the block's age but the node
            return f"the node has no state at block {pinned.number}: {error.message}"
        except (RevertedError, DecodingError, DiffersError, UsageError) as error:
            return case.about.differs(Step.STATE, "state", reason=error.message, grade=Grade.RE_READ)

    def _gather(self, case: Case, adapter: GovernorAdapter, profile: GovernorProfile) -> Facts:
        state = case.dossier.state
        used = {result.tool for result in case.dossier.context}
        return gather_facts(
            self._view.reader,
            adapter,
            profile,
            case.dossier.proposal,
            voter=state.voter.voter if state.voter else None,
            block=to_hex(state.block.hash),
            tools=[tool for tool in builtin_tools() if tool.name in used],
            known_addresses=state.known_addresses,
            treasury_assets=[holding.asset for holding in state.treasury if holding.asset is not None],
        )

    # 16 to 20

    def _judgement(self, case: Case) -> Iterator[Verdict]:
        facts = _FACTS  # what checks, prompts and rules saw
        yield from case.run(Step.FINDINGS, (*facts, "opinions", "checks", "software"), self._findings)
        yield from case.run(Step.PROMPTS, (*facts, "prompt", "attempts", "opinions"), check_prompts)
        yield from case.run(Step.ANSWERS, (*facts, "attempts", "opinions"), check_answers, Grade.ATTESTED)
        yield from case.run(
            Step.DECISION, (*facts, "checks", "opinions", "ruleset", "rules", "decision"), check_decision
        )
        yield from case.run(Step.ENTRY, ("header", "proposal", "state", "decision", "approval"), self._entry)

    def _findings(self, case: Case) -> Iterator[Verdict]:
        yield from check_findings(case, self._checks)

    def _entry(self, case: Case) -> Iterator[Verdict]:
        key: ProposalKey = case.dossier.proposal.key
        governed = self._view.governed(key.governor)
        if governed.adapter is None or governed.profile is None:
            yield case.about.not_checkable(Step.ENTRY, governed.why_not)
            return
        support_of = partial(governed.adapter.support_of, governed.profile)
        yield from check_entry(case, support_of, self._configurations[case.declaration.config_hash])
