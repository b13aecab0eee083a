"""The built page in a real Chromium, against a real node, with the evidence behind ``pnyx explorer``'s own server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect
from tests import worlds
from tests.worlds import RECIPIENT

from pnyx_agents.explorer import address_of, explorer_server
from pnyx_policies.analysis import Analysis
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.decisions import LocalAgent
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy_governance, deploy_log

expect.set_options(timeout=15_000)

DESCRIPTION = f"# Pay the gardener\n\nSend 1 ETH to {RECIPIENT} for the garden."


@dataclass
class Watched:
    """A page, and everything that a hostile text could make it do."""

    page: Page
    own: set[str]
    """Hosts that it may ask."""
    foreign: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    """Dialogs, violations of the policy, errors, windows."""

    def __post_init__(self) -> None:
        self.page.on("request", self._ask)
        self.page.on("dialog", lambda dialog: (self.complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
        self.page.on("pageerror", lambda error: self.complaints.append(f"error {error}"))
        self.page.on("popup", lambda popup: self.complaints.append(f"window {popup.url}"))
        self.page.on("console", self._hear)

    def _ask(self, request: Request) -> None:
        if urlsplit(request.url).netloc not in self.own:
            self.foreign.append(request.url)

    def _hear(self, said: ConsoleMessage) -> None:
        """Violations of the policy are told here. That evidence is not there is an answer, and no complaint."""
        if said.type == "error" and "status of 404" not in said.text:
            self.complaints.append(f"console {said.text}")

    def assert_quiet(self) -> None:
        assert self.foreign == []
        assert self.complaints == []


@dataclass
class World(worlds.World):
    """A node with a governor and a log, a folder of evidence, and the page that shows it."""

    MODEL = "scripted"

    url: str
    """Of the server of the page."""

    @property
    def dao(self) -> Governance:
        return self.governances[0]

    def decide(self, agent: LocalAgent, description: str = DESCRIPTION) -> int:
        """A proposal that is decided; its entry's number."""
        proposal = self.dao.propose([RECIPIENT], [TOKEN], [b""], description)
        self.dao.advance_to_active(proposal)
        agent.act(self.dao, proposal)
        return agent.next_seq() - 1

    def place(self, *parts: object) -> str:
        """Address of a view of the page."""
        whole = address_of_place(self.url, self.node.url, self.log)
        path, _, query = whole.partition("?")
        return "/".join([path, *map(str, parts)]) + f"?{query}"

    def forget(self, root: bytes) -> None:
        self.bundle_file(root).unlink()


def address_of_place(base: str, rpc: str, log: str) -> str:
    return f"{base}#/{quote(rpc, safe='')}/{log}?evidence={quote(base + 'evidence/', safe='')}&upto=latest"


def analysis(summary: str) -> Analysis:
    return worlds.analysis(summary, summary, summary)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("evidence")
    with Anvil() as node, ExitStack() as servers, explorer_server(0, folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = address_of(server, None, None, evidence=False, upto=None)
        yield World(node, deploy_log(node), (deploy_governance(node),), folder, servers, url)
        server.shutdown()


Open = Callable[..., Watched]


@pytest.fixture
def open_page(browser: Browser, world: World) -> Iterator[Open]:
    """Opens the page at a place; every request, dialog and complaint of it is held against it in the end."""
    contexts: list[BrowserContext] = []
    watched: list[Watched] = []
    own = {urlsplit(world.url).netloc, urlsplit(world.node.url).netloc}

    def open_at(url: str, *, script: str = "", host: str | None = None, **options: object) -> Watched:
        """``host``: of a page that another server hands out, which may then ask that one."""
        context = browser.new_context(locale="en-GB", **options)
        contexts.append(context)
        if script:
            context.add_init_script(script)
        seen = Watched(context.new_page(), own | {host} if host else own)
        watched.append(seen)
        seen.page.goto(url)
        return seen

    yield open_at
    for context in contexts:
        context.close()
    for seen in watched:
        seen.assert_quiet()
