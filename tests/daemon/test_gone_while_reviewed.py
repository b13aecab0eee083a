"""A proposal that a reorganisation takes away while it is reviewed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from pnyx_agents.steward.clerk import Clerk
from pnyx_agents.steward.review import Review
from pnyx_agents.steward.steps import NotFinalError
from pnyx_agents.watch import found_in
from pnyx_contracts.types import Proposal, ProposalKey
from pnyx_tools.journal import Journal
from pnyx_tools.reader import RevertedError

GOVERNOR = "0x323A76393544d5ecca80cd6ef2A560C6a395b7E3"
NOTHING = cast("Any", None)
PROPOSAL = Proposal(
    key=ProposalKey(chain_id=1, governor=GOVERNOR, proposal_id=1), proposer=GOVERNOR, calls=(), description=b"# Pay",
    vote_start=1, vote_end=2, created_block=10, created_transaction=bytes(32),
)  # fmt: skip


class NobodyKnowsIt:
    """A reviewer whose node has no such proposal."""

    def establish(self, _proposal: Proposal) -> Any:
        raise RevertedError("unknown proposal")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(f"sqlite:///{tmp_path / 'journal.sqlite'}")
    journal.follow("1", [found_in(PROPOSAL)])
    yield journal
    journal.close()


def establish(journal: Journal) -> None:
    clerk = Clerk(journal, NOTHING, NOTHING, NOTHING)
    review = Review(cast("Any", NobodyKnowsIt()), NOTHING, clerk, NOTHING, threading.Semaphore())
    review.do("establish", PROPOSAL.model_dump(mode="json"))


def test_it_is_waited_for_while_it_is_gone(journal: Journal) -> None:
    journal.rewind("2", above=9, since="1")
    with pytest.raises(NotFinalError, match="is gone; it may come again"):
        establish(journal)


def test_what_is_there_and_unknown_to_the_governor_fails(journal: Journal) -> None:
    with pytest.raises(RevertedError):
        establish(journal)
