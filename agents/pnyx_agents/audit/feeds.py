"""A feed per agent, in two formats: Atom (RFC 4287) and JSON Feed 1.1. One item per entry about a proposal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from pnyx_agents.audit import words
from pnyx_agents.audit.links import Links
from pnyx_policies.audit.rows import DecisionRow
from pnyx_tools.audit import WriterHead

ATOM = "http://www.w3.org/2005/Atom"
JSON_FEED = "https://jsonfeed.org/version/1.1"


@dataclass(frozen=True, slots=True)
class Feed:
    """One agent's feed. Identifiers stay the same whenever and wherever it is written."""

    chain_id: int
    log: str
    head: WriterHead
    rows: Sequence[DecisionRow]
    """The newest first."""
    updated: int
    """For a feed without items."""
    links: Links | None
    """Into the members' page; without it, items have no links."""

    @property
    def id(self) -> str:
        return f"urn:pnyx:{self.chain_id}:{self.log}:{self.head.writer}"

    @property
    def title(self) -> str:
        return f"Decisions of {words.one_line(self.head.agent or '') or self.head.writer}"

    @property
    def link(self) -> str | None:
        return self.links.agent(self.head.writer) if self.links else None

    def items(self) -> list[Item]:
        """What both formats say about each entry."""
        return [self._item(row) for row in self.rows]

    def _item(self, row: DecisionRow) -> Item:
        return Item(
            id=f"{self.id}:{row.seq}",
            title=f"{words.headline(row)}: {words.subject(row)}",
            text=f"{words.reason(row)} [{row.check.label.value}]",
            updated=words.rfc3339(row.time),
            link=self.links.decision(self.head.writer, row.seq) if self.links else None,
        )


@dataclass(frozen=True, slots=True)
class Item:
    """One entry, as plain text."""

    id: str
    title: str
    text: str
    updated: str
    link: str | None


def atom(feed: Feed) -> bytes:
    """The feed as an Atom document. ElementTree escapes; all text is `plain` and of XML's characters."""
    ET.register_namespace("", ATOM)
    root = ET.Element(f"{{{ATOM}}}feed")
    items = feed.items()
    _text(root, "id", feed.id)
    _text(root, "title", feed.title)
    _text(root, "updated", items[0].updated if items else words.rfc3339(feed.updated))
    _text(_child(root, "author"), "name", feed.title.removeprefix("Decisions of "))
    _text(root, "generator", "Pnyx")
    _link(root, feed.link)
    for item in items:
        entry = _child(root, "entry")
        _text(entry, "id", item.id)
        _text(entry, "title", item.title)
        _text(entry, "updated", item.updated)
        _text(entry, "content", item.text)
        _link(entry, item.link)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _child(parent: ET.Element, name: str) -> ET.Element:
    return ET.SubElement(parent, f"{{{ATOM}}}{name}")


def _text(parent: ET.Element, name: str, text: str) -> None:
    _child(parent, name).text = text


def _link(parent: ET.Element, link: str | None) -> None:
    if link is not None:
        _child(parent, "link").attrib.update({"rel": "alternate", "href": link})


def json_feed(feed: Feed) -> bytes:
    """The feed as a JSON Feed."""
    document: dict[str, Any] = {
        "version": JSON_FEED,
        "title": feed.title,
        "description": "Each decision that this agent wrote to its decision log, with what a check of it said.",
        "authors": [{"name": feed.title.removeprefix("Decisions of ")}],
        "items": [
            _without_nothing(
                id=item.id, url=item.link, title=item.title, content_text=item.text, date_published=item.updated
            )
            for item in feed.items()
        ],
    } | _without_nothing(home_page_url=feed.link)
    return json.dumps(document, indent=2).encode()


def _without_nothing(**members: str | None) -> dict[str, str]:
    return {name: value for name, value in members.items() if value is not None}
