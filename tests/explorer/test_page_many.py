"""Five thousand entries: what is new comes first, and the page's own thread has little to do at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from pnyx_policies.rulesets import shipped_ruleset
from pnyx_tools.testing.decisions import LocalAgent
from pnyx_tools.testing.deploy import encode_call

from .conftest import RECIPIENT, World
from .many import write_many

ENTRIES = 5_000
DECISIONS = 3
LIST_ITEMS_AT_ONCE = 10
LABELS_AT_ONCE = 200

WATCH = """
window.seen = { items: [], lots: [], workers: [], requests: 0 };
new MutationObserver((changes) => {
  const added = changes.flatMap((change) => [...change.addedNodes]);
  const items = added.filter((node) => node.nodeName === 'LI' && node.parentElement?.id === 'decisions');
  if (items.length > 0) seen.items.push(items.length);
}).observe(document, { childList: true, subtree: true });
window.Worker = class extends Worker {
  constructor(name, options) {
    super(name, options);
    seen.workers.push(String(name));
    this.addEventListener('message', ({ data }) => {
      if (data.event === 'labels') seen.lots.push(data.labels.map(([seq, { label }]) => [seq, label]));
    });
  }
};
const fetch_ = window.fetch;
window.fetch = (...args) => { seen.requests += 1; return fetch_(...args); };
window.XMLHttpRequest = class { constructor() { seen.requests += 1; } };
"""


@dataclass(frozen=True)
class LongLog:
    writer: str
    middle: int
    """A block: half of the entries are older."""


@pytest.fixture(scope="module")
def long_log(world: World) -> LongLog:
    """The newest entries are decisions; the evidence of the others is not there."""
    agent = world.agent()
    agent.register()
    world.dao.give_power(agent.writer, 1_000)
    half = ENTRIES // 2
    write_many(world.node, world.log, agent.writer, 1, half)
    middle = world.node.rpc.block().number
    write_many(world.node, world.log, agent.writer, half + 1, ENTRIES - DECISIONS - half)
    for number in range(DECISIONS):
        world.decide(agent, f"# Month {number}\n\nSend 1 ETH to {RECIPIENT} for the garden.")
    return LongLog(agent.writer, middle)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    context.add_init_script(WATCH)
    yield context.new_page()
    context.close()


@contextmanager
def silence_below(page: Page, url: str, block: int) -> Iterator[None]:
    """The node does not answer about older blocks until the end of this."""
    held: list[Route] = []

    def answer(route: Route) -> None:
        question = json.loads(route.request.post_data or "{}")
        is_old = question["method"] == "eth_getLogs" and int(question["params"][0]["fromBlock"], 16) < block
        if is_old:
            held.append(route)
        else:
            route.continue_()

    page.route(url, answer)
    yield
    assert held, "nothing was asked of the older blocks"
    for route in held:
        route.continue_()
    page.unroute(url, answer)


def test_the_newest_decisions_wait_for_nothing_and_no_task_is_long(world: World, long_log: LongLog, page: Page) -> None:
    with silence_below(page, f"{world.node.url}/", long_log.middle):
        page.goto(world.place("agent", long_log.writer))
        newest = page.locator("#decisions > li")
        expect(newest.first.locator(".reason")).to_contain_text("Nothing speaks against it.")
        expect(newest.first).to_contain_text(f"entry {ENTRIES:d}")
        expect(newest.first.locator(".status")).to_have_text("checking…")
    page.locator("#decisions + div button").click()
    expect(newest).to_have_count(70)
    finished = page.get_by_text("The check is finished")
    expect(finished).to_contain_text(f"{ENTRIES - DECISIONS} missing", timeout=180_000)
    expect(newest.nth(0).locator(".status")).to_have_text("checked")
    expect(newest.nth(69).locator(".status")).to_have_text("withheld")

    seen: dict[str, Any] = page.evaluate("seen")
    assert max(seen["items"]) <= LIST_ITEMS_AT_ONCE
    assert max(map(len, seen["lots"])) <= LABELS_AT_ONCE
    assert [name.rpartition("/")[2] for name in seen["workers"]] == ["worker.js", "worker.js"]
    assert seen["requests"] == 0, "the page's own thread asked somebody"
    told = [seq for lot in seen["lots"] for seq, label in lot]
    assert sorted(told) == list(range(1, ENTRIES + 1))
    assert set(told[:DECISIONS]) == set(range(ENTRIES - DECISIONS + 1, ENTRIES + 1))
    assert told[DECISIONS:] == sorted(told[DECISIONS:], reverse=True)


@pytest.fixture(scope="module")
def gate(world: World) -> LocalAgent:
    """It looked at a payment, and at a text that hides what it does."""
    gate = world.gate(ruleset=shipped_ruleset("steward"), key=world.node.accounts[2])
    world.decide(gate)
    hidden = encode_call("grantRole(bytes32,address)", bytes(32), RECIPIENT)
    text = "# Harmless tidying up\n\nNothing changes for anybody."
    proposal = world.dao.propose([world.dao.timelock], [0], [hidden], text)
    world.dao.advance_to_active(proposal)
    gate.act(world.dao, proposal)
    return gate


DESK = {"width": 900, "height": 700}
PHONE = {"width": 360, "height": 740}
PICTURES = {
    "agents": ((), DESK, "light", "ENFORCED"),
    "agent": (("agent",), DESK, "light", "What it did, newest first"),
    "decision": (("agent", "decision", 2), DESK, "light", "Harmless tidying up"),
    "decision-phone": (("agent", "decision", 2), PHONE, "dark", "Harmless tidying up"),
    "delegate": (("agent", "delegate"), DESK, "light", "Delegate"),
}


@pytest.mark.usefixtures("long_log")
@pytest.mark.parametrize("name", PICTURES)
def test_pictures_of_the_documents(world: World, gate: LocalAgent, browser: Browser, tmp_path: Path, name: str) -> None:
    """Taken into the folder that PNYX_PICTURES names, when it does."""
    parts, size, scheme, shows = PICTURES[name]
    inside = [part for place in parts for part in ((place, gate.writer) if place == "agent" else (place,))]
    page = browser.new_page(viewport=size, color_scheme=scheme, locale="en-GB")
    page.goto(world.place(*inside))
    expect(page.locator("main")).to_contain_text(shows)
    expect(page.locator("[aria-busy]")).to_have_count(0)
    expect(page.locator(".status", has_text="checking…")).to_have_count(0)
    picture = Path(os.environ.get("PNYX_PICTURES", tmp_path)) / f"{name}.png"
    page.screenshot(path=picture)
    page.close()
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_only_the_worker_can_ask_and_hash() -> None:
    built = files("pnyx_agents").joinpath("page")
    for words in ("eth_getLogs", "pnyx.record.v1"):
        assert words not in built.joinpath("main.js").read_text()
        assert words in built.joinpath("worker.js").read_text()
