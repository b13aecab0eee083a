"""Plays cases on a local chain: builds the shape, reviews the proposal as an agent does, decides by each ruleset that
ships.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from pnyx_policies.checks import CheckReport, CheckView, builtin_checks, run_checks
from pnyx_policies.decide import decide
from pnyx_policies.decision import Outcome
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.ruleset import Ruleset
from pnyx_policies.rulesets import shipped_ruleset, shipped_rulesets
from pnyx_tools.context import builtin_tools
from pnyx_tools.gather import gather_facts
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance, deploy_governance
from pnyx_tools.testing.incidents.case import Case, Scene


@dataclass(frozen=True, slots=True)
class Seen:
    """A review."""

    facts: Facts
    reports: tuple[CheckReport, ...]

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """Of each ruleset that ships, without a language model."""
        return {name: decide(rules, self.facts, self.reports, ()).outcome for name, rules in _rulesets().items()}

    @property
    def worst(self) -> Severity | None:
        return max((f.severity for r in self.reports for f in r.findings), default=None)

    def findings(self, check: str) -> tuple[Finding, ...]:
        return next(report.findings for report in self.reports if report.check == check)

    def checks_with(self, severity: Severity) -> frozenset[str]:
        """The checks whose worst finding is that bad."""
        return frozenset(name for name, worst in self.by_check.items() if worst is severity)

    @property
    def by_check(self) -> dict[str, Severity]:
        """The worst of each check that found something."""
        return {r.check: max(f.severity for f in r.findings) for r in self.reports if r.findings}


@cache
def _rulesets() -> dict[str, Ruleset]:
    return {name: Ruleset.parse(shipped_ruleset(name), name) for name in shipped_rulesets()}


@contextmanager
def stage() -> Iterator[Governance]:
    """A DAO on a chain where contracts that destroy themselves are gone, and can come back (before EIP-6780)."""
    with Anvil(hardfork="shanghai") as node:
        yield deploy_governance(
            node, 4, contract="Governor43Block", powers=dict(zip(node.accounts, _POWERS, strict=False))
        )


_POWERS = (600_000, 300_000, 50_000)
"""Of 1,000,000 tokens; the rest stays with the node's first account."""


@contextmanager
def alone(dao: Governance) -> Iterator[Governance]:
    """What is built inside is gone afterwards."""
    before = dao.node.snapshot()
    try:
        yield dao
    finally:
        dao.node.revert(before)
        dao.proposals.clear()


def review(scene: Scene) -> Seen:
    """As an agent would at the head of the chain, on behalf of the node's second account."""
    dao = scene.dao
    facts = gather_facts(
        dao.node.rpc,
        dao.adapter,
        dao.profile,
        dao.proposals[scene.proposal],
        voter=dao.node.accounts[1],
        tools=builtin_tools(),
        known_addresses=scene.known,
        probes=scene.probes,
        prices=scene.prices,
    )
    return Seen(facts, run_checks(builtin_checks(), CheckView(facts)))


def play(dao: Governance, case: Case) -> Seen:
    """Builds the case, reviews it, and takes it off the chain again."""
    with alone(dao):
        return review(case.build(dao))
