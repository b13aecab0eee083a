"""What a proposal is called in lists and messages."""

from __future__ import annotations

import pytest

from pnyx_agents.watch import TITLE_CHARACTERS, found_in
from pnyx_contracts.types import Proposal, ProposalKey

GOVERNOR = "0x323A76393544d5ecca80cd6ef2A560C6a395b7E3"


@pytest.mark.parametrize(
    ("description", "title"),
    [
        ("Pay the auditors", "Pay the auditors"),
        ("# Pay the auditors\n\nThey did well.", "Pay the auditors"),
        ("\r\n \n##\n## Pay the auditors ##\r\nThey did well.", "Pay the auditors"),
        ("Pay\u2028the auditors", "Pay"),
        ("Füße bezahlen\n", "Füße bezahlen"),
        ("x" * 500, "x" * TITLE_CHARACTERS),
        ("", "(no text)"),
        (" \n# \n\t", "(no text)"),
    ],
)
def test_the_first_line_that_says_something(description: str, title: str) -> None:
    key = ProposalKey(chain_id=1, governor=GOVERNOR, proposal_id=1)
    proposal = Proposal(
        key=key, proposer=GOVERNOR, calls=(), description=description.encode(), vote_start=1, vote_end=2,
        created_block=1, created_transaction=bytes(32),
    )  # fmt: skip
    assert found_in(proposal).title == title
