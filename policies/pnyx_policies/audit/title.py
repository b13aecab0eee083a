"""What a proposal is called."""

from __future__ import annotations

from typing import Final

from pnyx_policies.text import visible

LONGEST_TITLE: Final = 160
_READ: Final = 4_000


def title_of(description: str) -> str:
    """The first line that has words, without Markdown's heading marks and without hidden characters; may be empty."""
    lines = (visible(line).strip().lstrip("#").strip() for line in description[:_READ].splitlines())
    first = next((line for line in lines if line), "")
    return first if len(first) <= LONGEST_TITLE else f"{first[:LONGEST_TITLE]}..."
