"""``pnyx init``"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import click

from pnyx_agents.cli.arguments import ADDRESS
from pnyx_agents.cli.options import json_option, option_for, print_json, rpc_option


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@rpc_option
@click.option("--governor", type=ADDRESS, required=True, help="The governor to follow.")
@click.option("--name", default="my-agent", show_default=True, help="Name of the agent.")
@click.option("--keystore/--no-keystore", default=False, help="Also make a key for the signer (asks for a password).")
@click.option("--password-file", type=click.Path(path_type=Path), help="Take the keystore's password from this file.")
@json_option
def command(
    folder: Path, rpc: str, governor: str, name: str, keystore: bool, password_file: Path | None, as_json: bool
) -> None:
    """Write a commented pnyx.toml into FOLDER, or here. Looks at the governor first; never overwrites anything."""
    from pnyx_agents.settings import parse_settings
    from pnyx_contracts.errors import UsageError
    from pnyx_tools import plugins
    from pnyx_tools.detect import detect
    from pnyx_tools.files import write_secret
    from pnyx_tools.keystore import ask_password, create_keystore, read_password
    from pnyx_tools.rpc import Rpc

    if password_file and not keystore:
        raise UsageError("--password-file is for the keystore that --keystore makes", hint="add --keystore")
    config, key = folder / "pnyx.toml", folder / "keys" / "signer.json"
    for path in (config, *([key] if keystore else [])):
        if path.exists():
            raise UsageError(f"{path} exists already", hint="keep it, or choose another folder")
    reader = Rpc(rpc)
    _, profile = detect(reader, governor, plugins.enabled("pnyx.governors"))
    block = reader.block().number
    text = _fill(NAME=name, RPC=rpc, CHAIN_ID=profile.chain_id, GOVERNOR=profile.address, START_BLOCK=block)
    parse_settings(text, config)
    address = None
    if keystore:
        password = read_password(password_file) if password_file else ask_password(key, new=True)
        address = create_keystore(key, password)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_secret(config, text)
    except OSError:
        if keystore:
            key.unlink()  # nobody has seen its address yet, and a second try would find it in its way
        raise
    if as_json:
        print_json({"config": str(config), "governor": profile.model_dump(mode="json"), "key_address": address})
        return
    click.echo(f"{config} follows {profile.name or 'the governor'} ({profile.kind}) on chain {profile.chain_id}")
    click.echo(f"and looks at every proposal made from block {block} on. It observes: it never votes.")
    if not profile.can_vote:
        click.echo(f"Note: Pnyx cannot vote there: {profile.cannot_vote_because}")
    if address is not None:
        click.echo(f"\nThe signer's key is {address} in {key}. Keep its password apart from it.")
        click.echo("An agent that only observes does not need it; `pnyx deploy` does.")
    option = option_for(config)
    click.echo(
        f"\nNext:  pnyx doctor{option}\n       pnyx review {profile.address} ID{option}\n       pnyx run{option}"
    )


def _fill(**values: object) -> str:
    """The template with its marks replaced; text is escaped as TOML wants it, which is as JSON does."""
    text = files("pnyx_agents").joinpath("template.toml").read_text(encoding="utf-8")
    for mark, value in values.items():
        text = text.replace(f"@{mark}@", json.dumps(str(value), ensure_ascii=False)[1:-1])
    return text
