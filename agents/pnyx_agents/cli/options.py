"""Options and small outputs that several commands share."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pnyx_agents.settings import Settings

USUAL_CONFIG = Path("pnyx.toml")

config_option = click.option(
    "--config", "-c", "config", type=click.Path(path_type=Path), default=USUAL_CONFIG, show_default=True,
    help="The agent's configuration.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, nothing else.")


def option_for(config: Path) -> str:
    """What a next command needs to find the same configuration; nothing for the usual one."""
    return "" if config == USUAL_CONFIG else f" -c {shlex.quote(str(config))}"


def settings_from(path: Path) -> Settings:
    from pnyx_agents.settings import load_settings

    return load_settings(path)


def path_lines(paths: Iterable[str]) -> str:
    """One indented line each. A backup may be a stranger's: nothing in it writes to the terminal."""
    from pnyx_policies.text import visible

    return "\n".join(f"  {visible(path)}" for path in paths)


def print_json(value: Any) -> None:  # noqa: ANN401 - any JSON
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
