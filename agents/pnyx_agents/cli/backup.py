"""``pnyx backup``"""

from __future__ import annotations

from pathlib import Path

import click

from pnyx_agents.cli.options import config_option, json_option, path_lines, print_json, settings_from


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@config_option
@json_option
def command(file: Path, config: Path, as_json: bool) -> None:
    """Copy configuration, rulesets, ABIs, journal, workflows, evidence, salt key and the signer's memory into one file.
    Safe while running.

    Keystores are in it (encrypted). Password files and keys of certificates are not, nor a keystore or a ruleset
    outside of the configuration's folder: the backup names them.
    """
    from pnyx_agents.archive import make_backup
    from pnyx_agents.console import Console

    with Console(stderr=True).status("copying"):
        listing = make_backup(settings_from(config), config, file)
    if as_json:
        print_json(listing.model_dump(mode="json"))
        return
    click.echo(f"{len(listing.files)} files in {file}. Keep it private: the salt key opens sealed fields.")
    if listing.kept_apart:
        click.echo(f"Not in it; the agent needs them, so keep them apart:\n{path_lines(listing.kept_apart)}")
