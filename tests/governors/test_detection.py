"""Which governor is it? Only the contract's answers decide, and what is not certain is refused."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode

from pnyx_contracts.errors import UnknownEncodingError, UsageError
from pnyx_contracts.governors import GovernorProfile, Probe, builtin_adapters
from pnyx_contracts.governors.openzeppelin import OpenZeppelinGovernor
from pnyx_contracts.governors.recognition import hash_proposal
from pnyx_contracts.selectors import selector_of
from pnyx_contracts.types import ClockMode, Vote
from pnyx_tools.detect import detect
from pnyx_tools.reader import RpcError
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance, deploy_governance
from pnyx_tools.testing.fake_reader import FakeReader

ADDRESS = "0x323A76393544d5ecca80cd6ef2A560C6a395b7E3"
SIMPLE = "support=bravo&quorum=for,abstain"
V43 = ("bf26d897",)
V5 = ("65455a86",)
V53 = ("65455a86", "cdbdfcee")


def text(value: str) -> bytes:
    return encode(["string"], [value])


def governor(
    interfaces: tuple[str, ...] = V5,
    counting_mode: str | None = SIMPLE,
    clock_mode: str | None = "mode=blocknumber&from=default",
    answers: dict[str, bytes] | None = None,
) -> FakeReader:
    """An address that answers like an OpenZeppelin governor with hashed ids."""
    reader = FakeReader(chain_id=1)
    for interface in interfaces:
        call = selector_of("supportsInterface(bytes4)") + encode(["bytes4"], [bytes.fromhex(interface)])
        reader.answer(ADDRESS, call, encode(["bool"], [True]))
    reader.answer(ADDRESS, selector_of("supportsInterface(bytes4)"), encode(["bool"], [False]))
    reader.answer(ADDRESS, selector_of("name()"), text("ENS Governor"))
    hashed = hash_proposal((), bytes(32)).to_bytes(32, "big")
    replies = {"hashProposal(address[],uint256[],bytes[],bytes32)": hashed}
    if "cdbdfcee" in interfaces:
        replies["getProposalId(address[],uint256[],bytes[],bytes32)"] = hashed
    if counting_mode is not None:
        replies["COUNTING_MODE()"] = text(counting_mode)
    if clock_mode is not None:
        replies |= {"CLOCK_MODE()": text(clock_mode), "clock()": encode(["uint48"], [7])}
    for signature, reply in (replies | (answers or {})).items():
        reader.answer(ADDRESS, selector_of(signature), reply)
    return reader


def profile_of(reader: FakeReader) -> GovernorProfile:
    return detect(reader, ADDRESS, builtin_adapters())[1]


def test_a_governor_of_4_3_has_no_clock_and_counts_blocks():
    profile = profile_of(governor(V43, clock_mode=None))
    assert (profile.name, profile.clock_mode, profile.can_vote) == ("ENS Governor", ClockMode.BLOCK, True)
    assert profile.timelock is None


@pytest.mark.parametrize(
    "counting_mode",
    [
        "support=bravo,fractional&quorum=for,abstain&params=fractional",
        "support=bravo,override&quorum=for,abstain&overridable=true",
        "support=bravo&quorum=against,for,abstain&params=modules",
        "support=for&params=account&counting=threshold",
        "support=bravo&quorum=bravo",
        "support=bravo&quorum=for,abstain&extra",
        "support=bravo&support=for&quorum=for,abstain",
        "",
    ],
)
def test_any_other_way_of_counting_is_read_but_not_voted_on(counting_mode: str):
    profile = profile_of(governor(counting_mode=counting_mode))
    assert not profile.can_vote
    assert repr(counting_mode) in profile.cannot_vote_because
    adapter = OpenZeppelinGovernor()
    with pytest.raises(UnknownEncodingError, match="no votes"):
        adapter.support_of(profile, Vote.FOR)
    with pytest.raises(UnknownEncodingError, match="no votes"):
        adapter.encode_vote(profile, 2**200, Vote.FOR, "")


@pytest.mark.parametrize(
    ("interfaces", "answers"),
    [
        pytest.param(
            V5, {"hashProposal(address[],uint256[],bytes[],bytes32)": encode(["uint256"], [402])}, id="compound"
        ),
        pytest.param(
            V53, {"getProposalId(address[],uint256[],bytes[],bytes32)": encode(["uint256"], [7])}, id="storage"
        ),
        pytest.param(V53, {"getProposalId(address[],uint256[],bytes[],bytes32)": b""}, id="oz-sequential"),
        pytest.param(V5, {"hashProposal(address[],uint256[],bytes[],bytes32)": b""}, id="no-answer"),
    ],
)
def test_numbered_ids_are_found_out_and_not_voted_on(interfaces, answers):
    profile = profile_of(governor(interfaces, answers=answers))
    assert not profile.can_vote
    assert "numbered" in profile.cannot_vote_because


def test_hashed_ids_of_5_3_are_fine():
    assert profile_of(governor(V53)).can_vote


@pytest.mark.parametrize("clock_mode", ["mode=epoch", "mode=blocknumber&from=eip155:1", "", "mode=timestamp" * 20])
def test_an_unknown_clock_is_refused(clock_mode: str):
    with pytest.raises(UnknownEncodingError, match="clock"):
        profile_of(governor(clock_mode=clock_mode))


def test_a_clock_that_does_not_say_its_unit_is_refused():
    with pytest.raises(UnknownEncodingError, match="clock"):
        profile_of(governor(clock_mode=None, answers={"clock()": encode(["uint48"], [7])}))


@pytest.mark.parametrize(
    "reader",
    [
        pytest.param(governor(interfaces=()), id="no ERC-165: Alpha, Bravo, Nouns"),
        pytest.param(governor(interfaces=("4e2312e0",)), id="another interface"),
        pytest.param(governor(counting_mode=None), id="no counting mode"),
        pytest.param(governor(interfaces=(*V5, "ffffffff")), id="supports everything"),
        pytest.param(governor(answers={"COUNTING_MODE()": encode(["uint256"], [1])}), id="counting mode is no text"),
    ],
)
def test_what_is_no_openzeppelin_governor_is_not_recognised(reader: FakeReader):
    with pytest.raises(UnknownEncodingError, match="no governor that we know"):
        profile_of(reader)


def test_a_contract_that_answers_everything_with_one_is_not_recognised():
    questions = OpenZeppelinGovernor().probe_calls()
    one = (1).to_bytes(32, "big")
    probe = Probe(ADDRESS, 1, b"\xfe", dict.fromkeys(questions, one))
    assert OpenZeppelinGovernor().recognise(probe) is None


def test_two_adapters_that_both_say_yes_are_one_too_many():
    with pytest.raises(UnknownEncodingError, match="more than one"):
        detect(governor(), ADDRESS, (*builtin_adapters(), OpenZeppelinGovernor()))


def test_a_node_that_fails_is_not_a_contract_that_says_no():
    reader = governor()

    def fails(_: bytes) -> bytes:
        raise RpcError("too many requests")

    reader.answer(ADDRESS, selector_of("CLOCK_MODE()"), fails)
    with pytest.raises(RpcError):
        profile_of(reader)


def test_addresses_without_a_governor(governor_node: Anvil):
    adapters = builtin_adapters()
    with pytest.raises(UsageError, match="no contract"):
        detect(governor_node.rpc, governor_node.accounts[0], adapters)
    with pytest.raises(UsageError, match="20-byte address"):
        detect(governor_node.rpc, "ens.eth", adapters)
    delegated = "0x00000000000000000000000000000000000A11cE"
    governor_node.set_code(delegated, bytes.fromhex("ef0100") + b"\x11" * 20)
    with pytest.raises(UsageError, match=r"person's account .*0x1111"):
        detect(governor_node.rpc, delegated, adapters)


def test_tokens_and_timelocks_are_no_governors(governance: Governance):
    for address in (governance.token, governance.timelock):
        with pytest.raises(UnknownEncodingError):
            detect(governance.node.rpc, address, builtin_adapters())


def test_a_governor_behind_a_proxy_and_in_lower_case(governance: Governance):
    clone = "0x00000000000000000000000000000000000C10ne".replace("ne", "e0")
    code = f"363d3d373d3d3d363d73{governance.governor[2:].lower()}5af43d82803e903d91602b57fd5bf3"  # ERC-1167
    governance.node.set_code(clone, bytes.fromhex(code))
    _, profile = detect(governance.node.rpc, clone.lower(), builtin_adapters())
    assert profile.can_vote
    assert profile.token == governance.token


def test_a_fractional_governor_is_read_but_not_voted_on(governor_node: Anvil):
    governance = deploy_governance(governor_node, contract="GovernorFractional5")
    assert not governance.profile.can_vote
    proposal_id = governance.propose([governance.timelock], [1], [b""], "# Read me")
    assert governance.adapter.compute_id(governance.proposals[proposal_id]) == proposal_id
    governance.advance_to_active(proposal_id)
    with pytest.raises(UnknownEncodingError, match="fractional"):
        governance.vote(proposal_id, Vote.FOR, governor_node.accounts[0])
