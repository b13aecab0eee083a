"""outflow: how much of the treasury leaves?"""

from __future__ import annotations

from pnyx_policies.checks.everywhere import everywhere
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.facts import Facts
from pnyx_policies.factsheet import amount_in_words
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.money import Outflow, by_asset, holding_of, outflows
from pnyx_policies.shares import at_stake, has_no_end, held_by_payers, share_of_payers, share_of_treasury

LARGE_SHARE_BPS = 2_500
NOTABLE_SHARE_BPS = 500
_ALL_BPS = 10_000
SYMBOL_CHARACTERS = 20


class TreasuryOutflow:
    """Per asset, transfers and allowances together, against what the treasury holds, or a Safe that pays: above 25%
    high, above 5% medium.

    Tokens that vote in this governor are power too: at least medium, however few. A large payment is for people to
    judge, not hostile in itself; whether the text announces it is the business of text-against-calls.
    Answers incidents I-6 (Compound 289), I-8 (Audius), I-26.
    """

    name = "outflow"
    version = "3"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        return everywhere(view, self._findings)

    def _findings(self, view: CheckView) -> list[Finding]:
        flows = outflows(view.facts)
        findings = [self._finding(view.facts, asset, items) for asset, items in by_asset(flows.items).items()]
        if flows.why:
            findings.append(Finding(check=self.name, severity=Severity.INFO, title=f"There may be more: {flows.why}"))
        return findings

    def _finding(self, facts: Facts, asset: str | None, items: tuple[Outflow, ...]) -> Finding:
        share, others = share_of_treasury(facts, items), share_of_payers(facts, items)
        votes = asset is not None and asset == facts.governor.profile.token
        what = "the chain's coin" if asset is None else asset
        return Finding(
            check=self.name,
            severity=max(_severity(others if share is None else share), Severity.MEDIUM if votes else Severity.LOW),
            title=f"{_amount(facts, asset, items)} of {what}: {_part(share, others)}",
            detail=f"{_held(facts, asset, items)}{' This token votes here.' if votes else ''}",
            calls=tuple(dict.fromkeys(p for o in items for p in o.paths)),
            evidence=tuple(dict.fromkeys(o.recipient for o in items)),
        )


def _amount(facts: Facts, asset: str | None, items: tuple[Outflow, ...]) -> str:
    if items[0].is_nft:
        return f"{len(items)} NFT{'s' * (len(items) > 1)}"
    amount = at_stake(facts, items)
    return "everything" if has_no_end(amount) else amount_in_words(facts, asset, amount, SYMBOL_CHARACTERS)


def _part(share: int | None, others: int | None) -> str:
    """`others`: of what accounts hold that are not the executor."""
    if share is None and others is None:
        return "an unknown part of what the treasury holds"
    known, whose = (share, "the treasury holds") if share is not None else (others or 0, "those hold who pay")
    return f"more than {whose}" if known > _ALL_BPS else f"{known // 100}.{known % 100:02}% of what {whose}"


def _held(facts: Facts, asset: str | None, items: tuple[Outflow, ...]) -> str:
    holding, theirs = holding_of(facts, asset), held_by_payers(facts, items)
    if share_of_treasury(facts, items) is None and theirs is not None:
        return f"They hold {amount_in_words(facts, asset, theirs, SYMBOL_CHARACTERS)}."
    if holding is None:
        return "Nobody looked at this balance."
    return f"The treasury holds {amount_in_words(facts, asset, holding.balance, SYMBOL_CHARACTERS)}."


def _severity(share: int | None) -> Severity:
    if share is None:
        return Severity.MEDIUM
    if share > LARGE_SHARE_BPS:
        return Severity.HIGH
    return Severity.MEDIUM if share > NOTABLE_SHARE_BPS else Severity.LOW
