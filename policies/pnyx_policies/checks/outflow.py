"""outflow: how much of the treasury leaves?"""

from __future__ import annotations

from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.facts import Facts, Holding
from pnyx_policies.factsheet import amount_in_words
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.money import Outflow, by_asset, holding_of, outflows, share_of_treasury

LARGE_SHARE_BPS = 2_500
NOTABLE_SHARE_BPS = 500
WHOLE_BPS = 10_000
SYMBOL_CHARACTERS = 20


class TreasuryOutflow:
    """Per asset, transfers and allowances together, against what the treasury holds: above 25% high, above 5% medium.

    Tokens that vote in this governor are power too: at least medium, however few. A large payment is for people to
    judge, not hostile in itself; whether the text announces it is the business of text-against-calls.
    Answers incidents I-6 (Compound 289), I-8 (Audius), I-26.
    """

    name = "outflow"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        flows = outflows(view.facts)
        findings = [self._finding(view.facts, asset, items) for asset, items in by_asset(flows.items).items()]
        if flows.why:
            findings.append(Finding(check=self.name, severity=Severity.INFO, title=f"There may be more: {flows.why}"))
        return tuple(findings)

    def _finding(self, facts: Facts, asset: str | None, items: tuple[Outflow, ...]) -> Finding:
        share = share_of_treasury(facts, items)
        holding = holding_of(facts, asset)
        votes = asset is not None and asset == facts.governor.profile.token
        amount = amount_in_words(facts, asset, sum(o.amount for o in items), SYMBOL_CHARACTERS)
        held = f"The treasury holds {_words(facts, holding)}." if holding else "Nobody looked at this balance."
        what = "the chain's coin" if asset is None else asset
        part = "an unknown part of" if share is None else _part(share)
        return Finding(
            check=self.name,
            severity=max(_severity(share), Severity.MEDIUM if votes else Severity.LOW),
            title=f"{amount} of {what}: {part} what the treasury holds",
            detail=f"{held}{' This token votes here.' if votes else ''}",
            calls=tuple(dict.fromkeys(p for o in items for p in o.paths)),
            evidence=tuple(dict.fromkeys(o.recipient for o in items)),
        )


def _part(share: int) -> str:
    return "more than" if share > WHOLE_BPS else f"{share // 100}.{share % 100:02}% of"


def _words(facts: Facts, holding: Holding) -> str:
    return amount_in_words(facts, holding.asset, holding.balance, SYMBOL_CHARACTERS)


def _severity(share: int | None) -> Severity:
    if share is None:
        return Severity.MEDIUM
    if share > LARGE_SHARE_BPS:
        return Severity.HIGH
    return Severity.MEDIUM if share > NOTABLE_SHARE_BPS else Severity.LOW
