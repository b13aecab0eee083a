"""proposer: Who proposes, and since when with what power?"""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_contracts.types import ClockMode
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.context import (
    AccountKind,
    Before,
    FirstCoin,
    GroundRules,
    ProposerAccount,
    ProposerBefore,
    ProposerHistory,
    VotingPower,
)
from pnyx_policies.context.voting_power import BASIS_POINTS, RECENT_BLOCKS, RECENT_SECONDS
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Finding, Severity

NEW_ACCOUNT_TRANSACTIONS = 5
JUST_ABOVE_BPS = 1_000
"""So little above the threshold, in basis points of it, power was got for this."""


class Proposer:
    """Medium: half of the proposer's power, or more, came within a day of the proposal; a contract proposes that was
    none a week before, that is gone by now, or in a transaction that created one. Low: any other contract proposes, the
    proposal is a part of another transaction, an account that hardly did anything before, or was empty and unused a
    week before, power just above the threshold. Info: a first proposal. Check K8, incidents I-1 (Beanstalk), I-6
    (Compound 289), I-10 (Indexed), I-12 (Yam).

    Each alone is innocent. How an account stood a week before, and who sent it its first coin, is told where the node
    still knows. Not seen: where an older account has its money from, and what it did on other chains.
    """

    name = "proposer"
    version = "2"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        history, power = view.context(ProposerHistory), view.context(VotingPower)
        account = view.context(ProposerAccount)
        old = view.context_if_known(ProposerBefore)  # most nodes forget old states
        before = old.before if old else None
        found = (
            *self._sudden(view.facts, power),
            *self._account(account, before, view.facts.governor.profile.address),
            *self._unused(account, before, view.context_if_known(FirstCoin)),
            *self._threshold(view.context(GroundRules), power),
            *self._first(history),
        )
        return tuple(f.model_copy(update={"evidence": (history.proposer, *f.evidence)}) for f in found)

    def _sudden(self, facts: Facts, power: VotingPower) -> Iterator[Finding]:
        before, then = power.proposer_before, power.proposer_at_creation
        if before is None or not then or not power.supply_before or before * 2 > then:
            return
        in_seconds = facts.governor.profile.clock_mode is ClockMode.TIMESTAMP
        since = f"{RECENT_SECONDS} seconds" if in_seconds else f"{RECENT_BLOCKS} blocks"
        yield self._finding(
            Severity.MEDIUM,
            f"The proposer got {_percent(then - before, then)} of its voting power within {since} before the proposal",
            f"{before} units then, {then} when it proposed.",
        )

    def _account(self, account: ProposerAccount, before: Before | None, governor: str) -> Iterator[Finding]:
        way = f"Sent by {account.sender}, to {account.called or 'nobody: it created a contract'}."
        if account.kind is AccountKind.CONTRACT:
            yield self._finding(*_contract(account, before), f"{way} Who commands it is not known here.")
        elif account.sender != account.proposer and account.called != governor:
            yield self._finding(*_inside(account), way)
        if account.sender_transactions <= NEW_ACCOUNT_TRANSACTIONS:
            count = f"{account.sender_transactions} transactions before the proposal"
            yield self._finding(Severity.LOW, f"The account that sent it had sent {count}", way)

    def _unused(self, account: ProposerAccount, before: Before | None, coin: FirstCoin | None) -> Iterator[Finding]:
        if before is None or not before.is_unused or account.kind is AccountKind.CONTRACT:
            return
        title = f"The proposer's account was empty and unused in block {before.block}, a week before"
        if coin is None or coin.block is None:
            yield self._finding(Severity.LOW, title, "")
            return
        who = coin.sender or "nobody knows whom"
        detail = f"Its first coin came in block {coin.block}, from {who}."
        yield self._finding(Severity.LOW, title, detail, *([coin.sender] if coin.sender else []))

    def _threshold(self, rules: GroundRules, power: VotingPower) -> Iterator[Finding]:
        threshold, then = rules.proposal_threshold, power.proposer_at_creation
        if not threshold or then is None or then < threshold:
            return
        if (then - threshold) * BASIS_POINTS <= threshold * JUST_ABOVE_BPS:
            words = f"{then} units, {threshold} are needed"
            yield self._finding(Severity.LOW, "The proposer's voting power is just enough to propose", f"{words}.")

    def _first(self, history: ProposerHistory) -> Iterator[Finding]:
        if not history.proposals_by_proposer:
            title = f"No other proposal by this account since block {history.from_block}"
            yield self._finding(Severity.INFO, title, f"{history.proposals_in_governor} by others.")

    def _finding(self, severity: Severity, title: str, detail: str, *evidence: str) -> Finding:
        return Finding(check=self.name, severity=severity, title=title, detail=detail, evidence=evidence)


def _contract(account: ProposerAccount, before: Before | None) -> tuple[Severity, str]:
    if account.called is None:
        return Severity.MEDIUM, "A contract proposes, in a transaction that created one"
    if before is not None and not before.has_code:
        return Severity.MEDIUM, f"A contract proposes that was none in block {before.block}, a week before"
    return Severity.LOW, "A contract proposes"


def _inside(account: ProposerAccount) -> tuple[Severity, str]:
    """The account did not send the transaction itself, and nobody brought its signature to the governor."""
    if account.kind is AccountKind.DELEGATED:
        return Severity.LOW, "The proposal is a part of another transaction"
    return Severity.MEDIUM, "A contract proposed that is gone by now"


def _percent(part: int, whole: int) -> str:
    return f"{part * 100 // whole}%"
