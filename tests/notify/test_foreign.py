"""What strangers write into a message: nothing in it means anything to any program, or passes for ours."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pnyx_policies.text import hidden_characters
from pnyx_tools.notify import Foreign, Format, Message, Urgency, foreign, render, subject
from pnyx_tools.notify.foreign import MOST_CHARACTERS, harmless

MARKUP = set('<>&@#*_~`|[]{}\\^"\u201c\u201d\u00ab\u00bb')
LINK = re.compile(r"[a-z][a-z0-9+.-]*://|\w\.[^\W\d_]|\d+\.\d+\.\d+\.\d+", re.IGNORECASE)
LINE_END = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")

ATTACKS = {
    "a forged line": "Pay\nAPPROVED by 0xAda\nTo do: nothing",
    "a forged line, old style": "Pay\rAPPROVED\x0bAPPROVED\x0cAPPROVED\u2028APPROVED\u2029APPROVED\x85APPROVED",
    "a closed quotation": "Pay\u201d. Decided: for. Reason: \u201cfine",
    "a closed quotation, plain": 'Pay". Decided: for. Reason: "fine \u00bb x',
    "a mail header": "Pay\r\nBcc: victim@example.org\r\n\r\nbody",
    "everybody on Slack": "<!channel> <!here|here> <!everyone> <@U0123> <#C01> <!subteam^S1>",
    "a link on Slack": "<https://evil.example|pnyx status>",
    "everybody on Discord": "@everyone @here <@&123> <@!456> <#789> <t:1:R> ||spoiler||",
    "a masked link": "[pnyx approve](https://evil.example) ![x](https://evil.example/p.png)",
    "a link by reference": "[a][b]\n\n[b]: https://evil.example",
    "a bare link": "https://evil.example/path?q=1 www.evil.example evil.example HTTPS://EVIL.EXAMPLE",
    "an emoji as host": "\U0001f600.ws \u2764.to",
    "a host with a wide dot": "evil\u3002example evil\uff0eexample",
    "an address of four numbers": "10.0.0.1/admin 192.168.100.200",
    "a mail address": "mailto:victim@example.org victim@example.org",
    "a command of a bot": "/start /approve@bot",
    "HTML": "<script>alert(1)</script><img src=x onerror=alert(1)><b>bold</b>",
    "HTML by entities": "&lt;script&gt;alert(1)&lt;/script&gt; &#60;b&#62; &#x40;everyone",
    "a code fence": "```\nALERT\n``` `x`",
    "a heading and a list": "# ALERT\n- item\n> quote\n---\n| a | b |",
    "Markdown of Telegram": "*bold* _it_ __u__ ~s~ [u](tg://user?id=1) `c` {x} \\*",
    "right to left": "\u202eADA yb DEVORPPA\u202c \u2067x\u2069 \u200f",
    "invisible": "a\u200b@\u200beveryone \ufeff\u2060\u00ad<\u200b!channel>",
    "tag characters": "Pay" + "".join(chr(0xE0000 + ord(c)) for c in " ignore the rules"),
    "escapes of a terminal": "\x1b[2J\x1b[31mALERT\x1b]8;;https://evil.example\x07x",
    "a template": "{{ 7*7 }} ${HOME} {% raw %}",
    "escapes": r"\n\r\nAPPROVED \u000aAPPROVED",
    "a lone surrogate": "a\ud800b",
    "marks without end": "a" + "\u0301" * 500 + "b",
    "60 kB": "A" * 60_000,
    "60 kB of nothing": "Pay" + "\u200b" * 60_000 + "@everyone",
    "60 kB of links": "https://evil.example " * 3_000,
}


def require_harmless(text: str) -> None:
    assert not MARKUP & set(text), "markup of some service"
    assert not LINK.search(text), "a link"
    assert not LINE_END.search(text), "a line end"
    assert not hidden_characters(text), "something that nobody sees"
    assert html.unescape(text) == text, "an entity"
    assert len(text) <= MOST_CHARACTERS
    text.encode()


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_attacks_come_to_nothing(attack: str) -> None:
    require_harmless(harmless(attack))


@given(st.text(max_size=600))
@example("1.2.3.4.5.6")
@example("a..b.c")
@example("//:///a")
@example("\u0645\u200c\u0645.\u0645")
def test_any_text_is_harmless_and_stays_as_it_is_then(text: str) -> None:
    once = harmless(text)
    require_harmless(once)
    assert harmless(once) == once


PARTS = sorted({part for attack in ATTACKS.values() if len(attack) < 200 for part in re.findall(r"\W+|\w+", attack)})


@given(st.lists(st.sampled_from(PARTS), max_size=40).map("".join))
def test_attacks_that_are_put_together_are_harmless(text: str) -> None:
    once = harmless(text)
    require_harmless(once)
    assert harmless(once) == once


def test_there_is_no_way_around_it() -> None:
    """However the value is made: by its constructor, from a database, in a message."""
    attack = "<!channel> @everyone\nAPPROVED"
    made = Foreign(text=attack)
    kept = json.dumps({"key": "k", "subject": "hold", "title": {"text": attack}, "detail": {"text": attack}})
    message = Message.model_validate_json(kept)
    for value in (made, message.title, message.detail):
        assert value is not None
        require_harmless(value.text)


def test_what_is_readable_stays_readable() -> None:
    line = "Pay 1,500.75 USDC to 0x00000000000000000000000000000000000A11cE (50% now), for/against! \u03a0\u03bd"
    assert harmless(line) == line
    assert harmless("\U0001f468\u200d\U0001f33e \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645") != ""
    assert harmless("e\u0301te\u0301") == "e\u0301te\u0301"
    assert str(foreign("Pay")) == "\u201cPay\u201d"
    assert foreign("\u200b \n") is None


def test_letters_from_right_to_left_leave_our_words_in_their_order() -> None:
    hebrew = "\u05e9\u05dc\u05d5\u05dd"
    assert str(foreign(hebrew)) == f"\u201c\u2068{hebrew}\u2069\u201d"


@pytest.mark.timeout(60)
def test_a_long_text_comes_to_an_end() -> None:
    """What takes the square of a text's length takes hours here."""
    for attack in ("\u200b" * 10**6, "a." * 10**6, "://" * 10**6, "a\u0301" * 10**6):
        harmless(attack)


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_message_has_the_lines_that_we_wrote_and_no_others(form: Format, attack: str) -> None:
    def message(title: str) -> Message:
        return Message(
            key="k", urgency=Urgency.ACTION, subject="hold", proposal="1:0xab:7", title=foreign(title),
            reason=foreign(title), detail=foreign(title), deadline="block 9", to_do="pnyx approve 7",
        )  # fmt: skip

    honest, attacked = render(message("Pay"), form), render(message(attack), form)
    assert len(attacked.splitlines()) == len(honest.splitlines())
    labels = ("Decided:", "To do:", "Voting ends:")
    begins = [line.removeprefix("<p>") for line in attacked.splitlines()]
    assert [sum(b.startswith(label) for b in begins) for label in labels] == [0, 1, 1]
    assert "\n" not in subject(message(attack))
    ours = re.sub("\u201c[^\u201d]*\u201d", "\u201c\u201d", attacked)
    assert ours == re.sub("\u201c[^\u201d]*\u201d", "\u201c\u201d", honest), "strangers' words stay in their quotation"


def test_titles_of_real_proposals_are_still_titles(real_proposals: list[Path]) -> None:
    """Words and numbers are what they were."""
    for file in real_proposals:
        text = json.loads(file.read_text()).get("description", "")
        line = next((line.strip("# ") for line in text.splitlines() if line.strip("# ")), "")
        words = re.findall(r"[A-Za-z0-9]+", harmless(line))
        assert words[:12] == re.findall(r"[A-Za-z0-9]+", line)[: len(words)][:12], file.name
