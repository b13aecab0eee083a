"""timing: Is there time to look, to vote, and to leave?"""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.types import ClockMode
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.context import GroundRules, VotingPower
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.week import DAY, weekday, weekend_seconds

HOUR = 3_600
SHORTEST = {"voting delay": HOUR, "voting period": DAY, "timelock delay": HOUR}
"""Seconds. Below, few people can notice, answer, or leave."""

A_WEEKS_WORK = 5 * DAY
"""A vote that is this long has working days, wherever it begins."""

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
    last tenth of the time to vote turned around: medium. A vote of one to five days of which more than half is Saturday
    and Sunday (UTC): info, low where less than a working day is left. Check K10, incidents I-8 (Audius), I-1
    (Beanstalk).

    Ticks of a clock that counts blocks become seconds by the pace of the last blocks. Not judged: holidays, which no
    chain knows, other weeks than that one, whether the people of this DAO sleep, and what a guardian may do meanwhile.
    """

    name = "timing"
    version = "2"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        rules, power = view.context(GroundRules), view.context(VotingPower)
        facts = view.facts
        return (
            *self._set_now(facts, rules),
            *self._as_it_is(facts, rules),
            *self._late(power),
            *self._on_a_weekend(facts, rules),
        )

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

    def _on_a_weekend(self, facts: Facts, rules: GroundRules) -> Iterator[Finding]:
        """Shorter votes than a day are found as such, whatever the day."""
        start, end = (_moment(facts, rules, clock) for clock in (facts.governor.snapshot, facts.governor.deadline))
        whole, off = end - start, weekend_seconds(start, end)
        if not DAY <= whole < A_WEEKS_WORK or off * 2 <= whole:
            return
        about = "About " if facts.governor.profile.clock_mode is ClockMode.BLOCK else ""
        yield Finding(
            check=self.name,
            severity=Severity.LOW if whole - off < DAY else Severity.INFO,
            title=f"{about}{off * 100 // whole}% of the time to vote is Saturday or Sunday",
            detail=(
                f"{about}{off // HOUR} of {whole // HOUR} hours, from {weekday(start)} to {weekday(end)} (UTC)"
                f"{', by the pace of the last blocks' if about else ''}."
            ),
        )


def _only_number(call: DecodedCall) -> int | None:
    values = [argument.value for argument in call.arguments]
    return int(values[0]) if len(values) == 1 and values[0].isdecimal() else None


def _seconds(facts: Facts, rules: GroundRules, what: str, value: int) -> int:
    in_seconds = what == "timelock delay" or facts.governor.profile.clock_mode is ClockMode.TIMESTAMP
    return value if in_seconds else value * rules.milliseconds_per_tick // 1000


def _moment(facts: Facts, rules: GroundRules, clock: int) -> int:
    """Seconds since the epoch, when the governor's clock shows `clock`."""
    if facts.governor.profile.clock_mode is ClockMode.TIMESTAMP:
        return clock
    return facts.block.timestamp + (clock - facts.governor.now) * rules.milliseconds_per_tick // 1000


def _words(seconds: int) -> str:
    for unit, name in ((DAY, "days"), (HOUR, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} seconds"
