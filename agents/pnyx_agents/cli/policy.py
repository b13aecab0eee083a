"""``pnyx policy``"""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pnyx_agents.cli import backtest
from pnyx_agents.cli.options import json_option, print_json

if TYPE_CHECKING:
    from pnyx_policies.dossier import Dossier

plugins_option = click.option(
    "--config", "-c", type=click.Path(path_type=Path), default=None,
    help="A configuration, whose plugin checks rules may name.",
)  # fmt: skip


@click.group("policy")
def command() -> None:
    """Rulesets: check, explain, test and try them. RULESET is one that ships, or a TOML file."""


command.add_command(backtest.command)


@command.command("check")
@click.argument("ruleset")
@plugins_option
@click.option("--whole", is_flag=True, help="Print the whole text instead: what is hashed and recorded.")
@json_option
def check(ruleset: str, config: Path | None, whole: bool, as_json: bool) -> None:
    """Whether a ruleset can be used; its rules in the order in which they are asked."""
    from pnyx_agents.console import Console
    from pnyx_agents.rulewords import print_ruleset, ruleset_as_json
    from pnyx_tools.rulebook import read_ruleset

    found = read_ruleset(ruleset, Path.cwd(), _checks(config))
    if as_json:
        print_json(ruleset_as_json(found))
    elif whole:
        click.echo(found.text, nl=False)
    else:
        print_ruleset(found, Console())


@command.command("explain")
@click.argument("ruleset")
@click.argument("what")
@click.option(
    "--config", "-c", type=click.Path(path_type=Path), default=Path("pnyx.toml"), show_default=True,
    help="The agent's configuration, to find a proposal of its.",
)  # fmt: skip
@click.option("--evidence", help="Folder or URL of the bundles, to find a record root without a configuration.")
@json_option
def explain(ruleset: str, what: str, config: Path, evidence: str | None, as_json: bool) -> None:
    """What a ruleset decides about a proposal, and every value that its rules see.

    WHAT is a proposal of this agent, a record root (0x...), a bundle file, or what `pnyx review --json` printed.
    Facts, findings and opinions are those of the record.
    """
    from pnyx_agents.console import Console
    from pnyx_agents.rulewords import print_explanation
    from pnyx_policies.explanation import explain as explained
    from pnyx_tools.rulebook import read_ruleset

    dossier = _dossier(what, config, evidence)
    checks = {*_checks(None), *(report.check for report in dossier.checks)}
    found = explained(read_ruleset(ruleset, Path.cwd(), checks), dossier.facts, dossier.checks, dossier.opinions)
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        print_explanation(found, Console())


@command.command("test")
@click.argument("place", type=click.Path(path_type=Path), metavar="FOLDER-OR-FILE")
@plugins_option
@json_option
def test(place: Path, config: Path | None, as_json: bool) -> None:
    """Run cases: proposals in few words, or saved records, with what a ruleset has to decide about each.

    Exit code 1 when one of them is decided otherwise.
    """
    from pnyx_agents.console import Console
    from pnyx_agents.rulecases.cases import run_cases
    from pnyx_agents.rulewords import print_results, results_as_json
    from pnyx_tools.plugins import enabled

    results = run_cases(place, enabled("pnyx.checks", _plugins(config)))
    if as_json:
        print_json(results_as_json(results))
    else:
        print_results(results, Console())
    if not all(result.passed for result in results):
        sys.exit(1)


@command.command("schema")
@plugins_option
@click.option("--cases", is_flag=True, help="That of files of cases instead.")
def schema(config: Path | None, cases: bool) -> None:
    """JSON Schema of ruleset files, for editors."""
    from pnyx_agents.rulecases.cases import CaseFile
    from pnyx_policies.ruleset_schema import ruleset_schema

    print_json(CaseFile.model_json_schema() if cases else ruleset_schema(_checks(config)))


def _checks(config: Path | None) -> list[str]:
    """Names of the checks that run."""
    from pnyx_policies.checks import builtin_checks

    return [*(check.name for check in builtin_checks()), *_plugins(config)]


def _plugins(config: Path | None) -> Collection[str]:
    from pnyx_agents.cli.options import settings_from

    return settings_from(config).policy.checks if config is not None else ()


def _dossier(what: str, config: Path, evidence: str | None) -> Dossier:
    """Raises `UsageError` when the record withholds something: a rule may look at it."""
    from pnyx_agents.cli.show import find
    from pnyx_agents.saved import read_dossier
    from pnyx_contracts.errors import DecodingError, UsageError
    from pnyx_policies.disclosure import Disclosure

    if Path(what).is_file():
        return read_dossier(Path(what))
    found = find(what, config, evidence)
    assert not isinstance(found, Disclosure), "only files are disclosures"
    try:
        return found.dossier
    except DecodingError as error:
        raise UsageError(f"rules need the whole record: {error.message}", hint="pnyx disclose opens fields") from error
