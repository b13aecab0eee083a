"""Past proposals through the pipeline, on a real chain: what is tried, with what was known then, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import pytest
from eth_hash.auto import keccak

from pnyx_agents.analyst import Transcript
from pnyx_agents.backtest import Wish, backtest, plan_of
from pnyx_agents.outline import OutlineAnalyst
from pnyx_contracts.errors import UnreachableError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal, ProposalState, Value, Vote, to_hex
from pnyx_policies.analysis import Analyst
from pnyx_policies.backtest import BacktestReport, Result, Trial
from pnyx_policies.decision import Outcome
from pnyx_policies.facts import Facts, Grade
from pnyx_policies.finding import Severity
from pnyx_policies.outline import OUTLINE
from pnyx_tools.clock import clock_at
from pnyx_tools.detect import detect
from pnyx_tools.gather import gather_facts
from pnyx_tools.reader import ChainReader, RpcError
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import TOKEN, deploy, encode_call
from pnyx_tools.testing.provider import Provider, Question, Reply, error
from pnyx_tools.testing.rollup import Rollup

from .conftest import GARDENER, Past

CALL_SCHEDULED = keccak(b"CallScheduled(bytes32,uint256,address,uint256,bytes,bytes32,uint256)")
BY_POWER = """
name = "by power"
version = "1"

[limits]
min_voting_power = "500"

[[rule]]
id = "strong"
because = "There is much power."
when = ["voter.voting_power >= 500", "findings.critical is 0"]
then = "abstain"
"""


def trial_of(report: BacktestReport, past: Past, name: str) -> Trial:
    return next(trial for trial in report.trials if trial.proposal_id == past.ids[name])


def test_each_that_ended_is_tried_as_of_the_block_in_which_its_vote_opened(past: Past, tmp_path: Path) -> None:
    report = past.tried(tmp_path, rulesets=["steward"])
    assert report.results == {Result.PASSED: 5, Result.DEFEATED: 5}
    assert {t.proposal_id for t in report.trials} == set(past.ids.values()) - {
        past.ids["Pay twice"], past.ids["Still open"]
    }  # fmt: skip
    for trial in report.trials:
        before = past.node.rpc.block(trial.opened.number - 1)
        clock = [clock_at(past.node.rpc, past.dao.profile, block) for block in (before, trial.opened)]
        assert clock[0] <= trial.vote_start < clock[1]
    assert [trial.created_block for trial in report.trials] == sorted(trial.created_block for trial in report.trials)
    (cancelled,) = report.untried
    assert (cancelled.proposal_id, cancelled.title) == (past.ids["Pay twice"], "Pay twice")
    assert cancelled.why == "it was canceled when its vote was to open"


def test_what_the_rules_say_and_how_it_ended(past: Past, tmp_path: Path) -> None:
    report = past.tried(tmp_path, rulesets=["steward"])
    expected = {
        "Pay the gardener": Outcome.FOR, "Hidden": Outcome.AGAINST, "Delegate": Outcome.AGAINST,
        "Half of all": Outcome.HOLD, "Quiet": Outcome.HOLD, "Quiet again": Outcome.HOLD,
    }  # fmt: skip
    assert {name: trial_of(report, past, name).judged[0].outcome for name in expected} == expected
    assert trial_of(report, past, "Pay the gardener").state is ProposalState.EXECUTED
    (steward,) = report.rulesets
    assert (steward.score.agreement.count, steward.score.agreement.total) == (4, 5)
    assert (report.always_for.count, report.always_for.total) == (5, 10)
    tally = {rule.rule: (rule.matched, rule.decided) for rule in steward.rules}
    assert tally["hidden-or-hostile"] == (2, 2)
    assert sum(rule.decided for rule in steward.rules) == len(report.trials)
    assert sum(why.count for why in steward.no_vote) == steward.outcomes[Outcome.HOLD] == 5
    found = {f.check: (f.proposals, f.passed, f.defeated) for f in report.findings if f.severity is Severity.CRITICAL}
    assert found == {"hidden-characters": (1, 0, 1), "privilege-grant": (1, 0, 1)}


def test_it_is_what_a_review_at_that_block_says(past: Past, tmp_path: Path) -> None:
    """The same facts and checks as of any other review, gathered without the reader that hides what is later."""
    report = past.tried(tmp_path, rulesets=["guardian"])
    name = "Pay for a fountain"
    found = trial_of(report, past, name)
    plan = plan_of(Wish(governor=past.dao.governor, upto="latest"), past.settings(tmp_path), past.node.rpc, tmp_path)
    facts = plan.judge.establish(past.dao.proposals[past.ids[name]], to_hex(found.opened.hash))
    dossier = plan.judge.conclude(facts, plan.judge.ask(facts))
    assert dossier.decision.outcome is found.judged[0].outcome
    findings = [finding for report_ in dossier.checks for finding in report_.findings]
    assert [(f.check, f.title) for f in findings] == [(f.check, f.title) for f in found.findings]
    assert {t.tool for t in facts.context} == set(report.ground.tools)


def test_the_same_chain_gives_the_same_report(past: Past, tmp_path: Path) -> None:
    first, again = (past.tried(tmp_path, rulesets=["guardian", "steward"]).model_dump_json() for _ in range(2))
    assert first == again
    assert BacktestReport.model_validate_json(first).model_dump_json() == first


def test_later_blocks_change_nothing_but_the_results(past: Past, tmp_path: Path) -> None:
    """The treasury is emptied, the receiver becomes a contract, an open proposal ends: the old trials stay."""
    upto = past.node.rpc.block()
    before = past.tried(tmp_path, rulesets=["steward"])
    past.node.set_balance(past.dao.timelock, TOKEN)
    past.node.set_code(GARDENER, b"\xff")
    past.dao.vote(past.ids["Still open"], Vote.FOR, past.node.accounts[0])
    past.dao.advance_to_closed(past.ids["Still open"])
    after = past.tried(tmp_path, rulesets=["steward"])
    assert after.trials[:-1] == before.trials
    assert after.trials[-1].proposal_id == past.ids["Still open"]
    assert past.tried(tmp_path, rulesets=["steward"], upto=upto.number) == before
    now = gather_facts(past.node.rpc, past.dao.adapter, past.dao.profile, past.dao.proposals[past.ids["Pay again"]])
    assert now.treasury[0].balance == TOKEN, "a review of today sees another treasury"


@dataclass
class Listener:
    """An analyst that keeps the facts that it was shown."""

    heard: list[Facts] = field(default_factory=list)

    def describe(self) -> Analyst:
        return OUTLINE

    def analyse(self, facts: Facts) -> Transcript:
        self.heard.append(facts)
        return OutlineAnalyst().analyse(facts)


def heard(past: Past, folder: Path, **wishes: Any) -> tuple[BacktestReport, list[Facts]]:
    """The report, and the facts behind its trials."""
    wish = Wish(**{"governor": past.dao.governor, "upto": "latest", **wishes})
    plan, listener = plan_of(wish, past.settings(folder), past.node.rpc, folder / "scratch"), Listener()
    return backtest(replace(plan, judge=replace(plan.judge, analysts=(listener,)))), listener.heard


def test_the_code_and_the_settings_are_those_of_then(blocks: Past, tmp_path: Path) -> None:
    """After the vote the target is upgraded, and the governor gets another timelock, quorum and period."""
    dao, node = blocks.dao, blocks.node
    old, new = deploy(node, "ParameterStore"), deploy(node, "ParameterStoreV2")
    store = deploy(node, "ParameterStoreProxy", old, encode_call("initialize(address,uint256)", dao.timelock, 42))
    call = encode_call("setParameter(uint256)", 43)
    number = dao.propose([store], [0], [call], "# Set\n\nSet the parameter to 43.")
    dao.advance_to_active(number)
    live = gather_facts(node.rpc, dao.adapter, dao.profile, dao.proposals[number])
    dao.vote(number, Vote.FOR, node.accounts[0])
    dao.advance_to_closed(number)
    other_timelock = deploy(node, "Timelock5", 0, [], [], node.accounts[0])
    changes = [
        (store, encode_call("upgradeToAndCall(address,bytes)", new, b"")),
        (dao.governor, encode_call("updateQuorumNumerator(uint256)", 90)),
        (dao.governor, encode_call("updateTimelock(address)", other_timelock)),
    ]
    blocks.enact("Change everything", changes)
    adapter, now = detect(node.rpc, dao.governor, [dao.adapter])
    assert now.timelock == other_timelock
    assert gather_facts(node.rpc, adapter, now, dao.proposals[number]).targets != live.targets
    report, (facts, _) = heard(blocks, tmp_path, newest=2)
    assert report.trials[0].opened == live.block
    assert facts.targets == live.targets
    assert facts.governor == live.governor
    assert (facts.calls, facts.simulation, facts.treasury) == (live.calls, live.simulation, live.treasury)


def test_where_contracts_count_other_blocks(blocks: Past, tmp_path: Path) -> None:
    """As on Arbitrum: the endpoint numbers its blocks otherwise than the governor does."""
    here = blocks.tried(tmp_path, rulesets=["steward"])
    with Rollup(blocks.node, 300_000_000) as rollup:
        there = blocks.tried(tmp_path, rulesets=["steward"], reader=Rpc(rollup.url), since="300000000")
    assert [trial.opened.hash for trial in there.trials] == [trial.opened.hash for trial in here.trials]
    assert [trial.judged for trial in there.trials] == [trial.judged for trial in here.trials]
    assert there.rulesets == here.rulesets


def test_the_tally_is_empty_unless_somebody_was_very_quick(blocks: Past, tmp_path: Path) -> None:
    dao, node = blocks.dao, blocks.node
    number = blocks.pay("Quickly")
    node.mine()
    node.request("evm_setAutomine", False)
    vote = dao.adapter.encode_vote(dao.profile, number, Vote.FOR, "")
    sent = {"from": node.accounts[0], "to": vote.to, "data": to_hex(vote.data), "gas": hex(10**6)}
    node.request("eth_sendTransaction", sent)
    node.mine()
    node.request("evm_setAutomine", True)
    dao.advance_to_closed(number)
    report, facts = heard(blocks, tmp_path)
    assert report.trials[-1].proposal_id == number
    assert [trial.votes_before for trial in report.trials] == [False] * (len(report.trials) - 1) + [True]
    assert {f.governor.tally.for_votes for f in facts[:-1] if f.governor.tally} == {0}


def test_one_that_was_cancelled_after_its_vote_is_tried_and_has_no_result(blocks: Past, tmp_path: Path) -> None:
    """By the timelock, which is told so by whoever may cancel there."""
    dao, node = blocks.dao, blocks.node
    number = blocks.passed("Cancelled in the queue", executed=False, wei=TOKEN // 5)
    dao.queue(number)
    (scheduled,) = node.rpc.logs(node.rpc.block().number, node.rpc.block().number, [CALL_SCHEDULED], [dao.timelock])
    node.impersonate(dao.governor)
    node.set_balance(dao.governor, TOKEN)
    node.send(dao.timelock, encode_call("cancel(bytes32)", scheduled.topics[1]), sender=dao.governor)
    report = blocks.tried(tmp_path, rulesets=["steward"])
    found = report.trials[-1]
    assert (found.proposal_id, found.state, found.result) == (number, ProposalState.CANCELED, None)
    assert found.judged[0].outcome is Outcome.FOR
    assert (report.without_result, sum(report.results.values())) == (1, 11), "the open one ended meanwhile"
    assert report.rulesets[0].score.coverage.total == 11
    assert report.rulesets[0].outcomes[Outcome.FOR] == 4


def test_two_rulesets_are_asked_about_the_same_facts(blocks: Past, tmp_path: Path) -> None:
    both, listened = heard(blocks, tmp_path, rulesets=("guardian", "steward"))
    assert len(listened) == len(both.trials)
    for place, name in enumerate(("guardian", "steward")):
        alone = blocks.tried(tmp_path, rulesets=(name,))
        assert alone.rulesets == (both.rulesets[place],)
        assert [t.judged for t in alone.trials] == [(t.judged[place],) for t in both.trials]


def test_a_named_voter_has_the_power_and_the_votes_of_then(blocks: Past, tmp_path: Path) -> None:
    """The first account voted on everything, after each opening; the fourth never had power; the sixth gets some."""
    accounts, file = blocks.node.accounts, tmp_path / "power.toml"
    file.write_text(BY_POWER)
    rules = (str(file),)
    blocks.dao.give_power(accounts[5], 9)

    def outcomes(**wishes: Any) -> set[tuple[str, str]]:
        report = blocks.tried(tmp_path, rulesets=rules, **wishes)
        return {(t.judged[0].outcome.value, t.judged[0].reason) for t in report.trials if t.title[:3] == "Pay"}

    assert {outcome for outcome, _ in outcomes(voter=accounts[0])} == {"abstain"}
    for powerless in (accounts[4], accounts[5]):
        assert outcomes(voter=powerless) == {("skip", "No vote: there was no voting power at the snapshot.")}
    assert {outcome for outcome, _ in outcomes()} == {"abstain"}, "assumed: what the ruleset asks for"
    assert blocks.tried(tmp_path, rulesets=rules).ground.voter.model_dump() == {"address": None, "power": 500}


def test_a_range_of_blocks_and_the_newest_of_them(blocks: Past, tmp_path: Path) -> None:
    every = blocks.tried(tmp_path).trials
    since = str(every[3].created_block)
    assert blocks.tried(tmp_path, since=since).trials == every[3:]
    assert blocks.tried(tmp_path, newest=2).trials == every[-2:]
    upto = blocks.tried(tmp_path, upto=every[5].created_block - 1)
    assert [t.proposal_id for t in upto.trials] == [t.proposal_id for t in every[:5]]
    cut_short = blocks.tried(tmp_path, upto=every[2].opened.number)
    assert [t.proposal_id for t in cut_short.trials] == [t.proposal_id for t in every[:2]], "its vote is still open"


# Nodes that lack something.


@dataclass
class Pruned:
    """The rule of a node that has no state of blocks before `first`."""

    heights: dict[str, int]
    """By hash."""
    first: int

    @classmethod
    def of(cls, node: Anvil, first: int) -> Self:
        return cls({to_hex(node.rpc.block(n).hash): n for n in range(first)}, first)

    def __call__(self, question: Question) -> Reply | None:
        if question["method"] not in {"eth_call", "eth_getBalance", "eth_getCode", "eth_simulateV1"}:
            return None
        block = question["params"][1]
        name = block["blockHash"] if isinstance(block, dict) else block
        number = self.heights.get(name, int(name, 16) if name.startswith("0x") else self.first)
        return error(question, -32000, "missing trie node") if number < self.first else None


def test_what_the_node_does_not_know_any_more_is_not_tried(seconds: Past, tmp_path: Path) -> None:
    every = seconds.tried(tmp_path)
    with Provider(seconds.node.url, Pruned.of(seconds.node, every.trials[4].opened.number - 1)) as provider:
        report = seconds.tried(tmp_path, reader=Rpc(provider.url, pauses=()))
    assert [t.proposal_id for t in report.trials] == [t.proposal_id for t in every.trials[4:]]
    lost = [one for one in report.untried if one.node_lacks]
    assert [one.proposal_id for one in lost] == [t.proposal_id for t in every.trials[:4]]
    assert all("missing trie node" in one.why for one in lost)
    assert report.results[Result.PASSED] == sum(t.result is Result.PASSED for t in every.trials[4:])


def test_a_node_that_knows_nothing_of_the_past_is_an_error(seconds: Past, tmp_path: Path) -> None:
    rule, tried = Pruned.of(seconds.node, seconds.node.rpc.block().number), "no proposal could be tried"
    with Provider(seconds.node.url, rule) as provider, pytest.raises(UnreachableError, match=tried) as raised:
        seconds.tried(tmp_path, reader=Rpc(provider.url, pauses=()))
    assert "archive node" in raised.value.hint
    assert provider.url not in str(raised.value)


def test_a_node_that_goes_away_is_an_error_and_no_result(seconds: Past, tmp_path: Path) -> None:
    """Nothing is concluded from its silence."""
    provider = Provider(seconds.node.url)

    def rule(_: Question) -> Reply | None:
        return None if len(provider.asked) < 200 else (502, b"bad gateway")

    provider.rule = rule
    with provider, pytest.raises(UnreachableError, match="502"):
        seconds.tried(tmp_path, reader=Rpc(provider.url, pauses=()))
    assert len(provider.asked) > 200


class Garbling(Provider):
    """Garbles the first proposal's event."""

    def _pass_on(self, request: Question | list[Question]) -> Any:
        answer = super()._pass_on(request)
        logs = answer.get("result") if isinstance(answer, dict) else None
        if isinstance(request, dict) and request["method"] == "eth_getLogs" and logs and not self.garbled:
            logs[0]["data"], self.garbled = logs[0]["data"][:130], True
        return answer

    garbled = False


def test_an_event_that_cannot_be_read_stops_nothing(blocks: Past, tmp_path: Path) -> None:
    every = blocks.tried(tmp_path)
    with Garbling(blocks.node.url) as provider:
        report = blocks.tried(tmp_path, reader=Rpc(provider.url))
    assert report.trials == every.trials[1:]
    unread = report.untried[0]
    assert (unread.proposal_id, unread.created_block) == (None, every.trials[0].created_block)
    assert not unread.node_lacks


def test_a_tool_that_asks_for_today_sees_the_day_of_the_vote(blocks: Past, tmp_path: Path) -> None:
    """Plugins read the chain as they like: they cannot read what is later."""
    wish = Wish(governor=blocks.dao.governor, upto="latest", newest=3)
    plan = plan_of(wish, blocks.settings(tmp_path), blocks.node.rpc, tmp_path / "scratch")
    listener = Listener()
    judge = replace(plan.judge, analysts=(listener,), tools=(PeekingTool(),))
    report = backtest(replace(plan, judge=judge))
    head = blocks.node.rpc.block().number
    for trial, facts in zip(report.trials, listener.heard, strict=True):
        assert facts.context[0].result == {"newest": trial.opened.number, "refused": "later"}
        assert trial.opened.number < head


class Peeked(Value):
    newest: int
    refused: str


class PeekingTool:
    """Asks for the newest block, and for one after it."""

    name, version, grade, description = "peeking", "1", Grade.DERIVED, "Looks ahead."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> Peeked:
        newest = reader.block("latest").number
        assert reader.read(adapter.read_state(profile, proposal.key.proposal_id)) is ProposalState.ACTIVE
        try:
            reader.logs(block.number, newest + 1, [], [profile.address])
        except RpcError as refusal:
            return Peeked(newest=newest, refused="later" if "later" in refusal.message else refusal.message)
        return Peeked(newest=newest, refused="")
