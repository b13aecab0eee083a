"""Kinds of values that stand in the file in several places."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from pnyx_tools.signer.tls import TlsPlace

_NAME = re.compile("^[a-z0-9][a-z0-9-]{0,40}$", re.ASCII)


BlockNumber = Annotated[int, Field(ge=0, lt=2**63)]
"""As far as a database can count."""


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError(f"expected up to 41 lower case letters, digits and dashes, got {value[:60]!r}")
    return value


Name = Annotated[str, AfterValidator(_name)]


def _one_or_more(value: Any) -> Any:  # noqa: ANN401 - any TOML value
    return (value,) if isinstance(value, str) else value


AS_SOON_AS_ALLOWED = "as soon as allowed"
_BEFORE_THE_END = re.compile(r"([1-9]\d{0,3}) (minute|hour|day)s? before the end", re.ASCII)
_SECONDS = {"minute": 60, "hour": 3_600, "day": 86_400}


def _before_the_end(value: Any, otherwise: str = "") -> int:  # noqa: ANN401 - any TOML value
    match = _BEFORE_THE_END.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f'expected {otherwise}for example "6 hours before the end", got {value!r}')
    return int(match[1]) * _SECONDS[match[2]]


def _timing(value: Any) -> Any:  # noqa: ANN401 - any TOML value
    if value is None or value == AS_SOON_AS_ALLOWED:
        return None
    return _before_the_end(value, f'"{AS_SOON_AS_ALLOWED}" or, ')


Timing = Annotated[int | None, BeforeValidator(_timing)]
BeforeTheEnd = Annotated[int, BeforeValidator(_before_the_end)]
"""Seconds; written as ``"30 minutes before the end"``."""


def _tls_url(value: str) -> str:
    TlsPlace.parse(value)
    return value


TlsUrl = Annotated[str, AfterValidator(_tls_url)]


def _require_port(url: str) -> None:
    """None, or one that there can be. What stands in its place may be half of a password: it is not shown."""
    try:
        _ = urlsplit(url).port
    except ValueError:
        raise ValueError("the port of the URL is no number from 0 to 65535") from None


def _public(url: str) -> str:
    """A URL without user, path and query: those carry API keys."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"


def _web_url(value: str) -> str:
    _require_port(value)
    if urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname:
        raise ValueError(f"expected an http(s) URL, got {_public(value)}")
    return value


WebUrl = Annotated[str, AfterValidator(_web_url)]

Urls = Annotated[tuple[WebUrl, ...], BeforeValidator(_one_or_more)]
"""Of JSON-RPC endpoints of one chain; one alone may be written as a string."""

Endpoints = Annotated[Urls, Field(min_length=1)]


def _websocket_url(value: str) -> str:
    _require_port(value)
    if urlsplit(value).scheme not in {"ws", "wss"} or not urlsplit(value).hostname:
        raise ValueError(f"expected a URL such as wss://host/path, got {_public(value)}")
    return value


WebSocketUrl = Annotated[str, AfterValidator(_websocket_url)]
