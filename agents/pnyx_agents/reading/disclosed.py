"""What a disclosure opens, in a terminal."""

from __future__ import annotations

import json
from typing import Final

from rich.console import Console
from rich.text import Text

from pnyx_contracts.types import to_hex
from pnyx_policies.disclosure import Disclosure
from pnyx_policies.text import visible

LONGEST_DISCLOSED: Final = 20_000


def print_disclosure(disclosure: Disclosure, console: Console) -> None:
    """What it opens, as it stands in the record."""
    console.print(Text(f"Opens {', '.join(disclosure.opened)} of the record\n{to_hex(disclosure.record_root)}"))
    parts = [*disclosure.fields.items()]
    for name, items in disclosure.items.items():
        parts += [(f"{name}[{index}]", items.open[index].value) for index in sorted(items.open, key=int)]
    parts += [(f"body {to_hex(name)}", body.decode(errors="replace")) for name, body in disclosure.bodies.items()]
    for heading, value in parts:
        text = value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False)
        console.print(Text(f"\n{heading}", style="bold"))
        console.print(_plain(text))


def _plain(text: str) -> Text:
    more = len(text) - LONGEST_DISCLOSED
    cut = f" [... {more} more characters]" if more > 0 else ""
    return Text(visible(text[:LONGEST_DISCLOSED]) + cut)
