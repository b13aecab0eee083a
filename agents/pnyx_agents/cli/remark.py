"""``pnyx remark``"""

from __future__ import annotations

from pathlib import Path

import click

from pnyx_agents.cli.arguments import ADDRESS
from pnyx_agents.cli.options import json_option, keystore_option, log_option, password_option, print_json, rpc_option
from pnyx_agents.cli.plan import open_account, require_consent, send_plan, show_plan, yes_option

VERDICTS = ("checked", "differs", "withheld", "answer")


@click.command("remark")
@rpc_option
@log_option
@click.option("--writer", type=ADDRESS, required=True, help="Whose entry it is about.")
@click.option("--entry", type=click.IntRange(min=1), required=True, help="The entry's number.")
@click.option(
    "--verdict", type=click.Choice(VERDICTS), required=True,
    help="What you found; `withheld` asks for evidence that cannot be had, `answer` answers other remarks.",
)  # fmt: skip
@click.option(
    "--report", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A document; its hash goes on chain."
)
@click.option("--uri", default="", help="Where people find the document.")
@keystore_option("Your key; it pays and is the author.", required=True)
@password_option
@yes_option
@json_option
def command(
    rpc: str, log: str, writer: str, entry: int, verdict: str, report: Path | None, uri: str, keystore: Path,
    password_file: Path | None, yes: bool, as_json: bool,
) -> None:  # fmt: skip
    """Say in public what you found about an entry of a decision log. Anyone can; it changes nothing in the log.

    Shows the plan and its cost first.
    """
    from eth_hash.auto import keccak

    from pnyx_contracts.entry import RemarkVerdict
    from pnyx_contracts.errors import UsageError
    from pnyx_contracts.types import to_hex
    from pnyx_tools.chain import Chain
    from pnyx_tools.deployment import plan_remark

    if report is not None and not uri:
        raise UsageError("a --report that nobody can find says nothing", hint="publish it, and give its place as --uri")
    document_hash = keccak(report.read_bytes()) if report is not None else bytes(32)
    chain = Chain.of([rpc])
    account = open_account(keystore, password_file)
    said = RemarkVerdict[verdict.upper()]
    what = plan_remark(chain, log, writer, entry, said, document_hash, uri, account.address)
    show_plan(what)
    click.echo(f"It stays on chain for good, in the name of {account.address}.", err=True)
    require_consent(chain, what, yes=yes)
    send_plan(chain, what, account)
    if as_json:
        print_json(
            {"log": log, "writer": writer, "entry": entry, "author": account.address, "verdict": verdict,
             "hash": to_hex(document_hash), "uri": uri}
        )  # fmt: skip
        return
    click.echo(f"\nDone. `pnyx log --rpc ... --log {log} --writer {writer}` shows it.")
