"""``pnyx abi``"""

from __future__ import annotations

from pathlib import Path

import click

from pnyx_agents.cli.arguments import ADDRESS
from pnyx_agents.cli.options import config_option, json_option, print_json, settings_from


@click.command("abi")
@click.argument("address", type=ADDRESS)
@click.option("--as", "called", type=ADDRESS, help="The address that is called, where ADDRESS is a proxy's code.")
@config_option
@json_option
def command(address: str, called: str | None, config: Path, as_json: bool) -> None:
    """Ask the explorers that [decoding] names for a contract's ABI, and write it into the folder of ABIs.

    Their answer is their word: look at the file. Declared it is with the next `pnyx deploy`.
    """
    from pnyx_agents.interfaces import fetch_abi

    fetched = fetch_abi(settings_from(config), address, called or address)
    if as_json:
        print_json({"file": str(fetched.file), "source": fetched.source, "functions": list(fetched.functions)})
        return
    click.echo(f"{fetched.file}: {len(fetched.functions)} functions, on the word of {fetched.source}")
    for function in fetched.functions:
        click.echo(f"  {function}")
    click.echo("Look at them. They name calls once the configuration with them is announced: pnyx deploy.")
