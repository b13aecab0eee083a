"""What a review is bound to: any change of it is another proposal."""

from __future__ import annotations

from typing import Any

import pytest

from pnyx_policies.dossier import Dossier
from pnyx_policies.review import review_digest

ELSEWHERE = "0x9999999999999999999999999999999999999999"
HASH = b"\x99" * 32


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("key", {"chain_id": 1}),
        ("key", {"governor": ELSEWHERE}),
        ("key", {"proposal_id": 1}),
        ("call", {"target": ELSEWHERE}),
        ("call", {"value_wei": 1}),
        ("call", {"calldata": b""}),
        ("call", {"signature": "transfer(address,uint256)"}),
        ("proposal", {"calls": ()}),
        ("proposal", {"description": b"\xfe"}),
        ("target", {"address": ELSEWHERE}),
        ("target", {"code_hash": HASH}),
        ("target", {"implementation_code_hash": HASH}),
    ],
)
def test_any_change_is_another_review(dossier: Dossier, part: str, change: dict[str, Any]) -> None:
    proposal, targets = dossier.proposal, dossier.state.targets
    before = review_digest("openzeppelin", proposal, targets)
    match part:
        case "key":
            proposal = proposal.model_copy(update={"key": proposal.key.model_copy(update=change)})
        case "call":
            proposal = proposal.model_copy(update={"calls": (proposal.calls[0].model_copy(update=change),)})
        case "proposal":
            proposal = proposal.model_copy(update=change)
        case "target":
            targets = (targets[0].model_copy(update=change),)
    assert review_digest("openzeppelin", proposal, targets) != before


def test_another_dialect_or_fewer_targets_are_another_review(dossier: Dossier) -> None:
    proposal, targets = dossier.proposal, dossier.state.targets
    digests = {review_digest(kind, proposal, some) for kind in ("openzeppelin", "compound") for some in (targets, ())}
    assert len(digests) == 4


def test_the_order_in_which_targets_were_reached_does_not_matter(dossier: Dossier) -> None:
    first = dossier.state.targets[0]
    second = first.model_copy(update={"address": ELSEWHERE})
    assert review_digest("openzeppelin", dossier.proposal, (first, second)) == review_digest(
        "openzeppelin", dossier.proposal, (second, first)
    )
