"""The page is for everybody, and safe with what strangers wrote: axe, phone, light and dark, in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, expect
from tests.explorer.axe import violations

from pnyx_agents.backtest import charts, html_of
from pnyx_policies.backtest import BacktestReport, Share
from pnyx_policies.decision import Outcome
from pnyx_tools.testing.openai_server import OpenAIServer

from .conftest import HOSTILE_TITLE, Past

SCREEN, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
EVIL = f'{HOSTILE_TITLE}"><img src=x onerror=alert(2)>{{{{ 7*7 }}}}<style>*{{display:none}}</style>' + "long" * 60
STRANGERS = {"title", "why", "reason", "name", "check", "analyst", "failure", "decided_by", "rule", "version"}
"""Fields of the report whose words others choose, or could."""


def poisoned(value: Any) -> Any:
    """The same JSON, with hostile words wherever words are."""
    if isinstance(value, list):
        return [poisoned(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {k: EVIL if k in STRANGERS and isinstance(v, str) else poisoned(v) for k, v in value.items()}


@pytest.fixture(scope="module")
def report(_seconds: Past, tmp_path_factory: pytest.TempPathFactory) -> BacktestReport:
    """Three rulesets, of which one takes no side, and a model."""
    with OpenAIServer() as server:
        model = f'[[model]]\nmodel = "scripted"\nbase_url = "{server.base_url}"\napi_key_env = ""\n'
        model += 'sees = ["facts-and-text"]\n'
        rulesets, folder = ["guardian", "steward", "observer"], tmp_path_factory.mktemp("tried")
        return _seconds.tried(folder, rulesets=rulesets, more=model, live=True)


@pytest.fixture(scope="module")
def pages(report: BacktestReport, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Addresses of an ordinary page, a hostile one, and one about nothing."""
    folder = tmp_path_factory.mktemp("pages")
    hostile = BacktestReport.model_validate(poisoned(report.model_dump(mode="json")))
    empty = report.model_copy(update={"trials": (), "untried": (), "findings": (), "rulesets": report.rulesets[2:]})
    found = {}
    for name, shown in (("ordinary", report), ("hostile", hostile), ("empty", empty)):
        file: Path = folder / f"{name}.html"
        file.write_text(html_of(shown), encoding="utf-8")
        found[name] = file.as_uri()
    return found


Open = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser, pages: dict[str, str]) -> Iterator[Open]:
    """Opens one; nothing in it may complain, ask another place, or speak up."""
    complaints: list[str] = []
    with ExitStack() as contexts:

        def open_in(name: str = "ordinary", **options: Any) -> Page:
            context = browser.new_context(locale="en-GB", **options)
            contexts.callback(context.close)
            page = context.new_page()
            page.on("request", lambda asked: complaints.append(asked.url) if asked.url != pages[name] else None)
            page.on("console", lambda said: complaints.append(said.text))
            page.on("dialog", lambda dialog: complaints.append(dialog.message))
            page.goto(pages[name])
            return page

        yield open_in
    assert complaints == []


@pytest.mark.parametrize("viewport", [SCREEN, PHONE], ids=["screen", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["ordinary", "hostile", "empty"])
def test_axe_finds_nothing(opened: Open, name: str, scheme: str, viewport: dict[str, int]) -> None:
    page = opened(name, color_scheme=scheme, viewport=viewport, bypass_csp=True)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], "nothing scrolls sideways"


def test_dark_is_dark(opened: Open) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    shown = {scheme: opened(color_scheme=scheme).evaluate(paper) for scheme in ("light", "dark")}
    assert shown == {"light": "rgb(251, 250, 247)", "dark": "rgb(20, 24, 27)"}


def test_hostile_words_are_words(opened: Open) -> None:
    page = opened("hostile")
    assert page.locator("script, img, main style, iframe").count() == 0
    expect(page.locator("th", has_text="<script>alert(1)</script>").first).to_be_visible()
    text = page.evaluate("document.body.textContent")
    assert "{{ 7*7 }}" in text, "no template in a template"
    assert "\u202e" not in text
    assert "<U+202E>" in text


def test_its_figures_are_those_of_the_report(opened: Open, report: BacktestReport) -> None:
    page = opened()
    table = page.get_by_role("region", name="Agreement with the outcome").locator("tbody tr")
    assert table.count() == 4
    assert "M1. advice of openai:scripted alone" in table.nth(3).inner_text()
    steward = table.nth(1).inner_text()
    for words in ("2. steward 1", "5 of 10", "80% (4 of 5)", "37.55% to 96.38%", "40%"):
        assert words in steward
    chart = page.get_by_role("img", name="80%, 95% interval 37.55% to 96.38%; always for: 40%")
    expect(chart).to_be_visible()
    assert page.get_by_role("region", name="Proposals").locator("tbody tr").count() == len(report.trials)
    expect(page.get_by_text("Agreement with the outcome is not correctness.")).to_be_visible()
    assert page.locator("svg.map circle").count() == 3, "two rulesets that take sides, and always for"


def test_it_says_in_its_head_that_nothing_may_run_or_load(opened: Open) -> None:
    page = opened()
    policy = page.locator('meta[http-equiv="Content-Security-Policy"]').get_attribute("content") or ""
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert page.evaluate("getComputedStyle(document.querySelector('.bar .hold')).fill") != "rgb(0, 0, 0)", (
        "the style counts"
    )


COUNTS = st.dictionaries(st.sampled_from(list(Outcome)), st.integers(0, 500))


@given(COUNTS)
def test_a_bar_is_filled_in_proportion(counts: dict[Outcome, int]) -> None:
    pieces, total = charts.bar(counts), sum(counts.values())
    assert [piece.word for piece in pieces] == [outcome.value for outcome, count in counts.items() if count]
    assert sum(piece.length for piece in pieces) == (charts.LENGTH if total else 0)
    ends = [0, *(piece.begin + piece.length for piece in pieces)]
    assert [piece.begin for piece in pieces] == ends[:-1], "without gaps"
    for piece, count in zip(pieces, (count for count in counts.values() if count), strict=True):
        assert abs(piece.length - charts.LENGTH * count / total) < 1


@given(st.integers(0, 300), st.integers(1, 300))
def test_a_whisker_stays_on_its_scale(count: int, total: int) -> None:
    found = charts.whisker(Share.of(min(count, total), total))
    assert found is not None
    assert 0 <= found.low <= found.at <= found.high <= charts.LENGTH
    assert charts.whisker(Share.of(0, 0)) is None
