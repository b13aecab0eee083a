"""``pnyx restore``"""

from __future__ import annotations

from pathlib import Path

import click

from pnyx_agents.cli.options import json_option, path_lines, print_json


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
def command(file: Path, folder: Path, as_json: bool) -> None:
    """Restore a backup into an empty FOLDER. Every file is compared with the backup's list before anything is kept."""
    from pnyx_agents.archive import restore_backup

    listing = restore_backup(file, folder)
    if as_json:
        print_json(listing.model_dump(mode="json"))
        return
    click.echo(f"{len(listing.files)} files restored into {folder}. Never run two copies of one agent at once.")
    if listing.kept_apart:
        click.echo(f"The backup does not hold these; the agent needs them there:\n{path_lines(listing.kept_apart)}")
