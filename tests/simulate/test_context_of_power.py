"""Power, rules and initialisers, as the context tools read them from real governors."""

from __future__ import annotations

from typing import Any

import pytest

from pnyx_contracts.types import Vote
from pnyx_policies.checks import (
    CheckView,
    CodeUpgrade,
    LivePower,
    PrivilegeGrant,
    Proposer,
    Reinitialisation,
)
from pnyx_policies.context import (
    AccountKind,
    GroundRules,
    Initializers,
    LateVotes,
    PowerReceivers,
    Role,
    VotingPower,
)
from pnyx_policies.finding import Severity
from pnyx_tools.code import read_target
from pnyx_tools.context import (
    GroundRulesTool,
    InitializersTool,
    PowerReceiversTool,
    ProposerHistoryTool,
    UpgradedFunctionsTool,
    VotingPowerTool,
)
from pnyx_tools.context.alike import alike_bps
from pnyx_tools.context.history import recent_past
from pnyx_tools.gather import gather_facts
from pnyx_tools.pinned import PinnedReader
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.deploy import (
    TOKEN,
    Governance,
    delegate_account,
    deploy,
    deploy_governance,
    deploy_log,
    encode_call,
)
from pnyx_tools.testing.provider import Provider

NOBODY = "0x" + "00" * 20
ALWAYS_SEVEN = bytes.fromhex("60075f5260205ff3")
"""Answers every call with 7, whatever the moment it is asked about."""
OPEN_INITIALIZE = bytes.fromhex("5f3560e01c638129fc1c146011575f5ffd5b00")
"""Takes `initialize()` from anybody and reverts at anything else."""
SWALLOWS_ALL = bytes.fromhex("638129fc1c5000")
"""The selector stands in the code, and every call goes through."""
TARGET = "0x00000000000000000000000000000000000E0E0E"


def run(tool: Any, dao: Governance, proposal: int) -> Any:
    return tool.run(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal], dao.node.rpc.block())


def propose(dao: Governance, text: str = "# Pay\n\nPay one wei.", sender: str | None = None, amount: int = 1) -> int:
    return dao.propose([dao.node.accounts[5]], [amount], [b""], text, sender)


def call(dao: Governance, target: str, data: bytes, text: str = "# Call\n\nCall it.") -> int:
    return dao.propose([target], [0], [data], text)


# --- ground rules


@pytest.mark.parametrize("kind", ["dao", "dao4", "clocked"])
def test_the_rules_of_a_governor(kind: str, request: pytest.FixtureRequest) -> None:
    dao: Governance = request.getfixturevalue(kind)
    dao.node.increase_time(60)  # on a fast machine all of it came into being in one second
    rules: GroundRules = run(GroundRulesTool(), dao, propose(dao))
    period = 3_600 if kind == "clocked" else 50
    assert (rules.voting_delay, rules.voting_period, rules.proposal_threshold) == (1, period, 0)
    assert (rules.supply, rules.quorum) == (1_000_000 * TOKEN, 40_000 * TOKEN)
    assert (rules.timelock_delay_seconds, rules.flash_loan) == (0, None)
    assert rules.milliseconds_per_tick == 1_000 or kind != "clocked"
    assert rules.is_open(dao.timelock)
    roles = {(role.role, role.holder) for role in rules.roles}
    assert roles >= {("executor", NOBODY), ("proposer", dao.governor), ("canceller", dao.governor)}
    assert ("admin", dao.timelock) in roles
    assert not {holder for _, holder in roles} - {NOBODY, dao.governor, dao.timelock}


def test_the_roles_of_another_timelock_that_the_calls_use(dao: Governance) -> None:
    first = dao.node.accounts[0]
    closed = deploy(dao.node, "Timelock5", 60, [dao.timelock], [first], first)
    data = encode_call(
        "schedule(address,uint256,bytes,bytes32,bytes32,uint256)", TARGET, 0, b"", bytes(32), bytes(32), 60
    )
    rules = run(GroundRulesTool(), dao, call(dao, closed, data))
    assert not rules.is_open(closed)
    assert Role(timelock=closed, role="executor", holder=first) in rules.roles  # the proposer
    assert Role(timelock=closed, role="proposer", holder=NOBODY) not in rules.roles


def test_what_a_governor_does_not_answer_is_not_known(dao: Governance) -> None:
    proposal = propose(dao)
    profile = dao.profile.model_copy(update={"token": None, "timelock": None})
    block = dao.node.rpc.block()
    rules = GroundRulesTool().run(dao.node.rpc, dao.adapter, profile, dao.proposals[proposal], block)
    assert (rules.supply, rules.timelock_delay_seconds, rules.roles) == (None, None, ())


# --- power


def test_power_that_came_right_before(dao: Governance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pnyx_tools.context.voting_power.RECENT_BLOCKS", 60)
    buyer, holder = dao.node.accounts[6], dao.node.accounts[0]
    dao.node.mine(70)
    dao.node.send(dao.token, encode_call("transfer(address,uint256)", buyer, 40_000 * TOKEN), sender=holder)
    dao.node.send(dao.token, encode_call("delegate(address)", buyer), sender=buyer)
    dao.node.mine(2)
    proposal = propose(dao, sender=buyer)
    power: VotingPower = run(VotingPowerTool(), dao, proposal)
    assert (power.proposer_before, power.supply_before) == (0, 1_000_000 * TOKEN)
    assert power.proposer_at_creation == 40_000 * TOKEN
    assert [(g.delegate, g.gained, g.power) for g in power.gains] == [(buyer, 40_000 * TOKEN, 40_000 * TOKEN)]
    facts = gather_facts(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal])
    assert Severity.MEDIUM in {finding.severity for finding in Proposer().run(CheckView(facts))}


def test_power_after_the_snapshot_does_not_count(dao: Governance) -> None:
    proposal = propose(dao)
    dao.advance_to_active(proposal)
    dao.give_power(dao.node.accounts[7], 9_000)
    power = run(VotingPowerTool(), dao, proposal)
    assert dao.node.accounts[7] not in {gain.delegate for gain in power.gains}
    assert power.gains_to_block < power.to_block


def test_votes_in_the_last_tenth_are_late(dao: Governance) -> None:
    first, second, _ = dao.node.accounts[:3]
    proposal = propose(dao)
    dao.advance_to_active(proposal)
    dao.vote(proposal, Vote.AGAINST, second)
    assert run(VotingPowerTool(), dao, proposal).late is None
    dao.node.mine(46)
    dao.vote(proposal, Vote.FOR, first)
    late: LateVotes = run(VotingPowerTool(), dao, proposal).late
    assert (late.early_for, late.early_against) == (0, 300_000 * TOKEN)
    assert (late.late_for, late.late_against) == (600_000 * TOKEN, 0)
    assert late.turned


def test_turnout_of_earlier_votes(dao: Governance) -> None:
    old = propose(dao, "# Old")
    dao.advance_to_active(old)
    dao.vote(old, Vote.FOR, dao.node.accounts[2])
    none = propose(dao, "# Nobody votes here")
    dao.advance_to_closed(none)
    earlier = run(VotingPowerTool(), dao, propose(dao, "# New")).earlier
    assert [(t.proposal_id, t.voters, t.weight_cast) for t in earlier] == [(none, 0, 0), (old, 1, 50_000 * TOKEN)]


@pytest.mark.parametrize("kind", ["dao", "clocked"])
def test_a_vote_that_still_goes_on_has_no_turnout_yet(kind: str, request: pytest.FixtureRequest) -> None:
    dao: Governance = request.getfixturevalue(kind)
    under_way = propose(dao, "# Still voted on")
    dao.advance_to_active(under_way)
    assert run(VotingPowerTool(), dao, propose(dao, "# New")).earlier == ()
    dao.advance_to_closed(under_way)
    assert [t.proposal_id for t in run(VotingPowerTool(), dao, propose(dao, "# Newer")).earlier] == [under_way]


@pytest.mark.parametrize("kind", ["dao", "dao4", "clocked"])
def test_an_honest_governor_knows_nothing_of_tomorrow(kind: str, request: pytest.FixtureRequest) -> None:
    dao: Governance = request.getfixturevalue(kind)
    facts = gather_facts(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[propose(dao)])
    assert CheckView(facts).context(VotingPower).power_ahead_of_time is None
    assert LivePower().run(CheckView(facts)) == ()


def test_a_governor_that_counts_the_power_of_now(dao: Governance) -> None:
    live = deploy_governance(dao.node, 4, contract="Governor43Block")  # its clock is not the token's
    proposal = propose(live)
    live.node.set_code(live.token, ALWAYS_SEVEN)
    facts = gather_facts(live.node.rpc, live.adapter, live.profile, live.proposals[proposal])
    assert CheckView(facts).context(VotingPower).power_ahead_of_time == 7
    (finding,) = LivePower().run(CheckView(facts))
    assert finding.severity is Severity.CRITICAL


# --- initialisers


def test_contracts_of_a_sound_dao_cannot_be_initialised_again(dao: Governance, store: str) -> None:
    proposal = call(dao, store, encode_call("set(uint256)", 1))
    found: Initializers = run(InitializersTool(), dao, proposal)
    *contracts, implementation = found.contracts
    assert contracts == [dao.governor, dao.timelock, dao.token, store]
    assert implementation == read_target(dao.node.rpc, store, "latest").implementation
    assert (found.open, found.left_out, found.makes_room) == ((), 0, None)


def test_an_implementation_that_nobody_initialised(dao: Governance) -> None:
    bare = deploy(dao.node, "ParameterStore")
    proposal = call(dao, bare, encode_call("set(uint256)", 1))
    open_ = run(InitializersTool(), dao, proposal).open
    assert {(o.contract, o.role) for o in open_} <= {(bare, "target")}


@pytest.mark.parametrize(("code", "is_open"), [(OPEN_INITIALIZE, True), (SWALLOWS_ALL, False)])
def test_an_initialiser_is_open_only_where_an_unknown_function_is_not(
    dao: Governance, code: bytes, is_open: bool
) -> None:
    dao.node.set_code(TARGET, code)
    proposal = call(dao, TARGET, b"\x01\x02\x03\x04")
    facts = gather_facts(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal])
    findings = Reinitialisation().run(CheckView(facts))
    assert [(f.severity, f.calls) for f in findings] == ([(Severity.HIGH, ("0",))] if is_open else [])


def test_a_timelock_that_anybody_can_take_over(dao: Governance) -> None:
    proposal = propose(dao)
    dao.node.set_code(dao.timelock, OPEN_INITIALIZE)
    (found,) = run(InitializersTool(), dao, proposal).open
    assert (found.contract, found.role, found.signature) == (dao.timelock, "timelock", "initialize()")


# --- what was proposed before


def test_an_old_text_with_other_calls(dao: Governance) -> None:
    text = "# Relayers\n\nUpdate the list of relayers. The same logic as in our last proposal about relayers."
    old = propose(dao, text)
    empty = dao.propose([dao.node.accounts[5]], [0], [b""], "# Nothing\n\nNothing at all happens here.")
    payment = propose(dao, f"{text} Again.", amount=2)
    new = call(dao, TARGET, b"\x01\x02\x03\x04", f"{text} Once more.")
    history = run(ProposerHistoryTool(), dao, new)
    assert [(a.proposal_id, a.same_functions, a.same_calls) for a in history.alike] == [
        (payment, False, False),
        (old, False, False),
    ]
    assert (history.nearby_by_proposer, history.nearby_empty) == (3, 1)
    again = run(ProposerHistoryTool(), dao, payment)
    assert [(a.proposal_id, a.same_functions) for a in again.alike] == [(new, False), (old, True)]
    assert empty not in {a.proposal_id for a in (*history.alike, *again.alike)}


@pytest.mark.parametrize(
    ("text", "other", "bps"),
    [
        (b"one two three four", b"One, two; THREE four!", 10_000),
        (b"one two three four", b"one two three five", 3_333),
        (b"one two three", b"three two one", 0),
        (b"one two", b"one two", 0),
        (b"", b"", 0),
        (b"\xff one two three", b"\xfe one two three", 10_000),
    ],
)
def test_how_much_two_texts_share(text: bytes, other: bytes, bps: int) -> None:
    assert alike_bps(text, other) == alike_bps(other, text) == bps


# --- upgrades


def test_functions_that_new_code_has_no_more(dao: Governance, store: str) -> None:
    """`PlainToken` for a store: everything of the store is gone."""
    upgrade = "upgradeToAndCall(address,bytes)"
    after = [deploy(dao.node, "ParameterStoreV2"), deploy(dao.node, "PlainToken", TARGET, 1), TARGET]
    dao.node.set_code(TARGET, ALWAYS_SEVEN)
    calls = [encode_call(upgrade, code, b"") for code in after]
    proposal = dao.propose([store] * 3, [0] * 3, calls, "upgrades")
    same, token, raw = run(UpgradedFunctionsTool(), dao, proposal).upgrades
    assert (same.contract, same.after, same.gone, same.added) == (store, after[0], (), 0)
    assert same.functions > 10
    set_parameter = encode_call("setParameter(uint256)", 1)[:4]
    assert set_parameter in token.gone
    assert encode_call("transfer(address,uint256)", store, 1)[:4] not in token.gone
    assert token.added > 5
    assert (raw.functions, raw.gone) == (0, ())
    facts = gather_facts(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal])
    details = {f.evidence[-1]: f.detail for f in CodeUpgrade().run(CheckView(facts))}
    assert "no more" not in details[same.after] + details[raw.after]
    assert (
        f"Functions of the old code that it has no more: {len(token.gone) + token.more_gone} (" in details[token.after]
    )
    assert run(UpgradedFunctionsTool(), dao, propose(dao)).upgrades == ()


# --- who gets power


def test_what_gets_power(dao: Governance, store: str) -> None:
    """Of those that the calls name; who gives power up, or gets it elsewhere, is not asked about."""
    person, delegated = dao.node.accounts[7:9]
    delegate_account(dao.node, delegated, deploy_log(dao.node))
    grant = "grantRole(bytes32,address)"
    calls = [encode_call(grant, bytes(32), account) for account in (person, dao.token, delegated, person)]
    calls.append(encode_call("renounceRole(bytes32,address)", bytes(32), dao.timelock))
    proposal = dao.propose([store] * 5, [0] * 5, calls, "grant roles")
    found: PowerReceivers = run(PowerReceiversTool(), dao, proposal)
    assert [(r.account, r.kind) for r in found.receivers] == [
        (person, AccountKind.KEY), (dao.token, AccountKind.CONTRACT), (delegated, AccountKind.DELEGATED),
    ]  # fmt: skip
    facts = gather_facts(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal])
    told = {f.calls: "whoever has its key" in f.detail for f in PrivilegeGrant().run(CheckView(facts))}
    assert told == {("0",): True, ("1",): False, ("2",): True, ("3",): True}
    unknown = facts.model_copy(update={"context": ()})
    assert [f.severity for f in PrivilegeGrant().run(CheckView(unknown))] == [
        f.severity for f in PrivilegeGrant().run(CheckView(facts))
    ]


def test_where_nobody_gets_power_nobody_is_asked(dao: Governance) -> None:
    proposal = dao.proposals[propose(dao)]
    with Provider(dao.node.url) as provider:
        reader = Rpc(provider.url)
        found = PowerReceiversTool().run(reader, dao.adapter, dao.profile, proposal, reader.block())
        assert [question["method"] for question in provider.asked] == ["eth_getBlockByNumber"]
    assert (found.receivers, found.left_out) == ((), 0)


# --- what it costs


def test_tools_that_look_at_the_same_past_ask_for_it_once(dao: Governance) -> None:
    proposal = dao.proposals[propose(dao)]
    with Provider(dao.node.url) as provider:
        reader, block = PinnedReader(Rpc(provider.url)), dao.node.rpc.block()
        found = [recent_past(reader, dao.adapter, dao.profile, block, 0) for _ in range(3)]
        asked = [question for question in provider.asked if question["method"] == "eth_getLogs"]
    assert found[0].logs
    assert found[0] == found[1] == found[2]
    assert len(asked) == 1
    assert proposal.created_block <= block.number
