"""Checks that read context: loud on what happened around a proposal, quiet in a settled DAO."""

from __future__ import annotations

from typing import Any

import pytest

from pnyx_contracts.types import ClockMode, ProposalState
from pnyx_policies.checks import (
    AfterTheFact,
    AmongOthers,
    Capture,
    Check,
    CheckSkipped,
    CheckView,
    CodeOriginCheck,
    Decoys,
    DuplicateCalls,
    ExecutionOrder,
    HeldFlood,
    LivePower,
    LookalikeAddress,
    Proposer,
    Reinitialisation,
    SelfDealing,
    Timing,
    builtin_checks,
    run_checks,
)
from pnyx_policies.context import (
    READINGS,
    AccountKind,
    Afterwards,
    Before,
    CodeOrigin,
    CodeOrigins,
    DestroyedCode,
    EarlierPayee,
    EarlierPayment,
    EarlierPayments,
    EarlierProposal,
    Effects,
    EnsNames,
    FirstCoin,
    Gain,
    GroundRules,
    HeldProposal,
    HeldProposals,
    How,
    Initializers,
    LateVotes,
    LiveProposal,
    LiveProposals,
    LookAlike,
    Made,
    OpenInitializer,
    Operation,
    ProposerAccount,
    ProposerBefore,
    ProposerHistory,
    QueuedCall,
    Reading,
    Role,
    TimelockQueue,
    Turnout,
    Voter,
    VotingPower,
)
from pnyx_policies.decide import decide
from pnyx_policies.decision import Outcome
from pnyx_policies.facts import Change, Facts, Skipped
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.ruleset import Ruleset
from pnyx_policies.rulesets import shipped_ruleset, shipped_rulesets
from pnyx_tools.testing.facts import (
    GOVERNOR,
    PROPOSER,
    TIMELOCK,
    TOKEN,
    address_of,
    call_of,
    facts_for,
    holding,
    moved,
    proposal_of,
    results_of,
    simulated,
    uneventful,
)

ALICE, MALLORY, USDC, OTHER_TIMELOCK = map(address_of, ("alice", "mallory", "usdc", "another timelock"))
NOBODY = "0x" + "00" * 20
INFO, LOW, MEDIUM, HIGH, CRITICAL = Severity
PAY = call_of(USDC, "transfer(address,uint256)", ALICE, 100)
UNITS = 10**18
QUORUM = 4 * 10**22
"""Of `uneventful` ground rules."""
CONTEXT_CHECKS = (
    AfterTheFact(), AmongOthers(), Capture(), Decoys(), DuplicateCalls(), ExecutionOrder(), HeldFlood(), LivePower(),
    Proposer(), Reinitialisation(), Timing(),
)  # fmt: skip


def changed(facts: Facts, kind: type[Reading], /, **values: Any) -> Facts:
    """Facts with other values in one result."""
    reading = CheckView(facts).context(kind).model_copy(update=values)
    others = [result for result in facts.context if result.tool != kind.TOOL]
    return facts.model_copy(update={"context": (*others, *results_of([reading]))})


def plain(*calls: Any, **options: Any) -> Facts:
    return facts_for(proposal_of(calls or [PAY], f"Pay 100 to Alice, {ALICE}."), **options)


def found(check: Check, facts: Facts) -> tuple[Finding, ...]:
    return check.run(CheckView(facts))


def worst(check: Check, facts: Facts) -> Severity | None:
    return max((finding.severity for finding in found(check, facts)), default=None)


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


# --- timing


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"voting_delay": 1}, "voting delay 12 seconds"),
        ({"voting_period": 50}, "voting period 10 minutes"),
        ({"timelock_delay_seconds": 0}, "timelock delay 0 seconds"),
        ({"voting_delay": 300, "voting_period": 7_200, "timelock_delay_seconds": 3_600}, ""),
        ({"voting_delay": None, "voting_period": None, "timelock_delay_seconds": None}, ""),
    ],
)
def test_a_daos_own_haste_is_low(settings: dict[str, int], words: str) -> None:
    findings = found(Timing(), changed(plain(), GroundRules, **settings))
    assert [(f.severity, f.title) for f in findings] == (
        [(LOW, f"Short by the DAO's own settings: {words}")] if words else []
    )


def test_a_clock_of_seconds_needs_no_pace() -> None:
    facts = changed(plain(clock=ClockMode.TIMESTAMP), GroundRules, voting_delay=3_599, voting_period=86_400)
    assert [f.title for f in found(Timing(), facts)] == ["Short by the DAO's own settings: voting delay 59 minutes"]


@pytest.mark.parametrize(
    ("call", "title"),
    [
        (call_of(GOVERNOR, "setVotingDelay(uint48)", 0), "The voting delay becomes 0 seconds"),
        (call_of(GOVERNOR, "setVotingPeriod(uint32)", 3), "The voting period becomes 36 seconds"),
        (call_of(GOVERNOR, "_setVotingPeriod(uint256)", 3), "The voting period becomes 36 seconds"),
        (call_of(TIMELOCK, "updateDelay(uint256)", 60), "The timelock delay becomes 60 seconds"),
    ],
)
def test_who_makes_it_short_is_told(call: Any, title: str) -> None:
    (finding,) = found(Timing(), plain(call))
    assert (finding.severity, finding.title, finding.calls) == (HIGH, title, ("0",))


def test_who_makes_it_longer_or_a_little_shorter_is_not() -> None:
    calls = call_of(GOVERNOR, "setVotingPeriod(uint32)", 50_000), call_of(TIMELOCK, "updateDelay(uint256)", 3_600)
    assert found(Timing(), plain(*calls)) == ()


@pytest.mark.parametrize(("late_against", "severity"), [(101, MEDIUM), (100, MEDIUM), (99, None)])
def test_late_votes_that_turn_the_majority_around(late_against: int, severity: Severity | None) -> None:
    late = LateVotes(since_block=1_890, early_for=150, early_against=50, late_for=0, late_against=late_against)
    assert worst(Timing(), changed(plain(), VotingPower, late=late)) is severity


# --- reinitialisation


@pytest.mark.parametrize(("role", "severity"), [("governor", CRITICAL), ("timelock", CRITICAL), ("target", HIGH)])
def test_an_open_initialiser(role: str, severity: Severity) -> None:
    open_ = OpenInitializer(contract=USDC, role=role, signature="initialize(address)")
    (finding,) = found(Reinitialisation(), changed(plain(), Initializers, open=(open_,)))
    assert (finding.severity, finding.evidence, finding.calls) == (severity, (USDC,), ("0",))
    assert "initialize(address)" in finding.title


# --- execution-order


def scheduled(predecessor: int = 0, timelock: str = OTHER_TIMELOCK) -> Any:
    signature = "schedule(address,uint256,bytes,bytes32,bytes32,uint256)"
    return call_of(timelock, signature, USDC, 0, b"", predecessor.to_bytes(32), bytes(32), 60)


OPEN = Role(timelock=OTHER_TIMELOCK, role="executor", holder=NOBODY)


@pytest.mark.parametrize(
    ("calls", "roles", "severity"),
    [
        ([scheduled(), scheduled()], [OPEN], HIGH),
        ([scheduled(), scheduled()], [], MEDIUM),
        ([scheduled(), scheduled()], [Role(timelock=TIMELOCK, role="executor", holder=NOBODY)], MEDIUM),
        ([scheduled(), scheduled()], [Role(timelock=OTHER_TIMELOCK, role="executor", holder=PROPOSER)], MEDIUM),
        ([scheduled(), scheduled(7)], [OPEN], None),
        ([scheduled(), scheduled(timelock=MALLORY)], [OPEN], None),
        ([scheduled()], [OPEN], None),
    ],
)
def test_operations_that_do_not_wait_for_one_another(
    calls: list[Any], roles: list[Role], severity: Severity | None
) -> None:
    assert worst(ExecutionOrder(), changed(plain(*calls), GroundRules, roles=tuple(roles))) is severity


@pytest.mark.parametrize(
    ("target", "same_calls", "is_open", "severity"),
    [(USDC, False, True, LOW), (USDC, False, False, None), (USDC, True, True, None), (ALICE, False, True, None)],
)
def test_operations_that_wait_for_the_same_contract(
    target: str, same_calls: bool, is_open: bool, severity: Severity | None
) -> None:
    operation = Operation(
        id=bytes(32), scheduled_block=950, ready_at=1, has_predecessor=False, same_calls=same_calls,
        calls=(QueuedCall(target=target, value_wei=0, signature=None),),
    )  # fmt: skip
    facts = changed(plain(), TimelockQueue, pending=1, operations=(operation,))
    roles = (Role(timelock=TIMELOCK, role="executor", holder=NOBODY),) if is_open else ()
    assert worst(ExecutionOrder(), changed(facts, GroundRules, roles=roles)) is severity


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


# --- decoys


def alike(bps: int, *, same_calls: bool = False, same_functions: bool = False) -> LookAlike:
    return LookAlike(
        proposal_id=16, proposer=ALICE, created_block=7, alike_bps=bps, same_calls=same_calls,
        same_functions=same_functions,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("copies", "severity"),
    [
        ([alike(9_000)], MEDIUM),
        ([alike(9_000, same_functions=True)], LOW),
        ([alike(10_000, same_calls=True, same_functions=True)], None),
        ([alike(10_000, same_functions=True), alike(8_000)], MEDIUM),
    ],
)
def test_an_old_text_with_other_calls(copies: list[LookAlike], severity: Severity | None) -> None:
    facts = changed(plain(), ProposerHistory, alike=tuple(copies))
    assert worst(Decoys(), facts) is severity
    if severity is MEDIUM:
        assert found(Decoys(), facts)[0].evidence == ("16",)


def earlier(state: str, number: int = 16) -> EarlierProposal:
    return EarlierProposal(proposal_id=number, created_block=7, calls=1, state=state, same_calls=True)


@pytest.mark.parametrize(
    ("states", "severity", "says"),
    [
        ([], None, ""),
        (["active"], HIGH, "Proposal 16 does the same, and is active: both may be executed"),
        (["queued"], HIGH, "Proposal 16 does the same, and is queued: both may be executed"),
        (["executed"], LOW, "Proposal 16 does the same, and is executed: it was done already"),
        (["defeated"], MEDIUM, "Proposal 16 does the same, and is defeated: it was voted down"),
        (["canceled"], LOW, "Proposal 16 does the same, and is canceled: it was given up"),
        (["expired", "defeated", "canceled"], MEDIUM, "Proposal 17 does the same, and is defeated: it was voted down"),
        (["a state of tomorrow"], HIGH, "Proposal 16 does the same, and is a state of tomorrow: both may be executed"),
    ],
)
def test_the_same_in_another_proposal(states: list[str], severity: Severity | None, says: str) -> None:
    repeated = tuple(earlier(state, 16 + place) for place, state in enumerate(states))
    facts = changed(plain(), ProposerHistory, repeated=repeated)
    assert worst(DuplicateCalls(), facts) is severity
    if severity:
        (finding,) = found(DuplicateCalls(), facts)
        assert finding.title == says


def test_whoever_copies_a_proposal_does_not_keep_it_from_its_vote() -> None:
    first = plain()
    copy = earlier("active").model_copy(update={"created_block": first.proposal.created_block + 1})
    assert worst(DuplicateCalls(), changed(first, ProposerHistory, repeated=(copy,))) is LOW
    both = changed(first, ProposerHistory, repeated=(copy, earlier("active", 17)))
    assert worst(DuplicateCalls(), both) is HIGH, "another one was first"


@pytest.mark.parametrize(
    ("words", "severity"),
    [
        ("for May", MEDIUM),
        ("again", MEDIUM),
        ("(payment 2)", MEDIUM),
        ("for a year of work", HIGH),
        ("as it may be done", HIGH),
    ],
)
def test_the_same_once_more_may_be_one_of_several(words: str, severity: Severity) -> None:
    facts = changed(
        facts_for(proposal_of([PAY], f"Pay 100 to Alice, {ALICE}, {words}.")),
        ProposerHistory,
        repeated=(earlier("active"),),
    )
    assert worst(DuplicateCalls(), facts) is severity


@pytest.mark.parametrize(("count", "empty", "severity"), [(5, 0, LOW), (4, 0, None), (1, 1, LOW)])
def test_proposals_that_come_together(count: int, empty: int, severity: Severity | None) -> None:
    assert worst(Decoys(), changed(plain(), ProposerHistory, nearby_by_proposer=count, nearby_empty=empty)) is severity


def test_the_one_call_that_is_unlike_all_others() -> None:
    payments = [call_of(USDC, "transfer(address,uint256)", ALICE, n) for n in range(6)]
    odd = call_of(USDC, "transferOwnership(address)", MALLORY)
    (finding,) = found(Decoys(), plain(*payments[:3], odd, *payments[3:]))
    assert (finding.severity, finding.calls) == (LOW, ("3",))
    assert "6 of 7 calls are alike" in finding.title
    assert found(Decoys(), plain(*payments)) == ()
    assert found(Decoys(), plain(*payments, odd, odd)) == ()
    assert found(Decoys(), plain(*payments[:4], odd)) == ()


# --- after-the-fact


def paid(**values: Any) -> EarlierPayment:
    nothing = {"shortly_before": 0, "since_proposed": 0}
    return EarlierPayment(
        **({"asset": USDC, "receiver": ALICE, "transfers": 1, "amount": 200, "last_block": 790} | nothing | values)
    )


@pytest.mark.parametrize(
    ("payment", "severity"),
    [
        (paid(), LOW),
        (paid(shortly_before=49), LOW),
        (paid(shortly_before=50), MEDIUM),
        (paid(since_proposed=1), MEDIUM),
    ],
)
def test_what_was_paid_before_it_was_asked_for(payment: EarlierPayment, severity: Severity) -> None:
    facts = changed(plain(), EarlierPayments, payments=(payment,))  # which asks for 100
    (finding,) = found(AfterTheFact(), facts)
    assert (finding.severity, finding.evidence, finding.calls) == (severity, (USDC, ALICE), ("0",))
    friends = facts.model_copy(update={"known_addresses": {ALICE: "our own Safe"}})
    assert found(AfterTheFact(), friends) == ()


def test_who_looks_like_somebody_that_was_paid_before() -> None:
    payee = EarlierPayee(asset=USDC, receiver=ALICE, looks_like=MALLORY, transfers=3, last_block=700)
    facts = changed(plain(), EarlierPayments, mistaken=(payee,))
    (finding,) = found(LookalikeAddress(), facts)
    assert (finding.severity, finding.evidence) == (CRITICAL, (ALICE, MALLORY))
    friends = facts.model_copy(update={"known_addresses": {ALICE: "the new multisig"}})
    assert found(LookalikeAddress(), friends) == ()
    assert found(LookalikeAddress(), plain().model_copy(update={"context": ()})) == ()


# --- live-proposals


def live(**values: Any) -> Facts:
    then = Afterwards(after=(7,), reverts_alone=(), reverts=(), appears=Effects(), vanishes=Effects())
    other = LiveProposal(proposal_id=7, state="active", created_block=790, calls=1, reverts=False)
    afterwards = then.model_copy(update=values)
    return changed(plain(), LiveProposals, live=1, proposals=(other,), afterwards=afterwards)


PAID = Effects(movements=(moved(USDC, MALLORY, 5),))
GIVEN = Effects(changes=(Change(kind="role-granted", contract=USDC, subject=MALLORY, detail="role 0x00"),))


@pytest.mark.parametrize(
    ("values", "severity", "title"),
    [
        ({"reverts": ("0",)}, HIGH, "It reverts after proposal 7"),
        ({"reverts_alone": ("0",)}, MEDIUM, "It goes through only after proposal 7"),
        ({"reverts_alone": ("0",), "appears": PAID}, HIGH, "It goes through only after proposal 7"),
        ({"appears": PAID, "vanishes": GIVEN}, HIGH, "It does something else after proposal 7"),
        ({"appears": GIVEN}, HIGH, "It does something else after proposal 7"),
        ({"vanishes": GIVEN}, MEDIUM, "It does less after proposal 7"),
        ({"appears": PAID, "after": (7, 8)}, HIGH, "It does something else after 2 other live proposals"),
    ],
)
def test_what_changes_after_other_proposals(values: dict[str, Any], severity: Severity, title: str) -> None:
    (finding,) = found(AmongOthers(), live(**values))
    assert (finding.severity, finding.title) == (severity, title)
    assert finding.evidence[0] == "7"


def test_what_changes_is_told_in_numbers() -> None:
    many = Effects(movements=tuple(moved(None, ALICE, n) for n in range(1, 6)), left_out=3)
    (finding,) = found(AmongOthers(), live(appears=many, vanishes=GIVEN))
    assert f"Only then: 1 of coin go from {TIMELOCK} to {ALICE}; 2 of coin" in finding.detail
    assert "; 4 more. " in finding.detail
    assert finding.detail.endswith(f"Only without them: role-granted at {USDC}: {MALLORY}, role 0x00.")


def test_other_proposals_that_change_nothing_are_no_finding() -> None:
    assert found(AmongOthers(), live()) == ()
    assert found(AmongOthers(), live(reverts_alone=("0",), reverts=("0",))) == ()  # simulation-reverts says it
    assert found(AmongOthers(), changed(live(), LiveProposals, afterwards=None)) == ()


@pytest.mark.parametrize("values", [{"live": 2}, {"not_asked": 1}])
def test_more_live_proposals_than_are_tried(values: dict[str, int]) -> None:
    (finding,) = found(AmongOthers(), changed(live(), LiveProposals, **values))
    assert finding.severity is LOW


# --- held-flood


def waiting(*proposers: str, facts: Facts | None = None) -> Facts:
    """Others that are held, the newest first."""
    newest = tuple(
        HeldProposal(proposal_id=number, proposer=proposer, held_block=900)
        for number, proposer in enumerate(proposers, start=1)
    )
    counts = {"held": len(newest), "held_of_proposer": proposers.count(PROPOSER)}
    return changed(facts or plain(), HeldProposals, newest=newest[:20], **counts)


def test_one_account_that_takes_all_of_peoples_time() -> None:
    assert found(HeldFlood(), waiting(*[PROPOSER] * 5)) == ()
    (finding,) = found(HeldFlood(), waiting(ALICE, *[PROPOSER] * 6))
    assert (finding.severity, finding.evidence) == (HIGH, (PROPOSER, "2", "3", "4", "5", "6", "7"))
    assert finding.detail == "More than 5; 7 wait in all."


def test_what_others_flood_people_with_keeps_nobody_from_a_vote() -> None:
    assert found(HeldFlood(), waiting(*[MALLORY] * 20)) == ()
    (finding,) = found(HeldFlood(), waiting(*[MALLORY] * 21))
    assert (finding.severity, finding.title) == (LOW, "21 more proposals of this governor wait for people")
    assert "by at least 1 account:" in finding.detail
    both = found(HeldFlood(), waiting(*[PROPOSER] * 10, *[MALLORY] * 11))
    assert [finding.severity for finding in both] == [HIGH, LOW]


def decided(ruleset: str, facts: Facts) -> Outcome:
    reports = run_checks(builtin_checks(), CheckView(facts))
    return decide(Ruleset.parse(shipped_ruleset(ruleset), ruleset), facts, reports, ()).decision.outcome


def test_a_flood_never_makes_an_agent_vote() -> None:
    """What a rule would let pass is for people; what is hostile stays hostile."""
    treasury = [holding(USDC, 10**6, decimals=0, symbol="USDC")]
    routine, hostile = (
        facts_for(proposal_of([PAY], text), simulation=simulated([moved(USDC, ALICE, 100)]), treasury=treasury)
        for text in (f"Pay 100 USDC to Alice, {ALICE}.", "")
    )
    flood = [PROPOSER] * 21
    for ruleset in shipped_rulesets():
        assert decided(ruleset, waiting(*flood, facts=routine)) is Outcome.HOLD
        assert decided(ruleset, waiting(*flood, facts=hostile)) is decided(ruleset, hostile)
    assert decided("steward", routine) is Outcome.FOR
    assert decided("steward", waiting(*[MALLORY] * 21, facts=routine)) is Outcome.FOR
    assert decided("steward", hostile) is Outcome.AGAINST


# --- code-origin

FACTORY, MAKER = address_of("factory"), address_of("maker")
BY_FACTORY = Made(contract=USDC, block=700, how=How.CREATE2, maker=FACTORY)
BY_MAKER = Made(contract=USDC, block=700, how=How.CREATE, maker=MAKER, maker_can_vanish=True)
MAKER_BY = {how: Made(contract=MAKER, block=600, how=how, maker=FACTORY) for how in How}
BY_ALICE = Made(contract=USDC, block=700, how=How.TRANSACTION, maker=ALICE)
NOT_FOUND = Made(contract=USDC, block=700, how=How.UNKNOWN)


def code_of(*made: Made, young_from: int | None = None, makes_room: bool = True, can_go: bool = True) -> Facts:
    facts = plain()
    targets = tuple(t.model_copy(update={"opcodes": ("SELFDESTRUCT",) * can_go}) for t in facts.targets)
    code = CodeOrigin(address=USDC, proxy=None, can_destroy_itself=can_go, made=made)
    facts = changed(facts.model_copy(update={"targets": targets}), DestroyedCode, makes_room=makes_room)
    return changed(facts, CodeOrigins, codes=(code,), young_from=young_from)


@pytest.mark.parametrize(
    ("made", "severity"),
    [
        ((BY_FACTORY,), HIGH),
        ((BY_MAKER, MAKER_BY[How.CREATE2]), CRITICAL),
        ((BY_MAKER, MAKER_BY[How.TRANSACTION]), None),
        ((BY_MAKER, MAKER_BY[How.GENESIS]), None),
        ((BY_MAKER, MAKER_BY[How.CREATE]), None),
        ((BY_MAKER, MAKER_BY[How.CREATE].model_copy(update={"maker_can_vanish": True})), HIGH),
        ((BY_MAKER, MAKER_BY[How.UNKNOWN]), HIGH),
        ((BY_MAKER.model_copy(update={"maker_can_vanish": False}),), None),
        ((BY_ALICE,), None),
        ((NOT_FOUND,), HIGH),
    ],
)
def test_code_comes_back_where_who_made_it_can_make_it_again(made: tuple[Made, ...], severity: Severity | None) -> None:
    assert worst(CodeOriginCheck(), code_of(*made)) is severity
    assert worst(CodeOriginCheck(), code_of(*made, makes_room=False)) is None
    assert worst(CodeOriginCheck(), code_of(*made, can_go=False)) is None


def test_who_made_code_is_told() -> None:
    (finding,) = found(CodeOriginCheck(), code_of(BY_MAKER, MAKER_BY[How.CREATE2]))
    assert finding.detail.endswith(
        f"{USDC} was made in block 700, by {MAKER} as a contract's next one. "
        f"{MAKER} was made in block 600, by {FACTORY} by CREATE2."
    )
    assert (finding.calls, finding.evidence) == (("0",), (USDC, MAKER, FACTORY))


@pytest.mark.parametrize(
    ("young_from", "block", "title"),
    [
        (699, 700, "was put there 100 blocks before the proposal"),
        (699, 810, "was put there 10 blocks after the proposal"),
        (700, 700, ""),
        (None, 700, ""),
    ],
)
def test_young_code_is_low(young_from: int | None, block: int, title: str) -> None:
    made = BY_ALICE.model_copy(update={"block": block})
    findings = found(CodeOriginCheck(), code_of(made, young_from=young_from, can_go=False))
    assert [(f.severity, f.title) for f in findings] == ([(LOW, f"The code of {USDC} {title}")] if title else [])


@pytest.mark.parametrize("kind", [DestroyedCode, CodeOrigins])
def test_code_that_may_come_back_is_not_judged_without_its_context(kind: type[Reading]) -> None:
    def without(facts: Facts) -> Facts:
        return facts.model_copy(update={"context": tuple(r for r in facts.context if r.tool != kind.TOOL)})

    with pytest.raises(CheckSkipped, match=kind.TOOL):
        found(CodeOriginCheck(), without(code_of(BY_FACTORY)))
    assert found(CodeOriginCheck(), without(plain())) == (), "what cannot go away cannot come back"
