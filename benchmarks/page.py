"""How quick the members' page is: ``python benchmarks/page.py [--entries N] [--json]``.

A log with 5,000 entries on a local chain, the built page in a headless Chromium. Exits 1 when a goal is missed.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, Page, sync_playwright

sys.path += [str(Path(__file__).parents[1] / "tests"), str(Path(__file__).parents[1] / "tests" / "explorer")]

from many import write_many
from rows import Row, tell

from chromium import NOT_FOUND, find_chromium
from pnyx_agents.analyst import ModelAnalyst, deliberate
from pnyx_policies.analysis import Analysis, KeyPoint, Recommendation, Risk, RiskLevel
from pnyx_policies.rulesets import shipped_ruleset
from pnyx_tools.evidence import FolderStore
from pnyx_tools.model import LangChainModel, ModelSettings
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.decisions import LocalAgent
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy_governance, deploy_log
from pnyx_tools.testing.openai_server import OpenAIServer, answer

FIRST_GOAL = 2_000
FRAME_GOAL = 100
PATIENCE_SECONDS = 300
RECIPIENT = "0x00000000000000000000000000000000000A11cE"

WATCH = """
window.frames_ = []; window.long_ = [];
let last = performance.now();
const tick = (now) => { window.frames_.push(now - last); last = now; requestAnimationFrame(tick); };
requestAnimationFrame(tick);
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) window.long_.push(task.duration);
}).observe({ type: 'longtask', buffered: true });
"""


@dataclass(frozen=True)
class Stage:
    node: Anvil
    log: str
    writer: str
    url: str

    def place(self, *parts: object) -> str:
        base = f"{self.url}#/{quote(self.node.url, safe='')}/{self.log}"
        return "/".join([base, *map(str, parts)]) + f"?evidence={quote(self.url + 'evidence/', safe='')}&upto=latest"


@contextmanager
def staged(entries: int) -> Iterator[Stage]:
    """A plain key with many entries, whose newest five are real decisions."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        node = stack.enter_context(Anvil())
        log, dao = deploy_log(node), deploy_governance(node)
        url = stack.enter_context(served(folder))
        model = stack.enter_context(OpenAIServer((answer(PAYMENT),)))
        analyst = ModelAnalyst(LangChainModel(ModelSettings(model="local", base_url=model.base_url, api_key_env="")))
        key = LocalAgent(
            node, log, [dao], FolderStore(folder), shipped_ruleset("steward"), analysts=(analyst.describe(),),
            ask=lambda facts: deliberate([analyst], facts),
        )  # fmt: skip
        key.register()
        dao.give_power(key.writer, 1_000)
        write_many(node, log, key.writer, 1, entries - 5)
        for number in range(5):
            decide(dao, key, f"# Pay the gardener, month {number + 1}\n\nSend 1 ETH to {RECIPIENT} for the garden.")
        yield Stage(node, log, key.writer, url)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The page and the evidence, from a process of their own."""
    command = [sys.executable, "-m", "pnyx_agents", "explorer", "--port", "0", "--evidence", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().removeprefix("Open ").partition("#")[0].strip()
        finally:
            process.terminate()


PAYMENT = Analysis(
    summary="It pays one ether to the gardener. Nothing else happens.",
    key_points=(KeyPoint(claim="One ether leaves the treasury.", call="0"),),
    stated_intent="Pay the gardener.", claimed_effects=("1 ETH moves.",),
    risks=(Risk(level=RiskLevel.LOW, text="The amount is small."),),
    recommendation=Recommendation.FOR, confidence_percent=90,
)  # fmt: skip


def decide(dao: Governance, agent: LocalAgent, text: str) -> None:
    proposal = dao.propose([RECIPIENT], [TOKEN], [b""], text)
    dao.advance_to_active(proposal)
    agent.act(dao, proposal)


def row(what: str, milliseconds: float, goal: int | None = None) -> Row:
    """`goal` is the most that it may take."""
    wanted = "" if goal is None else f"at most {goal:,} ms"
    return Row(what, f"{milliseconds:,.0f} ms", wanted, met=goal is None or milliseconds <= goal)


def measure(browser: Browser, stage: Stage) -> Iterator[Row]:
    page = browser.new_page()
    page.add_init_script(WATCH)
    tasks = Tasks(browser)
    begun = time.perf_counter()
    page.goto(stage.place("agent", stage.writer))
    page.wait_for_selector("#decisions > li")
    yield row("first decisions on screen", (time.perf_counter() - begun) * 1000, FIRST_GOAL)
    page.wait_for_selector("#decisions > li .reason bdi")
    yield row("their reasons", (time.perf_counter() - begun) * 1000, FIRST_GOAL)
    older = page.locator("#decisions + div button")
    for _ in range(10):
        if older.count():
            older.click()
        page.mouse.wheel(0, 5_000)
        page.wait_for_timeout(100)
    while not page.evaluate(FINISHED) and time.perf_counter() - begun < PATIENCE_SECONDS:
        page.wait_for_timeout(1_000)  # asked seldom: to ask is work for the thread that is watched
    yield row("all entries checked", (time.perf_counter() - begun) * 1000)
    yield row("longest task of the page's thread meanwhile", max(page.evaluate("long_"), default=0), FRAME_GOAL)
    yield row("longest time between two frames", max(page.evaluate("frames_")), FRAME_GOAL)
    yield row("longest task, processor time only", tasks.longest_cpu_ms(page), FRAME_GOAL)
    page.close()


FINISHED = "document.getElementById('progress').textContent.startsWith('The check is finished')"


class Tasks:
    """What the browser's threads did, as it traces itself. Processor time says what a quiet machine would need."""

    def __init__(self, browser: Browser) -> None:
        self._events: list[dict[str, Any]] = []
        self._is_complete = False
        self._session = browser.new_browser_cdp_session()
        self._session.on("Tracing.dataCollected", lambda told: self._events.extend(told["value"]))
        self._session.on("Tracing.tracingComplete", self._complete)
        config = {"includedCategories": ["toplevel"], "recordMode": "recordAsMuchAsPossible"}
        self._session.send("Tracing.start", {"traceConfig": config, "transferMode": "ReportEvents"})

    def _complete(self, _: object) -> None:
        self._is_complete = True

    def longest_cpu_ms(self, page: Page) -> float:
        """Of a single task on the main thread of any page."""
        self._session.send("Tracing.end")
        while not self._is_complete:
            page.wait_for_timeout(50)
        names = [event for event in self._events if event["ph"] == "M" and event["name"] == "thread_name"]
        pages = {(event["pid"], event["tid"]) for event in names if event["args"]["name"] == "CrRendererMain"}
        return max(event.get("tdur", 0) for event in self._events if (event["pid"], event["tid"]) in pages) / 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=5_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        sys.exit(NOT_FOUND)
    with staged(arguments.entries) as stage, sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        rows = list(measure(browser, stage))
        browser.close()
    return tell(rows, as_json=arguments.json)


if __name__ == "__main__":
    sys.exit(main())
