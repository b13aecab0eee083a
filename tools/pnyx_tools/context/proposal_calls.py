"""What a proposal would do, as far as two of them can be compared."""

from __future__ import annotations

from pnyx_contracts.types import Proposal


def does_nothing(proposal: Proposal) -> bool:
    """Without any call, or with nothing but calls without value and calldata."""
    return not any(call.value_wei or call.calldata for call in proposal.calls)


def functions(proposal: Proposal) -> list[tuple[str, str, bytes]]:
    """Whose function each call runs; a plain transfer of coin runs nobody's."""
    return [(c.target if c.calldata else "", c.signature, c.calldata[:4]) for c in proposal.calls]
