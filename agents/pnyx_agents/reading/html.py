"""A report as one HTML file: no scripts, nothing that loads, light and dark."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import Template

from pnyx_agents import page
from pnyx_policies.reading.blocks import Report


def to_html(report: Report) -> str:
    return _template().render(report=report)


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = page.environment()
    environment.tests["kind"] = lambda block, name: type(block).__name__ == name
    return page.dressed(environment, _file("review.html"), _file("review.css"))
