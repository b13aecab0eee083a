"""``pnyx publish``"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pnyx_agents.cli.options import config_option, json_option, print_json, settings_from


@click.command("publish")
@config_option
@json_option
def command(config: Path, as_json: bool) -> None:
    """Bring the evidence folder and all mirrors up to date, and say what was done.

    Files that are gone from the folder are made again from the private bundles; each mirror gets what it does not have.
    The daemon does the latter by itself. Exit code 3 when a mirror cannot be written to.
    """
    from pnyx_agents.assembly import evidence, mirrors
    from pnyx_agents.console import Console
    from pnyx_contracts.errors import UnreachableError

    settings = settings_from(config)
    copies = mirrors(settings)
    vault = evidence(settings)
    results = []
    with Console(stderr=True).status("publishing") as status:
        made = [path.name for path in vault.publish_again()]
        for mirror in copies:
            status.update(f"copying to {mirror.name}")
            try:
                results.append({"mirror": mirror.name, "copied": mirror.copy(), "error": None})
            except UnreachableError as error:
                results.append({"mirror": mirror.name, "copied": [], "error": error.message})
    if as_json:
        print_json({"folder": str(vault.published.path), "made_again": made, "mirrors": results})
    else:
        click.echo(f"{vault.published.path}: {len(vault.published.sizes())} files, {len(made)} of them made again")
        for one in results:
            click.echo(f"{one['mirror']}: {one['error'] or str(len(one['copied'] or [])) + ' files copied'}")
        if not results:
            click.echo("No mirrors: [evidence] mirrors names them.")
    if any(one["error"] for one in results):
        sys.exit(UnreachableError.exit_code)
