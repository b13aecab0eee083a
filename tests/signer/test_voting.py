"""From a sealed decision to a vote that was read back, on a real node, through the real signer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pnyx_contracts.decision_log import subject, vote_action
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.types import Vote
from pnyx_tools.signer.settings import WriterKind
from pnyx_tools.voter import vote


@pytest.mark.parametrize("kind", list(WriterKind))
@pytest.mark.parametrize(("version", "clock"), [(4, "block"), (4, "timestamp"), (5, "block"), (5, "timestamp")])
def test_a_vote_lands_as_decided_with_its_entry_before_it(
    found: Callable[..., Any], kind: WriterKind, version: int, clock: str
) -> None:
    parliament = found(kind=kind, version=version, clock=clock)
    number = parliament.open()
    case = parliament.case(parliament.dossier(number))

    voted = vote(parliament.writer(), parliament.booth, case)

    assert voted.void is None
    assert voted.cast is not None
    assert voted.cast.vote is Vote.FOR
    assert voted.cast.voter == parliament.settings.writer
    assert voted.cast.reason == case.dossier.decision.reason
    assert voted.entry.kind is EntryKind.VOTE
    assert voted.entry.subject == subject(case.key)
    assert voted.entry.record_root == case.bundle.record_root
    assert voted.entry.action == vote_action(1)
    place = (voted.entry.block_number, voted.entry.log_index)
    assert place < (voted.cast.block_number, voted.cast.log_index)
    same = voted.entry.transaction_hash == voted.cast.transaction_hash
    assert same is (kind is WriterKind.GATE)
    against, in_favour, _ = parliament.node.rpc.read(
        parliament.governance.adapter.read_tally(parliament.governance.profile, number)
    )
    assert (against, in_favour) == (0, 500_000 * 10**18)
