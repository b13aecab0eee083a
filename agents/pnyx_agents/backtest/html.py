"""The report as one file: no scripts, nothing that loads, a policy that says so. The same report, the same bytes."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Template

from pnyx_agents import page
from pnyx_agents.audit import words as plain_words
from pnyx_agents.backtest import charts, words
from pnyx_contracts.types import to_hex
from pnyx_policies.backtest import BacktestReport, Result
from pnyx_policies.decision import Outcome


def html_of(report: BacktestReport) -> str:
    """The whole page."""
    return _template().render(
        report=report,
        ground=report.ground,
        scored=words.scored(report),
        dots=charts.dots(report),
    )


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = page.environment()
    environment.filters |= _FILTERS
    environment.globals |= {"OUTCOMES": tuple(Outcome), "RESULTS": tuple(Result), "words": words, "charts": charts}
    return page.dressed(environment, _file("page.html"), _file("page.css"))


_FILTERS: Final[dict[str, Any]] = {
    "one_line": plain_words.one_line,
    "moment": plain_words.moment,
    "rfc3339": plain_words.rfc3339,
    "number": plain_words.number,
    "short": plain_words.short,
    "percent": words.percent,
    "share": words.share,
    "interval": words.interval,
    "correlation": words.correlation,
    "hex": to_hex,
}
