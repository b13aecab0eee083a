"""``pnyx certificates``"""

from __future__ import annotations

from pathlib import Path

import click

from pnyx_agents.cli.arguments import DAYS

LIFETIME_DAYS = 730
PORT = 7443


@click.command("certificates")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--host", "hosts", multiple=True, required=True,
    help="Name or address under which the daemon reaches the signer; can be given several times.",
)  # fmt: skip
@click.option("--days", type=DAYS, default=LIFETIME_DAYS, show_default=True, help="How long they hold.")
def command(folder: Path, hosts: tuple[str, ...], days: int) -> None:
    """Make a private CA and two certificates, for a signer and a daemon on different machines.

    The CA's own key is thrown away: nobody can make a third certificate. Before they expire, make all of them anew.
    """
    from pnyx_tools.signer.certificates import make_certificates
    from pnyx_tools.signer.tls import TlsPlace

    for path in make_certificates(folder, hosts, days):
        click.echo(path)
    click.echo(
        "\nThe signer's machine gets ca.pem, signer.pem, signer.key; the daemon's ca.pem, daemon.pem, daemon.key.\n"
        "Move the keys, do not copy them. Then, in [signer]:\n"
        f'  signer: listen = "tls://0.0.0.0:{PORT}"\n'
        '          tls = { ca = "ca.pem", certificate = "signer.pem", key = "signer.key", peers = ["daemon"] }\n'
        f'  daemon: connect = "{TlsPlace(host=hosts[0], port=PORT)}"\n'
        '          tls = { ca = "ca.pem", certificate = "daemon.pem", key = "daemon.key" }'
    )
