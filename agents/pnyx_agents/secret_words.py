"""What of an agent's settings and environment is secret: no log line shows it, and no plugin finds it by chance."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from typing import Any

from pnyx_agents.settings import Settings
from pnyx_tools.environment import take_variable
from pnyx_tools.secret_parts import secret_parts

LEAST_SECRET_CHARACTERS = 8
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
    """Strings that must not show in a log line: secrets of the environment, keys that the settings hold, and what may
    be a key in any URL of theirs, whatever it is for.
    """
    urls = [text for text in _texts(settings.model_dump()) if "://" in text]
    secrets = [part for url in urls for part in secret_parts(url, LEAST_SECRET_CHARACTERS, LEAST_KEY_CHARACTERS)]
    secrets += [os.environ[name] for name in _secret_variables()]
    secrets += [text for text in _texts(settings.evidence.options) if "://" not in text and _may_be_key(text)]
    headers = settings.telemetry.headers.values() if settings.telemetry else ()
    secrets += [word for value in headers for word in value.split() if _may_be_key(word)]
    secrets += [settings.safe.service_key] if settings.safe and settings.safe.service_key else []
    return secrets


def _may_be_key(text: str) -> bool:
    return len(text) >= LEAST_KEY_CHARACTERS


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
