"""The OpenZeppelin adapter on bytes: honest ones come back whole, hostile ones are refused with one kind of error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.governors import GovernorProfile
from pnyx_contracts.governors.created import read_created
from pnyx_contracts.governors.openzeppelin import (
    CREATED_TOPIC,
    VOTE_TOPIC,
    VOTE_WITH_PARAMS_TOPIC,
    OpenZeppelinGovernor,
)
from pnyx_contracts.governors.recognition import hash_proposal
from pnyx_contracts.types import Call, ClockMode, Log, Proposal, ProposalKey, Vote, to_hex
from pnyx_tools.follow import from_kept, to_kept

ADDRESS = "0x323A76393544d5ecca80cd6ef2A560C6a395b7E3"
VOTER = "0x983110309620D911731Ac0932219af06091b6744"
ADAPTER = OpenZeppelinGovernor()
CREATED_TYPES = [
    "uint256", "address", "address[]", "uint256[]", "bytes[]", "bytes[]", "uint256", "uint256", "bytes",
]  # fmt: skip

uint256 = st.integers(0, 2**256 - 1)
addresses = st.binary(min_size=20, max_size=20).map(to_hex)
actions = st.lists(st.tuples(addresses, uint256, st.binary(max_size=100)), max_size=5)


def profile(**changes: object) -> GovernorProfile:
    values = {
        "kind": "openzeppelin",
        "address": ADDRESS,
        "chain_id": 1,
        "name": "ENS Governor",
        "version": "1",
        "counting_mode": "support=bravo&quorum=for,abstain",
        "clock_mode": ClockMode.BLOCK,
        "token": None,
        "timelock": None,
        "can_vote": True,
    }
    return GovernorProfile.model_validate(values | changes)


def log(data: bytes, *topics: bytes) -> Log:
    return Log(
        address=ADDRESS,
        topics=topics or (CREATED_TOPIC,),
        data=data,
        block_number=5,
        block_hash=bytes(32),
        transaction_hash=b"\x01" * 32,
        log_index=2,
    )


def created(actions, description: bytes = b"hi", signatures: list[bytes] | None = None) -> bytes:
    targets, values, calldatas = ([a[i] for a in actions] for i in range(3))
    given = signatures if signatures is not None else [b""] * len(actions)
    return encode(CREATED_TYPES, [2**255, VOTER, targets, values, given, calldatas, 10, 20, description])


@given(actions=actions, description=st.binary(max_size=2000))
def test_what_the_event_says_comes_back_whole(actions, description):
    proposal = ADAPTER.decode_created(profile(), log(created(actions, description)))
    assert proposal.description == description
    assert [(c.target.lower(), c.value_wei, c.calldata) for c in proposal.calls] == actions
    assert (proposal.proposer, proposal.vote_start, proposal.vote_end) == (VOTER, 10, 20)
    assert proposal.key == ProposalKey(chain_id=1, governor=ADDRESS, proposal_id=2**255)


@given(actions=actions, data=st.data())
def test_hostile_bytes_are_refused_and_nothing_else_is_raised(actions, data):
    honest = created(actions)
    at = data.draw(st.integers(0, len(honest) - 1))
    change = data.draw(st.sampled_from(["cut", "word", "byte", "append"]))
    if change == "cut":
        hostile = honest[:at]
    elif change == "append":
        hostile = honest + data.draw(st.binary(min_size=1, max_size=64))
    elif change == "byte":
        hostile = honest[:at] + data.draw(st.binary(min_size=1, max_size=1)) + honest[at + 1 :]
    else:
        word = at // 32 * 32
        hostile = honest[:word] + data.draw(uint256).to_bytes(32, "big") + honest[word + 32 :]
    try:
        proposal = ADAPTER.decode_created(profile(), log(hostile))
    except DecodingError:
        return
    # What is accepted means exactly what the bytes say: encoding it gives the same bytes.
    columns = [[getattr(c, name) for c in proposal.calls] for name in ("target", "value_wei", "calldata")]
    key, empty = proposal.key.proposal_id, [b""] * len(proposal.calls)
    again = [key, proposal.proposer, columns[0], columns[1], empty, columns[2], proposal.vote_start, proposal.vote_end]
    assert encode(CREATED_TYPES, [*again, proposal.description]) == hostile


@given(actions=actions, description=st.binary(max_size=300), data=st.data())
def test_the_fast_way_to_read_an_event_says_what_the_strict_one_says(actions, description, data):
    event = bytearray(created(actions, description))
    for at in data.draw(st.lists(st.integers(0, len(event) - 1), max_size=2)):
        event[at] = data.draw(st.integers(0, 255))
    fast = read_created(bytes(event))
    try:
        strict = ADAPTER._decode_slowly(profile(), log(bytes(event)))
    except DecodingError:
        strict = None
    assert (fast is None) == (strict is None)
    if strict is not None:
        assert ADAPTER.decode_created(profile(), log(bytes(event))) == strict
        assert Proposal.model_validate_json(strict.model_dump_json()) == strict
        assert from_kept(str(strict.key), to_kept(strict)) == strict


def test_a_thousand_offsets_to_one_blob_are_refused():
    count, blob = 1000, b"\xaa" * 32_000
    array = count.to_bytes(32, "big") + (32 * count).to_bytes(32, "big") * count
    array += len(blob).to_bytes(32, "big") + blob
    head = [2**255, int(VOTER, 16), 9 * 32, 9 * 32, 9 * 32, 9 * 32, 1, 2, 9 * 32]
    with pytest.raises(DecodingError):
        ADAPTER.decode_created(profile(), log(b"".join(n.to_bytes(32, "big") for n in head) + array))


def test_lists_of_different_length_are_refused():
    data = encode(CREATED_TYPES, [1, VOTER, [VOTER], [1, 2], [b""], [b""], 1, 2, b"x"])
    with pytest.raises(DecodingError, match="differ in length"):
        ADAPTER.decode_created(profile(), log(data))


def test_compound_style_signatures_are_refused():
    data = created([(VOTER, 0, b"")], signatures=[b"transfer(address,uint256)"])
    with pytest.raises(DecodingError, match="signatures empty"):
        ADAPTER.decode_created(profile(), log(data))


def test_events_with_other_topics_are_refused():
    with pytest.raises(DecodingError, match="topics differ"):
        ADAPTER.decode_created(profile(), log(created([]), CREATED_TOPIC, bytes(32)))
    with pytest.raises(DecodingError, match="topics differ"):
        ADAPTER.decode_created(profile(), log(created([]), VOTE_TOPIC))
    with pytest.raises(DecodingError, match="topics differ"):
        ADAPTER.decode_vote(profile(), log(created([]), VOTE_TOPIC, b"\x01" + bytes(31)))


@given(st.binary(max_size=200))
def test_reads_accept_their_type_and_refuse_all_else(answer: bytes):
    reads = [
        ADAPTER.read_state(profile(), 1),
        ADAPTER.read_has_voted(profile(), 1, VOTER),
        ADAPTER.read_quorum(profile(), 1),
        ADAPTER.read_tally(profile(), 1),
    ]
    for read in reads:
        try:
            read.decode(answer)
        except DecodingError:
            continue
        assert len(answer) in {32, 96}
    with pytest.raises(DecodingError, match="no proposal state"):
        reads[0].decode((8).to_bytes(32, "big"))
    with pytest.raises(DecodingError):
        reads[1].decode((2).to_bytes(32, "big"))


def vote_log(support: int, params: bytes | None = None) -> Log:
    voter = bytes(12) + bytes.fromhex(VOTER[2:])
    if params is None:
        data = encode(["uint256", "uint8", "uint256", "bytes"], [9, support, 77, b"why"])
        return log(data, VOTE_TOPIC, voter)
    data = encode(["uint256", "uint8", "uint256", "bytes", "bytes"], [9, support, 77, b"why", params])
    return log(data, VOTE_WITH_PARAMS_TOPIC, voter)


@pytest.mark.parametrize(
    ("counting_mode", "support", "params", "meaning"),
    [
        ("support=bravo&quorum=for,abstain", 0, None, Vote.AGAINST),
        ("support=bravo&quorum=for,abstain", 1, b"\x01", Vote.FOR),
        ("support=bravo&quorum=for,abstain", 3, None, None),
        ("support=bravo,fractional&quorum=for,abstain&params=fractional", 2, None, Vote.ABSTAIN),
        ("support=bravo,fractional&quorum=for,abstain&params=fractional", 255, b"\x01" * 48, None),
        ("support=bravo,fractional&quorum=for,abstain&params=fractional", 1, b"\x01", None),
        ("support=for&params=account&counting=threshold", 1, None, None),
    ],
)
def test_a_vote_means_something_only_where_that_is_certain(counting_mode, support, params, meaning):
    simple = counting_mode == "support=bravo&quorum=for,abstain"
    cast = ADAPTER.decode_vote(profile(counting_mode=counting_mode, can_vote=simple), vote_log(support, params))
    assert (cast.vote, cast.support, cast.voter, cast.weight, cast.reason) == (meaning, support, VOTER, 77, "why")


def test_a_counted_id_proves_nothing():
    proposal = ADAPTER.decode_created(profile(), log(created([])))
    counted = proposal.model_copy(update={"key": proposal.key.model_copy(update={"proposal_id": 412})})
    assert ADAPTER.compute_id(counted) is None


def test_encodings_agree_with_cast(cast):
    calls = [
        Call(target=ADDRESS, value_wei=2**255, calldata=b""),
        Call(target=VOTER, value_wei=0, calldata=bytes(range(70))),
    ]
    arguments = (
        f"[{','.join(c.target for c in calls)}]",
        f"[{','.join(str(c.value_wei) for c in calls)}]",
        f"[{','.join(to_hex(c.calldata) for c in calls)}]",
        to_hex(keccak(b"text")),
    )
    encoded = cast("abi-encode", "f(address[],uint256[],bytes[],bytes32)", *arguments)
    proposal_id = hash_proposal(calls, keccak(b"text"))
    assert hex(proposal_id) == "0x" + cast("keccak", encoded).removeprefix("0x").lstrip("0")

    for vote, support in ((Vote.AGAINST, "0"), (Vote.FOR, "1"), (Vote.ABSTAIN, "2")):
        said = ADAPTER.encode_vote(profile(), proposal_id, vote, "why not?")
        signature = "castVoteWithReason(uint256,uint8,string)"
        assert to_hex(said.data) == cast("calldata", signature, str(proposal_id), support, "why not?")
        assert said.to == ADDRESS
        silent = ADAPTER.encode_vote(profile(), proposal_id, vote, "")
        assert to_hex(silent.data) == cast("calldata", "castVote(uint256,uint8)", str(proposal_id), support)

    assert to_hex(CREATED_TOPIC) == cast(
        "sig-event", "ProposalCreated(uint256,address,address[],uint256[],string[],bytes[],uint256,uint256,string)"
    )
    read = ADAPTER.read_voting_power(profile(), VOTER, 7)
    assert to_hex(read.data) == cast("calldata", "getVotes(address,uint256)", VOTER, "7")


def test_ids_of_real_proposals(real_proposals: list[Path]):
    checked = 0
    for file in real_proposals:
        said = json.loads(file.read_text(encoding="utf-8"))
        if said.get("proposal_id") is None:
            continue
        columns = (said["targets"], said["values"], said["calldatas"])
        proposal = Proposal(
            key=ProposalKey(chain_id=said["chain_id"], governor=said["governor"], proposal_id=said["proposal_id"]),
            proposer=VOTER,
            calls=tuple(Call(target=t, value_wei=v, calldata=d) for t, v, d in zip(*columns, strict=True)),
            description=said["description"].encode(),
            vote_start=0,
            vote_end=0,
            created_block=0,
            created_transaction=bytes(32),
        )
        assert ADAPTER.compute_id(proposal) == proposal.key.proposal_id, file.name
        checked += 1
    assert checked, "none of the files carries a proposal_id"
