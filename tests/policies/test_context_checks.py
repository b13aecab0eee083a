"""Checks that read context: loud on what happened around a proposal, quiet in a settled DAO."""

from __future__ import annotations

from typing import Any

import pytest
from tests.policies.settled import (
    ALICE,
    CRITICAL,
    HIGH,
    INFO,
    LOW,
    MALLORY,
    MEDIUM,
    PAY,
    QUORUM,
    USDC,
    changed,
    found,
    plain,
    worst,
)

from pnyx_contracts.types import ProposalState
from pnyx_policies.checks import (
    AfterTheFact,
    AmongOthers,
    Capture,
    Check,
    CheckSkipped,
    CheckView,
    Decoys,
    DuplicateCalls,
    ExecutionOrder,
    HeldFlood,
    LivePower,
    Proposer,
    Reinitialisation,
    SelfDealing,
    Timing,
)
from pnyx_policies.context import (
    READINGS,
    AccountKind,
    Before,
    EnsNames,
    FirstCoin,
    Gain,
    GovernorCode,
    GroundRules,
    Initializers,
    OpenInitializer,
    ProposerAccount,
    ProposerBefore,
    ProposerHistory,
    Reading,
    Turnout,
    Voter,
    VotingPower,
)
from pnyx_policies.facts import Skipped
from pnyx_policies.finding import Severity
from pnyx_tools.testing.facts import (
    GOVERNOR,
    PROPOSER,
    TIMELOCK,
    TOKEN,
    holding,
    results_of,
    uneventful,
)

CONTEXT_CHECKS = (
    AfterTheFact(), AmongOthers(), Capture(), Decoys(), DuplicateCalls(), ExecutionOrder(), HeldFlood(), LivePower(),
    Proposer(), Reinitialisation(), Timing(),
)  # fmt: skip


@pytest.mark.parametrize("check", CONTEXT_CHECKS, ids=lambda check: check.name)
@pytest.mark.parametrize("timelock", [TIMELOCK, None])
def test_a_settled_dao_is_quiet(check: Check, timelock: str | None) -> None:
    facts = plain(timelock=timelock)
    quiet = None if timelock or check.name != "timing" else LOW  # what passes can be executed at once
    assert worst(check, facts) is quiet


@pytest.mark.parametrize("check", CONTEXT_CHECKS, ids=lambda check: check.name)
def test_without_its_context_a_check_says_that_it_cannot_tell(check: Check) -> None:
    facts = plain().model_copy(update={"context": (), "skipped": ()})
    if check.name == "decoys":
        facts = plain(*[PAY] * 7).model_copy(update={"context": ()})
    with pytest.raises(CheckSkipped, match="it did not run"):
        found(check, facts)


# --- the seam


@pytest.mark.parametrize("reading", READINGS, ids=lambda reading: reading.TOOL)
def test_a_result_comes_back_as_it_went_into_the_record(reading: type[Reading]) -> None:
    facts = plain()
    ens = EnsNames(registry=USDC)
    (original,) = [r for r in (*uneventful(facts.proposal, facts.governor.profile), ens) if type(r) is reading]
    facts = facts.model_copy(update={"context": results_of([original])})
    assert CheckView(facts).context(reading) == original


def test_what_is_not_known_is_said_with_the_reason() -> None:
    facts = plain().model_copy(update={"context": (), "skipped": (Skipped(step="tool:ground_rules", why="no logs"),)})
    with pytest.raises(CheckSkipped, match="ground_rules gave nothing: no logs"):
        CheckView(facts).context(GroundRules)
    (result,) = [r for r in plain().context if r.tool == "ground_rules"]
    for wrong, why in (
        (result.model_copy(update={"version": "0"}), "known here is version 1"),
        (result.model_copy(update={"result": {"voting_delay": "many"}}), "none of that version"),
        (result.model_copy(update={"result": None}), "none of that version"),
    ):
        with pytest.raises(CheckSkipped, match=why):
            CheckView(facts.model_copy(update={"context": (wrong,)})).context(GroundRules)


# --- live-power


def test_power_for_a_moment_that_has_not_come_is_live() -> None:
    facts = changed(plain(), VotingPower, power_ahead_of_time=5)
    (finding,) = found(LivePower(), facts)
    assert (finding.severity, finding.evidence) == (CRITICAL, (GOVERNOR,))
    assert "5 units of voting power for a moment that has not come" in finding.detail
    assert "lends" not in finding.detail
    (finding,) = found(LivePower(), changed(facts, GroundRules, flash_loan=9))
    assert "lends 9 units" in finding.detail


def test_a_governor_that_tells_nobodys_power_ahead_of_time_may_be_honest() -> None:
    assert worst(LivePower(), changed(plain(), VotingPower, power_ahead_of_time=0)) is None


@pytest.mark.parametrize(
    ("state", "now", "severity"),
    [
        (ProposalState.ACTIVE, 900, CRITICAL),
        (ProposalState.ACTIVE, 901, None),
        (ProposalState.PENDING, 900, None),
        (ProposalState.CANCELED, 800, None),
    ],
)
def test_votes_before_the_snapshot_are_live(state: ProposalState, now: int, severity: Severity | None) -> None:
    assert worst(LivePower(), plain(state=state, now=now)) is severity  # the snapshot is 900


def test_everything_in_one_block_is_live() -> None:
    at_once = {"voting_delay": 0, "voting_period": 0, "timelock_delay_seconds": 0}
    assert worst(LivePower(), changed(plain(), GroundRules, **at_once)) is CRITICAL
    for one_later in ({"voting_delay": 1}, {"voting_period": 1}, {"timelock_delay_seconds": 1}):
        assert worst(LivePower(), changed(plain(), GroundRules, **(at_once | one_later))) is None


@pytest.mark.parametrize(
    ("emergency", "past", "live", "severity"),
    [
        ((), ("getPastVotes(address,uint256)",), (), None),
        ((), ("getPastVotes(address,uint256)",), ("balanceOf(address)",), None),
        ((), (), (), None),
        ((), (), ("balanceOf(address)",), HIGH),
        (("emergencyCommit(uint32)",), ("getPastVotes(address,uint256)",), ("balanceOf(address)",), HIGH),
        (("lift(address)",), (), (), HIGH),
        (("emergencyCommit(uint32)",), ("getPastVotes(address,uint256)",), (), LOW),
    ],
)
def test_what_the_code_of_the_governor_tells(
    emergency: tuple[str, ...], past: tuple[str, ...], live: tuple[str, ...], severity: Severity | None
) -> None:
    facts = changed(plain(), GovernorCode, emergency=emergency, past=past, live=live)
    assert worst(LivePower(), facts) is severity
    if severity is not None:
        (finding,) = found(LivePower(), facts)
        assert finding.evidence == (GOVERNOR,)
        assert all(path in finding.title for path in emergency)


# --- reinitialisation


@pytest.mark.parametrize(("role", "severity"), [("governor", CRITICAL), ("timelock", CRITICAL), ("target", HIGH)])
def test_an_open_initialiser(role: str, severity: Severity) -> None:
    open_ = OpenInitializer(contract=USDC, role=role, signature="initialize(address)")
    (finding,) = found(Reinitialisation(), changed(plain(), Initializers, open=(open_,)))
    assert (finding.severity, finding.evidence, finding.calls) == (severity, (USDC,), ("0",))
    assert "initialize(address)" in finding.title


@pytest.mark.parametrize(
    ("opcodes", "makes_room", "severity"),
    [((), None, LOW), (("DELEGATECALL",), False, LOW), (("DELEGATECALL",), True, HIGH)],
)
def test_an_open_implementation_is_bad_where_it_can_be_destroyed(
    opcodes: tuple[str, ...], makes_room: bool | None, severity: Severity
) -> None:
    code = MALLORY
    open_ = OpenInitializer(contract=code, role="implementation", signature="init()", proxy=USDC, opcodes=opcodes)
    (finding,) = found(Reinitialisation(), changed(plain(), Initializers, open=(open_,), makes_room=makes_room))
    assert (finding.severity, finding.evidence, finding.calls) == (severity, (code, USDC), ("0",))
    assert ("destroy it" in finding.detail) is bool(opcodes)


# --- self-dealing


@pytest.mark.parametrize(
    ("vote", "who", "severities"),
    [("for", ALICE, [LOW]), ("against", ALICE, []), ("for", MALLORY, [])],
)
def test_a_voter_who_gains_by_what_it_votes_for(vote: str, who: str, severities: list[Severity]) -> None:
    voter = Voter(voter=who, weight=30, votes=(vote,))
    facts = changed(plain(), VotingPower, largest=(voter,), weight_cast=40)
    findings = found(SelfDealing(), facts)
    assert [f.severity for f in findings] == severities
    for finding in findings:
        assert finding.title == f"{ALICE} cast 75% of the votes, in favour, and gets 100 of {USDC}"
    known = facts.model_copy(update={"known_addresses": {ALICE: "the foundation"}})
    assert found(SelfDealing(), known) == ()
    assert found(SelfDealing(), facts.model_copy(update={"context": ()})) == ()


# --- proposer


@pytest.mark.parametrize(
    ("before", "supply", "severity"),
    [(0, 10**24, MEDIUM), (5 * 10**21, 10**24, MEDIUM), (6 * 10**21, 10**24, None), (0, 0, None), (0, None, None)],
)
def test_power_that_came_for_the_proposal(before: int, supply: int | None, severity: Severity | None) -> None:
    facts = changed(plain(), VotingPower, proposer_before=before, supply_before=supply)  # it has 10**22 then
    assert worst(Proposer(), facts) is severity


def test_the_part_that_came_is_told_in_percent() -> None:
    (finding,) = found(Proposer(), changed(plain(), VotingPower, proposer_before=10**21))
    assert "got 90% of its voting power within 7200 blocks" in finding.title


def test_a_first_proposal_is_told() -> None:
    assert worst(Proposer(), changed(plain(), ProposerHistory, proposals_by_proposer=0)) is INFO


@pytest.mark.parametrize(
    ("account", "severity"),
    [
        ({"sender_transactions": 5}, LOW),
        ({"sender_transactions": 6}, None),
        ({"kind": AccountKind.DELEGATED}, None),
        ({"kind": AccountKind.DELEGATED, "called": ALICE}, None),
        ({"kind": AccountKind.DELEGATED, "called": ALICE, "sender": MALLORY}, LOW),
        ({"sender": MALLORY}, None),  # by a signature
        ({"sender": MALLORY, "called": ALICE}, MEDIUM),
        ({"sender": MALLORY, "called": PROPOSER, "kind": AccountKind.CONTRACT}, LOW),
        ({"sender": MALLORY, "called": None, "kind": AccountKind.CONTRACT}, MEDIUM),
    ],
)
def test_the_account_that_proposes(account: dict[str, Any], severity: Severity | None) -> None:
    assert worst(Proposer(), changed(plain(), ProposerAccount, **account)) is severity


@pytest.mark.parametrize(
    ("before", "kind", "severity"),
    [
        ({}, AccountKind.KEY, LOW),
        ({"coin_wei": 1}, AccountKind.KEY, None),
        ({"transactions": 1}, AccountKind.KEY, None),
        ({}, AccountKind.CONTRACT, MEDIUM),
        ({"has_code": True}, AccountKind.CONTRACT, LOW),
    ],
)
def test_how_the_account_stood_a_week_before(
    before: dict[str, Any], kind: AccountKind, severity: Severity | None
) -> None:
    facts = changed(plain(), ProposerAccount, kind=kind)
    then = Before(**({"block": 100, "coin_wei": 0, "transactions": 0, "has_code": False} | before))
    assert worst(Proposer(), changed(facts, ProposerBefore, before=then)) is severity
    unknown = [r for r in facts.context if r.tool not in {ProposerBefore.TOOL, FirstCoin.TOOL}]
    found(Proposer(), facts.model_copy(update={"context": tuple(unknown)}))  # and is no reason to skip the rest


@pytest.mark.parametrize(
    ("threshold", "severity"), [(10**22, LOW), (9_091 * 10**18, LOW), (9_090 * 10**18, None), (0, None), (None, None)]
)
def test_power_that_is_just_enough(threshold: int | None, severity: Severity | None) -> None:
    assert worst(Proposer(), changed(plain(), GroundRules, proposal_threshold=threshold)) is severity


# --- capture


def test_who_gains_a_quorum_right_before() -> None:
    gain = Gain(delegate=MALLORY, gained=QUORUM, power=QUORUM + 1)
    facts = changed(plain(), VotingPower, gains=(gain,))
    (finding,) = found(Capture(), facts)
    assert (finding.severity, finding.evidence) == (MEDIUM, (MALLORY,))
    assert "100% of the quorum" in finding.title
    assert worst(Capture(), changed(facts, VotingPower, supply_before=0)) is None  # everybody gained: the DAO is new
    less = changed(plain(), VotingPower, gains=(gain.model_copy(update={"gained": QUORUM - 1}),))
    assert worst(Capture(), less) is None


@pytest.mark.parametrize(
    ("weight", "share_bps", "severity"), [(QUORUM, 5_001, LOW), (QUORUM, 5_000, None), (9, 9_999, None)]
)
def test_one_account_that_decides(weight: int, share_bps: int, severity: Severity | None) -> None:
    voter = Voter(voter=MALLORY, weight=weight, votes=("for",))
    values = {"voters": 2, "weight_cast": QUORUM * 2, "largest_share_bps": share_bps, "largest": (voter,)}
    assert worst(Capture(), changed(plain(), VotingPower, **values)) is severity


@pytest.mark.parametrize(("quorum", "severity"), [(10**22 - 1, LOW), (10**22, None), (0, None), (None, None)])
def test_a_quorum_that_is_a_small_part_of_the_supply(quorum: int | None, severity: Severity | None) -> None:
    assert worst(Capture(), changed(plain(), GroundRules, quorum=quorum)) is severity  # the supply is 10**24


def test_a_treasury_that_could_pay_for_its_own_capture() -> None:
    held = plain(treasury=[holding(None, 10**30), holding(TOKEN, 3 * QUORUM)])
    assert [f.title for f in found(Capture(), held)] == ["The treasury holds 300% of the quorum in voting tokens alone"]
    assert worst(Capture(), plain(treasury=[holding(TOKEN, QUORUM)])) is None


@pytest.mark.parametrize(
    ("cast", "severity"), [((1, 1, 1), LOW), ((1, 1, QUORUM), LOW), ((1, QUORUM, QUORUM), None), ((1, 1), None)]
)
def test_a_dao_that_few_vote_in(cast: tuple[int, ...], severity: Severity | None) -> None:
    earlier = tuple(Turnout(proposal_id=n, voters=1, weight_cast=weight) for n, weight in enumerate(cast))
    assert worst(Capture(), changed(plain(), VotingPower, earlier=earlier)) is severity
