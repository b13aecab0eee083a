"""The group of commands, and how errors reach people.

Exit codes: 0 all is well; 1 something differs, was refused or failed; 2 wrong usage or configuration; 3 unreachable.
"""

from __future__ import annotations

import importlib
import json
import sys

import click

from pnyx_contracts.errors import PnyxError, UsageError

COMMANDS = {
    "demo": "The whole job on a local chain, then a stranger's verification.",
    "init": "Write a commented pnyx.toml and a keystore.",
    "doctor": "Check everything that pnyx.toml names, and say what to do about each failure.",
    "deploy": "Put the log, the factory and the gate on a chain, or register a plain key. Shows the plan first.",
    "run": "The daemon: follow, review, decide, record, vote.",
    "signer": "The process that holds the key.",
    "status": "Where each proposal stands.",
    "review": "The whole review of one proposal, without key or transaction.",
    "show": "A decision, readable.",
    "approve": "Approve a held decision.",
    "reject": "Reject a held decision.",
    "log": "The entries of a decision log.",
    "verify": "Check a decision log: anyone can, with one RPC endpoint and the log's address.",
    "backup": "Copy journal, evidence, keys' salts and configuration into one file.",
    "restore": "Restore a backup.",
    "tools": "Installed tools, checks, governors, signers, notifiers.",
}
"""Command -> one line of help. The file ``cli/<command>.py`` has a click command of the same name, called
``command``.
"""


class LazyGroup(click.Group):
    """Knows the names of its commands; imports one when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - signature of the base class
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"pnyx_agents.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pnyx", prog_name="pnyx")
def group() -> None:
    """Open-source AI delegates for DAOs: rules decide, the chain remembers, anyone can check."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point. A `PnyxError` becomes one message on stderr and its exit code; ``--json`` makes it one JSON
    object.
    """
    given = sys.argv[1:] if arguments is None else arguments
    try:
        group.main(args=given, prog_name="pnyx", standalone_mode=False)
    except click.ClickException as error:
        if "--json" in given:
            click.echo(_json_error("UsageError", error.format_message(), ""), err=True)
        else:
            error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("aborted", err=True)
        sys.exit(1)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except PnyxError as error:
        click.echo(_explain(error, as_json="--json" in given), err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        if error.filename is None:
            raise
        told = UsageError(f"{error.filename}: {error.strerror}")
        click.echo(_explain(told, as_json="--json" in given), err=True)
        sys.exit(told.exit_code)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("pnyx"):
            raise
        click.echo(f"error: this command needs the package {error.name!r}\n  try: pip install 'pnyx[agent]'", err=True)
        sys.exit(2)


def _explain(error: PnyxError, *, as_json: bool) -> str:
    return _json_error(type(error).__name__, error.message, error.hint) if as_json else f"error: {error}"


def _json_error(kind: str, message: str, hint: str) -> str:
    return json.dumps({"error": kind, "message": message, "hint": hint})
