"""Periods, prices, labels, sums and words: pure."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnyx_agents.audit import Links, words
from pnyx_contracts.errors import UsageError
from pnyx_policies.audit import Bound, Label, Period, Prices, label
from pnyx_policies.audit.title import LONGEST_TITLE, title_of
from pnyx_policies.prices import Price, spelled, total
from pnyx_policies.text import named
from pnyx_policies.verify.verdict import About, Step, Verdict
from pnyx_tools.audit.notes import MOST_NOTES, Notes

# Periods


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("17", Bound(block=17), Bound(block=17)),
        ("1970-01-02", Bound(time=86_400), Bound(time=2 * 86_400 - 1)),
        ("2026-03-31T18:00Z", Bound(time=1_774_980_000), Bound(time=1_774_980_000)),
        ("2026-03-31 18:00:05Z", Bound(time=1_774_980_005), Bound(time=1_774_980_005)),
    ],
)
def test_a_bound_is_a_day_a_moment_or_a_block(text: str, since: Bound, until: Bound) -> None:
    assert Bound.parse(text, end=False) == since
    assert Bound.parse(text, end=True) == until


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-02-30", "2026-3-1", "2026-03-31T18:00", "-1", "9999-12-31x", "\u0661\u0667"]
)
def test_what_is_no_bound_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no date and no block"):
        Bound.parse(text, end=False)


bounds = st.one_of(
    st.none(),
    st.builds(lambda n: Bound(block=n), st.integers(0, 50)),
    st.builds(lambda n: Bound(time=n), st.integers(0, 500)),
)


@given(since=bounds, until=bounds, block=st.integers(0, 50))
def test_a_period_holds_its_bounds_and_what_is_between(since: Bound | None, until: Bound | None, block: int) -> None:
    time = block * 10

    def measure(bound: Bound) -> tuple[int, int]:
        return (block, bound.block) if bound.block is not None else (time, bound.time or 0)

    expected = (since is None or measure(since)[0] >= measure(since)[1]) and (
        until is None or measure(until)[0] <= measure(until)[1]
    )
    assert Period(since=since, until=until).holds(block, time) is expected


# Prices

decimals = st.decimals(min_value=0, max_value=10**9, places=6, allow_nan=False).map(lambda d: format(d, "f"))
tokens = st.integers(0, 2**53 - 1)


@given(st.lists(st.tuples(decimals, decimals, tokens, tokens), max_size=20))
def test_costs_are_exact(uses: list[tuple[str, str, int, int]]) -> None:
    costs = [
        Price(name="m", input_per_million=i, output_per_million=o).of(tokens_in, tokens_out)
        for i, o, tokens_in, tokens_out in uses
    ]
    expected = sum((Fraction(i) * a + Fraction(o) * b for i, o, a, b in uses), Fraction(0)) / 10**6
    with localcontext(prec=200):
        assert Fraction(Decimal(spelled(total(costs)))) == expected


@pytest.mark.parametrize(
    ("cost", "text"),
    [("0", "0"), ("0E-9", "0"), ("1.50", "1.5"), ("100", "100"), ("1E+2", "100"), ("0.0000010", "0.000001")],
)
def test_costs_are_spelled_plainly(cost: str, text: str) -> None:
    assert spelled(Decimal(cost)) == text


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        ("", "currency"),
        ("currency = 1", "currency"),
        ("not toml", "not TOML"),
        ('currency = "USD"\n[[model]]\nname = "m"\ninput_per_million = 0.25\noutput_per_million = "1"', "in quotes"),
        ('currency = "USD"\n[[model]]\nname = "m"\ninput_per_million = "-1"\noutput_per_million = "1"', "without sign"),
        ('currency = "USD"\n[[model]]\nname = "m"\ninput_per_million = "1."\noutput_per_million = "1"', "without sign"),
        (
            'currency = "USD"\n[[model]]\nname = "m"\ninput_per_million = "1e9"\noutput_per_million = "1"',
            "without sign",
        ),
        ('currency = "USD"\n[[model]]\nname = "m"\ninput_per_million = "1"', "output_per_million"),
        (
            'currency = "USD"\n' + '[[model]]\nname = "m"\ninput_per_million = "1"\noutput_per_million = "1"\n' * 2,
            "two prices",
        ),
        ('currency = "USD"\n[[model]]\nname = "m"\ninput = "1"', "model.0"),
    ],
)
def test_a_wrong_table_says_where(table: str, wrong: str) -> None:
    with pytest.raises(UsageError) as raised:
        Prices.parse(table, "prices.toml")
    assert raised.value.message.startswith("prices.toml: ")
    assert wrong in raised.value.message


def test_no_price_is_guessed_from_a_prefix() -> None:
    table = Prices(currency="USD", model=(Price(name="big", input_per_million="1", output_per_million="1"),))
    assert table.find("big-2026", "other") is None
    assert table.find("other", "big") is table.model[0]


# Labels

ABOUT = About("0x" + "11" * 20, 3)
MATCHES = ABOUT.matches(Step.DECISION)
GONE = ABOUT.missing(Step.BUNDLE, "gone")


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], Label.NOT_CHECKABLE),
        ([ABOUT.not_checkable(Step.STATE, "old")], Label.NOT_CHECKABLE),
        ([MATCHES, ABOUT.not_checkable(Step.STATE, "old")], Label.NOT_CHECKABLE),
        ([MATCHES, ABOUT.not_checkable(Step.DECISION, "a plugin's check")], Label.CHECKED),
        ([MATCHES], Label.CHECKED),
        ([MATCHES, ABOUT.pending(Step.ANNOUNCED_VOTES, "open")], Label.PENDING),
        ([MATCHES, ABOUT.not_proven(Step.DECISION, "withheld")], Label.NOT_PROVEN),
        ([MATCHES, GONE], Label.WITHHELD),
        ([MATCHES, GONE, ABOUT.differs(Step.VOTES, "action")], Label.DIFFERS),
        ([MATCHES, ABOUT.missing(Step.ANNOUNCED_VOTES, "the vote")], Label.DIFFERS),
    ],
)
def test_the_worst_verdict_gives_the_label(verdicts: list[Verdict], expected: Label) -> None:
    assert label(verdicts) is expected
    assert label(reversed(verdicts)) is expected


def test_verdicts_come_back_by_entry_and_equal_ones_are_kept_once() -> None:
    notes = Notes()
    for seq in range(1, 1_001):
        for _ in range(MOST_NOTES + 1):
            notes.take(About(ABOUT.writer, seq).not_checkable(Step.STATE, "the node has no state"))
        notes.take(About(ABOUT.writer, seq).matches(Step.DECISION))
    notes.take(About(ABOUT.writer).missing(Step.COMPLETENESS, "a decision"))
    check = notes.check(ABOUT.writer, 17)
    assert check.counts == {"matches": 1, "not checkable": MOST_NOTES + 1}
    assert len(check.notes) == MOST_NOTES
    assert notes.check(ABOUT.writer, 5_000).label is Label.NOT_CHECKABLE
    assert [v.step for v in notes.loose(ABOUT.writer)] == [Step.COMPLETENESS]
    assert notes.counts(ABOUT.writer) == {"matches": 1_000, "missing": 1, "not checkable": 1_000 * (MOST_NOTES + 1)}
    kept: Any = notes._by_entry[ABOUT.writer]
    assert len({id(row) for row in kept.values()}) == 1


# Words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "unknown"), (0, "0 s"), (59, "59 s"), (60, "1 min"), (3_661, "1 h 1 min"), (86_401, "1 d"),
        (90_000, "1 d 1 h"), (10**7, "115 d 17 h"), (-5, "-5 s"),
    ],
)  # fmt: skip
def test_durations(seconds: int | None, text: str) -> None:
    assert words.duration(seconds) == text


def test_amounts() -> None:
    assert words.coins(10**18 + 1) == "1.000000000000000001"
    assert words.coins_short(10**18 + 1) == "≈ 1"
    assert words.coins_short(1_234_567_890_123) == "≈ 0.000001"
    assert words.coins_short(1) == "< 0.000001"
    assert words.coins_short(0) == "0"
    assert words.share(1_250) == "12.5 %"
    assert words.moment(10**15) == "second 1000000000000000"


@given(st.text(st.characters(exclude_categories=[])))
def test_whatever_somebody_wrote_is_xml(text: str) -> None:
    element = ET.Element("t")
    element.text = named(text)
    again = ET.fromstring(ET.tostring(element, encoding="utf-8")).text or ""
    assert again.replace("\r\n", "\n").replace("\r", "\n") == element.text.replace("\r\n", "\n").replace("\r", "\n")


def test_hidden_characters_are_named() -> None:
    assert named("pay \u202e0001\x07 now\ufffe") == "pay <U+202E>0001<U+0007> now<U+FFFE>"
    assert words.one_line("a\n\n b") == "a b"


@given(st.text())
def test_a_title_is_one_short_line(text: str) -> None:
    title = title_of(text)
    assert len(title) <= LONGEST_TITLE + 3
    assert len(title.splitlines()) <= 1


def test_titles() -> None:
    assert title_of("\n\n ## Pay the gardener ##\nmore") == "Pay the gardener ##"
    assert title_of("\u202e\n") == ""


# Links


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("https://example.org/", "https://example.org/#/-/0x01/agent/0x02/decision/3"),
        ("http://localhost:8000", "http://localhost:8000#/-/0x01/agent/0x02/decision/3"),
        ("https://example.org/#", "https://example.org/#/-/0x01/agent/0x02/decision/3"),
        (
            "https://example.org/#/https%3A%2F%2Frpc",
            "https://example.org/#/https%3A%2F%2Frpc/0x01/agent/0x02/decision/3",
        ),
    ],
)
def test_links_are_those_of_the_page(page: str, link: str) -> None:
    assert Links.parse(page, "0x01").decision("0x02", 3) == link


@pytest.mark.parametrize(
    "page",
    [
        "",
        "example.org",
        "javascript:alert(1)",
        "https:///x",
        "https://a/\n",
        'https://a/"',
        "https://a/#/x/y",
        "https://a/#x",
    ],
)
def test_what_is_no_page_is_refused(page: str) -> None:
    with pytest.raises(UsageError, match="--page"):
        Links.parse(page, "0x01")
