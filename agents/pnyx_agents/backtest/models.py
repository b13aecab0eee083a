"""Whom a backtest asks, and what that may cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from pnyx_agents import assembly
from pnyx_agents.analyst import AnalystPort
from pnyx_agents.meter import tokens
from pnyx_agents.outline import OutlineAnalyst
from pnyx_agents.settings import Settings
from pnyx_contracts.errors import UsageError
from pnyx_policies.answer import OK, TOOL_CALL
from pnyx_policies.audit.story import ModelUse
from pnyx_policies.dossier import Attempt
from pnyx_policies.prices import Rate, spelled, total
from pnyx_tools.answers import AnswerFolder, StoredModel
from pnyx_tools.costs import Caps, Spent
from pnyx_tools.model import Exchange, LangChainModel, Model, ModelSettings


def analysts_of(settings: Settings, answers: Path | None, *, live: bool) -> tuple[AnalystPort, ...]:
    """The models of the configuration, with answers of `answers`, live ones, or both; with neither, the outline
    analyst. Raises `UsageError` when a model is wanted and none is configured, and as `LangChainModel` does.
    """
    if answers is None and not live:
        return (OutlineAnalyst(),)
    if not settings.model:
        raise UsageError(
            "no model is configured: there is nobody to ask, and no request to look up",
            hint="--config names a file with [[model]]; without --live and --answers no model is needed",
        )
    return assembly.analysts(settings, Money(settings.costs.caps), _opening(answers, live=live))


def _opening(answers: Path | None, *, live: bool) -> Callable[[ModelSettings], Model]:
    if answers is None:
        return LangChainModel
    if live:
        answers.mkdir(parents=True, exist_ok=True)  # an answer that is paid for must find its place
    elif not answers.is_dir():
        raise UsageError(f"there is no folder of answers at {answers}", hint="--live asks the models, and makes it")
    folder = AnswerFolder(answers)
    return lambda model: StoredModel(model, folder, live=live)


@dataclass(slots=True)
class Money:
    """Implements `analyst.Meter` for one run, in memory: caps for a day count for the whole run. Stored answers are
    free.
    """

    caps: Caps
    spent: dict[str, Spent] = field(default_factory=dict)
    """By proposal."""

    def refusal(self, proposal: str) -> str:
        return self.caps.reached(self.spent.get(proposal, Spent()), _sum(list(self.spent.values())))

    @contextmanager
    def request(self, proposal: str, model: ModelSettings) -> Iterator[Callable[[Exchange, Attempt], None]]:
        def note(exchange: Exchange, attempt: Attempt) -> None:
            if not exchange.is_stored:
                cost = _cost(model.rate, *tokens(model, exchange, attempt))
                self.spent[proposal] = _sum([self.spent.get(proposal, Spent()), cost])

        yield note


def _cost(rate: Rate | None, given: int, said: int) -> Spent:
    return Spent(given + said, unpriced=1) if rate is None else Spent(given + said, rate.of(given, said))


def _sum(parts: Sequence[Spent]) -> Spent:
    return Spent(sum(p.tokens for p in parts), total(p.money for p in parts), sum(p.unpriced for p in parts))


def use_of(attempts: Sequence[Attempt], models: Sequence[ModelSettings]) -> ModelUse:
    """What the answers about one proposal took, stored or not. `models` sit in the committee's order."""
    counted = [a for a in attempts if a.input_tokens is not None and a.output_tokens is not None]
    costs: list[Decimal] = []
    unpriced: set[str] = set()
    for attempt in counted:
        model = models[attempt.opinion]
        if model.rate is None:
            unpriced.add(model.describe().name)
        else:
            costs.append(model.rate.of(attempt.input_tokens or 0, attempt.output_tokens or 0))
    return ModelUse(
        opinions=len({a.opinion for a in attempts}),
        requests=len(attempts),
        retries=len(attempts) - len({a.opinion for a in attempts}) - sum(a.outcome == TOOL_CALL for a in attempts),
        failures=sum(a.outcome not in {OK, TOOL_CALL} for a in attempts),
        input_tokens=sum(a.input_tokens or 0 for a in counted),
        output_tokens=sum(a.output_tokens or 0 for a in counted),
        without_tokens=len(attempts) - len(counted),
        cost=spelled(total(costs)) if costs or (attempts and not unpriced) else None,
        unpriced=tuple(sorted(unpriced)),
    )
