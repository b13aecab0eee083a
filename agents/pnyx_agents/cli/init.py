"""``pnyx init``"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click

from pnyx_agents.cli.options import json_option, print_json


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.option("--rpc", required=True, help="JSON-RPC endpoint of the chain.")
@click.option("--governor", required=True, help="Address of the governor to follow.")
@click.option("--name", default="my-agent", show_default=True, help="Name of the agent.")
@click.option("--keystore/--no-keystore", default=False, help="Also make a key for the signer (asks for a password).")
@click.option("--password-file", type=click.Path(path_type=Path), help="Take the keystore's password from this file.")
@json_option
def command(
    folder: Path, rpc: str, governor: str, name: str, keystore: bool, password_file: Path | None, as_json: bool
) -> None:
    """Write a commented pnyx.toml into FOLDER. Looks at the governor first; never overwrites anything."""
    from pnyx_agents.settings import load_settings
    from pnyx_contracts.errors import UsageError
    from pnyx_tools import plugins
    from pnyx_tools.detect import detect
    from pnyx_tools.keystore import ask_password, create_keystore, read_password
    from pnyx_tools.rpc import Rpc

    target = folder / "pnyx.toml"
    if target.exists():
        raise UsageError(f"{target} exists already", hint="edit it, or choose another folder")
    reader = Rpc(rpc)
    _, profile = detect(reader, governor, plugins.enabled("pnyx.governors"))
    values = {
        "NAME": name, "RPC": rpc, "CHAIN_ID": str(profile.chain_id), "GOVERNOR": profile.address,
        "START_BLOCK": str(reader.block().number),
    }  # fmt: skip
    text = files("pnyx_agents").joinpath("template.toml").read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    folder.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    load_settings(target)
    address = None
    if keystore:
        path = folder / "keys" / "signer.json"
        password = read_password(password_file) if password_file else ask_password(path, new=True)
        address = create_keystore(path, password)
    if as_json:
        print_json({"config": str(target), "governor": profile.model_dump(mode="json"), "key_address": address})
        return
    click.echo(f"{target} follows {profile.name or 'the governor'} ({profile.kind}, {profile.counting_mode}).")
    if not profile.can_vote:
        click.echo(f"Note: Pnyx cannot vote there: {profile.cannot_vote_because}")
    if address:
        click.echo(f"Key {address} in {folder / 'keys' / 'signer.json'}. Keep its password apart.")
    click.echo("Next: pnyx doctor; then pnyx review GOVERNOR ID to see a review, or pnyx run to follow.")
