"""What one bundle tells: what was decided, why and by whom, and what the model was asked.

A field that the record withholds leaves its part empty, and its name stands in `withheld`; nothing is put in its place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from decimal import Decimal
from itertools import pairwise
from typing import Final

from pnyx_contracts.types import Value, Vote
from pnyx_policies.answer import OK, TOOL_CALL, Usage, usage_of
from pnyx_policies.approval import signed_by, wanted_vote
from pnyx_policies.bundle import Bundle
from pnyx_policies.decision import Mode, Outcome
from pnyx_policies.dossier import NOBODY, Attempt, Dossier
from pnyx_policies.finding import Severity
from pnyx_policies.prices import Prices, spelled, total
from pnyx_policies.verify.record import dossier_of

LONGEST_TEXT: Final = 600
"""Characters of one text in a report; a record may hold megabytes."""
MOST_NAMES: Final = 100
"""Rules, steps and models that one row names."""


class ModelUse(Value):
    """What the language models behind one decision, or behind many, were asked and what they took."""

    opinions: int = 0
    """Analyses that were asked for."""
    requests: int = 0
    """Every request counts: retries, and turns after a tool's call."""
    retries: int = 0
    """Requests after one that failed, for the same opinion."""
    failures: int = 0
    input_tokens: int = 0
    """As the responses say it themselves; see `without_tokens`."""
    output_tokens: int = 0
    without_tokens: int = 0
    """Requests about whose tokens nothing is known."""
    cost: str | None = None
    """Of the tokens that are known and have a price; a decimal in the table's currency. None without a table."""
    unpriced: tuple[str, ...] = ()
    """Models that have no price in the table, so `cost` lacks theirs."""


class PersonWord(Value):
    """What a person said, and what that did."""

    effect: str
    """``confirmed`` the vote of the rules, ``changed`` it, ``lifted`` a hold, ``rejected`` what people were asked for,
    ``vetoed`` a vote that the rules would have cast; ``expired``: too few were heard in time."""
    person: str
    """All who are heard in the record, nobody when the wait ended so."""
    signed: bool
    """There are signatures, and they are theirs. Whether the words count is the verifier's step 20."""
    vote: str | None
    comment: str

    @property
    def overrides(self) -> bool:
        """True when somebody went another way than the rules."""
        return self.effect not in {"confirmed", "expired"}


class Story(Value):
    """What the evidence of one entry says."""

    evidence: str
    """``whole``, ``partly`` (see `withheld`), ``missing``, ``differs``, or ``none`` for an entry that has none."""
    why: str = ""
    """What is wrong with the evidence."""
    withheld: tuple[str, ...] = ()
    """Fields that the record does not show."""
    sealed: tuple[str, ...] = ()
    """Those of them that the configuration in force declares sealed."""
    disclosed: tuple[str, ...] = ()
    """Fields, and items of lists, that a disclosure opens: ``opinions``, ``rules[3]``."""
    agent: str | None = None
    mode: str | None = None
    outcome: str | None = None
    """Of the rules."""
    reason: str | None = None
    decided_by: str | None = None
    """The rule that decided, or ``eligibility`` or ``default``."""
    fired: tuple[str, ...] | None = None
    """Rules whose conditions held."""
    findings: dict[str, int] | None = None
    """Findings of the checks, by severity, the worst first."""
    person: PersonWord | None = None
    model: ModelUse | None = None
    skipped: tuple[str, ...] = ()
    """Steps that could not run, with the reasons, as the record says."""


NO_STORY: Final = Story(evidence="none")


def cut(text: str, limit: int = LONGEST_TEXT) -> str:
    """The text, or its beginning and how much is left out."""
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


def tell(bundle: Bundle, prices: Prices | None = None, sealed: Collection[str] = ()) -> Story:
    """The story of a bundle that hashes to its record root. Whether it is true is the verifier's business.

    `sealed` are the fields that the configuration in force declares sealed.
    """
    dossier, withheld = dossier_of(bundle), bundle.withheld
    shown = frozenset(Dossier.model_fields) - frozenset(withheld)
    header, decision = ("header" in shown, "decision" in shown)
    return Story(
        evidence="partly" if withheld else "whole",
        withheld=withheld,
        sealed=tuple(name for name in withheld if name in sealed),
        agent=cut(dossier.header.agent) if header else None,
        mode=dossier.header.mode.value if header else None,
        outcome=dossier.decision.outcome.value if decision else None,
        reason=cut(dossier.decision.reason) if decision else None,
        decided_by=cut(dossier.decision.decided_by) if decision else None,
        fired=_fired(dossier) if "rules" in shown else None,
        findings=_findings(dossier) if "checks" in shown else None,
        person=_person(dossier) if shown >= {"header", "proposal", "decision", "people"} else None,
        model=_model_use(bundle, dossier, prices) if "attempts" in shown else None,
        skipped=_skipped(dossier) if "state" in shown else (),
    )


def _fired(dossier: Dossier) -> tuple[str, ...]:
    return tuple(cut(rule.rule) for rule in dossier.rules if rule.matched)[:MOST_NAMES]


def _findings(dossier: Dossier) -> dict[str, int]:
    found = Counter(finding.severity for report in dossier.checks for finding in report.findings)
    return {severity.name.lower(): found[severity] for severity in reversed(Severity) if found[severity]}


def _skipped(dossier: Dossier) -> tuple[str, ...]:
    return tuple(cut(f"{skipped.step}: {skipped.why}") for skipped in dossier.state.skipped)[:MOST_NAMES]


def _person(dossier: Dossier) -> PersonWord | None:
    people = dossier.people
    if people == NOBODY:
        return None
    wanted = wanted_vote(dossier, people.words[0]) if people.give_vote else None
    return PersonWord(
        effect=_effect(dossier, wanted),
        person=cut(", ".join(word.person for word in people.words)),
        signed=bool(people.words) and all(signed_by(word) == word.person for word in people.words),
        vote=wanted.value if wanted else None,
        comment=cut(" / ".join(word.comment for word in people.words if word.comment)),
    )


def _effect(dossier: Dossier, wanted: Vote | None) -> str:
    outcome, people = dossier.decision.outcome, dossier.people
    if people.expired is not None:
        return "expired"
    if people.rejection is not None:
        by_itself = dossier.header.mode is Mode.AUTONOMOUS and outcome.vote is not None
        return "vetoed" if by_itself else "rejected"
    if outcome is Outcome.HOLD:
        return "lifted"
    return "confirmed" if wanted is outcome.vote else "changed"


def _model_use(bundle: Bundle, dossier: Dossier, prices: Prices | None) -> ModelUse:
    attempts = dossier.attempts
    used = [(attempt, _usage(bundle, attempt)) for attempt in attempts]
    counted = [u for _, u in used if u.input_tokens is not None and u.output_tokens is not None]
    costs: list[Decimal] = []
    unpriced: dict[str, None] = {}
    for attempt, usage in used:
        names = tuple(filter(None, (usage.served_model, _asked_model(dossier, attempt))))
        price = prices.find(*names) if prices else None
        if usage.input_tokens is None or usage.output_tokens is None:
            continue
        if price is not None:
            costs.append(price.of(usage.input_tokens, usage.output_tokens, usage.cached_tokens or 0))
        elif prices is not None:
            unpriced[cut(names[0]) if names else "a model without a name"] = None
    return ModelUse(
        opinions=len({attempt.opinion for attempt in attempts}),
        requests=len(attempts),
        retries=_retries(attempts),
        failures=sum(_failed(attempt) for attempt in attempts),
        input_tokens=sum(usage.input_tokens or 0 for usage in counted),
        output_tokens=sum(usage.output_tokens or 0 for usage in counted),
        without_tokens=len(used) - len(counted),
        cost=spelled(total(costs)) if prices else None,
        unpriced=tuple(unpriced)[:MOST_NAMES],
    )


def _failed(attempt: Attempt) -> bool:
    return attempt.outcome not in {OK, TOOL_CALL}


def _retries(attempts: tuple[Attempt, ...]) -> int:
    """Attempts that follow a failed one of the same opinion."""
    return sum(before.opinion == attempt.opinion and _failed(before) for before, attempt in pairwise(attempts))


def _usage(bundle: Bundle, attempt: Attempt) -> Usage:
    """From the response itself, which the prompt hash binds; where its bytes are withheld, as the record says."""
    body = bundle.bodies.get(attempt.response_hash) if attempt.response_hash is not None else None
    if body is not None:
        return usage_of(body)
    return Usage(
        served_model=attempt.served_model,
        input_tokens=_count(attempt.input_tokens),
        cached_tokens=_count(attempt.cached_tokens),
        output_tokens=_count(attempt.output_tokens),
    )


def _count(tokens: int | None) -> int | None:
    return tokens if tokens is not None and tokens >= 0 else None


def _asked_model(dossier: Dossier, attempt: Attempt) -> str:
    """What the configuration calls the model; empty where the opinions are withheld."""
    opinions = dossier.opinions if "opinions" in dossier.model_fields_set else ()
    return opinions[attempt.opinion].analyst.model if attempt.opinion < len(opinions) else ""
