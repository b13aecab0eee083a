"""Which parts of a URL may be keys: providers of nodes, chats and mail hand their keys out as parts of one."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

_WITH_HOSTS: Final = frozenset({"http", "https", "ws", "wss", "postgresql", "postgres", "sftp", "s3"})
"""After these schemes comes a host, or a bucket; after those of chats it may be a token."""


def secret_parts(url: str, least: int, least_in_path: int | None = None) -> list[str]:
    """User, password, parts of the path, values of the query, and what is no host where one should stand: as they are,
    decoded, and in small letters; the longest first, so that replacing one leaves no rest of another. Shorter ones
    than `least` characters (of the path: than `least_in_path`) are words, which messages may say.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return [url]
    user, _, host = parts.netloc.rpartition("@")
    is_host = parts.scheme in _WITH_HOSTS or re.search(r"[.:]|^localhost$", parts.hostname or "")
    pieces = [*user.split(":"), *([] if is_host else [host]), *(value for _, value in parse_qsl(parts.query))]
    in_path = least if least_in_path is None else least_in_path
    found = {form for piece in pieces for form in _forms(piece) if len(form) >= least}
    found |= {form for piece in parts.path.split("/") for form in _forms(piece) if len(form) >= in_path}
    return sorted(found, key=len, reverse=True)


def _forms(piece: str) -> tuple[str, ...]:
    return piece, unquote(piece), piece.lower()
