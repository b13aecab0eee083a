"""Are the sources of an analysis real? Looked up, without another model.

A quotation counts as found when it occurs in the description after both went through `normalise`: a model may write
straight quotes for curly ones or join a broken line, but it may not change, add or leave out a word.
"""

from __future__ import annotations

import json
import re

from pnyx_policies.analysis import Analysis, KeyPoint
from pnyx_policies.facts import Facts
from pnyx_policies.untrusted import clean

_SAME = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4`", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        "\u2026": "...",
    }
)
_EMPHASIS = re.compile(r"[*_]+")
_SHOWN_CHARACTERS = 60


def normalise(text: str) -> str:
    """`text` without invisible characters and emphasis marks; one form of quote, dash and ellipsis; single spaces."""
    return " ".join(_EMPHASIS.sub("", clean(text).text.translate(_SAME)).split())


def invented(analysis: Analysis, facts: Facts) -> tuple[str, ...]:
    """Sources in `analysis` that do not exist and key points without any, in words; empty when all is well."""
    source = normalise(facts.proposal.text)
    paths = {call.path for call in facts.every_call()}
    return tuple(
        f"key point {index}: {problem}"
        for index, point in enumerate(analysis.key_points)
        for problem in _problems(point, source, paths)
    )


def _problems(point: KeyPoint, source: str, paths: set[str]) -> list[str]:
    problems = []
    if point.call is None and point.quotation is None:
        problems.append("names no source")
    if point.call is not None and point.call not in paths:
        problems.append(f"there is no call {_short(point.call)}")
    if point.quotation is not None and not _occurs(normalise(point.quotation), source):
        problems.append(f"the text does not say {_short(point.quotation)}")
    return problems


def _occurs(quotation: str, source: str) -> bool:
    return bool(quotation) and quotation in source


def _short(text: str) -> str:
    return json.dumps(text[:_SHOWN_CHARACTERS] + ("..." if len(text) > _SHOWN_CHARACTERS else ""))
