"""self-dealing: Does the proposer gain, or who votes for it?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pnyx_policies.beside import places
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.claims import claims_of
from pnyx_policies.context import AccountKind, ProposerAccount, VotingPower
from pnyx_policies.context.voting_power import BASIS_POINTS
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.money import outflows
from pnyx_policies.power_functions import PowerKind
from pnyx_policies.powers import power_shifts

_MANY = re.compile(r"\b(?:multi-?sig\w*|safe|council|committee|fund|treasury|\d of \d{1,2}|\d/\d{1,2})\b")
_NOT_MANY = "The proposer, whose account the text calls one of many, and which is a key's,"


class SelfDealing:
    """Medium: people who ask for money for their work propose it themselves, and so do thieves. High where the text
    calls the proposer's account one of many (a multisig, a council's, a fund's), and it is a key's. Low: one of the
    largest voters gains by what it votes for, as delegates do who are paid for their work. See K17, I-6.

    Voters are known as far as votes were cast and seen; that one person has several accounts is not.
    """

    name = "self-dealing"
    version = "2"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        proposer, power = view.facts.proposal.proposer, view.context_if_known(VotingPower)
        severity, who = (Severity.HIGH, _NOT_MANY) if self._is_told_as_many(view) else (Severity.MEDIUM, "The proposer")
        own = (self._finding(severity, proposer, who, gain) for gain in _gains(view.facts, proposer))
        return (*own, *(self._voters(view.facts, power) if power else ()))

    def _is_told_as_many(self, view: CheckView) -> bool:
        account, proposer = view.context_if_known(ProposerAccount), frozenset({view.facts.proposal.proposer})
        beside = (p for p in places(claims_of(view.facts).shown, proposer, frozenset()) if p.addresses)
        is_key = account is not None and account.kind is AccountKind.KEY
        return is_key and any(_MANY.search(place.words) for place in beside)

    def _voters(self, facts: Facts, power: VotingPower) -> Iterator[Finding]:
        for voter in power.largest:
            if "for" in voter.votes and voter.voter not in {facts.proposal.proposer, *facts.known_addresses}:
                share = voter.weight * BASIS_POINTS // power.weight_cast // 100
                who = f"{voter.voter} cast {share}% of the votes, in favour, and"
                for gain in _gains(facts, voter.voter):
                    yield self._finding(Severity.LOW, voter.voter, who, gain)

    def _finding(self, severity: Severity, account: str, who: str, gain: str) -> Finding:
        return Finding(check=self.name, severity=severity, title=f"{who} {gain}", evidence=(account,))


def _gains(facts: Facts, account: str) -> Iterator[str]:
    for outflow in outflows(facts).items:
        if outflow.recipient == account:
            yield f"gets {outflow.amount} of {outflow.asset or 'coin'}"
    for shift in power_shifts(facts, *PowerKind):
        if shift.receiver == account:
            yield f"gets {shift.kind.value} over {shift.contract}"
