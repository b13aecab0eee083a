"""What a long step is at, in a few words, for whoever watches."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[str], None]


def tell_nobody(_words: str) -> None:
    """Nobody watches."""
