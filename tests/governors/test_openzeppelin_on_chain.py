"""The OpenZeppelin adapter against governors compiled from OpenZeppelin's own packages, on a real node."""

from __future__ import annotations

import itertools
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.types import ClockMode, ProposalState, Vote, VoteCast
from pnyx_tools.reader import RevertedError
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy_governance, encode_call
from pnyx_tools.wire import parse_logs

_unique = itertools.count()
NOBODY = "0x00000000000000000000000000000000DeaDBeef"


def propose(governance: Governance, description: bytes | str = "# Hello", sender: str | None = None) -> int:
    """A proposal that nobody made before: a transfer of some wei."""
    return governance.propose([NOBODY], [next(_unique)], [b""], description, sender)


def test_profile_says_what_the_governor_is(governance: Governance):
    profile = governance.profile
    assert profile.kind == "openzeppelin"
    assert profile.can_vote
    assert profile.counting_mode == "support=bravo&quorum=for,abstain"
    assert (profile.token, profile.timelock) == (governance.token, governance.timelock)
    assert profile.clock_mode is (ClockMode.TIMESTAMP if profile.name.endswith("Timestamp") else ClockMode.BLOCK)


calls = st.lists(
    st.tuples(st.binary(min_size=20, max_size=20), st.integers(0, 2**256 - 1), st.binary(max_size=200)),
    min_size=1,
    max_size=4,
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=calls, description=st.binary(max_size=500))
def test_any_bytes_are_decoded_and_hash_to_the_id_on_chain(governance: Governance, calls, description):
    description = next(_unique).to_bytes(8, "big") + description
    targets = ["0x" + target.hex() for target, _, _ in calls]
    proposal_id = governance.propose(targets, [v for _, v, _ in calls], [d for _, _, d in calls], description)

    proposal = governance.proposals[proposal_id]
    assert proposal.description == description
    assert [(bytes.fromhex(c.target[2:]), c.value_wei, c.calldata) for c in proposal.calls] == calls
    assert governance.adapter.compute_id(proposal) == proposal_id


def test_sixty_kilobytes_that_are_not_utf8_survive(governance: Governance):
    description = b"\xff\xfe\x00" + bytes(range(256)) * 240
    proposal_id = propose(governance, description)
    proposal = governance.proposals[proposal_id]
    assert proposal.description == description
    assert proposal.text.startswith("\\xff\\xfe")
    assert governance.adapter.compute_id(proposal) == proposal_id


def test_one_changed_byte_changes_the_id(governance: Governance):
    proposal_id = propose(governance, "# Title ")
    proposal = governance.proposals[proposal_id]
    trimmed = proposal.model_copy(update={"description": proposal.description.strip()})
    assert governance.adapter.compute_id(trimmed) != proposal_id


def test_snapshot_and_deadline_are_those_of_the_event(governance: Governance):
    proposal_id = propose(governance)
    proposal, rpc = governance.proposals[proposal_id], governance.node.rpc
    assert rpc.read(governance.adapter.read_snapshot(governance.profile, proposal_id)) == proposal.vote_start
    assert rpc.read(governance.adapter.read_deadline(governance.profile, proposal_id)) == proposal.vote_end
    assert governance.state(proposal_id) is ProposalState.PENDING


def test_power_and_quorum_at_the_snapshot(governance: Governance):
    adapter, profile, node = governance.adapter, governance.profile, governance.node
    proposal_id = propose(governance)
    snapshot = governance.proposals[proposal_id].vote_start
    with pytest.raises(RevertedError):
        node.rpc.read(adapter.read_voting_power(profile, node.accounts[0], snapshot + 10_000))

    governance.advance_to_active(proposal_id)
    powers = [node.rpc.read(adapter.read_voting_power(profile, a, snapshot)) for a in (*node.accounts[:3], NOBODY)]
    assert powers == [600_000 * TOKEN, 300_000 * TOKEN, 50_000 * TOKEN, 0]
    assert node.rpc.read(adapter.read_quorum(profile, snapshot)) == 40_000 * TOKEN


def votes_of(governance: Governance, receipt: dict) -> list[VoteCast]:
    logs = parse_logs(receipt["logs"])
    return [governance.adapter.decode_vote(governance.profile, log) for log in logs]


def test_votes_land_as_what_they_say(governance: Governance):
    adapter, profile, node = governance.adapter, governance.profile, governance.node
    proposal_id = propose(governance)
    governance.advance_to_active(proposal_id)
    assert governance.state(proposal_id) is ProposalState.ACTIVE

    said = zip((Vote.AGAINST, Vote.FOR, Vote.ABSTAIN), ("because ünïcödé", "", "x" * 500), node.accounts, strict=False)
    for vote, reason, voter in said:
        assert not node.rpc.read(adapter.read_has_voted(profile, proposal_id, voter))
        [cast] = votes_of(governance, governance.vote(proposal_id, vote, voter, reason))
        assert (cast.vote, cast.voter, cast.reason, cast.key.proposal_id) == (vote, voter, reason, proposal_id)
        assert cast.support == adapter.support_of(profile, vote)
        assert node.rpc.read(adapter.read_has_voted(profile, proposal_id, voter))

    tally = node.rpc.read(adapter.read_tally(profile, proposal_id))
    assert tally == (600_000 * TOKEN, 300_000 * TOKEN, 50_000 * TOKEN)  # against, for, abstain


def test_votes_with_parameters_are_read_too(governance: Governance):
    if governance.profile.name == "Governor43Block":
        pytest.skip("votes have parameters since 4.6")
    proposal_id = propose(governance)
    governance.advance_to_active(proposal_id)
    signature = "castVoteWithReasonAndParams(uint256,uint8,string,bytes)"
    data = encode_call(signature, proposal_id, 1, b"\xff not text", b"\x01\x02")
    [cast] = votes_of(governance, governance.node.send(governance.governor, data))
    assert (cast.vote, cast.reason, cast.weight) == (Vote.FOR, "\\xff not text", 600_000 * TOKEN)


def test_the_whole_life_of_a_proposal(governance: Governance):
    proposal_id = propose(governance)
    governance.advance_to_active(proposal_id)
    governance.vote(proposal_id, Vote.FOR, governance.node.accounts[0])
    governance.advance_to_closed(proposal_id)
    assert governance.state(proposal_id) is ProposalState.SUCCEEDED
    governance.queue(proposal_id)
    assert governance.state(proposal_id) is ProposalState.QUEUED
    before = governance.node.rpc.balance(NOBODY)
    governance.execute(proposal_id)
    assert governance.state(proposal_id) is ProposalState.EXECUTED
    assert governance.node.rpc.balance(NOBODY) - before == governance.proposals[proposal_id].calls[0].value_wei


@pytest.mark.parametrize("version", [4, 5])
def test_other_ends_of_a_proposal(governor_node: Anvil, version: Literal[4, 5]):
    governance = deploy_governance(governor_node, version, voting_delay=10)
    canceled, defeated = propose(governance), propose(governance)
    governance.cancel(canceled)
    assert governance.state(canceled) is ProposalState.CANCELED
    governance.advance_to_closed(defeated)
    assert governance.state(defeated) is ProposalState.DEFEATED


def test_state_of_an_unknown_proposal_is_a_revert_and_no_state(governance: Governance):
    with pytest.raises(RevertedError):
        governance.state(12345)


def test_events_of_another_governor_are_refused(governance: Governance):
    proposal_id = propose(governance)
    proposal = governance.proposals[proposal_id]
    receipt = governance.node.rpc.receipt(proposal.created_transaction)
    assert receipt is not None
    log = parse_logs(receipt["logs"])[0]
    assert governance.adapter.decode_created(governance.profile, log) == proposal
    with pytest.raises(DecodingError, match="not from the governor"):
        governance.adapter.decode_created(governance.profile, replace(log, address=NOBODY))
