"""Three drawings of one report: the same words in all of them, and nobody's words become structure in any."""

from __future__ import annotations

import re
from collections import Counter
from html import unescape

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.reading.drawn import expected, of_html, of_markdown
from tests.reading.samples import SAMPLES

from pnyx_agents.reading.document import to_text
from pnyx_agents.reading.html import to_html
from pnyx_agents.reading.markdown import to_markdown
from pnyx_policies.finding import Severity
from pnyx_policies.reading.blocks import (
    Bullet,
    Bullets,
    Findings,
    Line,
    Look,
    Noted,
    Paragraph,
    Piece,
    Quotation,
    Report,
    Section,
    Table,
)
from pnyx_policies.reading.report import report_of

HOSTILE = [
    "\n# Approved\n", "\n\n- [x] checked", "1. ", "2) all", "+ a", "- b", "* c", "> d", "===", "---", "```", "~~~",
    "    x", "[red]", "[/]", "[bold]x[/bold]", "[a](https://x.org)", "![i](x)", "[r]: https://x.org", "<b>", "<!--",
    "</section>",
    "-->", "<script>alert(1)</script>", "&lt;", "&#35;", "|", "\\|", "\\", "`", "``", "**", "__", "_a_", "~~s~~", "$x$",
    "https://x.org", "www.x.org", "\x1b[2J", "\x1b]8;;x\x07", "\u202e", "\u200b", "\u2028", "\r", "\t", "\x00", "\x85",
    "#", "##", ":", "é", "\ud800", "'", '"', "</style>", "{{ 7 }}", "{% if %}", "•", "│",
]  # fmt: skip
LOOKS = st.sampled_from(Look)


def shows(text: str) -> bool:
    return bool(Piece(text).shown.strip())


texts = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=6), min_size=1, max_size=5).map("".join).filter(shows)
lines = st.lists(st.builds(Piece, texts, LOOKS), min_size=1, max_size=3).map(tuple)
bullets = st.recursive(
    st.builds(Bullet, lines),
    lambda inner: st.builds(Bullet, lines, st.lists(inner, max_size=2).map(tuple)),
    max_leaves=3,
)
tables = st.builds(Table, st.just(("one", "two")), st.lists(st.tuples(lines, lines), min_size=1, max_size=2).map(tuple))
findings = st.builds(
    Findings,
    st.lists(
        st.builds(Noted, st.sampled_from(Severity), texts, lines, st.lists(lines, max_size=2).map(tuple)), min_size=1
    ).map(tuple),
)
quotations = st.builds(Quotation, texts, st.integers(0, 1))
blocks = (
    st.builds(Paragraph, lines)
    | st.builds(Bullets, st.lists(bullets, min_size=1, max_size=2).map(tuple))
    | tables
    | findings
    | quotations
)
sections = st.builds(Section, st.just("What it does"), st.lists(blocks, max_size=2).map(tuple))
reports = st.builds(
    Report,
    title=lines,
    lead=lines,
    about=st.lists(lines, min_size=1, max_size=2).map(tuple),
    sections=st.lists(sections, max_size=2).map(tuple),
    end=st.lists(lines, max_size=1).map(tuple),
)


def saying(line: Line) -> Report:
    """One line in every place."""
    noted = Noted(Severity.LOW, "check", line, (line,))
    all_blocks = (
        Paragraph(line),
        Bullets((Bullet(line, (Bullet(line),)),)),
        Table(("one",), ((line,),)),
        Quotation("".join(p.text for p in line)),
        Findings((noted,)),
    )
    return Report(title=line, lead=line, about=(line,), sections=(Section("Section", all_blocks),), end=(line,))


@settings(max_examples=60)
@given(report=reports)
@example(report=saying((Piece("a"), Piece("b", Look.STRONG), Piece("*c", Look.STRONG))))
@example(report=saying((Piece("\\", Look.CODE), Piece("|", Look.CODE), Piece("`", Look.CODE))))
@example(report=saying((Piece("1"), Piece(". one"))))
@example(report=saying((Piece("x #"), Piece("#"))))
def test_markdown_and_html_have_the_structure_of_the_report_and_no_other(report: Report) -> None:
    assert of_html(to_html(report)) == expected(report)
    assert of_markdown(to_markdown(report)) == expected(report)


@settings(max_examples=60)
@given(report=reports)
def test_a_terminal_gets_the_words_and_nothing_that_moves_it(report: Report) -> None:
    shown = to_text(report)
    assert {c for c in shown if not c.isprintable()} <= {"\n"} | unprintable(report)
    assert "\x1b" not in shown
    assert letters(shown) == letters("".join(words for _, words in expected(report)))


def unprintable(report: Report) -> set[str]:
    """What people's scripts need and Python calls unprintable: unassigned and private letters."""
    return {c for _, words in expected(report) for c in words if not c.isprintable()}


def letters(text: str) -> Counter[str]:
    """Without spaces, line ends and what draws lists and tables. In no order: cells that break stand side by side."""
    return Counter(re.sub(r"[\s•│┃━╇─┼]", "", text))


@pytest.mark.parametrize("text", HOSTILE)
def test_each_hostile_piece_alone(text: str) -> None:
    report = saying((Piece(f"a {text} b"), Piece(text or "x", Look.STRONG), Piece(f"{text}c", Look.CODE)))
    assert of_html(to_html(report)) == expected(report)
    assert of_markdown(to_markdown(report)) == expected(report)


def test_the_comparison_would_notice() -> None:
    """An element, a link, a heading that the report does not have."""
    page, markdown = to_html(saying((Piece("x"),))), to_markdown(saying((Piece("x"),)))
    known = expected(saying((Piece("x"),)))
    assert of_html(page.replace("<p><bdi>x", "<p><em>x</em><bdi>", 1)) != known
    assert of_markdown(markdown.replace("- x", "- [x](https://x.org)", 1)) != known
    assert of_markdown(markdown + "# x\n") != known


@pytest.mark.parametrize("name", SAMPLES)
def test_reviews_say_the_same_in_all_three(name: str) -> None:
    report = report_of(SAMPLES[name]())
    assert of_html(to_html(report)) == of_markdown(to_markdown(report)) == expected(report)
    assert letters(to_text(report)) == letters("".join(words for _, words in expected(report)))


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    page = unescape(to_html(report_of(SAMPLES["hidden-power"]())))
    assert "default-src 'none'; style-src 'sha256-" in page
    assert re.findall(r"<(?:script|img|link|iframe|form|input)\b", page) == []
    assert re.findall(r"\b(?:src|href)=\"(?!#)", page) == []


def test_bullets_in_bullets_take_no_longer_than_as_many_bullets() -> None:
    """Eight wrappers in one another, with an argument each."""
    item = Bullet((Piece("innermost"),))
    for level in range(40):
        item = Bullet((Piece(f"call {level}"),), (Bullet((Piece("argument"),)), item))
    drawn = to_text(Report((Piece("x"),), (Piece("y"),), (), (Section("What it does", (Bullets((item,)),)),)))
    assert drawn.count("• argument") == 40
    assert f"{' ' * 80}• innermost" in drawn
