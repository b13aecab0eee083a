"""What a review is bound to. A change of any of it sends the proposal back to the start."""

from __future__ import annotations

from eth_abi.abi import encode
from eth_hash.auto import keccak

from pnyx_contracts.types import Proposal
from pnyx_policies.facts import TargetFacts

_TAG = keccak(b"pnyx.review.v1")
_IDENTITY = ["bytes32", "string", "uint256", "address", "uint256"]
_CONTENT = ["address[]", "uint256[]", "bytes[]", "string[]", "bytes32", "(address,bytes32,bytes32)[]"]


def review_digest(governor_kind: str, proposal: Proposal, targets: tuple[TargetFacts, ...]) -> bytes:
    """Digest of (kind, chain, governor, id, targets, values, calldatas, raw description bytes, code hashes).

    Code hashes cover each target that decoding reached and, for proxies, the implementation: code that changes after
    the review is a different proposal.
    """
    key, calls = proposal.key, proposal.calls
    codes = sorted((t.address, t.code_hash, t.implementation_code_hash or bytes(32)) for t in targets)
    identity = [_TAG, governor_kind, key.chain_id, key.governor, key.proposal_id]
    content = [
        [c.target for c in calls],
        [c.value_wei for c in calls],
        [c.calldata for c in calls],
        [c.signature for c in calls],
        keccak(proposal.description),
        codes,
    ]
    return keccak(encode([*_IDENTITY, *_CONTENT], [*identity, *content]))
