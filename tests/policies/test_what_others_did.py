"""Checks that read what others did: other proposals, earlier payments, who made the code."""

from __future__ import annotations

from typing import Any

import pytest
from tests.policies.settled import (
    ALICE,
    CRITICAL,
    HIGH,
    LOW,
    MALLORY,
    MEDIUM,
    PAY,
    USDC,
    changed,
    found,
    plain,
    worst,
)

from pnyx_policies.checks import (
    AmongOthers,
    CheckSkipped,
    CheckView,
    CodeOriginCheck,
    Decoys,
    DuplicateCalls,
    HeldFlood,
    LookalikeAddress,
    builtin_checks,
    run_checks,
)
from pnyx_policies.context import (
    Afterwards,
    CodeOrigin,
    CodeOrigins,
    DestroyedCode,
    EarlierPayee,
    EarlierPayments,
    EarlierProposal,
    Effects,
    HeldProposal,
    HeldProposals,
    How,
    LiveProposal,
    LiveProposals,
    LookAlike,
    Made,
    ProposerHistory,
    Reading,
)
from pnyx_policies.decide import decide
from pnyx_policies.decision import Outcome
from pnyx_policies.facts import Change, Facts
from pnyx_policies.finding import Severity
from pnyx_policies.ruleset import Ruleset
from pnyx_policies.rulesets import shipped_ruleset, shipped_rulesets
from pnyx_tools.testing.facts import (
    PROPOSER,
    TIMELOCK,
    address_of,
    call_of,
    facts_for,
    holding,
    moved,
    proposal_of,
    simulated,
)

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


# --- lookalike-address


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


@pytest.mark.parametrize(
    ("after", "operations", "words"),
    [
        ((), 1, "1 operation of others that waits"),
        ((), 2, "2 operations of others that wait"),
        ((7,), 1, "1 operation of others that waits and proposal 7"),
        ((7, 8), 0, "2 other live proposals"),
    ],
)
def test_after_whom_is_told(after: tuple[int, ...], operations: int, words: str) -> None:
    (finding,) = found(AmongOthers(), live(reverts=("0",), after=after, after_operations=(b"\x01" * 32,) * operations))
    assert finding.title == f"It reverts after {words}"
    assert len(finding.evidence) == len(after) + operations


def test_operations_beyond_those_that_were_tried_are_told() -> None:
    (finding,) = found(AmongOthers(), changed(plain(), LiveProposals, waiting=2))
    assert (finding.severity, finding.title.split("; ")[1]) == (LOW, "2 operations of the timelock")


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
