"""What a review is bound to. A change of any of it sends the proposal back to the start."""

from __future__ import annotations

from eth_abi.abi import encode
from eth_hash.auto import keccak

from pnyx_contracts.types import Proposal
from pnyx_policies.facts import TargetFacts

_TAG = keccak(b"pnyx.review.v1")


def review_digest(governor_kind: str, proposal: Proposal, targets: tuple[TargetFacts, ...]) -> bytes:
    """Digest of (kind, chain, governor, id, targets, values, calldatas, raw description bytes, code hashes).

    Code hashes cover each target that decoding reached and, for proxies, the implementation: code that changes after the
    review is a different proposal.
    """
    codes = sorted((t.address, t.code_hash, t.implementation_code_hash or bytes(32)) for t in targets)
    return keccak(
        encode(
            ["bytes32", "string", "uint256", "address", "uint256", "address[]", "uint256[]", "bytes[]", "string[]", "bytes32",
             "(address,bytes32,bytes32)[]"],
            [
                _TAG,
                governor_kind,
                proposal.key.chain_id,
                proposal.key.governor,
                proposal.key.proposal_id,
                [c.target for c in proposal.calls],
                [c.value_wei for c in proposal.calls],
                [c.calldata for c in proposal.calls],
                [c.signature for c in proposal.calls],
                keccak(proposal.description),
                codes,
            ],
        )
    )  # fmt: skip
