"""execution-order: Can somebody choose the order in which this is executed?"""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_contracts.decoded import DecodedCall
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.context import GroundRules, TimelockQueue
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.text import count

_SCHEDULING = {"schedule", "scheduleBatch"}
_NO_PREDECESSOR = "0x" + "00" * 32


class ExecutionOrder:
    """Operations that a timelock holds apart from one another are executed in any order, and some not at all: by
    anybody, where the executor role is open. Check K16, incident I-20 (Sonne).

    High where the calls schedule several without a predecessor and anybody may execute them, medium where only some
    may. Low where operations wait in the governor's own open timelock and call what this proposal calls. The calls of
    one operation stay together. Not seen: whether an order matters, and what other timelocks hold.
    """

    name = "execution-order"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        rules = view.context(GroundRules)
        return (*self._scheduled(view, rules), *self._waiting(view, rules))

    def _scheduled(self, view: CheckView, rules: GroundRules) -> Iterator[Finding]:
        by_timelock: dict[str, list[DecodedCall]] = {}
        for call in view.facts.every_call():
            if call.name in _SCHEDULING and call.argument("predecessor") == _NO_PREDECESSOR and not call.other_chain:
                by_timelock.setdefault(call.target, []).append(call)
        for timelock, calls in by_timelock.items():
            if len(calls) < 2:
                continue
            anybody = rules.is_open(timelock)
            yield Finding(
                check=self.name,
                severity=Severity.HIGH if anybody else Severity.MEDIUM,
                title=f"{len(calls)} operations in {timelock} that do not wait for one another",
                detail=f"{'Anybody' if anybody else 'An executor'} can execute them in any order, and leave some out.",
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
