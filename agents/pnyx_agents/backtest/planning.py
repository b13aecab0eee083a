"""From what is typed to what is tried."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pnyx_agents import assembly
from pnyx_agents.backtest.kept import FactsFolder
from pnyx_agents.backtest.models import analysts_of
from pnyx_agents.backtest.trying import Plan
from pnyx_agents.lookup import on_scratch
from pnyx_agents.settings import Settings
from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import Address
from pnyx_policies.ruleset import Ruleset
from pnyx_tools.follow import block_since
from pnyx_tools.model import ModelSettings
from pnyx_tools.reader import ChainReader
from pnyx_tools.rulebook import read_ruleset


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for, in the words of the command line."""

    governor: Address
    rulesets: tuple[str, ...] = ()
    """Empty for the one of the settings."""
    voter: Address | None = None
    since: str = "0"
    upto: int | str = "finalized"
    newest: int | None = None
    live: bool = False
    answers: Path | None = None
    facts: Path | None = None


def plan_of(wish: Wish, settings: Settings, reader: ChainReader, scratch: Path) -> Plan:
    """Raises `UsageError` for what cannot be: no such governor, ruleset, block, model. `scratch` stands for the agent's
    data folder, which is not touched.
    """
    judge = assembly.reviewer(on_scratch(settings.model_copy(update={"model": ()}), scratch), reader, None)
    analysts = analysts_of(settings, wish.answers, live=wish.live)
    upto = reader.block(wish.upto)
    first = block_since(reader, wish.since)
    if first > upto.number:
        raise UsageError(f"the range ends at block {upto.number}, before it begins at block {first}", hint="--upto")
    return Plan(
        judge=replace(judge, analysts=analysts, voter=wish.voter),
        governor=wish.governor,
        rulesets=_rulesets(wish, settings),
        models=_seated(wish, settings),
        from_block=first,
        upto=upto,
        newest=wish.newest,
        currency=settings.costs.currency,
        kept=FactsFolder(wish.facts),
    )


def _seated(wish: Wish, settings: Settings) -> tuple[ModelSettings, ...]:
    """The model behind each opinion."""
    asked = settings.model if wish.live or wish.answers is not None else ()
    return tuple(model for model in asked for _ in model.seats)


def _rulesets(wish: Wish, settings: Settings) -> tuple[Ruleset, ...]:
    """Paths begin where the command was typed."""
    if not wish.rulesets:
        return (settings.ruleset(),)
    checks = [check.name for check in assembly.checks(settings)]
    return tuple(read_ruleset(name, Path.cwd(), checks) for name in wish.rulesets)
