"""The group of commands, and how errors reach people.

Exit codes: 0 all is well; 1 something differs, was refused or failed; 2 wrong usage or configuration; 3 unreachable.
"""

from __future__ import annotations

import errno
import importlib
import json
import sys

import click

from pnyx_contracts.errors import PnyxError, UsageError

COMMANDS = {
    "demo": "The whole job on a local chain, then a stranger's verification.",
    "init": "Write a commented pnyx.toml and a keystore.",
    "doctor": "Check everything that pnyx.toml names, and say what to do about each failure.",
    "deploy": "Make a writer: a gate, or the signer's own account. Shows the plan first.",
    "safe": "What the owners of a Safe sign: votes, and acts of a gate.",
    "succeed": "Let a new writer take the place of an old one.",
    "run": "The daemon: follow, review, decide, record, vote.",
    "worker": "One more process that runs workflows, where several share a PostgreSQL database.",
    "migrate": "Bring an older database up to this release, after a backup.",
    "signer": "The process that holds the key.",
    "certificates": "Make certificates for a signer on another machine.",
    "refusals": "What the signer refused, and why.",
    "status": "Where each proposal stands.",
    "policy": "Check, explain and test rulesets; try them on past proposals.",
    "redteam": "Hostile proposals through the whole review: what attacks on the model come to.",
    "abi": "Fetch a contract's ABI from the explorers that pnyx.toml names.",
    "review": "The whole review of one proposal, without key or transaction.",
    "show": "A decision, readable.",
    "disclose": "Open sealed fields of one record in a small file.",
    "publish": "Bring the evidence folder and its mirrors up to date.",
    "approve": "Approve a held decision.",
    "reject": "Reject a held decision.",
    "pause": "Hold all votes at once.",
    "resume": "Let held votes go on.",
    "notify": "What people were not told yet, and a test of every way to tell them.",
    "log": "The entries of a decision log, and what people say about them.",
    "verify": "Check a decision log: anyone can, with one RPC endpoint and the log's address.",
    "audit": "Report about a period: votes, reasons, people, time, cost, and what does not hold.",
    "remark": "Say in public what you found about an entry.",
    "contracts": "The contracts, their addresses, and the compiler's input for source verification.",
    "explorer": "The members' page: read and check a decision log in the browser.",
    "backup": "Copy journal, evidence, keys' salts and configuration into one file.",
    "restore": "Restore a backup.",
    "tools": "Installed tools, checks, governors, signers, notifiers.",
}
"""Command -> one line of help. The file ``cli/<command>.py`` has a click command of the same name, called
``command``.
"""


OUT_OF_MEANS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE}
"""A full disk, a quota, too many open files: no mistake in the code, and no file is named."""


class LazyGroup(click.Group):
    """Knows the names of its commands; imports one when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - signature of the base class
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - signature of the base class
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"pnyx_agents.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - signature of the base class
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
    except (PnyxError, OSError, ModuleNotFoundError) as error:
        told = _for_a_person(error)
        if told is None:
            raise
        message = _json_error(_kind(told), told.message, told.hint) if "--json" in given else f"error: {told}"
        click.echo(message, err=True)
        sys.exit(told.exit_code)


def _for_a_person(error: Exception) -> PnyxError | None:
    """The error in our own words; None for what nobody foresaw, which keeps its traceback."""
    match error:
        case PnyxError():
            return error
        case OSError(filename=name) if name is not None:
            return UsageError(f"{name}: {error.strerror}")
        case OSError(errno=number) if number in OUT_OF_MEANS:
            return PnyxError(f"this machine cannot go on: {error.strerror}", hint="make room, then try again")
        case ModuleNotFoundError(name=str() as name) if not name.startswith("pnyx"):
            return UsageError(f"this command needs the package {name!r}", hint="pip install 'pnyx[agent]'")
    return None


def _kind(error: PnyxError) -> str:
    """Its name in the tree of `pnyx_contracts.errors`; finer classes are no part of what scripts may read."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == PnyxError.__module__)


def _json_error(kind: str, message: str, hint: str) -> str:
    return json.dumps({"error": kind, "message": message, "hint": hint})
