"""``pnyx signer``"""

from __future__ import annotations

from pathlib import Path

import click

from pnyx_agents.cli.options import config_option, settings_from


@click.command("signer")
@config_option
def command(config: Path) -> None:
    """The process that holds the key. It judges every request by its own reading of the chain and its own ruleset.

    Run it apart from the daemon: under a user of its own, in a container that shares nothing but the socket's folder,
    or on another machine. `pnyx run` finds it by its socket, or where [signer] connect says.
    """
    from pnyx_agents.assembly import signer_settings
    from pnyx_agents.keys import key_source, require_key
    from pnyx_tools.keystore import open_key
    from pnyx_tools.signer.hardening import harden
    from pnyx_tools.signer.logs import log_json_lines
    from pnyx_tools.signer.process import run_signer

    log_json_lines()
    settings = settings_from(config)
    harden(require_locked_memory=require_key(settings).require_locked_memory)
    key = open_key(key_source(settings))
    judged_by = signer_settings(settings, key.address)
    where = judged_by.listen.place if judged_by.listen else judged_by.socket
    ready = f"signing for {judged_by.writer} ({judged_by.writer_kind.value}) at {where}"
    run_signer(judged_by, key, on_ready=lambda: click.echo(ready, err=True))
