"""What a drawn report says to a reader of its format: blocks with their words, in order, whoever drew it."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

from markdown_it import MarkdownIt

from pnyx_policies.reading.blocks import (
    Block,
    Bullet,
    Bullets,
    Findings,
    Line,
    Noted,
    Paragraph,
    Quotation,
    Report,
    Section,
    Table,
)

Shape = tuple[str, str]
"""A kind of block, with its depth where it can be nested, and its words."""

_LEAVES = {"h1", "h2", "p", "th", "td"}


def expected(report: Report) -> list[Shape]:
    """Of the report itself, without anybody's drawing."""
    return list(_of_report(report))


def words(line: Line) -> str:
    return plain("".join(piece.shown for piece in line))


def plain(text: str) -> str:
    return " ".join(text.split())


def _of_report(report: Report) -> Iterator[Shape]:
    yield "h1", words(report.title)
    yield "p", words(report.lead)
    for about in report.about:
        yield "li1", words(about)
    for section in report.sections:
        yield from _of_section(section)
    for end in report.end:
        yield "p", words(end)


def _of_section(section: Section) -> Iterator[Shape]:
    yield "h2", plain(section.title)
    for block in section.blocks:
        yield from _of_block(block)


def _of_block(block: Block) -> Iterator[Shape]:
    match block:
        case Paragraph():
            yield "p", words(block.line)
        case Bullets():
            for item in block.items:
                yield from _of_bullet(item, 1)
        case Table():
            yield from (("th", plain(name)) for name in block.columns)
            yield from (("td", words(cell)) for row in block.rows for cell in row)
        case Quotation():
            yield from (("quoted", line) for line in block.lines)
        case Findings():
            for noted in block.items:
                yield from _of_finding(noted)


def _of_bullet(item: Bullet, depth: int) -> Iterator[Shape]:
    yield f"li{depth}", words(item.line)
    for inner in item.inner:
        yield from _of_bullet(inner, depth + 1)


def _of_finding(noted: Noted) -> Iterator[Shape]:
    yield "li1", plain(f"{noted.severity.name.lower()} {words(noted.head)}")
    yield from (("li2", words(detail)) for detail in noted.details)


class _Page(HTMLParser):
    """Collects blocks; any element that the template does not have is kept as itself, and so fails the comparison."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.shapes: list[list[str]] = []
        self.in_body = False
        self.depth = 0
        self.is_quoted = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":
            self.in_body = True
        elif not self.in_body or dict(attrs).get("class") == "skip":
            return
        elif tag == "ul":
            self.depth += 1
        elif tag == "blockquote":
            self.is_quoted = True
        elif tag == "li":
            self.shapes.append([f"li{self.depth}", ""])
        elif tag in _LEAVES:
            self.shapes.append(["quoted" if self.is_quoted else tag, ""])
        elif tag not in _OF_THE_TEMPLATE:
            self.shapes.append([f"<{tag}>", ""])

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag == "ul"
        self.is_quoted &= tag != "blockquote"

    def handle_data(self, data: str) -> None:
        if self.in_body and self.shapes:
            self.shapes[-1][1] += data

    def handle_comment(self, data: str) -> None:
        self.shapes.append(["<!--", data])


_OF_THE_TEMPLATE = {
    "a", "bdi", "code", "div", "footer", "header", "main", "section", "span", "strong", "table", "tbody", "thead", "tr",
}  # fmt: skip


def of_html(text: str) -> list[Shape]:
    page = _Page()
    page.feed(text)
    page.close()
    return [(kind, plain(said)) for kind, said in page.shapes]


def of_markdown(text: str) -> list[Shape]:
    """As a CommonMark reader with tables and struck-out text takes it. Emphasis and links of others show as kinds."""
    shapes: list[Shape] = []
    depth, quoted, leaf = 0, False, ""
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text):
        match token.type:
            case "bullet_list_open" | "bullet_list_close":
                depth += token.nesting
            case "blockquote_open" | "blockquote_close":
                quoted = token.nesting == 1
            case "heading_open" | "th_open" | "td_open":
                leaf = token.tag
            case "paragraph_open":
                leaf = "quoted" if quoted else f"li{depth}" if depth else "p"
            case "inline":
                shapes.append((leaf, plain("".join(child.content for child in token.children or []))))
                shapes += [(c.type, c.content) for c in token.children or [] if c.type not in _INLINE]
            case other if other not in _STRUCTURE:
                shapes.append((other, token.content))
    return shapes


_INLINE = {"text", "code_inline", "strong_open", "strong_close"}
_STRUCTURE = {
    f"{name}_{side}"
    for name in ("heading", "th", "td", "paragraph", "list_item", "table", "thead", "tbody", "tr")
    for side in ("open", "close")
}
