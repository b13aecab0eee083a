"""Step 5: what the writer is, and what its code promises."""

from __future__ import annotations

from dataclasses import dataclass

from pnyx_contracts.addresses import delegate_of
from pnyx_contracts.artifacts import artifact
from pnyx_contracts.types import to_hex
from pnyx_policies.verify.verdict import About, Step, Tier, Verdict


@dataclass(frozen=True, slots=True)
class GateEvidence:
    """What was read about a writer that has code. Addresses are None where the contract did not answer."""

    factory: str | None
    """What the gate calls its factory."""
    factory_code: bytes
    confirmed: bool
    """The factory says that it made the gate."""


def check_writer(
    writer: str,
    log: str,
    code: bytes,
    gate: GateEvidence | None,
    trusted_factory: str | None = None,
    delegate_code: bytes = b"",
) -> tuple[Tier, Verdict]:
    """Step 5. `trusted_factory` is the one that the member wants to see; without it, any contract with our factory's
    code for this log will do, because that code and the gate's are all that the promise rests on. `delegate_code` is
    the code that an EIP-7702 account runs.

    Such an account counts as declared here; its votes (step 6) can show that it is atomic.
    """
    about = About(writer)
    if not code:
        return Tier.DECLARED, about.matches(Step.WRITER, reason="a plain key: entry first, then vote; not enforced")
    delegate = delegate_of(code)
    if delegate is not None:
        runs = _what_it_runs(delegate, delegate_code, log)
        reason = f"an EIP-7702 account that runs {runs}: its key can vote without an entry"
        return Tier.DECLARED, about.matches(Step.WRITER, reason=reason)
    problem = _gate_problem(log, code, gate, trusted_factory)
    if problem:
        return Tier.UNKNOWN, about.differs(Step.WRITER, "gate", reason=problem)
    return Tier.ENFORCED, about.matches(Step.WRITER, reason="a vote gate of ours: no vote without its entry")


def _what_it_runs(delegate: str, code: bytes, log: str) -> str:
    immutables = artifact("AtomicAccount").immutables_of(code)
    if immutables is None:
        return f"{delegate}, which is not our AtomicAccount"
    if _address(immutables["log"]) != log.lower():
        return f"our AtomicAccount at {delegate} for another log"
    return f"our AtomicAccount at {delegate}"


def _gate_problem(log: str, code: bytes, gate: GateEvidence | None, trusted_factory: str | None) -> str:
    immutables = artifact("VoteGate").immutables_of(code)
    if immutables is None:
        return "the writer is a contract with other code than our vote gate: it may vote without an entry"
    if _address(immutables["log"]) != log.lower():
        return f"the gate writes to another log, {to_hex(immutables['log'][12:])}"
    if gate is None or gate.factory is None or _address(immutables["factory"]) != gate.factory.lower():
        return "the gate does not say which factory made it"
    if trusted_factory is not None and gate.factory.lower() != trusted_factory.lower():
        return f"another factory made it: {gate.factory}, not {trusted_factory}"
    factory = artifact("VoteGateFactory").immutables_of(gate.factory_code)
    if factory is None:
        return f"its factory {gate.factory} has other code than ours"
    if _address(factory["log"]) != log.lower():
        return f"its factory {gate.factory} makes gates for another log"
    return "" if gate.confirmed else f"the factory {gate.factory} says that it did not make this gate"


def _address(word: bytes) -> str:
    return to_hex(word[12:])
