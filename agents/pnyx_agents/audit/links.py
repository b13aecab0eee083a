"""Links into the members' page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from pnyx_contracts.errors import UsageError

_ENDPOINT = re.compile(r"/[A-Za-z0-9%._~:-]+")


@dataclass(frozen=True, slots=True)
class Links:
    """Into the page at `page`, about one log."""

    page: str
    log: str

    @classmethod
    def parse(cls, page: str, log: str) -> Links:
        """`page` is an http(s) address; behind ``#/`` it may name the endpoint to read from, percent-encoded, as the
        page's own links do. Raises `UsageError`: it becomes a link in every reader of a feed.
        """
        parts = urlsplit(page)
        is_clean = page.isascii() and page.isprintable() and not set(page) & set(" \"'<>\\^`{|}")
        if parts.scheme not in {"http", "https"} or not parts.netloc or not is_clean:
            raise UsageError(f"--page {page!r}: expected an http(s) address", hint="https://example.org/explorer/")
        if parts.fragment and not _ENDPOINT.fullmatch(parts.fragment):
            raise UsageError(
                f"--page {page!r}: behind # only the endpoint may stand, percent-encoded",
                hint="https://example.org/explorer/#/https%3A%2F%2Frpc.example.org",
            )
        return cls(page.removesuffix("#") if parts.fragment else f"{page.removesuffix('#')}#/-", log)

    def agent(self, writer: str) -> str:
        """All that one agent decided."""
        return f"{self.page}/{self.log}/agent/{writer}"

    def decision(self, writer: str, seq: int) -> str:
        """One entry."""
        return f"{self.agent(writer)}/decision/{seq}"
