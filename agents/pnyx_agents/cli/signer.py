"""``pnyx signer``"""

from __future__ import annotations

from pathlib import Path

import click

from pnyx_agents.cli.options import config_option, settings_from


@click.command("signer")
@config_option
def command(config: Path) -> None:
    """The process that holds the key. It judges every request by its own reading of the chain and its own ruleset.

    Run it apart from the daemon with the same configuration file, for example in a container that shares nothing but
    the socket's folder; `pnyx run` finds it by its socket.
    """
    from pnyx_agents.assembly import signer_settings
    from pnyx_agents.keys import key_source
    from pnyx_tools.keystore import open_key
    from pnyx_tools.signer.logs import log_json_lines
    from pnyx_tools.signer.process import run_signer

    log_json_lines()
    settings = settings_from(config)
    key = open_key(key_source(settings))
    judged_by = signer_settings(settings, key.address)
    click.echo(f"signing for {judged_by.writer} ({judged_by.writer_kind.value}) at {judged_by.socket}", err=True)
    run_signer(judged_by, key)
