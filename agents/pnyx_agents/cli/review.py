"""``pnyx review``"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from pnyx_agents.cli.arguments import ADDRESS, BLOCK, PROPOSAL_ID
from pnyx_agents.cli.options import (
    format_option,
    json_option,
    other_readers,
    other_rpc_option,
    output_option,
    print_json,
)


@click.command("review")
@click.argument("governor", type=ADDRESS)
@click.argument("proposal_id", type=PROPOSAL_ID)
@click.option("--rpc", help="JSON-RPC endpoint; else chain.rpc of the configuration.")
@click.option("--fork", help="An anvil that forks the chain, to simulate what the endpoint cannot; else chain.fork.")
@other_rpc_option
@click.option(
    "--config", "-c", type=click.Path(path_type=Path), default=Path("pnyx.toml"), help="Configuration, if any."
)
@click.option(
    "--ruleset", default=None, help="A shipped ruleset or a TOML file; else the configuration's, else guardian."
)
@click.option("--voter", type=ADDRESS, help="Also judge this account's standing (voting power, voted already).")
@click.option("--from-block", type=BLOCK, default=0, show_default=True, help="How far back to look for the proposal.")
@format_option
@output_option
@json_option
def command(
    governor: str, proposal_id: int, rpc: str | None, fork: str | None, other_rpcs: tuple[str, ...], config: Path,
    ruleset: str | None, voter: str | None, from_block: int, form: str, output: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """The whole review of one proposal, without key or transaction: decode, simulate, analyze, check, decide."""
    from pnyx_agents.assembly import reviewer
    from pnyx_agents.console import Console, telling
    from pnyx_agents.lookup import find_proposal, meter_of, on_scratch, review_settings
    from pnyx_tools.endpoints import Pool
    from pnyx_tools.fork import Fork

    with TemporaryDirectory(prefix="pnyx-review-") as scratch, Console(stderr=True).status("reading") as status:
        settings = review_settings(governor, rpc, config, ruleset, Path(scratch))
        reader = Pool.of(settings.chain.rpc, settings.chain.chain_id)
        judge = reviewer(on_scratch(settings, Path(scratch)), reader, voter, meter_of(settings))
        judge = replace(
            judge,
            voter=voter or judge.voter,
            fork=Fork(fork) if fork else judge.fork,
            others={**judge.others, **other_readers(other_rpcs)},
        )
        tell = telling(status)
        proposal = find_proposal(reader, judge.governors[governor], proposal_id, from_block, tell)
        facts = judge.establish(proposal, tell=tell)
        said = judge.ask(facts, tell)
        tell("checking and deciding")
        dossier = judge.conclude(facts, said)
    if as_json:
        print_json(dossier.model_dump(mode="json"))
        return
    from pnyx_agents.reading.document import deliver
    from pnyx_policies.reading.blocks import line
    from pnyx_policies.reading.report import report_of

    look = line("This was a look only: nothing was recorded, nothing was sent.")
    deliver(report_of(dossier, end=(look,)), form, output)
