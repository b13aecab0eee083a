"""``pnyx policy backtest``"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from pnyx_agents.cli.arguments import ADDRESS, BLOCK_TAG
from pnyx_agents.cli.options import USUAL_CONFIG, json_option, print_json


@click.command("backtest")
@click.argument("governor", type=ADDRESS)
@click.option("--rpc", help="JSON-RPC endpoint of an archive node; else chain.rpc of the configuration.")
@click.option("--config", "-c", type=click.Path(path_type=Path), default=USUAL_CONFIG, help="Configuration, if any.")
@click.option(
    "--ruleset", "rulesets", multiple=True,
    help="One that ships, or a TOML file; several are compared. Else the configuration's, else guardian.",
)  # fmt: skip
@click.option("--voter", type=ADDRESS, help="Whose power and votes count; else somebody with power is assumed.")
@click.option("--since", default="0", show_default=True, help="Proposals from this block or date on.")
@click.option(
    "--upto", type=BLOCK_TAG, default="finalized", show_default=True, help="And up to this block; results as of it."
)
@click.option("--newest", type=click.IntRange(min=1), help="Only so many, the last ones.")
@click.option("--live", is_flag=True, help="Ask the configured models. It costs what they cost.")
@click.option(
    "--answers", type=click.Path(path_type=Path, file_okay=False),
    help="Folder of their answers: with --live, asked once and kept; without, nobody is asked.",
)  # fmt: skip
@click.option(
    "--facts", type=click.Path(path_type=Path, file_okay=False),
    help="Folder of what the node told: asked once and kept.",
)  # fmt: skip
@click.option("--html", "page", type=click.Path(path_type=Path, dir_okay=False), help="Write the report as a page.")
@json_option
def command(
    governor: str, rpc: str | None, config: Path, rulesets: tuple[str, ...], voter: str | None, since: str,
    upto: int | str, newest: int | None, live: bool, answers: Path | None, facts: Path | None, page: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """What rulesets would have done with the past proposals of a governor, beside what the voters did.

    Each proposal is reviewed as of the block in which its vote opened. No key, no transaction. See docs/backtest.md.
    """
    from pnyx_agents.backtest import Wish, backtest, html_of, plan_of, print_report
    from pnyx_agents.console import Console, telling
    from pnyx_agents.lookup import review_settings
    from pnyx_contracts.errors import UsageError
    from pnyx_tools.endpoints import Pool

    if page is not None and not page.parent.is_dir():
        raise UsageError(f"{page}: there is no folder {page.parent}", hint="--html names a file in one that is there")
    wish = Wish(
        governor=governor, rulesets=rulesets, voter=voter, since=since, upto=upto, newest=newest, live=live,
        answers=answers, facts=facts,
    )  # fmt: skip
    with TemporaryDirectory(prefix="pnyx-backtest-") as scratch, Console(stderr=True).status("reading") as status:
        settings = review_settings(governor, rpc, config, None, Path(scratch))
        reader = Pool.of(settings.chain.rpc, settings.chain.chain_id)
        report = backtest(plan_of(wish, settings, reader, Path(scratch)), telling(status))
    if page is not None:
        page.write_text(html_of(report), encoding="utf-8")
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        print_report(report, Console())
