"""``pnyx tools``"""

from __future__ import annotations

import click

from pnyx_agents.cli.options import json_option, print_json


@click.command("tools")
@json_option
def command(as_json: bool) -> None:
    """Installed tools, checks, governors, signers and notifiers, and the package that brought each."""
    from pnyx_tools.plugins import GROUPS, installed

    rows = [
        {"group": group, "name": name, "package": plugin.distribution, "version": plugin.version, "own": plugin.is_own}
        for group in GROUPS
        for name, plugin in sorted(installed(group).items())
    ]
    if as_json:
        print_json(rows)
        return
    from rich.table import Table

    from pnyx_agents.console import Console

    table = Table("group", "name", "package")
    for row in rows:
        table.add_row(str(row["group"]), str(row["name"]), f"{row['package']} {row['version']}")
    Console().print(table)
    click.echo("Plugins of other packages run only when pnyx.toml names them, see docs/plugins.md.")
