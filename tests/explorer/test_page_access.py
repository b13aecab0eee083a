"""For everybody: keyboard, screen reader, phone, light and dark."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.chromium import ROOT

from pnyx_tools.testing.decisions import LocalAgent

from .conftest import Open, World, analysis

AXE = ROOT / "explorer" / "node_modules" / "axe-core" / "axe.min.js"
VIEWS = ("connect", "agents", "agent", "decision", "delegate", "check")
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def agent(world: World) -> LocalAgent:
    agent = world.model(analysis("It pays."))
    world.dao.give_power(agent.writer, 1_000)
    world.decide(agent)
    world.decide(agent, "# " + "Averylongwordwithoutanyspace" * 40)
    return agent


def place_of(world: World, agent: LocalAgent, view: str) -> str:
    return {
        "connect": world.url,
        "agents": world.place(),
        "agent": world.place("agent", agent.writer),
        "decision": world.place("agent", agent.writer, "decision", 2),
        "delegate": world.place("agent", agent.writer, "delegate"),
        "check": world.place("check"),
    }[view]


def settle(page: Page) -> None:
    """Everything is there, and open."""
    expect(page.locator("[aria-busy]")).to_have_count(0)
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{v['id']} ({v['impact']}): {[n['html'][:200] for n in v['nodes'][:2]]}" for v in found["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing(world: World, agent: LocalAgent, open_page: Open, view: str, scheme: str) -> None:
    page = open_page(place_of(world, agent, view), color_scheme=scheme, bypass_csp=True).page
    settle(page)
    assert violations(page) == []


def test_axe_would_find_something(world: World, open_page: Open) -> None:
    page = open_page(world.url, bypass_csp=True).page
    page.evaluate("document.querySelector('label').remove()")
    assert any(found.startswith("label (critical)") for found in violations(page))


@pytest.mark.parametrize("view", VIEWS)
def test_a_phone_shows_all_without_scrolling_sideways(
    world: World, agent: LocalAgent, open_page: Open, view: str
) -> None:
    page = open_page(place_of(world, agent, view), viewport=PHONE).page
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    small = (
        "[...document.querySelectorAll('button, summary')].filter((b) => b.getBoundingClientRect().height < 24).length"
    )
    assert page.evaluate(small) == 0


def test_dark_is_dark(world: World, open_page: Open) -> None:
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    shown = {scheme: open_page(world.url, color_scheme=scheme).page.evaluate(paper) for scheme in ("light", "dark")}
    assert shown == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 29)"}


def test_the_way_to_a_decision_by_keyboard(world: World, agent: LocalAgent, open_page: Open) -> None:
    page = open_page(world.url).page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.get_by_label("RPC endpoint").focus()
    page.keyboard.type(world.node.url)
    page.keyboard.press("Tab")
    page.keyboard.type(world.log)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("The agents of this log")
    expect(page.locator("h1")).to_be_focused()
    expect(page.get_by_role("link", name=agent.writer)).to_be_visible()
    press_until(page, agent.writer)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Agent 0x")
    expect(page.locator("h1")).to_be_focused()
    expect(page.locator("#decisions > li")).to_have_count(2)
    press_until(page, "Voted")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Voted against")
    expect(page).to_have_title("Voted against - Pnyx")


def press_until(page: Page, text: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if text in page.evaluate("document.activeElement.textContent"):
            return
    pytest.fail(f"no way by Tab to {text}")


def test_the_check_is_told_to_a_screen_reader(world: World, agent: LocalAgent, open_page: Open) -> None:
    page = open_page(world.place("agent", agent.writer)).page
    expect(page.get_by_role("status")).to_contain_text("The check is finished:")
