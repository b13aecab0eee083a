"""``pnyx migrate``"""

from __future__ import annotations

from pathlib import Path

import click

from pnyx_agents.cli.options import config_option, json_option, path_lines, print_json, settings_from


@click.command("migrate")
@config_option
@click.option("--anyway", is_flag=True, help="Do not ask the chain whether this release's configuration is in force.")
@json_option
def command(config: Path, anyway: bool, as_json: bool) -> None:
    """Bring the agent's database up to this release: a backup first, then the tables, all or nothing.

    Stop the agent and its workers before. SQLite files are copied to `backups` in the data folder, PostgreSQL's tables
    to new schemas of the same database. Proposals that were under way are taken up again by the next `pnyx run`.

    A release with other prompts or checks is another configuration, announced by its own `pnyx deploy` while the old
    one runs on: as long as it is not in force, nothing is migrated.
    """
    from pnyx_agents.console import Console
    from pnyx_agents.migration import migrate

    with Console(stderr=True).status("copying, then migrating"):
        done = migrate(settings_from(config), anyway=anyway)
    if as_json:
        print_json(done.model_dump(mode="json"))
        return
    if not done.backups:
        click.echo(f"The database is up to date (version {done.after}): nothing was done.")
        return
    changed = "The engine's own tables" if done.before == done.after else f"Version {done.before} -> {done.after}"
    click.echo(f"{changed}. Backup of before:\n{path_lines(done.backups)}")
