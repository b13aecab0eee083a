"""The command ``pnyx``. Each command lives in its own file and is imported only when it runs, so that ``pnyx --help``,
``pnyx verify`` and ``pnyx signer`` start fast and load no model library."""

from pnyx_agents.cli.main import main

__all__ = ["main"]
