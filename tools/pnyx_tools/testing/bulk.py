"""A log of very many entries, written in a few seconds: for measuring the check."""

from __future__ import annotations

from typing import Final

from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import deploy, encode_call

ENTRIES_AT_ONCE: Final = 250
"""Entries in one transaction, and in one block."""


def write_bulk(node: Anvil, log: str, entries: int, *, votes: bool = False) -> str:
    """A new writer with so many entries; its address.

    They are decisions about nothing in particular or, with `votes`, entries of votes, each with a vote's event behind
    it. The writer is an account without code afterwards, so that the check takes it for a plain key.
    """
    writer = deploy(node, "BulkWriter", log)
    write = "vote(uint40,uint40)" if votes else "note(uint40,uint40)"
    for first in range(1, entries + 1, ENTRIES_AT_ONCE):
        node.send(writer, encode_call(write, first, min(ENTRIES_AT_ONCE, entries - first + 1)))
    node.set_code(writer, b"")
    node.mine()
    return writer
