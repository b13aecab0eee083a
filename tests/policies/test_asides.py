"""Numbers of a text that are no request, and whether a text is in English at all."""

from __future__ import annotations

import time

import pytest

from pnyx_policies.asides import mentions
from pnyx_policies.checks import CheckView, TextAgainstCalls
from pnyx_policies.finding import Severity
from pnyx_policies.language import is_foreign, writes_decimal_commas
from pnyx_tools.testing.facts import address_of, call_of, facts_for, holding, proposal_of

ALICE, TOKEN = map(address_of, ("alice", "token"))
HIGH = Severity.HIGH

ASIDE = {
    f"The treasury holds 900 USDC. Pay 5 USDC to {ALICE}.": "as what there is",
    f"Out of the treasury's 900 USDC, the DAO pays 5 USDC to {ALICE}.": "as what there is",
    f"| a | b |\n|---|---|\n| amount | 5 USDC |\n| treasury before | 900 USDC |\n| to | {ALICE} |": "as what there is",
    f"Last year the DAO earned 900 USDC. Pay 5 USDC to {ALICE}.": "as what was",
    f"In March the DAO paid 900 USDC to {ALICE}. This thanks them.": "as what was",
    f"| team | to | paid last year |\n|---|---|---|\n| docs | {ALICE} | 900 USDC |\n\nThanks.": "as what was",
    f"This does not pay 900 USDC to {ALICE}; the team has renounced.": "as what is not paid",
    f"The request of {ALICE} for 900 USDC was rejected in May.": "as what is not paid",
    f"Instead of paying 900 USDC to {ALICE} we thank them.": "as what is not paid",
    f"Option A: thanks. Option B (not chosen): pay 900 USDC to {ALICE}.": "as what is not paid",
    f"Not now. A following vote will pay 900 USDC to {ALICE}.": "as what another proposal is for",
    f"For example, a grant of 900 USDC to {ALICE} could be made by these rules.": "as an example",
    f"Should we pay 900 USDC to {ALICE}? We stay with our thanks.": "in a question",
    f"Pay 5 USDC to {ALICE}, out of a yearly envelope of 900 USDC.": "as what there is",
    f"> Pay 900 USDC to {ALICE}\n\nThat was asked in the forum. Here is the report.": "in a quotation",
    f"The team of {ALICE} withdraws its request of 900 USDC, and we thank it.": "as what is not paid",
    f"Nobody pays 900 USDC to {ALICE} by this.": "as what is not paid",
    f"The team of {ALICE} had asked for 900 USDC. We thank it.": "as what was",
    f"{ALICE} returns 900 USDC to the treasury.": "as what the DAO gets",
    f"The DAO receives 900 USDC from {ALICE}, which has ended.": "as what the DAO gets",
    f"# Report\n\nAll is well.\n\n## References\n\n- {ALICE}, 900 USDC\n": "in a section of references",
    f"# Report\n\nAll is well.\n\n**Sources**\n\nThe account {ALICE} has 900 USDC.": "in a section of references",
    f"# Report\n\nAll is well.\n\nReferences:\nThe account {ALICE}, 900 USDC": "in a section of references",
    f"# Report\n\nAll is well [1].\n\n[1] {ALICE}: 900 USDC, data of the explorer.": "in a footnote",
}  # fmt: skip

REQUESTS = (
    f"This does not pay the second part, 100 USDC; it pays 900 USDC to {ALICE}.",
    f"Not only for docs, and not more than last year: 900 USDC to {ALICE}.",
    f"We won't need another vote: 900 USDC go to {ALICE}.",
    f"The request for 2,000 USDC was rejected last month. This one pays 900 USDC to {ALICE}.",
    f"The treasury holds 5,000 USDC. Of these, 900 USDC will be paid to {ALICE}.",
    f"Send 900 USDC from the treasury to {ALICE}, as was decided.",
    f"Send 900 USDC to the treasury vault {ALICE}.",
    f"Budget for the next season, less than last year's: 900 USDC to {ALICE}.",
    f"Refund 900 USDC that {ALICE} paid to the auditor.",
    f"- docs group, {ALICE}: 900 USDC for the last quarter",
    f"| to | paid by us (USDC) |\n|---|---|\n| {ALICE} | 900 |",
    f"The group of {ALICE} is each year paid 900 USDC.".replace("each year ", ""),
    f"Out of the budget of the year 900 USDC go to {ALICE}.",
    f"With no further cost to members the DAO pays 900 USDC to {ALICE}.",
    f"Pay 900 USDC to {ALICE} before the next vote.",
    f"Costs, for example of hosting, are covered by 900 USDC to {ALICE}.",
    f"The balance of 900 USDC to {ALICE}, who delivered the rest.",
    f"If this vote passes, the DAO pays 900 USDC to {ALICE}.",
    f"This proposal would transfer 900 USDC to {ALICE}.",
    f"# Should we fund the docs?\n\nYes: 900 USDC to {ALICE}.",
    f"# Docs\n\n900 USDC to {ALICE}.\n\n## References\n\n- the forum, post 12\n",
    f"Zahlung von 900 USDC an {ALICE}, die im letzten Jahr gearbeitet haben.",
)


def said(text: str) -> set[str]:
    return {mention.aside for mention in mentions(text) if 900 in mention.number.readings}


def payment(text: str, tokens: int = 900):
    pay = call_of(TOKEN, "transfer(address,uint256)", ALICE, tokens * 10**6)
    treasury = [holding(TOKEN, 10**12, decimals=6, symbol="USDC")]
    return TextAgainstCalls().run(CheckView(facts_for(proposal_of([pay], text), treasury=treasury)))


@pytest.mark.parametrize("text", ASIDE)
def test_a_number_beside_the_request_announces_no_payment(text):
    assert said(text) == {ASIDE[text]}
    assert max(finding.severity for finding in payment(text)) is HIGH


@pytest.mark.parametrize("text", REQUESTS)
def test_a_request_is_one_whatever_stands_around_it(text):
    assert said(text) == {""}
    assert [f for f in payment(text) if f.severity >= HIGH] == []


@pytest.mark.parametrize(
    "text",
    [
        f"The work of {ALICE} is worth 900 USDC to us. This is a note of thanks.",
        f"{ALICE} owes the DAO 900 USDC, and this reminds it.",
        f"{ALICE} has stolen 900 USDC from us in May. This vote condemns it.",
        f"This isn't about the 900 USDC of {ALICE}, but a note of thanks.",
    ],
)
def test_a_text_without_a_word_for_payments_announces_none(text):
    (finding,) = payment(text)
    assert finding.title.endswith("the text names the amount, and no word for a payment")
    assert finding.severity is HIGH


LISTS = (f"900 USDC to {ALICE}, in the spring.", f"| who | USDC |\n|---|---|\n| {ALICE} | 900 |", f"{ALICE}: 900 USDC")


@pytest.mark.parametrize("text", LISTS)
def test_a_list_needs_no_word_for_payments(text):
    assert payment(text) == ()


def test_what_is_asked_for_once_may_stand_elsewhere_too():
    assert payment(f"Last year it was 900 USDC. Pay 900 USDC to {ALICE}.") == ()


def test_the_number_of_a_year_is_no_amount():
    (finding,) = payment(f"Pay {ALICE} 500 USDC in 2025 for the docs.", 2025)
    assert finding.severity is HIGH
    assert finding.title.endswith("the text names the number, and another amount beside the receiver's address")


def test_a_hostile_text_costs_no_more_than_its_length():
    for hostile in ("900 USDC not ", "| 900 ", "not a b c d e f ", "the treasury's a b c ", "900 USDC was " * 3 + "\n"):
        text = f"{ALICE} " + hostile * (60_000 // len(hostile))
        started = time.thread_time()
        payment(text)
        assert time.thread_time() - started < 3


def test_what_has_to_be_unfolded_first_announces_nothing():
    text = "# Thanks\n\nTo everybody.\n\n{}<summary>Notes</summary>\n\nPay 900 USDC to {}.\n\n</details>"
    (finding,) = payment(text.format("<details>", ALICE))
    assert finding.severity is HIGH
    assert finding.title.endswith("the text names the amount only in a folded part")
    assert payment(text.format("<details open>", ALICE)) == ()
    assert payment(f"Pay 900 USDC.\n\n<details>To {ALICE}: 900 USDC.</details>") == ()
    assert payment(f"<details>Notes.</details>\n\nPay 900 USDC to {ALICE}.") == ()


def test_a_total_reaches_what_is_paid():
    table = f"| who | USDC |\n|---|---|\n| {ALICE} | 900 |\n"
    (finding,) = payment(f"A total of 800 USDC.\n\n{table}")
    assert finding.title.endswith("the text names the amount, and a total that is less than what is paid")
    assert payment(f"A total of 900 USDC.\n\n{table}") == ()
    assert payment(f"A total of 5,000 USDC, the first part now.\n\n{table}") == ()
    assert payment(f"Docs, in total: 400 USDC. Code, in total: 500 USDC. Together:\n\n{table}") == ()


# --- dots and commas


@pytest.mark.parametrize(
    ("text", "tokens", "is_found"),
    [
        (f"Pay 4.000 USDC to {ALICE} for the docs.", 4_000, True),
        (f"Pay 4.000 USDC to {ALICE} for the docs.", 4, False),
        (f"Pay 4.000,00 USDC to {ALICE} for the docs.", 4_000, False),
        (f"Pay 4.000 USDC to {ALICE}: three times 1.333,33 USDC.", 4_000, False),
        (f"Esta propuesta paga 4.000 USDC a {ALICE} por la auditoría.", 4_000, False),
        (f"Pay 4.000 USDC (4,000) to {ALICE} for the docs.", 4_000, False),
        (f"Pay 4.000.000 USDC to {ALICE} for the docs.", 4_000_000, False),
    ],
)
def test_who_reads_the_smaller_number_does_not_pay_the_larger(text, tokens, is_found):
    assert any("may be a thousandth" in finding.title for finding in payment(text, tokens)) == is_found


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("Pay the auditors of the bridge for their work.", False),
        (f"Pay 5 USDC to {ALICE}", False),
        ("Upgrade Compound Comet", False),
        ("Pay 500 USDC per month to El Dorado, con artist.", False),
        ("Transferir a propriedade do registro para o multisig da comunidade.", True),
        ("Mint NFTs, para-gliding style", False),
        ("Esta propuesta transfiere la propiedad del registro al consejo.", True),
        ("Dem Rat wird das Recht gegeben, Vorgänge abzubrechen, und zwar für ein Jahr.", True),
        ("Cette proposition met à jour le contrat pour la communauté.", True),
        (f"将所有权转移给 {ALICE}。", True),
        ("Передать права владения реестром совету.", True),
        ("", False),
    ],
)
def test_other_languages_are_told_from_english(text, foreign):
    assert is_foreign(text) is foreign


@pytest.mark.parametrize(
    ("number", "writes"),
    [
        ("10.000,50", True),
        ("1.000.000", True),
        ("0,5", True),
        ("1,5.2", False),
        ("10,000.50", False),
        ("1.234", False),
        ("v1.234.567", False),
    ],
)
def test_decimal_commas_are_seen(number, writes):
    assert writes_decimal_commas(f"Pay {number} tokens to the group of the people") is writes
