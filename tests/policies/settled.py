"""Facts of a settled DAO, and what a check says of them when one of them is another."""

from __future__ import annotations

from typing import Any

from pnyx_policies.checks import Check, CheckView
from pnyx_policies.context import Reading
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Finding, Severity
from pnyx_tools.testing.facts import address_of, call_of, facts_for, proposal_of, results_of

ALICE, MALLORY, USDC, OTHER_TIMELOCK = map(address_of, ("alice", "mallory", "usdc", "another timelock"))
NOBODY = "0x" + "00" * 20
INFO, LOW, MEDIUM, HIGH, CRITICAL = Severity
PAY = call_of(USDC, "transfer(address,uint256)", ALICE, 100)
UNITS = 10**18
QUORUM = 4 * 10**22
"""Of `uneventful` ground rules."""


def changed(facts: Facts, kind: type[Reading], /, **values: Any) -> Facts:
    """Facts with other values in one result."""
    reading = CheckView(facts).context(kind).model_copy(update=values)
    others = [result for result in facts.context if result.tool != kind.TOOL]
    return facts.model_copy(update={"context": (*others, *results_of([reading]))})


def plain(*calls: Any, **options: Any) -> Facts:
    return facts_for(proposal_of(calls or [PAY], f"Pay 100 to Alice, {ALICE}."), **options)


def found(check: Check, facts: Facts) -> tuple[Finding, ...]:
    return check.run(CheckView(facts))


def worst(check: Check, facts: Facts) -> Severity | None:
    return max((finding.severity for finding in found(check, facts)), default=None)
