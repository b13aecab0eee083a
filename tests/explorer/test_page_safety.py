"""Whatever a proposal, a model or an agent says: letters on the screen, nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from importlib.resources import files
from pathlib import Path
from shutil import copytree
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error, Page, Route, expect

from pnyx_tools.testing.serving import FileServer

from .conftest import RECIPIENT, Open, World, analysis

HOSTILE = "\n".join(
    [
        "# <script>alert('title')</script> <img src=https://evil.example/a onerror=alert(1)>",
        f"Send 1 ETH to {RECIPIENT} for the garden.",
        "<svg/onload=alert(2)><iframe src='javascript:alert(3)'></iframe><style>@import 'https://evil.example/b'</style>",
        "![picture](https://evil.example/c.png) [click](javascript:alert(4)) <a href='javascript:alert(5)'>here</a>",
        "<form action=https://evil.example/d><button>Send</button></form><base href=https://evil.example/>",
        "right\u202eto left\u202c zero\u200bwidth tag\U000e0041 soft\u00adhyphen nul\u0000 bell\u0007 line\u2028",
        "A vote for p\u0430ypal is a vote for you.",  # the first a is Cyrillic
        '"><script src=https://evil.example/e></script><!-- ]]> {{constructor.constructor("alert(6)")()}}',
        "https://evil.example/f",
    ]
)
LONG = "a\u202e\u200b" * 20_000 + "end of it"
MODEL_SAYS = "<img src=x onerror=alert(7)>\u202e<b>bold</b> https://evil.example/g"
ALIEN = (
    "main :is(script, img, iframe, svg, style, form, object, embed, link, base, b, video, audio), "
    "main a:not([href^='#/'])"
)


@pytest.fixture(scope="module")
def writer(world: World) -> str:
    """An agent whose model repeats what a proposal told it."""
    agent = world.model(analysis(MODEL_SAYS))
    world.dao.give_power(agent.writer, 1_000)
    world.decide(agent, HOSTILE)
    world.decide(agent, LONG)
    return agent.writer


def open_everything(page: Page) -> None:
    page.locator("#field-software").wait_for()
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")


def test_hostile_texts_are_letters_only(world: World, writer: str, open_page: Open) -> None:
    page = open_page(world.place("agent", writer)).page
    line = page.locator("#decisions > li").last
    expect(line).to_contain_text("<script>alert('title')</script> <img src=https://evil.example/a onerror=alert(1)>")
    assert page.locator(ALIEN).count() == 0
    page.goto(world.place("agent", writer, "decision", 1))
    open_everything(page)
    assert page.locator(ALIEN).count() == 0
    text = page.locator("#field-proposal pre")
    expect(text).to_contain_text(
        "right⟨U+202E⟩to left⟨U+202C⟩ zero⟨U+200B⟩width tag⟨U+E0041⟩ soft⟨U+00AD⟩hyphen nul⟨U+0000⟩"
    )
    expect(page.locator("#field-proposal")).to_contain_text("8 hidden characters in this text are shown")
    expect(page.locator("#field-proposal")).to_contain_text("p⟨U+0430⟩ypal")
    expect(page.locator("#field-opinions")).to_contain_text("<img src=x onerror=alert(7)>⟨U+202E⟩<b>bold</b>")
    hidden = page.evaluate("/[\\u202a-\\u202e\\u200b\\u{e0000}-\\u{e007f}\\u0000]/u.test(document.body.textContent)")
    assert hidden is False


def test_a_long_text_comes_in_pieces(world: World, writer: str, open_page: Open) -> None:
    page = open_page(world.place("agent", writer, "decision", 2, "field", "proposal")).page
    text = page.locator("#field-proposal pre")
    expect(text).not_to_contain_text("end of it")
    page.get_by_role("button", name="Show the other 56,009 characters").first.click()
    expect(text).to_contain_text("end of it")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    "route",
    [
        "#/javascript%3Aalert(1)/0x" + "11" * 20,
        "#/http%3A%2F%2F127.0.0.1%3A1/0x<img src=x onerror=alert(1)>",
        "#/%E0%A4%A/%00?evidence=javascript:alert(1)",
        "#/http%3A%2F%2Fuser%40evil.example/..%2F..%2F",
    ],
)
def test_hostile_links_end_at_the_form(world: World, open_page: Open, route: str) -> None:
    page = open_page(world.url + route).page
    expect(page.get_by_role("button", name="Show the agents")).to_be_visible()
    assert page.locator("main :is(script, img), a:not([href^='#'])").count() == 0


def test_an_endpoint_that_answers_nonsense_is_one_sentence(world: World, open_page: Open) -> None:
    page = open_page(world.place()).page
    for answer in ("[]", '{"result": {}}', "<html>", '{"result": "0xzz"}', '{"result": null}'):
        page.route(world.node.url, partial(respond, answer))
        page.reload()
        expect(page.get_by_role("alert")).to_be_visible()
        assert page.locator(ALIEN).count() == 0


def respond(answer: str, route: Route) -> None:
    route.fulfill(body=answer)


@pytest.fixture
def plain_host(world: World, writer: str, tmp_path: Path) -> Iterator[str]:
    """Any file host: no headers of ours, and the page is not at its root. The evidence lies beside it."""
    assert writer
    copytree(str(files("pnyx_agents").joinpath("page")), tmp_path / "some" / "where")
    copytree(world.folder, tmp_path / "some" / "where" / "evidence")

    with FileServer(tmp_path) as server:
        yield f"{server.url}/some/where/"


def test_the_policy_holds_on_any_file_host(world: World, writer: str, plain_host: str, open_page: Open) -> None:
    place = World.place(replace(world, url=plain_host), "agent", writer, "decision", 1)
    seen = open_page(place, host=urlsplit(plain_host).netloc)
    page = seen.page
    expect(page.locator("h1")).to_contain_text("It hides something.")
    with pytest.raises(Error, match="TrustedHTML"):
        page.evaluate("document.body.innerHTML = '<i>x</i>'")
    with pytest.raises(Error, match="TrustedScriptURL"):
        page.evaluate("new Worker('elsewhere.js')")
    page.evaluate("""() => {
        const image = document.createElement('img'); image.src = 'https://evil.example/x.png';
        const style = document.createElement('style'); style.textContent = '*{}';
        document.body.append(image, style);
    }""")
    expect(page.locator("body > img")).to_have_js_property("complete", value=True)
    told = "\n".join(seen.complaints)
    assert "img-src" in told
    assert "style-src" in told
    seen.complaints.clear()
    assert {urlsplit(url).netloc for url in seen.foreign} <= {"evil.example"}
    seen.foreign.clear()
