"""Whom a backtest asks, what that may cost, and what is known already."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

from pnyx_agents import assembly
from pnyx_agents.analyst import AnalystPort
from pnyx_agents.meter import tokens as tokens_of
from pnyx_agents.outline import OutlineAnalyst
from pnyx_agents.settings import Settings
from pnyx_contracts.errors import UsageError
from pnyx_policies.analysis import Analyst
from pnyx_policies.answer import OK, TOOL_CALL
from pnyx_policies.audit.story import ModelUse
from pnyx_policies.dossier import Attempt
from pnyx_policies.prices import spelled, total
from pnyx_tools.answers import AnswerFolder
from pnyx_tools.costs import Caps, Spent
from pnyx_tools.model import NOT_SENT, Exchange, ModelSettings, NotSentError

_NO_KEY: Final = "nobody-is-asked"


def analysts_of(settings: Settings, answers: Path | None, *, live: bool) -> tuple[AnalystPort, ...]:
    """The models of the configuration, with answers of `answers`, live ones, or both; with neither, the outline
    analyst. Raises `UsageError` when a model is wanted and none is configured, when there is no folder and nobody is
    asked, and as `LangChainModel` does.
    """
    if answers is None and not live:
        return (OutlineAnalyst(),)
    if not settings.model:
        raise UsageError(
            "no model is configured: there is nobody to ask, and no request to look up",
            hint="--config names a file with [[model]]; without --live and --answers no model is needed",
        )
    keys = os.environ if live else {model.key_variable: _NO_KEY for model in settings.model}
    return assembly.analysts(settings, Money(settings.costs.caps, _folder(answers, live=live), live=live), keys)


def _folder(answers: Path | None, *, live: bool) -> AnswerFolder | None:
    if answers is None:
        return None
    if live:
        answers.mkdir(parents=True, exist_ok=True)  # an answer that is paid for must find its place
    elif not answers.is_dir():
        raise UsageError(f"there is no folder of answers at {answers}", hint="--live asks the models, and makes it")
    return AnswerFolder(answers)


@dataclass(slots=True)
class Money:
    """Implements `analyst.Meter` for one run, in memory: caps for a day count for the whole run. Answers that are kept
    are free.
    """

    caps: Caps
    answers: AnswerFolder | None
    live: bool
    """What is not among the answers may be asked."""
    spent: dict[str, Spent] = field(default_factory=dict)
    """By proposal."""

    def refusal(self, proposal: str) -> str:
        return self.caps.reached(self.spent.get(proposal, Spent()), _sum(list(self.spent.values())))

    @contextmanager
    def request(self, proposal: str, model: ModelSettings) -> Iterator[Callable[[Exchange, Attempt], None]]:
        def note(exchange: Exchange, attempt: Attempt) -> None:
            if not exchange.reused:
                self._keep(model, exchange)
                self.spent[proposal] = _sum([self.spent.get(proposal, Spent()), _cost(model, exchange, attempt)])

        yield note

    def recall(self, seat: Analyst, request: bytes) -> bytes | None:
        found = self.answers.next(seat, request) if self.answers else None
        if found is None and not self.live:
            raise NotSentError("no answer to this request is kept")
        return found

    def remember(self, seat: Analyst, request: bytes, response: bytes) -> None:
        """All answers are kept, also those of no use: so that the same run can be made again."""

    def _keep(self, model: ModelSettings, exchange: Exchange) -> None:
        if self.answers is not None and exchange.response is not None and not exchange.failure:
            self.answers.keep(model.describe(), exchange.request, exchange.response)


def _cost(model: ModelSettings, exchange: Exchange, attempt: Attempt) -> Spent:
    if exchange.failure == NOT_SENT:
        return Spent()
    given, said = tokens_of(model, exchange, attempt)
    if model.rate is None:
        return Spent(given + said, unpriced=1)
    return Spent(given + said, model.rate.of(given, said, attempt.cached_tokens or 0))


def _sum(parts: Sequence[Spent]) -> Spent:
    return Spent(sum(p.tokens for p in parts), total(p.money for p in parts), sum(p.unpriced for p in parts))


def use_of(attempts: Sequence[Attempt], models: Sequence[ModelSettings]) -> ModelUse:
    """What the answers about one proposal took, kept ones or not. `models`: the one behind each opinion."""
    counted = [a for a in attempts if a.input_tokens is not None and a.output_tokens is not None]
    costs: list[Decimal] = []
    unpriced: set[str] = set()
    for attempt in counted:
        model, taken = models[attempt.opinion], (attempt.input_tokens, attempt.output_tokens, attempt.cached_tokens)
        if model.rate is None:
            unpriced.add(model.describe().name)
        else:
            costs.append(model.rate.of(*(tokens or 0 for tokens in taken)))
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
