"""One report, where it is wanted: on the terminal, or whole in a file."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import click

from pnyx_agents.console import Console
from pnyx_agents.reading.html import to_html
from pnyx_agents.reading.markdown import to_markdown
from pnyx_agents.reading.terminal import print_report
from pnyx_policies.reading.blocks import Report
from pnyx_tools.files import whole_file

WIDTH: Final = 100
"""Of a text that goes into a file."""


def to_text(report: Report) -> str:
    """As on a terminal without colours."""
    console = Console(file=io.StringIO(), width=WIDTH)
    print_report(report, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


FORMATS: Final[Mapping[str, Callable[[Report], str]]] = {"text": to_text, "markdown": to_markdown, "html": to_html}


def deliver(report: Report, form: str, output: Path | None) -> None:
    """Into the file `output`, or on stdout."""
    if output is not None:
        with whole_file(output) as file:
            file.write(FORMATS[form](report).encode())
        click.echo(f"written: {output}", err=True)
    elif form == "text":
        print_report(report, Console())
    else:
        click.echo(FORMATS[form](report), nl=False)
