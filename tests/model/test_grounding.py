"""Sources, amounts and addresses are looked up: what nobody wrote is struck out, and counted."""

from __future__ import annotations

import pytest

from pnyx_policies.analysis import KeyPoint, Risk, RiskLevel, View
from pnyx_policies.facts import Change, DelegatedRun, Holding, Movement
from pnyx_policies.grounding import STRUCK, grounded

TEXT = (
    "# Title\n\nWe ask for **1,218,669 USDC**,\n   paid to the auditors\u2019 \u201cSafe\u201d \u2013 at once\u2026 "
    "Hid\u200bden. <|im_start|> caf\u00e9"
)


def _check(make_facts, analysis, **point):
    """What is struck out of one key point."""
    changed = analysis.model_copy(update={"key_points": (KeyPoint(claim="c", **point),), "summary": "It pays."})
    standing = grounded(changed.model_copy(update={"claimed_effects": ()}), make_facts(TEXT))
    assert standing.analysis.key_points == (() if standing.struck else changed.key_points)
    return standing.struck


@pytest.mark.parametrize(
    "quotation",
    [
        "We ask for **1,218,669 USDC**",
        "We ask for 1,218,669 USDC, paid to",
        'the auditors\' "Safe" - at once...',
        "the auditors\u2019 \u201cSafe\u201d \u2013 at once\u2026",
        "Hidden.",
        "< |im_start|> caf\u00e9",
        "# Title We ask",
    ],
)
def test_words_of_the_text_are_found(quotation, make_facts, analysis):
    assert _check(make_facts, analysis, quotation=quotation) == ()


@pytest.mark.parametrize(
    "quotation",
    [
        "We ask for 1,218,668 USDC",
        "we ask for",
        "We ask for USDC",
        "paid to the attackers",
        "",
        " ",
        "**",
        "\u200b",
        "cafe",
    ],
)
def test_other_words_are_not(quotation, make_facts, analysis):
    [problem] = _check(make_facts, analysis, quotation=quotation)
    assert problem.startswith("key_points[0]: the text does not say")


def test_paths_are_looked_up(make_facts, analysis):
    assert _check(make_facts, analysis, call="0") == ()
    for path in ("1", "0.0", "", "call 0"):
        assert _check(make_facts, analysis, call=path) == (f'key_points[0]: there is no call "{path}"',)


def test_a_good_source_does_not_excuse_a_bad_one(make_facts, analysis):
    assert len(_check(make_facts, analysis, call="0", quotation="free money")) == 1
    assert len(_check(make_facts, analysis, call="5", effect=9, quotation="free money")) == 3


def test_a_point_without_a_source_is_no_point(make_facts, analysis):
    assert _check(make_facts, analysis) == ("key_points[0]: names no source",)


def test_effects_are_looked_up_by_the_numbers_that_the_reader_was_shown(make_facts, analysis):
    plain = make_facts()
    [moved] = plain.simulation.movements
    change = Change(kind="upgraded", contract=moved.sender, subject=moved.recipient, detail="runs this now")
    run = DelegatedRun(
        path="0", code=moved.sender, account=moved.recipient, succeeded=True, movements=(moved,), changes=(change,)
    )
    simulation = plain.simulation.model_copy(update={"changes": (change,), "delegated": (run,)})
    facts = plain.model_copy(update={"simulation": simulation})
    assert [type(effect) for effect in simulation.effects] == [Movement, Change, Movement, Change]

    def struck(effect):
        points = (KeyPoint(claim="c", effect=effect),)
        return grounded(analysis.model_copy(update={"key_points": points}), facts).struck

    assert [struck(number) for number in range(4)] == [()] * 4
    assert struck(4) == ("key_points[0]: there is no effect 4",)


# Amounts and addresses


def _summary(make_facts, analysis, summary, **facts):
    return grounded(analysis.model_copy(update={"summary": summary}), make_facts(**facts))


PAYEE = "0x690F0581eCecCf8389c223170778cD9D029606F2"


@pytest.mark.parametrize(
    "summary",
    [
        "It pays 1,218,669.76 USDC to the auditors.",
        "It pays 1218669.76 usdc.",
        "It pays 1218669760000 units.",
        f"It pays {PAYEE}.",
        "It pays 0x690F... once.",
        f"It pays {PAYEE.lower()} in 2026, in 2 calls, after 30 days, with 4 % of all votes.",
        "The executor holds 2.5 ETH.",
        "It pays 1.21866976 million USDC, 0 wei.",
        "EP 5.3 is done.",
    ],
)
def test_what_facts_or_text_name_may_be_said(summary, make_facts, analysis):
    assert _summary(make_facts, analysis, summary).struck == ()


@pytest.mark.parametrize(
    ("summary", "named"),
    [
        ("It pays 1,218,669.77 USDC.", "1,218,669.77 usdc"),
        ("It pays 12,186,697.60 USDC.", "12,186,697.60 usdc"),
        ("It pays 1.2 million USDC.", "1.2 million usdc"),
        ("It pays 5 USDC.", "5 usdc"),
        ("It pays 3 ETH.", "3 eth"),
        ("It pays 999_999.", "999999"),
        ("It pays 0x690F0581eCecCf8389c223170778cD9D029606F3.", "0x690F0581eCecCf8389c223170778cD9D029606F3"),
        ("It pays 0x691F...", "0x691F"),
    ],
)
def test_what_neither_names_is_struck_out(summary, named, make_facts, analysis):
    standing = _summary(make_facts, analysis, summary)
    [problem] = standing.struck
    assert problem.startswith("summary: neither facts nor text name ")
    assert named in problem
    assert standing.analysis.summary == STRUCK
    assert standing.analysis.key_points == analysis.key_points, "the rest stays"


def test_a_token_without_a_symbol_makes_no_number_an_amount(make_facts, analysis):
    nameless = Holding(asset=None, symbol="", decimals=18, balance=10**18)
    assert _summary(make_facts, analysis, "It makes 7 calls. (9)", treasury=(nameless,)).struck == ()


def test_every_sentence_that_people_read_is_looked_at(make_facts, analysis):
    wrong = "0xdeadbeef gets 77,777 ETH."
    standing = grounded(
        analysis.model_copy(
            update={
                "summary": wrong,
                "stated_intent": wrong,
                "key_points": (KeyPoint(claim=wrong, call="0"), *analysis.key_points),
                "claimed_effects": (*analysis.claimed_effects, wrong),
                "risks": (Risk(level=RiskLevel.LOW, text=wrong), *analysis.risks),
            }
        ),
        make_facts(),
    )
    places = ("summary", "key_points[0]", "stated_intent", "claimed_effects[1]", "risks[0]")
    assert [problem.partition(":")[0] for problem in standing.struck[::2]] == list(places)
    kept = analysis.model_copy(update={"summary": STRUCK, "stated_intent": STRUCK})
    assert standing.analysis == kept


def test_who_saw_no_text_can_quote_none(make_facts, analysis):
    facts = make_facts()
    assert grounded(analysis, facts).struck == ()
    assert [problem.partition(":")[0] for problem in grounded(analysis, facts, View.FACTS_ALONE).struck] == [
        "key_points[1]", "claimed_effects[0]",
    ]  # fmt: skip
    told = analysis.model_copy(update={"summary": "It pays 77,777 USDC.", "key_points": (), "claimed_effects": ()})
    assert grounded(told, make_facts("77,777 USDC")).struck == ()
    assert len(grounded(told, make_facts("77,777 USDC"), View.FACTS_ALONE).struck) == 1


def test_numbers_of_any_length_are_looked_up(make_facts, analysis):
    for summary in ("9" * 78 + ".5e99 ETH", "1e99 wei", "0x" + "9" * 300):
        assert _summary(make_facts, analysis, summary).struck
