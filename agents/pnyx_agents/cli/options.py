"""Options and small outputs that several commands share."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pnyx_agents.cli.arguments import ADDRESS, BLOCK, BLOCK_TAG

if TYPE_CHECKING:
    from pnyx_agents.settings import Settings
    from pnyx_policies.audit import Period
    from pnyx_policies.disclosure import Disclosure
    from pnyx_tools.reader import ChainReader

C = TypeVar("C", bound=Callable[..., Any])

USUAL_CONFIG = Path("pnyx.toml")

config_option = click.option(
    "--config", "-c", "config", type=click.Path(path_type=Path), default=USUAL_CONFIG, show_default=True,
    help="The agent's configuration.",
)  # fmt: skip
since_option = click.option(
    "--since", help="Begin of the period: 2026-03-01 (UTC), 2026-03-01T18:00Z, or a block. It belongs to it."
)
until_option = click.option(
    "--until", help="End of the period: a day (to its end), a time, or a block. It belongs to it."
)
other_rpc_option = click.option(
    "--other-rpc", "other_rpcs", multiple=True,
    help="JSON-RPC endpoint of another chain, to simulate there what messages do; can be given several times.",
)  # fmt: skip
disclosure_option = click.option(
    "--disclosure", "disclosures", multiple=True, type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file that opens sealed fields of a record; can be given several times.",
)  # fmt: skip
rpc_option = click.option("--rpc", required=True, help="JSON-RPC endpoint of the chain.")
log_option = click.option("--log", "log", type=ADDRESS, required=True, help="The decision log.")
evidence_option = click.option(
    "--evidence", help="Folder or URL of the bundles; default: where each writer says on chain."
)
factory_option = click.option(
    "--factory", type=ADDRESS, help="The one gate factory to accept; default: any with our code."
)
upto_option = click.option(
    "--upto", type=BLOCK_TAG, default="finalized", show_default=True, help="Check up to this block: a tag or a number."
)
from_block_option = click.option(
    "--from-block", type=BLOCK, help="Where the log's events begin; found out when left out."
)
password_option = click.option(
    "--password-file", type=click.Path(path_type=Path), help="Its password; else it is asked for."
)
plain_logs_option = click.option("--plain-logs", is_flag=True, help="Readable log lines instead of JSON.")
typed_data_option = click.option(
    "--typed-data", "typed_data", type=click.Path(path_type=Path, dir_okay=False),
    help="For a wallet elsewhere: only write what it signs into this file. With --signature: the file that was signed.",
)  # fmt: skip
signature_option = click.option("--signature", help="The wallet's signature over the file of --typed-data, 0x...")
order_to_option = click.option(
    "--to", type=click.Path(path_type=Path), help="Only sign the order, into this file. With --keystore."
)
order_from_option = click.option(
    "--from", "order_file", type=click.Path(path_type=Path), help="Hand over an order that was signed so."
)
format_option = click.option(
    "--format", "form", type=click.Choice(["text", "markdown", "html"]), default="text", show_default=True,
    help="How it is written.",
)  # fmt: skip
output_option = click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Into this file instead of on stdout."
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, nothing else.")


def keystore_option(whose: str, *, required: bool = False) -> Callable[[C], C]:
    """A person's key; `whose` tells them what it does here. `password_option` follows it."""
    return click.option("--keystore", type=click.Path(path_type=Path), required=required, help=whose)


def option_for(config: Path) -> str:
    """What a next command needs to find the same configuration; nothing for the usual one."""
    return "" if config == USUAL_CONFIG else f" -c {shlex.quote(str(config))}"


def period_of(since: str | None, until: str | None) -> Period:
    """Raises `UsageError` for what is no period."""
    from pnyx_contracts.errors import UsageError
    from pnyx_policies.audit import Bound, Period

    period = Period(
        since=Bound.parse(since, end=False) if since is not None else None,
        until=Bound.parse(until, end=True) if until is not None else None,
    )
    if period.is_backwards:
        raise UsageError(f"the period ends ({until}) before it begins ({since})", hint="--since the earlier one")
    return period


def opened(file: Path) -> Disclosure:
    """Raises `UsageError` when it is none, `DiffersError` when it was tampered with."""
    from pnyx_contracts.errors import DecodingError, DiffersError, UsageError
    from pnyx_policies.disclosure import open_disclosure

    try:
        return open_disclosure(file.read_bytes())
    except DecodingError as error:
        raise UsageError(f"{file} is no disclosure: {error.message}", hint="pnyx disclose writes them") from error
    except DiffersError as error:
        raise DiffersError(f"{file}: {error.message}", hint="ask the operator for another one") from error


def other_readers(urls: Iterable[str]) -> dict[int, ChainReader]:
    """By the ids of their chains, which are asked for. Raises `UsageError` for two of one chain."""
    from pnyx_contracts.errors import UsageError
    from pnyx_tools.rpc import Rpc

    found: dict[int, ChainReader] = {}
    for reader in map(Rpc, urls):
        chain_id = reader.chain_id()
        if chain_id in found:
            raise UsageError(f"two endpoints of chain {chain_id} are given", hint="--other-rpc once for each chain")
        found[chain_id] = reader
    return found


def settings_from(path: Path) -> Settings:
    from pnyx_agents.settings import load_settings

    return load_settings(path)


def path_lines(paths: Iterable[str]) -> str:
    """One indented line each. A backup may be a stranger's: nothing in it writes to the terminal."""
    from pnyx_policies.text import visible

    return "\n".join(f"  {visible(path)}" for path in paths)


def print_json(value: Any) -> None:  # noqa: ANN401 - any JSON
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
