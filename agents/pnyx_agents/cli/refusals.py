"""``pnyx refusals``"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pnyx_agents.cli.options import config_option, json_option, print_json, settings_from

if TYPE_CHECKING:
    from pnyx_tools.signer.refusals import Refused


@click.command("refusals")
@config_option
@json_option
def command(config: Path, as_json: bool) -> None:
    """What the signer refused, and why: from its memory, also while it runs. Oldest first.

    Ask where the signer runs, as its user: its memory is a file that nobody else can read.
    """
    from pnyx_agents.assembly import signer_memory
    from pnyx_tools.signer.refusals import read_refusals

    refusals = read_refusals(signer_memory(settings_from(config)))
    if as_json:
        print_json([refused.model_dump(mode="json") for refused in refusals])
        return
    for refused in refusals:
        click.echo(_line(refused))
    if not refusals:
        click.echo("The signer refused nothing yet.")


def _line(refused: Refused) -> str:
    """The words of a refusal may quote a stranger's bundle: nothing in them writes to the terminal."""
    from pnyx_policies.text import visible
    from pnyx_tools.signer.protocol import Again

    when = datetime.fromtimestamp(refused.at, UTC).isoformat(" ", "seconds").removesuffix("+00:00")
    again = "" if refused.again is Again.NEVER else f" (asked again {refused.again.value})"
    about = (
        f"proposal {refused.proposal}, record {refused.record_root}"
        if refused.proposal
        else "no proposal that could be read"
    )
    return f"{when} UTC  {refused.request}{again}: {visible(refused.reason)}\n  {visible(about)}"
