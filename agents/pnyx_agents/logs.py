"""Structured log lines: one JSON object per line on stderr, with known secrets masked wherever they would appear."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable

import structlog

MASK = "[secret]"

SELDOM_SECONDS = 60.0
SAME_CHARACTERS = 40


class MaskSecrets:
    """Last step before the line is written: whatever put a secret into it, it does not leave."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted({s for s in secrets if len(s) >= 8}, key=len, reverse=True)

    def __call__(self, _logger: object, _method: str, line: str) -> str:
        for secret in self._secrets:
            line = line.replace(secret, MASK)
        return line


def set_up_logging(*, secrets: Iterable[str] = (), as_json: bool = True) -> None:
    """Routes the standard library's logging through structlog. Call once per process. What is bound to the context
    (`pnyx_agents.observing`) stands in each line.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), event_key="message")
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.EventRenamer("message"),
            renderer,
            MaskSecrets(secrets),  # type: ignore[list-item]  # the last processor gets the rendered text
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("pnyx").setLevel(logging.INFO)


class Seldom(logging.Filter):
    """Lines that begin alike come once a minute: five threads of the engine complain each second while its database is
    away.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        beginning, now = record.getMessage()[:SAME_CHARACTERS], self._now()
        if now - self._said.get(beginning, -SELDOM_SECONDS) < SELDOM_SECONDS:
            return False
        self._said[beginning] = now
        return True


def log_like_everybody(log: logging.Logger) -> None:
    """For a library that brings a handler and a format of its own."""
    log.handlers.clear()
    log.propagate = True
    log.setLevel(logging.WARNING)
    log.addFilter(Seldom())
