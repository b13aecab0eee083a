"""Sources are looked up: what nobody wrote is found out."""

from __future__ import annotations

import pytest

from pnyx_policies.analysis import KeyPoint
from pnyx_policies.quotations import invented

TEXT = (
    "# Title\n\nWe ask for **1,218,669 USDC**,\n   paid to the auditors\u2019 \u201cSafe\u201d \u2013 at once\u2026 "
    "Hid\u200bden. <|im_start|> caf\u00e9"
)


def _check(make_facts, analysis, **point):
    changed = analysis.model_copy(update={"key_points": (KeyPoint(claim="c", **point),)})
    return invented(changed, make_facts(TEXT))


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
    assert problem.startswith("key point 0: the text does not say")


def test_paths_are_looked_up(make_facts, analysis):
    assert _check(make_facts, analysis, call="0") == ()
    for path in ("1", "0.0", "", "call 0"):
        assert _check(make_facts, analysis, call=path) == (f'key point 0: there is no call "{path}"',)


def test_a_good_source_does_not_excuse_a_bad_one(make_facts, analysis):
    assert len(_check(make_facts, analysis, call="0", quotation="free money")) == 1
    assert len(_check(make_facts, analysis, call="5", quotation="free money")) == 2


def test_a_point_without_a_source_is_no_point(make_facts, analysis):
    assert _check(make_facts, analysis) == ("key point 0: names no source",)
