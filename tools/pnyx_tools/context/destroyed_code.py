"""Does SELFDESTRUCT still make room for other code on this chain?"""

from __future__ import annotations

from typing import Final

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.context.destroyed_code import DestroyedCode
from pnyx_policies.facts import Grade
from pnyx_tools.code import reached_addresses, read_targets
from pnyx_tools.reader import ChainReader, RevertedError
from pnyx_tools.wire import parse_data

MAX_TARGETS: Final = 256
"""As many as a review reads."""

_ONE: Final = (1).to_bytes(32, "big")
_COPY: Final = "0x5f5f5f5e60015f5260205ff3"
"""MCOPY of nothing, then return 1. The instruction came with EIP-6780, in Cancun. PUSH0, which it uses, is older."""


class DestroyedCodeTool:
    """Tries an instruction that came with EIP-6780: that a contract stays cannot be seen in a single call."""

    name = DestroyedCode.TOOL
    version = DestroyedCode.VERSION
    grade = Grade.RE_READ
    description = "Whether code that destroys itself makes room for other code on this chain."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,  # noqa: ARG002 - the protocol's
        profile: GovernorProfile,  # noqa: ARG002 - the protocol's
        proposal: Proposal,
        block: BlockRef,
    ) -> DestroyedCode:
        at = to_hex(block.hash)
        reached = reached_addresses(decode_calls(proposal.calls, proposal.key.chain_id))
        targets = read_targets(reader, reached[:MAX_TARGETS], at)
        if not any(target.can_destroy_itself for target in targets):
            return DestroyedCode(makes_room=None)
        return DestroyedCode(makes_room=makes_room(reader, block))


def makes_room(reader: ChainReader, block: BlockRef) -> bool:
    """Raises as the reader does, also for a node that answers with something else."""
    try:
        answer = parse_data(reader.request("eth_call", [{"data": _COPY}, {"blockHash": to_hex(block.hash)}]))
    except RevertedError:
        return True
    if answer != _ONE:
        raise ValueError("the node answers a call that creates nothing in a way that we do not know")
    return False
