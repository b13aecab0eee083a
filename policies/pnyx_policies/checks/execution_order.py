"""execution-order: Can somebody choose the order in which this is executed?"""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.context import GroundRules, OrderTried, ScheduledOrder, TimelockQueue
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.scheduling import scheduled_apart
from pnyx_policies.text import count


class ExecutionOrder:
    """Operations that a timelock holds apart from one another are executed in any order, and some not at all: by
    anybody, where the executor role is open. Check K16, incident I-20 (Sonne).

    High where the calls schedule several without a predecessor and anybody may execute them, or they revert, or move
    other money or power, in the reverse order; else medium. Low where operations wait in the governor's own open
    timelock and call what this proposal calls; `live-proposals` tries it after them. The calls of one operation stay
    together. Not seen: other orders, those of which some are left out, and what other timelocks hold.
    """

    name = "execution-order"
    version = "2"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        rules = view.context(GroundRules)
        return (*self._scheduled(view, rules), *self._waiting(view, rules))

    def _scheduled(self, view: CheckView, rules: GroundRules) -> Iterator[Finding]:
        order = view.context_if_known(ScheduledOrder)
        for timelock, calls in scheduled_apart(view.facts.every_call()).items():
            anybody, tried = rules.is_open(timelock), order.of(timelock) if order else None
            matters = _reversed(tried) if tried else ""
            yield Finding(
                check=self.name,
                severity=Severity.HIGH if anybody or matters else Severity.MEDIUM,
                title=f"{len(calls)} operations in {timelock} that do not wait for one another",
                detail=f"{'Anybody' if anybody else 'An executor'} can execute them in any order, and leave some out."
                f"{matters}",
                calls=tuple(call.path for call in calls),
                evidence=(timelock,),
            )

    def _waiting(self, view: CheckView, rules: GroundRules) -> Iterator[Finding]:
        timelock = view.facts.governor.profile.timelock
        if timelock is None or not rules.is_open(timelock):
            return
        ours = {call.target for call in view.facts.every_call() if call.calldata and not call.other_chain}
        waiting = [
            operation
            for operation in view.context(TimelockQueue).operations
            if not operation.same_calls and ours.intersection(call.target for call in operation.calls)
        ]
        if waiting:
            yield Finding(
                check=self.name,
                severity=Severity.LOW,
                title=f"{timelock} has {count(len(waiting), 'operation')} waiting for what this proposal calls",
                detail="Anybody can execute them before or after this one, once their time has come.",
                evidence=tuple("0x" + operation.id.hex() for operation in waiting),
            )


def _reversed(tried: OrderTried) -> str:
    """What is other in the reverse order; empty where nothing is known to be."""
    if tried.reverts_reversed:
        return f" In the reverse order, {count(len(tried.reverts_reversed), 'call')} would revert."
    return " In the reverse order, other money or power would move." if tried.differs else ""
