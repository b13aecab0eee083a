"""``pnyx verify``"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pnyx_agents.cli.arguments import ADDRESS, BLOCK, BLOCK_TAG
from pnyx_agents.cli.options import json_option, print_json

if TYPE_CHECKING:
    from pnyx_policies.disclosure import Disclosure


@click.command("verify")
@click.option("--rpc", required=True, help="JSON-RPC endpoint of the chain; best one that keeps old state.")
@click.option("--log", "address", type=ADDRESS, required=True, help="The decision log.")
@click.option(
    "--writer", type=ADDRESS, help="Check this writer only, a gate or an account; default: every writer of the log."
)
@click.option("--evidence", help="Folder or URL of the bundles; default: where each writer says on chain.")
@click.option("--factory", type=ADDRESS, help="The one gate factory to accept; default: any with our code.")
@click.option("--second-rpc", help="Another node, which must agree about the chain and every head.")
@click.option(
    "--upto", type=BLOCK_TAG, default="finalized", show_default=True, help="Check up to this block: a tag or a number."
)
@click.option("--from-block", type=BLOCK, help="Where the log's events begin; found out when left out.")
@click.option(
    "--disclosure", "disclosures", multiple=True, type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file that opens sealed fields of a record; can be given several times.",
)  # fmt: skip
@json_option
def command(
    rpc: str, address: str, writer: str | None, evidence: str | None, factory: str | None, second_rpc: str | None,
    upto: int | str, from_block: int | None, disclosures: tuple[Path, ...], as_json: bool,
) -> None:  # fmt: skip
    """Check a decision log: anyone can, with one RPC endpoint and the log's address.

    Exit code 0: all that this node can check matches, and nothing that a decision rests on is withheld; 1: something
    differs, is missing or is not proven; 2: wrong usage; 3: an endpoint cannot be reached. See docs/verifying.md.
    """
    from pnyx_agents.console import Console
    from pnyx_tools.rpc import Rpc
    from pnyx_tools.verifier import render, verify

    opened = [_opened(file) for file in disclosures]
    console = Console(stderr=True)
    with console.status("reading the log") as status:
        report = verify(
            Rpc(rpc), address, writer, evidence, factory=factory, upto=upto,
            from_block=from_block, second_reader=Rpc(second_rpc) if second_rpc else None, disclosures=opened,
            progress=status.update,
        )  # fmt: skip
    if as_json:
        print_json(report.to_json())
    else:
        render(report, Console())
    sys.exit(report.exit_code)


def _opened(file: Path) -> Disclosure:
    """Raises `UsageError` when it is none, `DiffersError` when it was tampered with."""
    from pnyx_contracts.errors import DecodingError, DiffersError, UsageError
    from pnyx_policies.disclosure import open_disclosure

    try:
        return open_disclosure(file.read_bytes())
    except DecodingError as error:
        raise UsageError(f"{file} is no disclosure: {error.message}", hint="pnyx disclose writes them") from error
    except DiffersError as error:
        raise DiffersError(f"{file}: {error.message}", hint="ask the operator for another one") from error
