"""What of an agent's settings and environment is secret: no log line shows it, and no plugin finds it by chance."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pnyx_agents.settings import Settings
from pnyx_tools.environment import take_variable
from pnyx_tools.notify.services import secret_parts

LEAST_KEY_CHARACTERS = 12
"""Shorter parts of a path are words (``mainnet``), which log lines may say."""

SECRET_PARTS = ("KEY", "SECRET", "TOKEN", "PASSWORD", "PASSPHRASE", "MNEMONIC", "CREDENTIAL")


def scrub_environment(needed: Collection[str]) -> None:
    """Takes secrets that this process does not need out of its environment: it talks to models and runs plugins."""
    for name in _secret_variables():
        if name not in needed:
            take_variable(name)


def _secret_variables() -> list[str]:
    return [name for name in os.environ if any(part in name.upper() for part in SECRET_PARTS)]


def secrets_of(settings: Settings) -> list[str]:
    """Strings that must not show in a log line: secrets of the environment, and the parts of URLs that carry keys."""
    own = settings.signer
    urls = [*settings.chain.rpc, settings.chain.websocket, *(own.rpc if own else ())]
    urls += [*settings.evidence.mirrors, *settings.sending.relays, settings.safe.service if settings.safe else None]
    urls += [settings.database.url] if settings.database else []
    urls += [settings.telemetry.endpoint] if settings.telemetry else []
    urls += [text for text in _texts(own.options if own else {}) if "://" in text]
    secrets = [os.environ[name] for name in _secret_variables()]
    secrets += [text for text in _texts(settings.evidence.options) if "://" not in text and _may_be_key(text)]
    headers = settings.telemetry.headers.values() if settings.telemetry else ()
    secrets += [word for value in headers for word in value.split() if _may_be_key(word)]
    secrets += [settings.safe.service_key] if settings.safe and settings.safe.service_key else []
    secrets += [part for url in _notifier_urls(settings) for part in secret_parts(url) if _may_be_key(part)]
    return secrets + [part for url in urls if url for part in _private(url)]


def _may_be_key(text: str) -> bool:
    return len(text) >= LEAST_KEY_CHARACTERS


def _private(url: str) -> Iterator[str]:
    """What of a URL may be a key: user, password, values of the query, long parts of the path."""
    parts = urlsplit(url)
    yield from (parts.username or "", parts.password or "", *(value for _, value in parse_qsl(parts.query)))
    yield from filter(_may_be_key, parts.path.split("/"))


def _notifier_urls(settings: Settings) -> list[str]:
    """Each may be a secret."""
    people = [person.urls for person in settings.notifications.people.values()]
    return [text for text in _texts([settings.plugins.notifiers, people]) if "://" in text]


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - any TOML value
    """All that stand in it, however deep."""
    match value:
        case str():
            yield value
        case dict():
            yield from _texts(list(value.values()))
        case list() | tuple():
            for inner in value:
                yield from _texts(inner)
