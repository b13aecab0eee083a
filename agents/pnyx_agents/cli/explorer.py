"""``pnyx explorer``"""

from __future__ import annotations

from pathlib import Path

import click

from pnyx_agents.cli.arguments import ADDRESS


@click.command("explorer")
@click.option("--port", type=click.IntRange(0, 65535), default=8420, show_default=True, help="0 finds a free one.")
@click.option("--rpc", help="JSON-RPC endpoint of the chain, for the link that is printed.")
@click.option("--log", type=ADDRESS, help="The decision log, for the link that is printed.")
@click.option("--evidence", type=click.Path(path_type=Path), help="Serve this folder of evidence beside the page.")
@click.option("--upto", help="Check up to this block; a local chain needs: latest.")
def command(port: int, rpc: str | None, log: str | None, evidence: Path | None, upto: str | None) -> None:
    """The members' page, for the browser of this machine. It runs until Ctrl-C."""
    from pnyx_agents.explorer import address_of, explorer_server

    with explorer_server(port, evidence) as server:
        click.echo(f"Open {address_of(server, rpc, log, evidence is not None, upto)}")
        click.echo("Ctrl-C ends it.")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("")
