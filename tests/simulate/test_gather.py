"""All facts at one block, and what is missing is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Barrier, Event

import pytest
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_contracts.errors import DiffersError, UsageError
from pnyx_contracts.types import ProposalState, Value, Vote, to_hex
from pnyx_policies.checks import CheckView, SilentOutflow, TargetWithoutCode
from pnyx_policies.facts import Facts, Grade, SimulationStatus
from pnyx_policies.finding import Severity
from pnyx_policies.review import review_digest
from pnyx_tools.context import ToolSkipped, builtin_tools
from pnyx_tools.gather import gather_facts
from pnyx_tools.reader import ReorganisedError, RevertedError, RpcError
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy, encode_call
from pnyx_tools.testing.provider import Provider, Question, Reply, error, result


def open_transfer(dao: Governance, amount: int = 7) -> int:
    dao.node.send(dao.token, encode_call("transfer(address,uint256)", dao.timelock, 100 * TOKEN))
    transfer = encode_call("transfer(address,uint256)", dao.node.accounts[5], amount)
    return dao.propose([dao.token, dao.node.accounts[6]], [0, 5], [transfer, b""], "pay")


def gather(dao: Governance, proposal: int, **options: object) -> Facts:
    return gather_facts(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal], **options)


@pytest.mark.parametrize("kind", ["dao", "dao4", "clocked"])
def test_facts_of_an_active_proposal(kind: str, request: pytest.FixtureRequest) -> None:
    dao: Governance = request.getfixturevalue(kind)
    voter, other = dao.node.accounts[1], dao.node.accounts[0]
    proposal = open_transfer(dao)
    dao.advance_to_active(proposal)
    dao.vote(proposal, Vote.FOR, other)
    facts = gather(dao, proposal, voter=voter, tools=builtin_tools(), known_addresses={other: "the founder"})

    assert facts.block == dao.node.rpc.block()
    assert facts.governor.state is ProposalState.ACTIVE
    in_time = facts.block.timestamp if kind == "clocked" else facts.block.number
    assert facts.governor.now == in_time > facts.governor.snapshot
    assert facts.governor.tally is not None
    assert facts.governor.tally.for_votes == 600_000 * TOKEN
    assert facts.governor.quorum == 40_000 * TOKEN
    assert facts.voter is not None
    assert (facts.voter.voting_power, facts.voter.has_voted) == (300_000 * TOKEN, False)
    assert [c.name for c in facts.calls] == ["transfer", ""]
    assert [t.address for t in facts.targets] == [dao.token, dao.node.accounts[6]]
    assert [t.has_code for t in facts.targets] == [True, False]
    assert facts.simulation.status is SimulationStatus.SUCCEEDED
    assert len(facts.simulation.movements) == 2
    assert [(h.asset, h.balance) for h in facts.treasury] == [(None, 100 * TOKEN), (dao.token, 100 * TOKEN)]
    assert (facts.treasury[1].symbol[:4], facts.treasury[1].decimals) == ("VOTE", 18)
    assert [c.tool for c in facts.context] == [tool.name for tool in builtin_tools()]
    assert facts.skipped == ()
    assert facts.known_addresses == {other: "the founder"}
    assert facts.review_digest == review_digest("openzeppelin", facts.proposal, facts.targets)


def test_facts_survive_their_json(dao: Governance) -> None:
    proposal = open_transfer(dao)
    dao.advance_to_active(proposal)
    facts = gather(dao, proposal, voter=dao.node.accounts[1], tools=builtin_tools())
    assert Facts.model_validate_json(facts.model_dump_json()) == facts


def test_before_the_snapshot_power_and_quorum_are_unknown(dao: Governance) -> None:
    facts = gather(dao, open_transfer(dao), voter=dao.node.accounts[1])
    assert facts.governor.state is ProposalState.PENDING
    assert facts.governor.quorum is None
    assert facts.voter is not None
    assert facts.voter.voting_power is None
    assert facts.skipped == ()


def test_an_older_block_gives_the_facts_of_then(dao: Governance) -> None:
    proposal = open_transfer(dao)
    dao.advance_to_active(proposal)
    before = dao.node.rpc.block()
    dao.vote(proposal, Vote.AGAINST, dao.node.accounts[1])
    then = gather(dao, proposal, voter=dao.node.accounts[1], block=before.number)
    again = gather(dao, proposal, voter=dao.node.accounts[1], block=to_hex(before.hash))
    now = gather(dao, proposal, voter=dao.node.accounts[1])
    assert then == again
    assert (then.voter.has_voted, now.voter.has_voted) == (False, True)
    assert then.review_digest == now.review_digest


def test_new_code_behind_a_proxy_changes_the_review(dao: Governance, store: str) -> None:
    proposal = dao.propose([store], [0], [encode_call("setParameter(uint256)", 5)], "set")
    before = gather(dao, proposal)
    second = deploy(dao.node, "ParameterStoreV2")
    dao.node.impersonate(dao.timelock)
    dao.node.send(store, encode_call("upgradeToAndCall(address,bytes)", second, b""), sender=dao.timelock)
    assert gather(dao, proposal).review_digest != before.review_digest


def test_assets_come_from_configuration_calls_and_movements(dao: Governance, store: str) -> None:
    proposal = dao.propose([dao.node.accounts[5]], [1], [b""], "pay")
    assert [h.asset for h in gather(dao, proposal).treasury] == [None]
    facts = gather(dao, proposal, treasury_assets=(dao.token, store, dao.node.accounts[7]))
    assert [h.asset for h in facts.treasury] == [None, dao.token]
    assert [s.step for s in facts.skipped] == ["treasury", "treasury"]
    assert store in facts.skipped[0].why


def test_a_node_that_cannot_simulate_leaves_a_skipped_step(dao: Governance, half: Callable[..., Provider]) -> None:
    proposal = open_transfer(dao)
    with half("eth_simulateV1", "debug_traceCall") as node:
        facts = gather_facts(Rpc(node.url), dao.adapter, dao.profile, dao.proposals[proposal])
    assert facts.simulation.status is SimulationStatus.SKIPPED
    assert [s.step for s in facts.skipped] == ["simulation"]
    assert "127.0.0.1" not in facts.skipped[0].why
    assert [h.asset for h in facts.treasury] == [None, dao.token]  # known from the call


def test_a_node_that_cannot_be_reached_raises(
    dao: Governance, half: Callable[..., Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pnyx_tools.transport.BACKOFF_SECONDS", ())
    proposal = dao.proposals[open_transfer(dao)]
    with half() as node:
        reader = Rpc(node.url)
        gather_facts(reader, dao.adapter, dao.profile, proposal)
    with pytest.raises(RpcError):
        gather_facts(reader, dao.adapter, dao.profile, proposal)


class _Nothing(Value):
    pass


class _Failing:
    name, version, grade, description = "failing", "1", Grade.ATTESTED, "Fails."

    def __init__(self, error: Exception) -> None:
        self._error = error

    def run(self, *_: object) -> _Nothing:
        raise self._error


@pytest.mark.parametrize(
    "error", [ToolSkipped("no"), ValueError("no"), RpcError("https://node.example: no"), KeyError()]
)
def test_a_tool_that_fails_costs_its_result_only(dao: Governance, error: Exception) -> None:
    facts = gather(dao, open_transfer(dao), tools=(_Failing(error), *builtin_tools()))
    assert len(facts.context) == len(builtin_tools())
    assert [(s.step, s.why) for s in facts.skipped] == [("tool:failing", "no" if error.args else "KeyError")]


def test_another_chain_is_refused(dao: Governance) -> None:
    proposal = dao.proposals[open_transfer(dao)]
    elsewhere = proposal.model_copy(update={"key": proposal.key.model_copy(update={"chain_id": 1})})
    with pytest.raises(UsageError, match="chain 31337"):
        gather_facts(dao.node.rpc, dao.adapter, dao.profile, elsewhere)


def test_content_that_is_not_what_the_id_says_is_refused(dao: Governance) -> None:
    proposal = dao.proposals[open_transfer(dao)]
    doctored = proposal.model_copy(update={"description": b"harmless"})
    with pytest.raises(DiffersError, match="not this proposal"):
        gather_facts(dao.node.rpc, dao.adapter, dao.profile, doctored)


def test_a_proposal_that_the_governor_does_not_know_raises(dao: Governance, dao4: Governance) -> None:
    proposal = dao.proposals[open_transfer(dao)]
    dao4.node.mine(proposal.created_block)
    with pytest.raises(RevertedError):
        gather_facts(dao4.node.rpc, dao4.adapter, dao4.profile, proposal)


def test_an_endpoint_that_lags_says_nothing_about_a_proposal(dao: Governance) -> None:
    proposal = dao.proposals[open_transfer(dao)]
    with pytest.raises(RpcError, match=f"is before block {proposal.created_block}"):
        gather_facts(dao.node.rpc, dao.adapter, dao.profile, proposal, block=proposal.created_block - 1)


def test_limits_are_said(dao: Governance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pnyx_tools.gather.MAX_TARGETS", 1)
    monkeypatch.setattr("pnyx_tools.gather.MAX_ASSETS", 0)
    facts = gather(dao, open_transfer(dao))
    assert [t.address for t in facts.targets] == [dao.token]
    assert [s.step for s in facts.skipped] == ["targets", "treasury"]


def test_code_that_came_after_the_proposal_is_told(dao: Governance) -> None:
    late = dao.node.accounts[9]
    proposal = dao.propose([late, dao.token], [0, 0], [b"\x01\x02\x03\x04", b"\x01\x02\x03\x04"], "call both")
    dao.node.mine()
    dao.node.set_code(late, bytes.fromhex("33ff"))
    dao.node.mine()
    facts = gather(dao, proposal)
    assert facts.came_after_proposal(late)
    assert not facts.came_after_proposal(dao.token)
    assert facts.code_when_proposed(dao.token) == keccak(dao.node.rpc.code(dao.token))
    assert [earlier.block for earlier in facts.earlier_code] == [facts.proposal.created_block]
    severities = {f.evidence[0]: f.severity for f in TargetWithoutCode().run(CheckView(facts))}
    assert severities == {late: Severity.HIGH}


def test_a_node_that_forgot_the_block_of_the_proposal_says_so_and_nothing_is_held_against_it(dao: Governance) -> None:
    proposal = dao.propose([dao.token], [0], [b"\x01\x02\x03\x04"], "call it")
    created = hex(dao.proposals[proposal].created_block)
    dao.node.mine(2)

    def forget(question: Question) -> Reply | None:
        is_old = question["method"] == "eth_getCode" and question["params"][1] == created
        return error(question, -32000, "missing trie node: state is not available") if is_old else None

    with Provider(dao.node.url, forget) as node:
        facts = gather_facts(Rpc(node.url), dao.adapter, dao.profile, dao.proposals[proposal])
    assert facts.earlier_code == ()
    (skipped,) = [s for s in facts.skipped if s.step == "code when proposed"]
    assert "missing trie node" in skipped.why
    assert "127.0.0.1" not in skipped.why
    assert TargetWithoutCode().run(CheckView(facts)) == ()


# --- how often the node is waited for --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Together:
    """A tool that ends only when all of its kind have begun."""

    name: str
    meeting: Barrier
    version = "1"
    grade = Grade.RE_READ
    description = "Waits for the others."

    def run(self, *_: object) -> Value:
        self.meeting.wait(60)
        return Value()


def test_tools_look_side_by_side_and_stand_in_their_own_order(dao: Governance) -> None:
    meeting = Barrier(3)
    facts = gather(dao, open_transfer(dao), tools=[Together(name, meeting) for name in ("c", "a", "b")])
    assert [found.tool for found in facts.context] == ["c", "a", "b"]
    assert not [skipped for skipped in facts.skipped if skipped.step.startswith("tool:")]


def test_what_can_be_foreseen_is_asked_together(dao: Governance) -> None:
    """Alone, these are two dozen requests, one after another."""
    proposal = open_transfer(dao)
    dao.advance_to_active(proposal)
    voter, known = dao.node.accounts[1], dao.proposals[proposal]
    with Provider(dao.node.url) as node:
        facts = gather_facts(
            Rpc(node.url), dao.adapter, dao.profile, known, voter=voter, treasury_assets=[dao.token], tools=()
        )
        assert node.requests <= 9
        assert len(node.asked) > 20
    with Provider(dao.node.url, most_together=0) as alone:
        assert gather_facts(
            Rpc(alone.url), dao.adapter, dao.profile, known, voter=voter, block=to_hex(facts.block.hash),
            treasury_assets=[dao.token], tools=(),
        ) == facts  # fmt: skip


def test_a_block_that_gives_way_during_the_simulation_is_noticed(dao: Governance) -> None:
    """Also by a look that knows the block already."""
    proposal, block = open_transfer(dao), dao.node.mine()
    simulated = Event()

    def give_way(question: Question) -> Reply | None:
        if question["method"] == "eth_simulateV1":
            simulated.set()
        by_number = question["method"] == "eth_getBlockByNumber" and question["params"][0] == hex(block.number)
        if not by_number or not simulated.is_set():
            return None
        other = {"number": hex(block.number), "hash": to_hex(b"\x01" * 32), "timestamp": hex(block.timestamp)}
        return result(question, other)

    with Provider(dao.node.url, give_way) as node, pytest.raises(ReorganisedError):
        gather_facts(Rpc(node.url), dao.adapter, dao.profile, dao.proposals[proposal], block=block.number)


@pytest.mark.parametrize(
    ("function", "severities"),
    [
        ("transfer(address,uint256)", []),
        ("settle(address,uint256)", [Severity.HIGH]),
        ("pretend(address,uint256)", [Severity.INFO]),
    ],
)
def test_what_a_token_does_not_tell_is_found(dao: Governance, function: str, severities: list[Severity]) -> None:
    token = deploy(dao.node, "SilentToken", dao.timelock, 100 * TOKEN)
    calls = encode_call(function, dao.node.accounts[5], 30 * TOKEN)
    facts = gather(dao, dao.propose([token], [0], [calls], "settle"))
    findings = SilentOutflow().run(CheckView(facts))
    assert [finding.severity for finding in findings] == severities
    assert all(f"{30 * TOKEN}" in finding.title for finding in findings)


def test_unwrapping_is_no_silent_outflow(dao: Governance) -> None:
    token = deploy(dao.node, "SilentToken", dao.timelock, 100 * TOKEN)
    dao.node.set_balance(token, 50 * TOKEN)
    facts = gather(dao, dao.propose([token], [0], [encode_call("withdraw(uint256)", 50 * TOKEN)], "unwrap"))
    changed = {b.token: (b.before, b.after) for b in facts.simulation.balances if b.before != b.after}
    before = dao.node.rpc.balance(dao.timelock)
    assert changed == {token: (100 * TOKEN, 50 * TOKEN), None: (before, before + 50 * TOKEN)}
    assert SilentOutflow().run(CheckView(facts)) == ()


def test_code_that_the_actions_put_where_they_call_is_a_change(dao: Governance) -> None:
    factory, salt, code = (
        deploy(dao.node, "Create2Factory"),
        bytes(32),
        bytes.fromhex("600a600c600039600a6000f3") + bytes(10),
    )
    digest = keccak(b"\xff" + bytes.fromhex(factory[2:]) + salt + keccak(code))
    made = to_checksum_address(digest[12:])
    calls = [encode_call("make(bytes32,bytes)", salt, code), encode_call("run()")]
    facts = gather(dao, dao.propose([factory, made], [0, 0], calls, "make and run"))
    (change,) = facts.simulation.changes
    assert (change.kind, change.contract, change.detail) == ("code-created", made, "before: no code")


def test_a_bad_moment_of_the_endpoint_leaves_nothing_unknown(dao: Governance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks read what context tools find: without it, people would have to decide."""
    monkeypatch.setattr("pnyx_tools.gather.TOOL_PAUSES", (0.0, 0.0))
    proposal, bad = open_transfer(dao), iter(range(2))

    def moody(question: Question) -> Reply | None:
        return (504, b"") if question["method"] == "eth_getLogs" and next(bad, None) is not None else None

    block = dao.node.rpc.block().number
    well = gather(dao, proposal, block=block)
    with Provider(dao.node.url, moody) as node:
        moodily = gather_facts(Rpc(node.url), dao.adapter, dao.profile, dao.proposals[proposal], block=block)
    assert next(bad, None) is None, "both bad answers were given"
    assert (moodily.skipped, moodily.context) == (well.skipped, well.context)


def test_a_node_that_falls_behind_meanwhile_says_nothing(dao: Governance, monkeypatch: pytest.MonkeyPatch) -> None:
    """It served the block at first; a context tool cannot have it from a node that does not have it any more."""
    monkeypatch.setattr("pnyx_tools.gather.TOOL_PAUSES", (0.0, 0.0))
    proposal, asked = open_transfer(dao), list[str]()

    def lags(question: Question) -> Reply | None:
        asked.append(question["method"])
        if question["method"] == "eth_getLogs":
            return error(question, -32000, "One of the blocks specified in filter cannot be found")
        is_late = question["method"] == "eth_getBlockByHash" and "eth_getLogs" in asked
        return result(question, None) if is_late else None

    with Provider(dao.node.url, lags) as node, pytest.raises(RpcError, match="does not have block 0x"):
        gather_facts(Rpc(node.url), dao.adapter, dao.profile, dao.proposals[proposal])
