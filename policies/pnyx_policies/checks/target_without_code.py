"""target-without-code: is anything called that is no contract?"""

from __future__ import annotations

from pnyx_contracts.decoded import DecodedCall
from pnyx_policies.checks.protocol import CheckSkipped, CheckView
from pnyx_policies.context import DestroyedCode
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Finding, Severity

_LAST_PRECOMPILE = 0xFFFF


class TargetWithoutCode:
    """A call to an address without code succeeds and does nothing, until somebody puts code there: after the vote.

    High when the code is there by now and was not when the proposal was made: who read it then read nothing. Low when
    it can destroy itself, unless this chain is known to keep such code: other code may then take its place. Plain
    transfers of coin to such addresses are fine. Answers incident I-2 (Tornado Cash), check K2.
    """

    name = "target-without-code"
    version = "3"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        calls = [c for c in view.facts.every_call() if _needs_code(c)]
        rules = view.context_if_known(DestroyedCode)
        stays = rules is not None and rules.makes_room is False
        findings = tuple(f for c in calls if (f := self._finding(view.facts, c, stays=stays)) is not None)
        unseen = sorted({c.target for c in calls if view.facts.target(c.target) is None})
        if unseen and not findings:
            raise CheckSkipped(f"nobody looked whether {', '.join(unseen[:3])} has code")
        return findings

    def _finding(self, facts: Facts, call: DecodedCall, *, stays: bool) -> Finding | None:
        target = facts.target(call.target)
        if target is None:
            return None
        if not target.has_code:
            severity, title = Severity.CRITICAL, f"{call.target} is called and has no code"
            detail = "Code can appear there after the vote and before the execution."
        elif facts.came_after_proposal(call.target):
            severity, title = Severity.HIGH, f"{call.target} is called and had no code when this was proposed"
            detail = "Its code was put there since: who read the proposal before has not seen it."
        elif target.can_destroy_itself and not stays and not call.delegatecall:
            severity, title = Severity.LOW, f"{call.target} is called and can destroy itself"
            detail = "On chains without EIP-6780 other code may come to lie there."
        else:
            return None
        evidence = (call.target,)
        return Finding(
            check=self.name, severity=severity, title=title, detail=detail, calls=(call.path,), evidence=evidence
        )


def _needs_code(call: DecodedCall) -> bool:
    carries = bool(call.calldata) or call.delegatecall
    return carries and not call.other_chain and int(call.target, 16) > _LAST_PRECOMPILE
