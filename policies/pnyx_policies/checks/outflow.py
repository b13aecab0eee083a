"""outflow: how much of the treasury leaves?"""

from __future__ import annotations

from pnyx_policies.checks.everywhere import everywhere
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.facts import Facts
from pnyx_policies.factsheet import amount_in_words
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.money import Outflow, asset_words, by_asset, outflows
from pnyx_policies.shares import (
    at_stake,
    has_no_end,
    held_by_payers,
    held_by_treasury,
    share_of_payers,
    share_of_treasury,
)

LARGE_SHARE_BPS = 2_500
NOTABLE_SHARE_BPS = 500
_ALL_BPS = 10_000
SYMBOL_CHARACTERS = 20


class TreasuryOutflow:
    """Per asset, transfers and allowances together, against what the treasury holds, or a Safe that pays: above 25%
    high, above 5% medium; so is an allowance over everything of an asset that nobody looked at. Of a collection of NFTs
    each is one; of a contract that counts numbers (ERC-1155), each number is an asset.

    Tokens that vote in this governor are power too: at least medium, however few. A large payment is for people to
    judge, not hostile in itself; whether the text announces it is the business of text-against-calls.
    Answers incidents I-6 (Compound 289), I-8 (Audius), I-26.
    """

    name = "outflow"
    version = "4"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        return everywhere(view, self._findings)

    def _findings(self, view: CheckView) -> list[Finding]:
        flows = outflows(view.facts)
        findings = [self._finding(view.facts, items) for items in by_asset(view.facts, flows.items)]
        if flows.why:
            findings.append(Finding(check=self.name, severity=Severity.INFO, title=f"There may be more: {flows.why}"))
        return findings

    def _finding(self, facts: Facts, items: tuple[Outflow, ...]) -> Finding:
        asset = items[0].asset
        share, others = share_of_treasury(facts, items), share_of_payers(facts, items)
        votes = asset is not None and asset == facts.governor.profile.token
        return Finding(
            check=self.name,
            severity=max(_severity(facts, items, share, others), Severity.MEDIUM if votes else Severity.LOW),
            title=f"{_what(facts, items)}: {_part(share, others)}",
            detail=f"{_held(facts, items)}{' This token votes here.' if votes else ''}",
            calls=tuple(dict.fromkeys(p for o in items for p in o.paths)),
            evidence=tuple(dict.fromkeys(o.recipient for o in items)),
        )


def _what(facts: Facts, items: tuple[Outflow, ...]) -> str:
    asset, numbers, amount = items[0].asset, {o.token_id for o in items}, at_stake(facts, items)
    if len(numbers) > 1 and None not in numbers:
        return f"{len(numbers)} NFTs of {asset}"
    if has_no_end(amount):
        return f"everything of {asset_words(asset)}"
    number = None if None in numbers else numbers.pop()
    words = amount_in_words(facts, asset, amount, SYMBOL_CHARACTERS) if number is None else str(amount)
    return f"{words} of {asset_words(asset, number)}"


def _part(share: int | None, others: int | None) -> str:
    """`others`: of what accounts hold that are not the executor."""
    if share is None and others is None:
        return "an unknown part of what the treasury holds"
    known, whose = (share, "the treasury holds") if share is not None else (others or 0, "those hold who pay")
    return f"more than {whose}" if known > _ALL_BPS else f"{known // 100}.{known % 100:02}% of what {whose}"


def _held(facts: Facts, items: tuple[Outflow, ...]) -> str:
    asset, held, theirs = items[0].asset, held_by_treasury(facts, items[0]), held_by_payers(facts, items)
    if share_of_treasury(facts, items) is None and theirs is not None:
        return f"They hold {amount_in_words(facts, asset, theirs, SYMBOL_CHARACTERS)}."
    if held is None:
        return "Nobody looked at this balance."
    return f"The treasury holds {amount_in_words(facts, asset, held.balance, SYMBOL_CHARACTERS)}."


def _severity(facts: Facts, items: tuple[Outflow, ...], treasury: int | None, payers: int | None) -> Severity:
    """By the share. Everything is much, also of what nobody knows how much there is."""
    share = payers if treasury is None else treasury
    if share is None:
        return Severity.HIGH if has_no_end(at_stake(facts, items)) else Severity.MEDIUM
    if share > LARGE_SHARE_BPS:
        return Severity.HIGH
    return Severity.MEDIUM if share > NOTABLE_SHARE_BPS else Severity.LOW
