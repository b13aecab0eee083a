"""The report about all trials: the same trials give the same bytes. docs/backtest.md has it in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, Literal

from pnyx_contracts.governors import GovernorProfile
from pnyx_contracts.types import Address, BlockRef, Bytes32, Uint, Value
from pnyx_policies.analysis import Analyst
from pnyx_policies.audit.story import ModelUse
from pnyx_policies.backtest.scores import Score, always_for, like_proposers_last, score
from pnyx_policies.backtest.shares import Share
from pnyx_policies.backtest.trial import Result, Trial, Untried
from pnyx_policies.conditions import Truth
from pnyx_policies.decision import Outcome
from pnyx_policies.finding import Severity, SeverityName
from pnyx_policies.prices import spelled, total
from pnyx_policies.ruleset import Ruleset

FORMAT: Final = "pnyx.backtest.v1"
_BESIDE_RULES: Final = {"default": "hold", "eligibility": "skip or hold"}
"""What decides where no rule does, see `decide`."""

_NOT_CORRECT: Final = (
    "Agreement with the outcome is not correctness. Voters pass bad proposals and defeat good ones, and a hostile "
    "proposal that passed counts here as one that should have passed."
)
_BASELINE: Final = "Most proposals pass. Whoever votes for everything agrees most of the time: compare with that."
_HINDSIGHT: Final = (
    "Rules, address books and names of addresses are those of today. Rules that were written with these proposals in "
    "mind agree with them."
)
_TRAINING: Final = (
    "A language model may have read about these proposals when it was trained. Only proposals that are younger than "
    "the model say what it can do."
)
CAVEATS: Final = (_NOT_CORRECT, _BASELINE, _HINDSIGHT, _TRAINING)
"""What a reader has to know before the first number."""


class Voter(Value):
    """Whose vote it would have been."""

    address: Address | None
    """None for nobody in particular: then `power` is assumed, and that there was no vote yet."""
    power: Uint | None
    """None where it was read on chain, for each proposal."""


class Ground(Value):
    """What was tried on, and how."""

    pnyx: str
    chain_id: int
    governor: GovernorProfile
    """As it was at `upto`; each proposal was reviewed with what it was then."""
    from_block: int
    upto: BlockRef
    """Results are those of this block; proposals that are open there are not tried."""
    voter: Voter
    analysts: tuple[Analyst, ...]
    currency: str
    """Of what the models cost."""
    checks: dict[str, str]
    """Versions by name."""
    tools: dict[str, str]


class RuleTally(Value):
    """What one rule did, over all trials."""

    rule: str
    then: str
    matched: int
    unknown: int
    """It could not be told whether it matches."""
    decided: int


class ReasonTally(Value):
    """Why so many proposals got no vote."""

    outcome: Outcome
    """Hold or skip."""
    decided_by: str
    reason: str
    count: int


class FindingTally(Value):
    """Proposals with such a finding."""

    check: str
    severity: SeverityName
    proposals: int
    passed: int
    defeated: int


class Tried(Value):
    """One ruleset, over all trials."""

    name: str
    version: str
    hash: Bytes32
    outcomes: dict[Outcome, int]
    """Of all trials, also those without a result."""
    score: Score
    rules: tuple[RuleTally, ...]
    """In their order; in the end what no rule decided."""
    no_vote: tuple[ReasonTally, ...]
    """The most frequent first."""


class Advised(Value):
    """One language model, as if its advice were the vote: what the rules add shows beside it."""

    analyst: str
    failures: int
    """Opinions without an analysis; they take no side."""
    score: Score


class BacktestReport(Value):
    """Everything. Shares are hundredths of a percent, see `Share`."""

    format: Literal["pnyx.backtest.v1"] = FORMAT
    caveats: tuple[str, ...] = CAVEATS
    ground: Ground
    results: dict[Result, int]
    without_result: int
    """Cancelled after the vote had opened."""
    always_for: Share
    like_proposers_last: Share
    """See `scores.like_proposers_last`."""
    rulesets: tuple[Tried, ...]
    advice: tuple[Advised, ...]
    """Of the language models, in the order of `ground.analysts`."""
    findings: tuple[FindingTally, ...]
    checks_skipped: dict[str, int]
    steps_skipped: dict[str, int]
    use: ModelUse
    """What the answers took, also those that were stored before."""
    trials: tuple[Trial, ...]
    """In the order of the chain."""
    untried: tuple[Untried, ...]


def report_of(
    ground: Ground, rulesets: Sequence[Ruleset], trials: Sequence[Trial], untried: Sequence[Untried]
) -> BacktestReport:
    """Sums over `trials`, each of which has a judgement of each of `rulesets`."""
    results = Counter(trial.result for trial in trials)
    return BacktestReport(
        ground=ground,
        results={result: results[result] for result in Result},
        without_result=results[None],
        always_for=always_for(trials),
        like_proposers_last=like_proposers_last(trials),
        rulesets=tuple(_tried(ruleset, place, trials) for place, ruleset in enumerate(rulesets)),
        advice=tuple(
            _advised(analyst, place, trials)
            for place, analyst in enumerate(ground.analysts)
            if analyst.is_language_model
        ),
        findings=_findings(trials),
        checks_skipped=_counted(name for trial in trials for name in trial.checks_skipped),
        steps_skipped=_counted(name for trial in trials for name in set(trial.steps_skipped)),
        use=sum_of(trial.use for trial in trials),
        trials=tuple(trials),
        untried=tuple(untried),
    )


def _tried(ruleset: Ruleset, place: int, trials: Sequence[Trial]) -> Tried:
    judged = [trial.judged[place] for trial in trials]
    outcomes = Counter(one.outcome for one in judged)
    pairs = [(t.result, one.outcome) for t, one in zip(trials, judged, strict=True) if t.result is not None]
    decided = Counter(one.decided_by for one in judged)
    why = Counter(
        (one.outcome, one.decided_by, one.reason) for one in judged if one.outcome in {Outcome.HOLD, Outcome.SKIP}
    )
    rules = [
        RuleTally(
            rule=rule.id,
            then=rule.then,
            matched=sum(one.rules[rule.id] is Truth.YES for one in judged),
            unknown=sum(one.rules[rule.id] is Truth.UNKNOWN for one in judged),
            decided=decided[rule.id],
        )
        for rule in ruleset.rules
    ]
    named = {rule.id for rule in ruleset.rules}
    rules += [
        RuleTally(rule=name, then=then, matched=decided[name], unknown=0, decided=decided[name])
        for name, then in _BESIDE_RULES.items()
        if decided[name] and name not in named
    ]
    return Tried(
        name=ruleset.name,
        version=ruleset.version,
        hash=ruleset.hash,
        outcomes={outcome: outcomes[outcome] for outcome in Outcome},
        score=score(pairs),
        rules=tuple(rules),
        no_vote=tuple(
            ReasonTally(outcome=outcome, decided_by=by, reason=reason, count=count)
            for (outcome, by, reason), count in sorted(why.items(), key=lambda one: (-one[1], one[0][1:]))
        ),
    )


def _advised(analyst: Analyst, place: int, trials: Sequence[Trial]) -> Advised:
    said = [(trial.result, trial.opinions[place].recommendation) for trial in trials]
    return Advised(
        analyst=analyst.seat,
        failures=sum(advice is None for _, advice in said),
        score=score((result, Outcome(advice or "hold")) for result, advice in said if result is not None),
    )


def _findings(trials: Sequence[Trial]) -> tuple[FindingTally, ...]:
    """The gravest first."""
    found: dict[tuple[Severity, str], list[Result | None]] = {}
    for trial in trials:
        for key in {(finding.severity, finding.check) for finding in trial.findings}:
            found.setdefault(key, []).append(trial.result)
    return tuple(
        FindingTally(
            check=check,
            severity=severity,
            proposals=len(results),
            passed=results.count(Result.PASSED),
            defeated=results.count(Result.DEFEATED),
        )
        for (severity, check), results in sorted(found.items(), key=lambda one: (-one[0][0], one[0][1]))
    )


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items(), key=lambda one: (-one[1], one[0])))


_NUMBERS: Final = ("opinions", "requests", "retries", "failures", "input_tokens", "output_tokens", "without_tokens")


def sum_of(uses: Iterable[ModelUse]) -> ModelUse:
    """What all of them took together. The cost is known where that of each is, for the models that have a price."""
    found = list(uses)
    costs = [Decimal(use.cost) for use in found if use.cost is not None]
    return ModelUse(
        **{name: sum(getattr(use, name) for use in found) for name in _NUMBERS},
        cost=spelled(total(costs)) if costs else None,
        unpriced=tuple(sorted({name for use in found for name in use.unpriced})),
    )
