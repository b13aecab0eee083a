"""``pnyx refusals``"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
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
    """What the signer refused, and why: from its memory, also while it runs. Oldest first; the same one after the other
    is told once.

    Ask where the signer runs, as its user: its memory is a file that nobody else can read.
    """
    from pnyx_agents.assembly import signer_memory
    from pnyx_tools.signer.refusals import read_refusals

    refusals = read_refusals(signer_memory(settings_from(config)))
    if as_json:
        print_json([refused.model_dump(mode="json") for refused in refusals])
        return
    for _, alike in groupby(refusals, key=_but_for_when):
        click.echo(_told(list(alike)))
    if not refusals:
        click.echo("The signer refused nothing yet.")


def _but_for_when(refused: Refused) -> Refused:
    return refused.model_copy(update={"at": 0})


def _told(alike: Sequence[Refused]) -> str:
    """The words of a refusal may quote a stranger's bundle: nothing in them writes to the terminal."""
    from pnyx_policies.text import visible
    from pnyx_tools.signer.protocol import Again

    refused = alike[0]
    times = f" and {len(alike) - 1} times more until {_time(alike[-1])}" if len(alike) > 1 else ""
    again = "" if refused.again is Again.NEVER else f" (asked again {refused.again.value})"
    about = (
        f"proposal {refused.proposal}, record {refused.record_root}"
        if refused.proposal
        else "no proposal that could be read"
    )
    return f"{_time(refused)}{times}  {refused.request}{again}: {visible(refused.reason)}\n  {visible(about)}"


def _time(refused: Refused) -> str:
    return f"{datetime.fromtimestamp(refused.at, UTC):%Y-%m-%d %H:%M:%S} UTC"
