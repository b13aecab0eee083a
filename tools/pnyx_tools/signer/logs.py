"""Log lines of the signer: one JSON object each on standard error, in the form of the daemon's own."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """A message that is a JSON object becomes part of the line's own object."""

    def format(self, record: logging.LogRecord) -> str:
        head = {
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
        }
        message = record.getMessage()
        try:
            values = json.loads(message)
        except ValueError:
            values = message
        return json.dumps(head | (values if isinstance(values, dict) else {"message": message}))


def log_json_lines() -> None:
    """For a process that only signs."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
