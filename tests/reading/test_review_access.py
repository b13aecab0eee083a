"""The review as a page is for everybody: axe, a phone, light and dark, in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from tests.explorer.axe import violations
from tests.reading.samples import SAMPLES

from pnyx_agents.reading.html import to_html
from pnyx_policies.reading.report import report_of

SCREEN, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}

Open = Callable[..., Page]


@pytest.fixture
def open_review(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    with ExitStack() as stack:

        def open_it(name: str, **options: Any) -> Page:
            file = tmp_path / "review.html"
            file.write_text(to_html(report_of(SAMPLES[name]())), encoding="utf-8")
            page = stack.enter_context(browser.new_context(**options)).new_page()
            page.goto(file.as_uri())
            return page

        yield open_it


@pytest.mark.parametrize("name", ["hidden-power", "new-code"])
@pytest.mark.parametrize("viewport", [SCREEN, PHONE], ids=["screen", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_review: Open, name: str, scheme: str, viewport: dict[str, int]) -> None:
    page = open_review(name, color_scheme=scheme, viewport=viewport, bypass_csp=True)
    assert page.locator(".badge, .warn-words, .bad-words").count()
    assert violations(page) == []


def test_a_phone_shows_all_without_scrolling_sideways(open_review: Open) -> None:
    page = open_review("hidden-power", viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_dark_is_dark(open_review: Open) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    shown = {scheme: open_review("new-code", color_scheme=scheme).evaluate(paper) for scheme in ("light", "dark")}
    assert shown == {"light": "rgb(251, 250, 247)", "dark": "rgb(20, 24, 27)"}
