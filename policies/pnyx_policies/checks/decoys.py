"""decoys: Does something draw the eye away from this?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.context import LookAlike, NearbyCoins, ProposerAccount, ProposerHistory, ProposersNearby
from pnyx_policies.context.proposer_history import NEARBY_BLOCKS
from pnyx_policies.context.proposers_nearby import NEW_TRANSACTIONS
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.text import count

BURST = 5
SEVERAL = 3
MANY_CALLS = 6


class Decoys:
    """Medium: the text is nearly that of an earlier proposal, and the calls are to other functions. Low: the same
    functions with other arguments, as recurring payments have it; many proposals of one account at once, or empty ones
    beside this; one call among many that is unlike all others. Checks K7 and K6, incidents I-1 (Beanstalk), I-2
    (Tornado Cash), I-6 (Compound 289), I-12 (Yam).

    Several accounts: low where three new ones, or more, propose within a day of this proposal, or two with nearly the
    same text; medium where this proposer is new, too, and where this proposer and another new one got their first coin
    from the same sender, which may be an exchange. Low where others proposed three empty ones. Who has proposed before,
    or has used the account before, is not new: a busy day of known people is quiet, and a crowd of new accounts cannot
    keep their proposals from a vote.

    Only proposals of this governor are seen, as far back as the node shows them.
    """

    name = "decoys"
    version = "3"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        history = view.context(ProposerHistory)
        nearby, coins = view.context_if_known(ProposersNearby), view.context_if_known(NearbyCoins)
        return (
            *self._copies(history),
            *self._bursts(history),
            *(self._several(view, nearby) if nearby else ()),
            *(self._one_hand(coins) if coins else ()),
            *self._odd_one(view.facts),
        )

    def _copies(self, history: ProposerHistory) -> Iterator[Finding]:
        other = [copy for copy in history.alike if not copy.same_calls]
        for copies, severity, what in (
            ([c for c in other if not c.same_functions], Severity.MEDIUM, "calls other functions"),
            ([c for c in other if c.same_functions], Severity.LOW, "calls the same functions with other arguments"),
        ):
            if copies:
                yield self._copy(max(copies, key=lambda copy: copy.alike_bps), severity, what, len(copies))

    def _copy(self, copy: LookAlike, severity: Severity, what: str, times: int) -> Finding:
        return Finding(
            check=self.name,
            severity=severity,
            title=f"The text is {copy.alike_bps // 100}% that of an earlier proposal, and it {what}",
            detail=f"Proposal {copy.proposal_id} by {copy.proposer}, block {copy.created_block}; {times} such in all.",
            evidence=(str(copy.proposal_id),),
        )

    def _bursts(self, history: ProposerHistory) -> Iterator[Finding]:
        own, empty = history.nearby_by_proposer, history.nearby_empty
        if own >= BURST or empty:
            yield Finding(
                check=self.name,
                severity=Severity.LOW,
                title=f"{own} more proposals by the same account within {NEARBY_BLOCKS} blocks, {empty} empty",
                evidence=(history.proposer,),
            )

    def _several(self, view: CheckView, nearby: ProposersNearby) -> Iterator[Finding]:
        new, empty = nearby.new, sum(proposer.empty for proposer in nearby.first_time)
        if len(new) >= SEVERAL:
            is_new = _is_new(view.context_if_known(ProposerAccount))
            is_odd = nearby.alike >= SEVERAL and not nearby.is_of_them and bool(view.facts.calls)
            yield Finding(
                check=self.name,
                severity=Severity.MEDIUM if is_new else Severity.LOW,
                title=f"{len(new)} other new accounts proposed within {NEARBY_BLOCKS} blocks of this proposal"
                f"{', and this proposer is new, too' if is_new else ''}",
                detail=f"{nearby.alike} of their proposals call the same functions as one another"
                f"{', and this one calls others' if is_odd else ''}; {nearby.alike_texts} have nearly the same text.",
                evidence=tuple(proposer.account for proposer in new),
            )
        elif nearby.alike_texts:
            yield Finding(
                check=self.name,
                severity=Severity.LOW,
                title=f"{nearby.alike_texts} new accounts proposed nearly the same text "
                f"within {NEARBY_BLOCKS} blocks of this proposal",
                evidence=tuple(proposer.account for proposer in new),
            )
        elif empty >= SEVERAL:
            yield Finding(
                check=self.name,
                severity=Severity.LOW,
                title=f"{empty} empty proposals of first-time proposers within {NEARBY_BLOCKS} blocks of this one",
                evidence=tuple(proposer.account for proposer in nearby.first_time if proposer.empty),
            )

    def _one_hand(self, coins: NearbyCoins) -> Iterator[Finding]:
        if coins.same:
            yield Finding(
                check=self.name,
                severity=Severity.MEDIUM,
                title=f"{count(len(coins.same), 'other new account')} that proposed within {NEARBY_BLOCKS} blocks got "
                f"the first coin from the same sender as this proposer",
                detail=f"From {coins.same[0].sender}. An exchange pays out to many.",
                evidence=(coins.same[0].sender, *(one.account for one in coins.same)),
            )

    def _odd_one(self, facts: Facts) -> Iterator[Finding]:
        kinds = Counter((call.target if call.calldata else "", call.selector) for call in facts.calls)
        if len(facts.calls) < MANY_CALLS or len(kinds) != 2:
            return
        (usual, times), (odd, once) = kinds.most_common()
        if once != 1:
            return
        call = next(c for c in facts.calls if (c.target if c.calldata else "", c.selector) == odd)
        yield Finding(
            check=self.name,
            severity=Severity.LOW,
            title=f"{times} of {len(facts.calls)} calls are alike, and one is not: {call.signature or call.selector}",
            detail=f"The others call {usual[1] or 'nothing'} of {usual[0] or 'people'}.",
            calls=(call.path,),
            evidence=(call.target,),
        )


def _is_new(account: ProposerAccount | None) -> bool:
    """Whether the proposer sent this itself, and hardly anything before."""
    return (
        account is not None and account.sender == account.proposer and account.sender_transactions <= NEW_TRANSACTIONS
    )
