"""timing: Is there time to look, to vote, and to leave?"""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.types import ClockMode
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.context import GroundRules, VotingPower
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Finding, Severity

HOUR, DAY = 3_600, 86_400
SHORTEST = {"voting delay": HOUR, "voting period": DAY, "timelock delay": HOUR}
"""Seconds. Below, few people can notice, answer, or leave."""

_SETTERS = {
    "setVotingDelay": "voting delay",
    "_setVotingDelay": "voting delay",
    "setVotingPeriod": "voting period",
    "_setVotingPeriod": "voting period",
    "updateDelay": "timelock delay",
    "setDelay": "timelock delay",
}


class Timing:
    """Short delays and periods: low where the DAO has them, high where this proposal sets them. A majority that the
    last tenth of the time to vote turned around: medium. Check K10, incidents I-8 (Audius), I-1 (Beanstalk).

    Ticks of a clock that counts blocks become seconds by the pace of the last blocks. Not judged: whether the people of
    this DAO sleep, and what a guardian may do in the meantime.
    """

    name = "timing"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        rules, power = view.context(GroundRules), view.context(VotingPower)
        return (*self._set_now(view.facts, rules), *self._as_it_is(view.facts, rules), *self._late(power))

    def _set_now(self, facts: Facts, rules: GroundRules) -> Iterator[Finding]:
        for call in facts.every_call():
            what, value = _SETTERS.get(call.name), _only_number(call)
            if what is None or value is None or call.other_chain:
                continue
            seconds = _seconds(facts, rules, what, value)
            if seconds < SHORTEST[what]:
                yield Finding(
                    check=self.name,
                    severity=Severity.HIGH,
                    title=f"The {what} becomes {_words(seconds)}",
                    detail=f"Less than {_words(SHORTEST[what])}.",
                    calls=(call.path,),
                    evidence=(call.target, str(value)),
                )

    def _as_it_is(self, facts: Facts, rules: GroundRules) -> Iterator[Finding]:
        now = {
            "voting delay": rules.voting_delay,
            "voting period": rules.voting_period,
            "timelock delay": rules.timelock_delay_seconds if facts.governor.profile.timelock else 0,
        }
        known = {what: _seconds(facts, rules, what, value) for what, value in now.items() if value is not None}
        short = [f"{what} {_words(s)}" for what, s in known.items() if s < SHORTEST[what]]
        if short:
            yield Finding(
                check=self.name,
                severity=Severity.LOW,
                title=f"Short by the DAO's own settings: {', '.join(short)}",
                evidence=(facts.governor.profile.address,),
            )

    def _late(self, power: VotingPower) -> Iterator[Finding]:
        late = power.late
        if late is not None and late.turned:
            yield Finding(
                check=self.name,
                severity=Severity.MEDIUM,
                title="Late votes turned the majority around",
                detail=(
                    f"Before block {late.since_block}, the last tenth of the time to vote: {late.early_for} for, "
                    f"{late.early_against} against. Since then: {late.late_for} for, {late.late_against} against."
                ),
            )


def _only_number(call: DecodedCall) -> int | None:
    values = [argument.value for argument in call.arguments]
    return int(values[0]) if len(values) == 1 and values[0].isdecimal() else None


def _seconds(facts: Facts, rules: GroundRules, what: str, value: int) -> int:
    in_seconds = what == "timelock delay" or facts.governor.profile.clock_mode is ClockMode.TIMESTAMP
    return value if in_seconds else value * rules.milliseconds_per_tick // 1000


def _words(seconds: int) -> str:
    for unit, name in ((DAY, "days"), (HOUR, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} seconds"
