"""The report is for everybody: axe, keyboard, phone, light and dark, in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.explorer.axe import violations
from tests.worlds import Chain, as_it_was

from pnyx_contracts.decision_log import encode_remark
from pnyx_contracts.entry import RemarkVerdict
from pnyx_contracts.types import Vote
from pnyx_policies.disclosure import Disclosure, disclose, parse_parts

from .conftest import HOLDING, PRICES, World

SCREEN, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
LONG = "Averylongwordwithoutanyspace" * 40


@pytest.fixture(scope="module")
def report(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of one that has something of everything."""
    folder = tmp_path_factory.mktemp("report")
    with as_it_was(chain[0]) as servers:
        world = World(*chain, folder / "evidence", servers)
        opened = fill(world)
        world.published(folder / "out", page="https://example.org/explorer/", prices=PRICES, disclosures=[opened])
    return (folder / "out" / "report.html").as_uri()


def fill(world: World) -> Disclosure:
    """Two agents, every label, what people and strangers said, long words; a disclosure of one of the records."""
    first = world.model(sealed=("rules", "attempts"), unsafe_unsigned_approvals=True)
    opened = first.act(world.blocks, world.open_proposal(title=f"# {LONG}"))
    first.act(world.seconds, world.open_proposal(world.seconds))
    first.change(HOLDING)
    held = world.open_proposal()
    first.act(world.blocks, held)
    world.say(first, held, "approve", "against", person=LONG, comment="Paid already.")
    world.bundle_file(first.act(world.blocks, world.open_proposal()).bundle.record_root).unlink()
    world.withhold(first.act(world.blocks, world.open_proposal()), "checks")
    changed = world.bundle_file(first.act(world.blocks, world.open_proposal()).bundle.record_root)
    changed.write_bytes(changed.read_bytes().replace(b"gardener", b"hardener"))
    world.blocks.vote(world.open_proposal(title="# Alone"), Vote.FOR, first.key, "without an entry")
    world.open_proposal(title="# Still open")
    remark = encode_remark(first.writer, 1, RemarkVerdict.CHECKED, b"\x01" * 32, f"https://example.org/{LONG}")
    world.node.send(world.log, remark, sender=world.node.accounts[8])
    second = world.gate(key=world.node.accounts[2])
    second.act(world.blocks, world.open_proposal())
    return disclose(opened.bundle, parse_parts("rules"))


Open = Callable[..., Page]


@pytest.fixture
def open_report(browser: Browser, report: str) -> Iterator[Open]:
    """Opens it, with all that can be unfolded; nothing in it may complain or ask another place."""
    complaints: list[str] = []
    with ExitStack() as contexts:

        def open_in(**options: Any) -> Page:
            context = browser.new_context(locale="en-GB", **options)
            contexts.callback(context.close)
            page = context.new_page()
            page.on("request", lambda request: complaints.append(request.url) if request.url != report else None)
            page.on("console", lambda said: complaints.append(said.text))
            page.goto(report)
            page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
            return page

        yield open_in
    assert complaints == []


def test_the_report_has_something_of_everything(open_report: Open) -> None:
    """So that what follows says something."""
    page = open_report()
    badges = set(page.locator(".badge").all_inner_texts())
    assert badges >= {"ENFORCED", "DECLARED", "checked", "differs", "withheld", "not proven", "not checkable"}
    for selector in ("nav", ".banner.bad", ".bar", "details", ".figures", "table", "h4"):
        assert page.locator(selector).count(), selector


@pytest.mark.parametrize("viewport", [SCREEN, PHONE], ids=["screen", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_report: Open, scheme: str, viewport: dict[str, int]) -> None:
    page = open_report(color_scheme=scheme, viewport=viewport, bypass_csp=True)
    assert violations(page) == []


def test_axe_would_find_something(open_report: Open) -> None:
    page = open_report(bypass_csp=True)
    page.evaluate("document.documentElement.removeAttribute('lang')")
    assert any(found.startswith("html-has-lang (serious)") for found in violations(page))


def test_a_phone_shows_all_without_scrolling_sideways(open_report: Open) -> None:
    page = open_report(viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    small = "[...document.querySelectorAll('summary')].filter((s) => s.getBoundingClientRect().height < 24).length"
    assert page.evaluate(small) == 0


def test_dark_is_dark(open_report: Open) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    shown = {scheme: open_report(color_scheme=scheme).evaluate(paper) for scheme in ("light", "dark")}
    assert shown == {"light": "rgb(251, 250, 247)", "dark": "rgb(20, 24, 27)"}


def test_the_way_past_the_head_by_keyboard(open_report: Open) -> None:
    page = open_report()
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
