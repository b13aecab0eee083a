"""target-without-code: is anything called that is no contract?"""

from __future__ import annotations

from pnyx_contracts.decoded import DecodedCall
from pnyx_policies.checks.protocol import CheckSkipped, CheckView
from pnyx_policies.finding import Finding, Severity

_LAST_PRECOMPILE = 0xFFFF


class TargetWithoutCode:
    """A call to an address without code succeeds and does nothing, until somebody puts code there: after the vote.

    Plain transfers of coin to such addresses are fine. Answers incident I-2 (Tornado Cash), check K2.
    """

    name = "target-without-code"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        calls = [c for c in view.facts.every_call() if _needs_code(c)]
        findings = tuple(self._finding(c) for c in calls if (t := view.facts.target(c.target)) and not t.has_code)
        unseen = sorted({c.target for c in calls if view.facts.target(c.target) is None})
        if unseen and not findings:
            raise CheckSkipped(f"nobody looked whether {', '.join(unseen[:3])} has code")
        return findings

    def _finding(self, call: DecodedCall) -> Finding:
        return Finding(
            check=self.name,
            severity=Severity.CRITICAL,
            title=f"{call.target} is called and has no code",
            detail="Code can appear there after the vote and before the execution.",
            calls=(call.path,),
            evidence=(call.target,),
        )


def _needs_code(call: DecodedCall) -> bool:
    carries = bool(call.calldata) or call.delegatecall
    return carries and not call.other_chain and int(call.target, 16) > _LAST_PRECOMPILE
