"""``pnyx backup``"""

from __future__ import annotations

from pathlib import Path

import click

from pnyx_agents.cli.options import config_option, json_option, print_json, settings_from


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@config_option
@json_option
def command(file: Path, config: Path, as_json: bool) -> None:
    """Copy configuration, rulesets, journal, workflows, evidence, salt key and the signer's memory into one file.
    Safe while running.

    Keystores are in it (encrypted); password files are not.
    """
    from rich.console import Console

    from pnyx_agents.archive import make_backup

    with Console(stderr=True).status("copying"):
        manifest = make_backup(settings_from(config), config, file)
    if as_json:
        print_json(manifest)
    else:
        click.echo(f"{len(manifest)} files in {file}. Keep it private: the salt key opens sealed fields.")
