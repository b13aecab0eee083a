"""``pnyx verify``"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pnyx_agents.cli.arguments import ADDRESS, HASH
from pnyx_agents.cli.options import (
    disclosure_option,
    evidence_option,
    factory_option,
    from_block_option,
    json_option,
    log_option,
    opened,
    other_readers,
    other_rpc_option,
    print_json,
    upto_option,
)

if TYPE_CHECKING:
    from pnyx_policies.verify import Verdict


@click.command("verify")
@click.option(
    "--rpc", "rpcs", multiple=True, required=True,
    help="JSON-RPC endpoint of the chain; best one that keeps old state. Again for each further chain.",
)  # fmt: skip
@log_option
@click.option(
    "--writer", type=ADDRESS, help="Check this writer only, a gate or an account; default: every writer of the log."
)
@evidence_option
@click.option("--log-only", is_flag=True, help="Only steps 1 to 8: look at no evidence.")
@factory_option
@click.option("--fork", help="An anvil that forks the chain, to simulate what the endpoint cannot.")
@other_rpc_option
@click.option(
    "--second-rpc", "second_rpcs", multiple=True,
    help="Another node, which must show the same heads, entries, votes and proposals.",
)  # fmt: skip
@upto_option
@click.option(
    "--block-hash", type=HASH, help="Check up to the block with this hash, which you trust, and prove state against it."
)
@from_block_option
@click.option(
    "--verdicts", type=click.Path(dir_okay=False, path_type=Path), help="Write every verdict to this file, one a line."
)
@disclosure_option
@json_option
def command(
    rpcs: tuple[str, ...], log: str, writer: str | None, evidence: str | None, log_only: bool, factory: str | None,
    fork: str | None, other_rpcs: tuple[str, ...], second_rpcs: tuple[str, ...], upto: int | str,
    block_hash: bytes | None, from_block: int | None, verdicts: Path | None, disclosures: tuple[Path, ...],
    as_json: bool,
) -> None:  # fmt: skip
    """Check a decision log: anyone can, with one RPC endpoint and the log's address.

    Exit code 0: all that this node can check matches, and nothing that a decision rests on is withheld; 1: something
    differs, is missing or is not proven; 2: wrong usage; 3: an endpoint cannot be reached. See docs/verifying.md.
    """
    from pnyx_agents.console import Console
    from pnyx_contracts.errors import UsageError
    from pnyx_tools.fork import Fork
    from pnyx_tools.pinned import PinnedReader
    from pnyx_tools.rpc import Rpc
    from pnyx_tools.verifier import render, verify_chains

    if len(rpcs) > 1 and (block_hash is not None or disclosures or fork):
        raise UsageError("a block hash, a disclosure, or a fork belongs to one chain", hint="give --rpc once with it")
    if log_only and disclosures:
        raise UsageError("--log-only looks at no record that a disclosure could open", hint="leave one of them out")
    opening = [opened(file) for file in disclosures]
    console = Console(stderr=True)
    with ExitStack() as stack:
        on_verdict = _writing(stack, verdicts) if verdicts else None
        status = stack.enter_context(console.status("reading the log"))
        others, forked = other_readers(other_rpcs), Fork(fork) if fork else None
        readers = [PinnedReader(Rpc(rpc), fork=forked, others=others) if forked or others else Rpc(rpc) for rpc in rpcs]
        checked = verify_chains(
            readers, log, second_readers=[Rpc(rpc) for rpc in second_rpcs], writer=writer,
            evidence=evidence, factory=factory, upto=upto, block_hash=block_hash, from_block=from_block,
            disclosures=opening, log_only=log_only, on_verdict=on_verdict, progress=status.update,
        )  # fmt: skip
    if as_json:
        print_json(checked.chains[0].to_json() if len(rpcs) == 1 else checked.to_json())
    else:
        for report in checked.chains:
            render(report, Console())
    sys.exit(checked.exit_code)


def _writing(stack: ExitStack, path: Path) -> Callable[[int, Verdict], None]:
    """Writes each verdict as one line of JSON, with its chain and its writer."""
    import json

    file = stack.enter_context(path.open("w", encoding="utf-8"))

    def write(chain_id: int, verdict: Verdict) -> None:
        line = {"chain_id": chain_id, "writer": verdict.about.writer or None, **verdict.to_json()}
        file.write(json.dumps(line, ensure_ascii=False) + "\n")

    return write
