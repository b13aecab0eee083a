"""``pnyx disclose``"""

from __future__ import annotations

from pathlib import Path

import click

from pnyx_agents.cli.options import config_option, json_option, print_json, settings_from


@click.command("disclose")
@click.argument("entry")
@click.option(
    "--fields", required=True, help="What to open: fields, or items of rules and attempts: opinions,rules[3]."
)
@click.option("--out", type=click.Path(path_type=Path), help="The file to write; default: named by the record.")
@config_option
@json_option
def command(entry: str, fields: str, out: Path | None, config: Path, as_json: bool) -> None:
    """Open sealed fields of one record in a small file, for whom it concerns; everything else stays closed.

    ENTRY is the number of an entry, a record root (0x...) or a proposal. What was opened cannot be closed again.
    """
    from pnyx_agents.cli.cases import find_root
    from pnyx_agents.cli.word import load_bundle
    from pnyx_contracts.errors import UsageError
    from pnyx_contracts.types import to_hex
    from pnyx_policies.disclosure import disclose, parse_parts

    parts = parse_parts(fields)
    settings = settings_from(config)
    bundle = load_bundle(settings, find_root(settings, entry))
    disclosure = disclose(bundle, parts)
    file = out or Path(f"{bundle.record_root.hex()}.disclosure.json")
    if file.exists():
        raise UsageError(f"{file} exists already", hint="name another file: --out FILE")
    file.write_bytes(disclosure.to_bytes())
    if as_json:
        root, proposal = to_hex(bundle.record_root), str(bundle.dossier.proposal.key)
        print_json({"file": str(file), "record_root": root, "proposal": proposal, "opens": list(disclosure.opened)})
        return
    click.echo(f"{file} opens {', '.join(disclosure.opened)}")
    click.echo(f"of the record {to_hex(bundle.record_root)}\nabout proposal {bundle.dossier.proposal.key}.")
    click.echo("\nWhoever gets it can check it:  pnyx verify --rpc URL --log ADDRESS --disclosure FILE")
