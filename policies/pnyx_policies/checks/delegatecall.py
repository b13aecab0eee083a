"""delegatecall: does foreign code run with the DAO's own rights?"""

from __future__ import annotations

from pnyx_contracts.decoded import DecodedCall
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.code import unsteady
from pnyx_policies.finding import Finding, Severity

# Safe's MultiSend and MultiSendCallOnly as deployed everywhere (safe-global/safe-deployments): they only batch.
BATCHING_LIBRARIES = {
    "0x8D29bE29923b68abfDD21e541b9374737B49cdAD": "MultiSend 1.1.1",
    "0xA238CBeb142c10Ef7Ad8442C6D1f9E89e07e7761": "MultiSend 1.3.0",
    "0x998739BFdAAdde7C933B942a68053933098f9EDa": "MultiSend 1.3.0 (eip155)",
    "0x38869bf66a61cF6bDB996A6aE40D5853Fd43B526": "MultiSend 1.4.1",
    "0x218543288004CD07832472D464648173c77D7eB7": "MultiSend 1.5.0",
    "0x40A2aCCbd92BCA938b02010E17A5b8929b49130D": "MultiSendCallOnly 1.3.0",
    "0xA1dabEF33b3B82c7814B6D82A79e50F4AC44102B": "MultiSendCallOnly 1.3.0 (eip155)",
    "0x9641d764fc13c8B624c04430C7356C1C7C8102e2": "MultiSendCallOnly 1.4.1",
    "0xA83c336B20401Af773B6219BA5027174338D1836": "MultiSendCallOnly 1.5.0",
}


class Delegatecall:
    """Critical, except for Safe's batching libraries (quiet) and code that the operator knows (high).

    Known code is critical too when it can destroy itself, or was put there after the proposal.

    Answers incidents I-1 (Beanstalk), I-2 (Tornado Cash), check K2.
    """

    name = "delegatecall"
    version = "2"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        calls = (c for c in view.facts.every_call() if c.delegatecall and not only_batches(c))
        return tuple(self._finding(view, c) for c in calls)

    def _finding(self, view: CheckView, call: DecodedCall) -> Finding:
        known = call.target in view.facts.known_addresses and not call.other_chain
        traits = () if call.other_chain else unsteady(view.facts, call.target)
        return Finding(
            check=self.name,
            severity=Severity.HIGH if known and not traits else Severity.CRITICAL,
            title=f"Code of {call.target} runs with the rights of {call.caller or 'the executor'}",
            detail=" ".join(("It can do whatever the caller can, and what it does is not in the calldata.", *traits)),
            calls=(call.path,),
            evidence=(call.target,),
        )


def only_batches(call: DecodedCall) -> bool:
    """Whether this is Safe's own code, whose calls stand in the calldata."""
    return call.target in BATCHING_LIBRARIES and call.signature == "multiSend(bytes)" and not call.other_chain
