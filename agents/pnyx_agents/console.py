"""Where tables and coloured text go."""

from __future__ import annotations

import re
from typing import Any

import rich.console
from rich.status import Status
from rich.text import Text

from pnyx_tools.progress import Tell

_PADDING = re.compile(" +$", re.MULTILINE)


class Console(rich.console.Console):
    """Rich fills lines with spaces up to the width. In a pipe or a file they would only be in the way."""

    def print(self, *objects: Any, **options: Any) -> None:  # noqa: ANN401 - as in the base class
        if self.is_terminal:
            super().print(*objects, **options)
            return
        with self.capture() as captured:
            super().print(*objects, **options)
        self.file.write(_PADDING.sub("", captured.get()))
        self.file.flush()


def telling(status: Status) -> Tell:
    """Shows what a long step is at. Plain text, never markup."""
    return lambda words: status.update(Text(words))
