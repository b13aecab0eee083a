"""What a benchmark found, for people and for programs. That it says so shows that it ran; whether goals were met is its
exit code.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    figure: str
    goal: str = ""
    met: bool = True


def tell(rows: Sequence[Row], *, as_json: bool) -> int:
    """A table; with `as_json` it goes to standard error, and JSON to standard output. Exit code 1 for a missed goal."""
    table = Table("what", "measured", "goal", "", box=None)
    for row in rows:
        table.add_row(row.what, row.figure, row.goal, "" if not row.goal else "met" if row.met else "MISSED")
    Console(stderr=as_json).print(table)
    if as_json:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=2))
    return 0 if all(row.met for row in rows) else 1
