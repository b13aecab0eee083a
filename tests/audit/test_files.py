"""The files of a report: their form, their policy, and hostile text in every place."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import feedparser
import lxml.etree
import lxml.html
import pytest
from playwright.sync_api import Browser
from tests.worlds import RULESET

from pnyx_agents.audit import FORMAT, folder, html
from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import Vote
from pnyx_tools.testing.decisions import LocalAgent

from .conftest import HOLDING, World

PAGE = "https://example.org/explorer/"
MARKUP = "</title></p><script>alert(1)</script><img src=x onerror=alert(1)> &amp; ]]> '"
HOSTILE = MARKUP + '"\u202egnol\x07\x1b[2J\x9b\ufffe\u2028'
ATOM = lxml.etree.RelaxNG(lxml.etree.parse(str(Path(__file__).parent / "atom.rng")))


@pytest.fixture
def busy(world: World) -> LocalAgent:
    """Every kind of thing that a report tells, and hostile words wherever somebody else writes."""
    agent = world.plain_key(
        ruleset=RULESET.replace("It hides something.", MARKUP),
        unsafe_unsigned_approvals=True,
        evidence_uri=f"https://example.org/{HOSTILE}",
    )
    proposal = world.open_proposal(title=f"# {HOSTILE}")
    agent.act(world.blocks, proposal)
    agent.change(HOLDING)
    held = world.open_proposal()
    agent.act(world.blocks, held)
    world.say(agent, held, "approve", "against", person=HOSTILE, comment=HOSTILE)
    gone = agent.act(world.blocks, world.open_proposal())
    world.bundle_file(gone.bundle.record_root).unlink()
    sealed = agent.act(world.blocks, world.open_proposal())
    world.withhold(sealed, "rules")
    other = world.open_proposal(title=f"# Alone {HOSTILE}")
    world.blocks.vote(other, Vote.FOR, agent.key, HOSTILE)
    return agent


def parsed(path: Path) -> Any:
    return lxml.html.document_fromstring(path.read_bytes())


def test_report_json_holds_every_row(world: World, busy: LocalAgent, tmp_path: Path) -> None:
    raw = world.published(tmp_path / "out")
    assert raw["format"] == FORMAT == "pnyx.audit.v1"
    assert (raw["chain_id"], raw["log"], raw["currency"]) == (31337, world.log, None)
    (agent,) = raw["agents"]
    told = world.told(busy)
    assert agent["writer"] == busy.writer
    assert agent["decisions"] == [row.model_dump(mode="json") for row in told.rows]
    assert agent["summary"] == told.summary.model_dump(mode="json")
    assert agent["decisions"][0]["kind"] == "vote"
    assert raw["check"]["ok"] is False
    text = (tmp_path / "out" / "report.json").read_bytes()
    assert re.findall(rb"[^\n -~]", text) == [], "nothing that moves a cursor"


@pytest.mark.usefixtures("busy")
def test_report_html_holds_nothing_that_runs_or_loads(world: World, tmp_path: Path) -> None:
    world.published(tmp_path / "out", page=PAGE)
    document = parsed(tmp_path / "out" / "report.html")
    allowed = {
        "html", "head", "meta", "title", "style", "body", "a", "header", "h1", "h2", "h3", "h4", "p", "code", "time",
        "div", "nav", "ul", "li", "main", "section", "span", "dl", "dt", "dd", "small", "table", "thead", "tbody", "tr",
        "th", "td", "article", "details", "summary", "svg", "rect", "bdi", "strong", "footer",
    }  # fmt: skip
    assert {element.tag for element in document.iter() if isinstance(element.tag, str)} <= allowed
    for element in document.iter():
        assert not [name for name in element.attrib if name.startswith("on") or name in {"style", "src", "srcset"}]
    links = {element.get("href") for element in document.iter("a")}
    assert all(link.startswith(("#", PAGE)) for link in links)
    ids = [element.get("id") for element in document.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)


@pytest.mark.usefixtures("busy")
def test_the_policy_of_the_page_allows_its_own_style_alone(world: World, tmp_path: Path) -> None:
    world.published(tmp_path / "out")
    document = parsed(tmp_path / "out" / "report.html")
    (policy,) = [meta.get("content") for meta in document.iter("meta") if meta.get("http-equiv")]
    style = document.find(".//style").text
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@pytest.mark.usefixtures("busy")
def test_hostile_words_stay_words(world: World, tmp_path: Path) -> None:
    world.published(tmp_path / "out", page=PAGE)
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<img" not in text
    assert re.findall("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text) == []
    shown = parsed(tmp_path / "out" / "report.html").text_content()
    assert shown.count("<script>alert(1)</script>") >= 5, "the title, the reason, the person, the comment, the place"
    assert "<U+202E>gnol" in shown


def test_the_page_tells_what_happened(world: World, busy: LocalAgent, tmp_path: Path) -> None:
    world.published(tmp_path / "out", page=PAGE)
    document = parsed(tmp_path / "out" / "report.html")
    titles = [" ".join(h4.text_content().split()) for h4 in document.iter("h4")]
    assert [title.partition(":")[0] for title in titles] == [
        "Held for people", "Held for people", "Voted against", "Held for people", "Voted against",
    ]  # fmt: skip
    labels = [article.find_class("badge")[0].text for article in document.iter("article")]
    assert labels == ["not proven", "withheld", "checked", "checked", "checked"]
    text = " ".join(document.text_content().split())
    assert "Does not hold:" in text
    assert "1 record(s) withhold rules" in text
    assert "The evidence of 1 decision(s) cannot be found" in text
    assert "a vote without an entry" in text
    assert f"{PAGE}#/-/{world.log}/agent/{busy.writer}/decision/5" in {a.get("href") for a in document.iter("a")}


def test_a_period_without_anything(world: World, tmp_path: Path) -> None:
    world.plain_key()
    raw = world.published(tmp_path / "out", page=PAGE)
    assert raw["agents"][0]["decisions"] == []
    text = " ".join(parsed(tmp_path / "out" / "report.html").text_content().split())
    assert "No decision in this period." in text
    assert "Holds:" in text
    assert "None in this period." in text
    assert "unknown" not in text
    (atom,) = (tmp_path / "out" / "feeds").glob("*.atom")
    feed = feedparser.parse(atom.read_bytes())
    assert (feed.bozo, feed.entries) == (False, [])
    assert feed.feed.updated


@pytest.mark.parametrize("page", [PAGE, None])
def test_the_feeds_are_sound(world: World, busy: LocalAgent, tmp_path: Path, page: str | None) -> None:
    world.published(tmp_path / "out", page=page)
    feeds = tmp_path / "out" / "feeds"
    data = (feeds / f"{busy.writer}.atom").read_bytes()
    ATOM.assertValid(lxml.etree.fromstring(data))
    feed = feedparser.parse(data)
    assert not feed.bozo, feed.get("bozo_exception")
    told = json.loads((feeds / f"{busy.writer}.json").read_text(encoding="utf-8"))
    assert told["version"] == "https://jsonfeed.org/version/1.1"
    assert told["title"] == "Decisions of local"
    rows = world.told(busy).rows[::-1]
    ids = [f"urn:pnyx:31337:{world.log}:{busy.writer}:{row.seq}" for row in rows]
    assert [entry.id for entry in feed.entries] == [item["id"] for item in told["items"]] == ids
    for entry, item, row in zip(feed.entries, told["items"], rows, strict=True):
        assert entry.updated == item["date_published"]
        assert item["content_text"].endswith(f"[{row.check.label.value}]")
        link = f"{PAGE}#/-/{world.log}/agent/{busy.writer}/decision/{row.seq}" if page else None
        assert item.get("url") == link
        assert [found.href for found in entry.get("links", [])] == ([link] if link else [])
    assert told["items"][2]["title"].startswith("Voted against: Pay the gardener")
    assert "<script>alert(1)</script>" in told["items"][4]["title"]
    assert "<script>" not in data.decode()


def test_a_feed_says_the_same_whenever_it_is_written(world: World, busy: LocalAgent, tmp_path: Path) -> None:
    world.published(tmp_path / "out")
    file = tmp_path / "out" / "feeds" / f"{busy.writer}.atom"
    before = file.read_bytes()
    world.node.mine(3)
    world.published(tmp_path / "out")
    assert file.read_bytes() == before


def test_many_decisions_are_all_in_the_json_and_the_newest_on_the_page(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "NEWEST", 2)
    agent = world.plain_key()
    for _ in range(3):
        agent.act(world.blocks, world.open_proposal())
    raw = world.published(tmp_path / "out")
    assert [row["seq"] for row in raw["agents"][0]["decisions"]] == [1, 2, 3]
    document = parsed(tmp_path / "out" / "report.html")
    assert len(list(document.iter("article"))) == 2
    assert "1 older ones of the period are in report.json" in document.text_content()
    told = json.loads((tmp_path / "out" / "feeds" / f"{agent.writer}.json").read_text(encoding="utf-8"))
    assert [item["id"].rpartition(":")[2] for item in told["items"]] == ["3", "2"]


def test_a_place_that_is_a_file(world: World, tmp_path: Path) -> None:
    world.plain_key()
    (tmp_path / "out").write_text("here first")
    with pytest.raises(UsageError, match="there is a file of this name"):
        world.published(tmp_path / "out")


def test_nothing_half_written_stays(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world.plain_key()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder, "write_html", fail)
    with pytest.raises(OSError, match="No space"):
        world.published(tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["feeds", "report.json"]


@pytest.mark.parametrize(("votes", "pieces"), [({}, 0), ({"for": 1}, 1), ({"for": 1, "against": 2, "other": 4}, 3)])
def test_a_bar_is_filled_without_a_gap(votes: dict[str, int], pieces: int) -> None:
    drawn = html._bar(votes)
    assert len(drawn) == pieces
    ends = [0, *(begin + length for _, begin, length in drawn)]
    assert [begin for _, begin, _ in drawn] == ends[:-1]
    assert ends[-1] == (1000 if votes else 0)


@pytest.mark.usefixtures("busy")
def test_a_browser_runs_and_loads_nothing(world: World, tmp_path: Path, browser: Browser) -> None:
    """The page as a browser has it after loading: as it was written, and no script changed it."""
    world.published(tmp_path / "out", page=PAGE)
    address = (tmp_path / "out" / "report.html").as_uri()
    asked: list[str] = []
    said: list[str] = []
    with browser.new_page() as page:
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
        page.goto(address)
        live = lxml.html.document_fromstring(page.content())
    assert asked == [address]
    assert said == [], "the policy refused nothing, because nothing asked"
    assert "Audit of a decision log" in live.text_content()
    assert len(list(live.iter("article"))) == 5
    assert list(live.iter("script")) == []
