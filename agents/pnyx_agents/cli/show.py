"""``pnyx show``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pnyx_agents.cli.options import config_option, format_option, json_option, output_option, print_json

if TYPE_CHECKING:
    from pnyx_policies.bundle import Bundle
    from pnyx_policies.disclosure import Disclosure


@click.command("show")
@click.argument("what")
@config_option
@click.option("--evidence", help="Folder or URL of the bundles, to show a decision without a configuration.")
@format_option
@output_option
@json_option
def command(what: str, config: Path, evidence: str | None, form: str, output: Path | None, as_json: bool) -> None:
    """A decision, readable. WHAT is a proposal of this agent, a record root (0x...), a bundle file or a disclosure."""
    from pnyx_policies.disclosure import Disclosure

    found = find(what, config, evidence)
    if as_json:
        print_json(found.model_dump(mode="json"))
    elif isinstance(found, Disclosure):
        _show_disclosure(found)
    else:
        _show_record(found, form, output)


def _show_record(bundle: Bundle, form: str, output: Path | None) -> None:
    from pnyx_agents.reading.document import deliver
    from pnyx_contracts.types import to_hex
    from pnyx_policies.reading.blocks import code, line
    from pnyx_policies.reading.report import report_of
    from pnyx_policies.verify.record import dossier_of

    names = (
        line("record root ", code(to_hex(bundle.record_root))),
        line("prompt hash ", code(to_hex(bundle.prompt_hash))),
    )
    deliver(report_of(dossier_of(bundle), end=names), form, output)


def _show_disclosure(disclosure: Disclosure) -> None:
    from pnyx_agents.console import Console
    from pnyx_agents.reading.disclosed import print_disclosure

    console = Console()
    print_disclosure(disclosure, console)
    console.print(f"\n{_WHAT_IT_PROVES}", style="dim")


_WHAT_IT_PROVES = (
    "The file holds together. That this record stands on chain is for `pnyx verify` to say: --disclosure FILE."
)


def _parse(file: Path) -> Bundle | Disclosure:
    """Raises `UsageError` when the file is none of ours, `ChangedDisclosureError` when it was tampered with."""
    from pnyx_contracts.errors import DecodingError, UsageError
    from pnyx_policies.bundle import Bundle
    from pnyx_policies.disclosure import FORMAT, open_disclosure

    data = file.read_bytes()
    try:
        return open_disclosure(data) if f'"format":"{FORMAT}"'.encode() in data else Bundle.parse(data)
    except DecodingError as error:
        raise UsageError(
            f"{file} is no bundle and no disclosure: {error.message}",
            hint="the bundle of a record is named by its record root, ROOT.json; pnyx disclose writes disclosures",
        ) from error


def find(what: str, config: Path, evidence: str | None) -> Bundle | Disclosure:
    """By what `pnyx show` takes. Raises `UsageError` when there is no such record."""
    from pnyx_agents.cli.word import load_bundle, record_root
    from pnyx_contracts.errors import UsageError
    from pnyx_policies.bundle import Bundle
    from pnyx_tools.evidence import open_named

    if Path(what).is_file():
        return _parse(Path(what))
    if evidence is not None:
        data = open_named(evidence).get_bundle(record_root(what))
        if data is None:
            raise UsageError(
                f"{evidence} has no bundle of the record {what}", hint="check both; pnyx log lists the records"
            )
        return Bundle.parse(data)
    if Path(what).suffix or Path(what).name != what:
        raise UsageError(f"there is no file {what}", hint="or a proposal's id, or a record root")
    if not config.exists():
        raise UsageError(
            f"there is no configuration at {config}, and nobody said where the bundles lie",
            hint="members: --evidence URL-or-FOLDER; operators: --config FILE",
        )
    from pnyx_agents.cli.cases import find_case, open_journal
    from pnyx_agents.settings import load_settings

    settings = load_settings(config)
    root_text = what if what.startswith("0x") else find_case(open_journal(settings), what).record_root
    return load_bundle(settings, root_text)
