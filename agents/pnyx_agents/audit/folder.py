"""Writes the files of a report, one decision at a time. Each file appears whole or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from pnyx_agents.audit.feeds import Feed, atom, json_feed
from pnyx_agents.audit.html import Chapter, write_html
from pnyx_agents.audit.links import Links
from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import Value, to_hex
from pnyx_tools.audit import Audit, WriterAudit
from pnyx_tools.files import whole_file

FORMAT: Final = "pnyx.audit.v1"
NEWEST: Final = 1_000
"""So many decisions of each agent are on the page and in its feeds; ``report.json`` has all of the period."""


@dataclass(frozen=True, slots=True)
class Published:
    """What was written."""

    folder: Path
    writers: int
    decisions: int
    unused_disclosures: tuple[bytes, ...]
    """Record roots of those that opened nothing in the period."""


def publish(audit: Audit, folder: Path, links: Links | None = None) -> Published:
    """Writes ``report.json``, ``report.html`` and ``feeds/`` into `folder`; files of an earlier report are replaced."""
    try:
        (folder / "feeds").mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError(f"{folder}: there is a file of this name", hint="name a folder: --out FOLDER") from error
    chapters: list[Chapter] = []
    with whole_file(folder / "report.json") as report:
        report.write(_open(_head(audit), "agents"))
        for number, writer in enumerate(audit.writers()):
            report.write(b",\n" if number else b"\n")
            chapters.append(_write_agent(writer, report))
        report.write(b"\n]}\n")
    with whole_file(folder / "report.html") as file:
        write_html(audit, chapters, links, file)
    for chapter in chapters:
        _write_feeds(audit, chapter, folder / "feeds", links)
    decisions = sum(chapter.summary.entries for chapter in chapters)
    return Published(folder, len(chapters), decisions, audit.unused_disclosures)


def _write_agent(writer: WriterAudit, report: IO[bytes]) -> Chapter:
    """The sums stand before the decisions, and are known after them: these wait in a file without a name."""
    newest: deque[Any] = deque(maxlen=NEWEST)
    with tempfile.TemporaryFile() as rows:
        for number, row in enumerate(writer.rows()):
            rows.write((b",\n" if number else b"\n") + _line(row))
            newest.append(row)
        summary = writer.summary()
        report.write(_open(_json(writer.head) | {"summary": _json(summary)}, "decisions"))
        rows.seek(0)
        shutil.copyfileobj(rows, report)
        report.write(b"\n]}")
    return Chapter(writer.head, summary, tuple(reversed(newest)))


def _write_feeds(audit: Audit, chapter: Chapter, folder: Path, links: Links | None) -> None:
    report = audit.report
    feed = Feed(report.chain_id, report.log, chapter.head, chapter.rows, report.block.timestamp, links)
    forms: dict[str, Callable[[Feed], bytes]] = {"atom": atom, "json": json_feed}
    for ending, form in forms.items():
        with whole_file(folder / f"{chapter.head.writer}.{ending}") as file:
            file.write(form(feed))


def _head(audit: Audit) -> dict[str, Any]:
    report = audit.report
    block = report.block
    return {
        "format": FORMAT,
        "chain_id": report.chain_id,
        "log": report.log,
        "block": {"number": block.number, "hash": to_hex(block.hash), "timestamp": block.timestamp},
        "period": _json(audit.period),
        "currency": audit.prices.currency if audit.prices else None,
        "disclosures": sorted({to_hex(disclosure.record_root) for disclosure in audit.disclosures}),
        "check": {
            "ok": report.ok,
            "counts": report.counts(),
            "log_verdicts": [verdict.to_json() for verdict in report.verdicts],
        },
    }


def _json(value: Value) -> dict[str, Any]:
    return value.model_dump(mode="json")


def _line(value: Value) -> bytes:
    # ASCII alone: nothing that a stranger wrote can move a cursor or turn a line around, wherever it is printed.
    return json.dumps(_json(value), ensure_ascii=True, separators=(",", ":")).encode()


def _open(members: dict[str, Any], last: str) -> bytes:
    """An object whose last member is a list that is still to be written, item by item."""
    text = json.dumps(members, ensure_ascii=True, indent=1)
    return f'{text[:-2]},\n "{last}": ['.encode()
