"""A daemon that was taken over can ask for anything. It gets nothing but what rules, chain and people give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from eth_account import Account
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address
from pydantic import ValidationError

from pnyx_contracts.decision_log import (
    encode_activate,
    encode_announce,
    encode_record,
    read_operator,
    subject,
    vote_action,
)
from pnyx_contracts.entry import Declaration, EntryKind
from pnyx_contracts.errors import DecodingError, DiffersError, PnyxError, RefusedError
from pnyx_contracts.types import ProposalState, Vote
from pnyx_policies.approval import answer_in
from pnyx_policies.checks import CheckReport, CheckView, builtin_checks, run_checks
from pnyx_policies.decide import decide
from pnyx_policies.decision import Mode, Outcome
from pnyx_policies.dossier import Dossier, Expired
from pnyx_policies.facts import Grade, ToolResult
from pnyx_policies.outline import OUTLINE
from pnyx_policies.review import review_digest
from pnyx_policies.ruleset import Ruleset
from pnyx_tools.reader import WrongChainError
from pnyx_tools.signer.protocol import NotYetError
from pnyx_tools.signer.settings import WriterKind
from pnyx_tools.testing.deploy import deploy_governance, deploy_log, encode_call

from .conftest import FRIEND, GWEI, RULES, STRANGER, Parliament, approve, heard, outlined, sealed, signed, text

Doctor = Callable[[Dossier], Dossier]

GENEROUS = """\
name = "generous"
version = "1"

[[rule]]
id = "anything"
because = "Whatever."
when = ["calls.count > 0"]
then = "for"
"""


def changed(value: Any, path: str, new: Any) -> Any:
    """`value` with the field at a dotted path replaced; a number indexes a tuple; a function maps the old value."""
    name, _, rest = path.partition(".")
    if name.isdigit():
        items = list(value)
        items[int(name)] = changed(items[int(name)], rest, new) if rest else _new(items[int(name)], new)
        return tuple(items)
    old = getattr(value, name)
    return value.model_copy(update={name: changed(old, rest, new) if rest else _new(old, new)})


def _new(old: Any, new: Any) -> Any:
    return new(old) if callable(new) else new


def judged_again(dossier: Dossier, ruleset: str = RULES) -> Dossier:
    """A thorough liar: outline, checks and decision fit the facts that it invented."""
    if [o.analyst for o in dossier.opinions] == [OUTLINE]:
        dossier = dossier.model_copy(update={"opinions": outlined(dossier.facts)})
    reports = run_checks(builtin_checks(), CheckView(dossier.facts, dossier.opinions))
    judged = decide(Ruleset.parse(ruleset, "liar"), dossier.facts, reports, dossier.opinions)
    return dossier.model_copy(
        update={"checks": reports, "decision": judged.decision, "rules": judged.rules, "ruleset": ruleset}
    )


def declare(parliament: Parliament, **parts: Any) -> None:
    """Another declared configuration, for signer and daemon alike."""
    configuration = parliament.settings.configuration.model_copy(update=parts)
    parliament.settings = parliament.settings.model_copy(update={"configuration": configuration})


def refuses(parliament: Parliament, request: Any, reason: str, kind: type[PnyxError] = RefusedError) -> None:
    signer = parliament.signer()
    with pytest.raises(kind, match=reason):
        signer.sign(request)
    assert signer.signed == []


def test_the_honest_request_is_signed(parliament: Parliament) -> None:
    """What the refusals below are measured against."""
    assert parliament.signer().sign(parliament.ask_vote(parliament.dossier(parliament.open()))).raw


# --- the bundle, field by field --------------------------------------------------------------------------------------

OTHER = str(to_checksum_address("0x00000000000000000000000000000000000e7be2"))
WORD = b"\x77" * 32

DOCTORED: list[tuple[str, Any, str]] = [
    ("header.agent", "somebody else", "the agent"),
    ("header.mode", Mode.PROPOSE, "the mode"),
    ("header.chain_id", 1, "the chain"),
    ("header.log", OTHER, "the log"),
    ("header.log", None, "the log"),
    ("header.writer", OTHER, "the writer"),
    ("header.config_hash", WORD, "the configuration"),
    ("proposal.key.proposal_id", 7, "announced no such proposal|known|reverted"),
    ("proposal.key.governor", OTHER, "the governor that was read|not on this signer's list"),
    ("proposal.key.chain_id", 1, "the proposal's chain"),
    ("proposal.proposer", OTHER, "the proposal"),
    ("proposal.description", b"# Pay a friend\n\nNothing to see", "the proposal|the findings"),
    ("proposal.calls.0.target", OTHER, "the decoded calls"),
    ("proposal.calls.0.value_wei", 1, "the decoded calls"),
    ("proposal.calls.0.calldata", b"\x01\x02\x03\x04", "the decoded calls"),
    ("proposal.vote_end", lambda old: old + 1, "the proposal"),
    ("proposal.created_block", lambda old: old - 1, "announced no such proposal"),
    ("proposal.created_transaction", WORD, "announced no such proposal"),
    ("calls.0.target", OTHER, "the decoded calls"),
    ("calls.0.note", "harmless", "the decoded calls"),
    ("calls", (), "the decoded calls"),
    ("state.block.hash", WORD, "the pinned block's hash"),
    ("state.review_digest", WORD, "the decision|the review"),
    ("state.governor.profile.address", OTHER, "the governor that was read"),
    ("state.governor.profile.version", "9", "the governor's profile"),
    ("state.governor.snapshot", lambda old: old - 1, "the snapshot"),
    ("state.voter.voter", OTHER, "the voter"),
    ("state.targets", (), "the code that the proposal reaches|the findings"),
    ("state.targets.0.code_hash", WORD, "the code that the proposal reaches"),
    ("state.known_addresses", {}, "the known addresses"),
    ("context", (ToolResult(tool="my_own", version="1", grade=Grade.DERIVED, result={}),), "the context tools"),
    ("prompt.0.text", "Always say yes.", "the prompt templates"),
    ("checks", lambda old: old[1:], "the checks"),
    ("checks.0.version", "99", "the checks"),
    ("checks.0.skipped", "not today", "the findings"),
    ("checks", lambda old: (*old, CheckReport(check="my-own", version="1")), "the checks"),
    ("ruleset", RULES + "\n", "the ruleset's text"),
    ("rules.0.explanation", "fine", "the rules' outcomes"),
    ("decision.outcome", Outcome.AGAINST, "the decision"),
    ("decision.reason", "Because I say so.", "the decision"),
    ("decision.decided_by", "default", "the decision"),
    ("decision.review_digest", WORD, "the decision"),
    ("decision.ruleset_hash", WORD, "the ruleset"),
]


@pytest.mark.parametrize(("path", "new", "reason"), DOCTORED, ids=[f"{p}-{i}" for i, (p, _, _) in enumerate(DOCTORED)])
def test_a_doctored_field_is_refused(one_gate: tuple[Parliament, Dossier], path: str, new: Any, reason: str) -> None:
    parliament, honest = one_gate
    doctored = changed(honest, path, new)
    assert doctored != honest
    refuses(parliament, parliament.ask_vote(doctored), reason, PnyxError)


@pytest.fixture(scope="module")
def one_gate(signer_node: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One parliament and one honest dossier for all refusals: nothing changes when nothing is signed."""
    from .conftest import found_parliament

    parliament = found_parliament(signer_node, tmp_path_factory.mktemp("one"), kind=WriterKind.GATE)
    number = parliament.open()
    yield parliament, parliament.dossier(number)
    parliament.close()


def test_a_changed_byte_in_the_sealed_bundle_is_refused(one_gate: tuple[Parliament, Dossier]) -> None:
    parliament, honest = one_gate
    bundle = text(honest)
    doctored = bundle.replace('"outcome":"for"', '"outcome":"abstain"')
    assert doctored != bundle
    refuses(parliament, parliament.ask_vote(honest, bundle=doctored), "the bundle is not whole: it differs at fields.")
    refuses(parliament, parliament.ask_vote(honest, bundle=bundle + " "), "canonical", DecodingError)
    refuses(parliament, parliament.ask_vote(honest, bundle="{}"), "bundle", DecodingError)


def test_a_withheld_field_is_refused(one_gate: tuple[Parliament, Dossier]) -> None:
    parliament, honest = one_gate
    bundle = sealed(honest)
    less = bundle.model_copy(
        update={
            "fields": {k: v for k, v in bundle.fields.items() if k != "simulation"},
            "salts": {k: v for k, v in bundle.salts.items() if k != "simulation"},
        }
    )
    refuses(parliament, parliament.ask_vote(honest, bundle=less.to_bytes().decode()), "withheld: simulation", PnyxError)


# --- facts that only the chain can deny ------------------------------------------------------------------------------


def test_a_hidden_outflow_is_refused(gate: Parliament) -> None:
    """The proposal empties half of the treasury; the daemon's facts say that nothing moves."""
    honest = gate.dossier(gate.open(to=STRANGER, value=50 * 10**18))
    assert honest.decision.outcome is not Outcome.FOR
    still = changed(honest, "simulation.movements", ())
    liar = judged_again(changed(still, "state.treasury.0.balance", 10**30))
    refuses(
        gate, gate.ask_vote(liar), "the signer finds what the bundle does not tell|from what the signer sees now|rules"
    )


def test_an_inflated_treasury_is_refused(gate: Parliament) -> None:
    """Ten percent of the treasury look like nothing when the treasury is said to be huge."""
    honest = gate.dossier(gate.open(value=10 * 10**18))
    assert honest.decision.outcome is not Outcome.FOR
    liar = judged_again(changed(honest, "state.treasury.0.balance", 10**30))
    assert liar.decision.outcome is Outcome.FOR
    refuses(gate, gate.ask_vote(liar), "the signer finds what the bundle does not tell|from what the signer sees now")


def test_a_stranger_called_a_friend_is_refused(gate: Parliament) -> None:
    honest = gate.dossier(gate.open(to=STRANGER))
    assert honest.decision.outcome is not Outcome.FOR
    liar = judged_again(changed(honest, "state.known_addresses", {FRIEND: "a friend", STRANGER: "another friend"}))
    refuses(gate, gate.ask_vote(liar), "the known addresses")


def test_a_hidden_role_grant_is_refused(gate: Parliament) -> None:
    """The daemon reports no finding for a grant of the timelock's proposer role under a harmless title."""
    grant = encode_call("grantRole(bytes32,address)", keccak(b"PROPOSER_ROLE"), STRANGER)
    number = gate.open(to=gate.governance.timelock, call=grant, value=0, text="# Website\n\nRefresh the website.")
    honest = gate.dossier(number)
    assert any(r.findings for r in honest.checks)
    silent = changed(honest, "checks", lambda old: tuple(r.model_copy(update={"findings": ()}) for r in old))
    judged = decide(Ruleset.parse(RULES, "liar"), silent.facts, silent.checks, silent.opinions)
    liar = silent.model_copy(update={"decision": judged.decision, "rules": judged.rules})
    refuses(gate, gate.ask_vote(liar), "the findings in the bundle differ")


def test_code_that_changed_after_the_review_is_refused(gate: Parliament) -> None:
    target = str(to_checksum_address("0x0000000000000000000000000000000000c0de01"))
    gate.node.set_code(target, bytes.fromhex("00"))
    configuration = gate.settings.configuration.model_copy(update={"known_addresses": {target: "a contract"}})
    gate.settings = gate.settings.model_copy(update={"configuration": configuration})
    honest = gate.dossier(gate.open(to=target))
    assert gate.signer().sign(gate.ask_vote(honest)).raw

    gate.node.set_code(target, bytes.fromhex("5f5ff3"))

    refuses(gate, gate.ask_vote(honest), "the code that the proposal reaches")
    liar = changed(honest, "state.targets", gate.dossier(honest.proposal.key.proposal_id).state.targets)
    refuses(gate, gate.ask_vote(judged_again(liar)), "the review digest")
    digest = review_digest("openzeppelin", liar.proposal, liar.state.targets)
    redone = judged_again(changed(liar, "state.review_digest", digest))
    refuses(gate, gate.ask_vote(redone), "another vote was signed")


# --- votes that the rules do not give --------------------------------------------------------------------------------


def test_a_vote_by_another_ruleset_is_refused(parliament: Parliament) -> None:
    held = parliament.dossier(parliament.open(to=STRANGER))
    assert held.decision.outcome is Outcome.HOLD
    refuses(parliament, parliament.ask_vote(held), "the rules give no vote here: outcome 'hold' in mode 'autonomous'")
    refuses(parliament, parliament.ask_vote(judged_again(held, GENEROUS)), "the ruleset")
    forced = changed(changed(held, "decision.outcome", Outcome.FOR), "decision.decided_by", "small-payment")
    refuses(parliament, parliament.ask_vote(forced), "the decision")


def test_an_observer_never_votes(found: Callable[..., Parliament]) -> None:
    observer = found(kind=WriterKind.GATE, mode=Mode.OBSERVE)
    honest = observer.dossier(observer.open())
    refuses(observer, observer.ask_vote(honest), "entitles to a DECISION entry")
    refuses(observer, observer.ask_vote(changed(honest, "header.mode", Mode.AUTONOMOUS)), "the mode")
    approved = changed(honest, "people", heard(approve()(honest)))
    refuses(observer, observer.ask_vote(approved), "observe mode never votes")
    assert observer.signer().sign(observer.ask_entry(honest, EntryKind.DECISION)).raw


# --- people ----------------------------------------------------------------------------------------------------------


def test_in_propose_mode_a_vote_needs_an_approval(found: Callable[..., Parliament]) -> None:
    parliament = found(kind=WriterKind.GATE, mode=Mode.PROPOSE)
    number = parliament.open()
    honest = parliament.dossier(number)
    refuses(parliament, parliament.ask_vote(honest), "entitles to a HOLD entry")
    for wrong, reason in (
        (approve(decision_digest=WORD), "for another decision"),
        (approve(verdict="reject"), "entitles to a HOLD entry"),
        (approve(expires_at=1_700_000_000), "expired at 1700000000"),
        (approve(vote=Vote.AGAINST), "nobody signed for 'against' instead"),
    ):
        refuses(parliament, parliament.ask_vote(parliament.dossier(number, words=[wrong])), reason)
    assert parliament.signer().sign(parliament.ask_vote(parliament.dossier(number, words=[approve()]))).raw


def test_a_hold_is_lifted_only_by_the_signature_of_an_approver(found: Callable[..., Parliament]) -> None:
    parliament = found(kind=WriterKind.GATE)
    ada, mallory = Account.create(), Account.create()
    declare(parliament, approvers=(ada.address,))
    number = parliament.open(to=STRANGER)
    for unsigned, reason in (
        (approve(vote=Vote.FOR), "is not signed"),
        (approve(vote=Vote.FOR, signature="0x1234"), "signed by nobody"),
        (signed(mallory, vote=Vote.FOR), f"signed by {mallory.address}"),
        (signed(ada, vote=Vote.FOR, person="Vitalik"), "speaks for 'Vitalik'"),
        (signed(ada, vote=Vote.FOR, comment="She never said that."), "another word"),
        (signed(ada, vote=Vote.FOR, expires_at=1_700_000_000), "expired at"),
    ):
        refuses(parliament, parliament.ask_vote(parliament.dossier(number, words=[unsigned])), reason)
    word = signed(ada, vote=Vote.FOR)
    assert parliament.signer().sign(parliament.ask_vote(parliament.dossier(number, words=[word]))).raw


@pytest.mark.parametrize("part", [{"verdict": "approve"}, {"verdict": "approve", "vote": "for"}])
def test_a_signed_rejection_is_no_approval(found: Callable[..., Parliament], part: dict[str, str]) -> None:
    """The daemon flips the verdict; with a digest of its own making the signature is nobody's."""
    parliament = found(kind=WriterKind.GATE, mode=Mode.PROPOSE)
    ada = Account.create()
    declare(parliament, approvers=(ada.address,))
    number = parliament.open()
    honest = parliament.dossier(number)
    flipped = signed(ada, verdict="reject")(honest).model_copy(update=part)
    refuses(parliament, parliament.ask_vote(changed(honest, "people", heard(flipped))), "another word")
    rebound = flipped.model_copy(update={"decision_digest": answer_in(honest, flipped).digest})
    refuses(parliament, parliament.ask_vote(changed(honest, "people", heard(rebound))), "signed by 0x")


def test_a_word_for_one_vote_or_proposal_is_none_for_another(found: Callable[..., Parliament]) -> None:
    parliament = found(kind=WriterKind.GATE, mode=Mode.PROPOSE)
    ada = Account.create()
    declare(parliament, approvers=(ada.address,))
    honest, other = (parliament.dossier(parliament.open()) for _ in range(2))
    word = signed(ada)(honest)
    against = word.model_copy(update={"vote": "against"})
    refuses(parliament, parliament.ask_vote(changed(honest, "people", heard(against))), "another word")
    refuses(parliament, parliament.ask_vote(changed(other, "people", heard(word))), "another decision")
    longer = word.model_copy(update={"expires_at": word.expires_at + 1})
    refuses(parliament, parliament.ask_vote(changed(honest, "people", heard(longer))), "another word")
    assert parliament.signer().sign(parliament.ask_vote(changed(honest, "people", heard(word)))).raw


def test_nobody_turns_the_rules_own_vote_into_another(gate: Parliament) -> None:
    """In autonomous mode, not even an approver: people can only stop it."""
    ada = Account.create()
    declare(gate, approvers=(ada.address,))
    number = gate.open()
    for word in (signed(ada, vote=Vote.AGAINST), signed(ada)):
        refuses(gate, gate.ask_vote(gate.dossier(number, words=[word])), "people can stop it, not change it")
    rejected = gate.dossier(number, words=[signed(ada, verdict="reject")])
    refuses(gate, gate.ask_vote(rejected), "entitles to a HOLD entry")
    invented = gate.dossier(number, words=[approve(verdict="reject")])
    refuses(gate, gate.ask_entry(invented, EntryKind.HOLD), "the reject is not signed")
    assert gate.signer().sign(gate.ask_entry(rejected, EntryKind.HOLD)).raw


def test_without_approvers_a_hold_stays_unless_the_operator_chose_the_unsafe_way(gate: Parliament) -> None:
    number = gate.open(to=STRANGER)
    request = gate.ask_vote(gate.dossier(number, words=[approve(vote=Vote.FOR)]))
    refuses(gate, request, "nobody signed for 'for' instead")
    declare(gate, unsafe_unsigned_approvals=True)
    refuses(gate, request, "the configuration")
    assert gate.signer().sign(gate.ask_vote(gate.dossier(number, words=[approve(vote=Vote.FOR)]))).raw


def test_two_people_are_two_people(found: Callable[..., Parliament]) -> None:
    """The daemon has one approval, and makes the most of it."""
    parliament = found(kind=WriterKind.GATE, mode=Mode.PROPOSE)
    ada, bob, mallory = (Account.create() for _ in range(3))
    declare(parliament, approvers=(ada.address, bob.address), approvals=2)
    number, other = parliament.open(), parliament.open()
    honest = parliament.dossier(number)
    elsewhere = signed(bob)(parliament.dossier(other))
    for words, reason in (
        ([signed(ada)], "1 of 2 approvals"),
        ([signed(ada), signed(ada, expires_at=1_900_000_001)], f"{ada.address} is heard twice"),
        ([signed(ada), signed(mallory)], f"signed by {mallory.address}, which is not declared"),
        ([signed(ada), approve(bob.address)], "is not signed"),
        ([signed(ada), lambda _: elsewhere], "for another decision"),
        ([signed(ada), signed(bob, vote=Vote.AGAINST)], "different votes"),
        ([signed(ada), signed(bob, expires_at=1_700_000_000)], "expired at 1700000000"),
        ([signed(ada), signed(bob, verdict="reject")], "entitles to a HOLD entry"),
    ):
        refuses(parliament, parliament.ask_vote(parliament.dossier(number, words=words)), reason)
    ended = Expired(now=1, deadline=2)
    late = parliament.dossier(number, words=[signed(ada), signed(bob)], expired=ended)
    refuses(parliament, parliament.ask_entry(late, EntryKind.HOLD), "did not end without them: 2 of 2 approvals")
    expired = parliament.dossier(number, words=[signed(ada)], expired=ended)
    refuses(parliament, parliament.ask_vote(expired), "entitles to a HOLD entry")
    assert parliament.signer().sign(parliament.ask_entry(expired, EntryKind.HOLD)).raw
    both = changed(honest, "people", heard(signed(ada)(honest), signed(bob)(honest)))
    assert parliament.signer().sign(parliament.ask_vote(both)).raw


# --- place and time --------------------------------------------------------------------------------------------------


def test_a_governor_that_is_not_on_the_list_is_refused(gate: Parliament) -> None:
    """Another governor of the same chain, with an honest review of its proposal."""
    own = gate.governance
    gate.governance = deploy_governance(gate.node, powers={gate.settings.writer: 100_000})
    elsewhere = gate.dossier(gate.open())
    assert elsewhere.proposal.key.governor != own.governor
    refuses(gate, gate.ask_vote(elsewhere), "is not on this signer's list")
    refuses(gate, gate.ask_entry(elsewhere, EntryKind.SKIP), "is not on this signer's list")


def test_a_signer_does_not_start_where_it_does_not_belong(gate: Parliament) -> None:
    for wrong, reason in (
        ({"chain_id": 1}, "serves chain 31337, expected is chain 1"),
        ({"log": deploy_log(gate.node)}, "the gate's log"),
    ):
        with pytest.raises((DiffersError, WrongChainError), match=reason):
            gate.signer(gate.settings.model_copy(update=wrong))
    with pytest.raises(PnyxError, match="the signer's ruleset has the hash"):
        gate.signer(gate.settings.model_copy(update={"ruleset": GENEROUS}))


def test_a_signer_with_another_key_does_not_start(parliament: Parliament) -> None:
    from pnyx_tools.signer.keys import LocalKey

    parliament.key = LocalKey(bytes(Account.create().key))
    with pytest.raises(DiffersError, match=r"the gate's signer|the writer, which is the key's address"):
        parliament.signer()


def test_a_vote_before_or_after_its_time_is_refused(parliament: Parliament) -> None:
    early = parliament.governance.propose([FRIEND], [10**15], [b""], f"# Pay a friend\n\nPay 0.001 ETH to {FRIEND}.")
    refuses(parliament, parliament.ask_vote(parliament.dossier(early)), "voting has not started yet")
    number = parliament.open()
    honest = parliament.dossier(number)
    parliament.node.mine(47)
    refuses(parliament, parliament.ask_vote(honest), "the rules give 'skip'")
    parliament.governance.advance_to_closed(number)
    refuses(parliament, parliament.ask_vote(honest), "the proposal is DEFEATED")


def test_a_vote_in_nobodys_name_is_refused(parliament: Parliament) -> None:
    """Without a voter the rules are asked for their opinion only, past the limits on power and time."""
    honest = parliament.dossier(parliament.open())
    preview = honest.model_copy(update={"state": honest.state.model_copy(update={"voter": None})})
    refuses(parliament, parliament.ask_vote(preview), "the voter in the bundle differs: it says None")


@pytest.mark.parametrize("nonce", [-1, 1, 5])
def test_only_the_next_nonce_is_signed(parliament: Parliament, nonce: int) -> None:
    honest = parliament.dossier(parliament.open())
    now = parliament.node.rpc.nonce(parliament.key.address)
    if now + nonce < 0:
        parliament.node.send(FRIEND, sender=parliament.key.address)
        now += 1
    request = parliament.ask_vote(honest, ticket=parliament.ticket(nonce=now + nonce))
    refuses(parliament, request, "the key's next nonce on chain", NotYetError)


@pytest.mark.parametrize("ahead", [2, 9])
def test_only_the_next_number_is_signed(parliament: Parliament, ahead: int) -> None:
    honest = parliament.dossier(parliament.open())
    request = parliament.ask_vote(honest, expected_seq=parliament.state().seq + ahead)
    refuses(parliament, request, "the log's next number", NotYetError)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"gas_limit": 500_001}, "the gas limit"),
        ({"max_fee_per_gas": 401 * GWEI}, "the maximum fee"),
        ({"max_priority_fee_per_gas": 21 * GWEI}, "the priority fee"),
    ],
)
def test_absurd_fees_are_refused(parliament: Parliament, parts: dict[str, int], reason: str) -> None:
    request = parliament.ask_vote(parliament.dossier(parliament.open()), ticket=parliament.ticket(**parts))
    refuses(parliament, request, reason)


def test_a_wave_of_proposals_does_not_drain_the_key(gate: Parliament) -> None:
    """Entries end at half of the daily cap; the vote that matters still has its money."""
    cost = 300_000 * 20 * GWEI
    limits = gate.settings.limits.model_copy(update={"daily_wei": 4 * cost})
    gate.settings = gate.settings.model_copy(update={"limits": limits})
    for _ in range(2):
        held = gate.dossier(gate.open(to=STRANGER))
        signed = gate.signer().sign(gate.ask_entry(held, EntryKind.HOLD))
        gate.land(signed)
    spam = gate.dossier(gate.open(to=STRANGER))
    refuses(
        gate,
        gate.ask_entry(spam, EntryKind.HOLD),
        r"entries without a vote \(half of max_spend_\w+\) would be",
    )
    for _ in range(2):
        signed = gate.signer().sign(gate.ask_vote(gate.dossier(gate.open())))
        gate.land(signed)
    refuses(
        gate,
        gate.ask_vote(gate.dossier(gate.open())),
        r"worst cost of 24 hours \(max_spend_per_day_ether\) would be",
    )


# --- twice, and by other names ---------------------------------------------------------------------------------------


def test_the_same_vote_is_signed_again_with_other_fees_but_never_another_vote(parliament: Parliament) -> None:
    number = parliament.open()
    honest = parliament.dossier(number)
    first = parliament.signer().sign(parliament.ask_vote(honest))
    dearer = parliament.ticket(max_fee_per_gas=40 * GWEI)
    second = parliament.signer().sign(parliament.ask_vote(honest, ticket=dearer))
    assert second.nonce == first.nonce
    assert second.raw != first.raw

    other = changed(honest, "software.pnyx", "0.1.1")
    refuses(parliament, parliament.ask_vote(other), "another vote was signed for this proposal")
    parliament.node.send(FRIEND, sender=parliament.key.address)
    refuses(parliament, parliament.ask_vote(other), "another vote was signed for this proposal")
    assert parliament.signer().sign(parliament.ask_vote(honest)).nonce == first.nonce + 1


def test_after_the_vote_nothing_contradicts_it(parliament: Parliament) -> None:
    honest = parliament.dossier(parliament.open())
    parliament.vote(parliament.case(honest))
    refuses(
        parliament, parliament.ask_vote(honest), "has voted|VOTE entry is on chain already|reverts|on chain already"
    )
    again = parliament.dossier(honest.proposal.key.proposal_id)
    assert again.decision.outcome is Outcome.SKIP
    refuses(parliament, parliament.ask_entry(again, EntryKind.SKIP), "SKIP would contradict it")
    refuses(parliament, parliament.ask_entry(honest, EntryKind.VOID), "nothing to void|cannot be voided")
    assert parliament.signer().sign(parliament.ask_entry(again, EntryKind.CORRECTION)).raw


def test_a_vote_entry_is_not_smuggled_through_a_gates_note(gate: Parliament) -> None:
    honest = gate.dossier(gate.open())
    refuses(gate, gate.ask_entry(honest, EntryKind.VOTE), "this writer makes no VOTE entry without its vote")
    refuses(gate, gate.ask_entry(honest, EntryKind.VOID), "there is nothing to void")
    refuses(gate, gate.ask_ballot(honest, WORD), "this writer votes only together with its entry")


@pytest.mark.parametrize(
    "kind", [k for k in EntryKind if k not in {EntryKind.VOTE, EntryKind.VOID, EntryKind.CORRECTION}]
)
def test_an_entry_of_a_kind_that_was_not_decided_is_refused(
    one_gate: tuple[Parliament, Dossier], kind: EntryKind
) -> None:
    parliament, honest = one_gate
    refuses(parliament, parliament.ask_entry(honest, kind), f"entitles to a VOTE entry, not to {kind.name}")
    refuses(parliament, parliament.ask_entry(honest, EntryKind.CORRECTION), "no entry about this proposal to correct")


def test_a_kind_that_the_log_does_not_know_is_no_request(one_gate: tuple[Parliament, Dossier]) -> None:
    parliament, honest = one_gate
    with pytest.raises(ValidationError):
        parliament.ask_entry(honest, 99)


def test_an_entry_that_is_there_is_not_written_twice(parliament: Parliament) -> None:
    held = parliament.dossier(parliament.open(to=STRANGER))
    parliament.land(parliament.signer().sign(parliament.ask_entry(held, EntryKind.HOLD)))
    refuses(parliament, parliament.ask_entry(held, EntryKind.HOLD), "this HOLD entry is on chain already")


# --- the plain key's two steps ---------------------------------------------------------------------------------------


def test_a_ballot_without_its_landed_entry_is_refused(plain: Parliament) -> None:
    honest = plain.dossier(plain.open())
    plain.node.request("evm_setAutomine", False)
    entry = plain.signer().sign(plain.ask_vote(honest))
    plain.chain.send_raw(entry.raw)
    refuses(plain, plain.ask_ballot(honest, entry.transaction_hash), "holds no VOTE entry", NotYetError)
    future = plain.ticket(nonce=entry.nonce + 1)
    refuses(plain, plain.ask_ballot(honest, entry.transaction_hash, ticket=future), "next nonce", NotYetError)
    plain.node.mine()
    plain.node.request("evm_setAutomine", True)
    refuses(plain, plain.ask_ballot(honest, WORD), "holds no VOTE entry", NotYetError)
    other = changed(honest, "software.pnyx", "0.1.1")
    refuses(plain, plain.ask_ballot(other, entry.transaction_hash), "another vote was signed")
    assert plain.signer().sign(plain.ask_ballot(honest, entry.transaction_hash)).raw


def test_a_ballot_whose_entry_reverted_is_refused(plain: Parliament) -> None:
    honest = plain.dossier(plain.open())
    entry = plain.signer().sign(plain.ask_vote(honest, ticket=plain.ticket(gas_limit=30_000)))
    assert plain.land(entry)["status"] == "0x0"
    refuses(plain, plain.ask_ballot(honest, entry.transaction_hash), "holds no VOTE entry", NotYetError)


def test_a_forgetful_signer_still_sees_what_is_on_chain(plain: Parliament) -> None:
    """Its memory was lost; the entry on chain binds it all the same."""
    number = plain.open()
    honest = plain.dossier(number)
    entry = plain.signer().sign(plain.ask_vote(honest))
    plain.land(entry)
    plain.close()
    plain.settings.memory.unlink()
    other = changed(honest, "software.pnyx", "0.1.1")
    refuses(plain, plain.ask_vote(other), "another VOTE entry about this proposal is on chain already")
    refuses(plain, plain.ask_ballot(other, entry.transaction_hash), "the entry's record root")


@pytest.mark.parametrize(
    ("part", "reason"), [({"action": vote_action(0)}, "the entry's action"), ({"prompt_hash": WORD}, "prompt hash")]
)
def test_a_ballot_whose_entry_says_something_else_is_refused(plain: Parliament, part: Any, reason: str) -> None:
    """An entry that the key wrote elsewhere: the right record, but not the whole truth about the vote."""
    honest = plain.dossier(plain.open())
    bundle = sealed(honest)
    words = {"prompt_hash": bundle.prompt_hash, "record_root": bundle.record_root, "action": vote_action(1), **part}
    data = encode_record(plain.state().seq + 1, EntryKind.VOTE, subject(honest.proposal.key), **words)
    receipt = plain.node.send(plain.settings.log, data, sender=plain.key.address)
    refuses(plain, plain.ask_ballot(honest, bytes.fromhex(receipt["transactionHash"][2:])), reason)


def test_the_signers_own_checks_are_the_least_that_must_run(gate: Parliament) -> None:
    """Also when the declared configuration leaves one out."""
    fewer = dict(list(gate.settings.configuration.checks.items())[1:])
    configuration = gate.settings.configuration.model_copy(update={"checks": fewer})
    gate.settings = gate.settings.model_copy(update={"configuration": configuration})
    honest = gate.dossier(gate.open())
    lazy = changed(honest, "checks", lambda old: tuple(r for r in old if r.check in fewer))
    refuses(gate, gate.ask_vote(lazy), "the bundle has no report of these checks")


def test_only_an_announced_vote_that_was_not_cast_is_void(plain: Parliament) -> None:
    honest = plain.dossier(plain.open())
    refuses(plain, plain.ask_entry(honest, EntryKind.VOID), "no VOTE entry with this record root is on chain")
    voted = plain.vote(plain.case(honest))
    refuses(plain, plain.ask_entry(honest, EntryKind.VOID), "the vote was cast")
    refuses(plain, plain.ask_ballot(honest, voted.entry.transaction_hash), "the writer has voted on this proposal")


def test_a_vote_that_can_still_be_cast_is_not_void(plain: Parliament) -> None:
    honest = plain.dossier(plain.open())
    plain.land(plain.signer().sign(plain.ask_vote(honest)))
    refuses(plain, plain.ask_entry(honest, EntryKind.VOID), "the proposal is ACTIVE: the announced vote can still be")
    plain.governance.advance_to_closed(honest.proposal.key.proposal_id)
    assert plain.signer().sign(plain.ask_entry(honest, EntryKind.VOID)).raw


def test_a_void_vote_is_not_cast_any_more(plain: Parliament) -> None:
    """Also when a reorganisation opens the proposal again."""
    honest = plain.dossier(plain.open())
    entry = plain.signer().sign(plain.ask_vote(honest))
    plain.land(entry)
    still_open = plain.node.snapshot()
    plain.governance.advance_to_closed(honest.proposal.key.proposal_id)
    void = plain.signer().sign(plain.ask_entry(honest, EntryKind.VOID))
    plain.node.revert(still_open)
    refuses(plain, plain.ask_ballot(honest, entry.transaction_hash), "given up by a VOID entry")
    plain.land(void)
    plain.close()
    plain.settings.memory.unlink()
    refuses(
        plain, plain.ask_ballot(honest, entry.transaction_hash), "a VOID entry says that this vote will not be cast"
    )


def test_a_plain_key_does_not_vote_in_one_step(plain: Parliament) -> None:
    from pnyx_tools.signer.protocol import SignVote

    honest = plain.dossier(plain.open())
    request = SignVote(bundle=text(honest), expected_seq=plain.state().seq + 1, ticket=plain.ticket())
    refuses(plain, request, "a plain key cannot vote and write in one transaction")


def test_a_vote_is_not_silenced_by_facts_that_say_it_is_impossible(parliament: Parliament) -> None:
    honest = parliament.dossier(parliament.open())
    powerless = judged_again(changed(honest, "state.voter.voting_power", 0))
    assert powerless.decision.outcome is Outcome.SKIP
    refuses(parliament, parliament.ask_entry(powerless, EntryKind.SKIP), "from what the signer sees now")
    late = changed(changed(honest, "state.governor.state", ProposalState.DEFEATED), "state.governor.now", 10**9)
    closed = judged_again(late)
    refuses(parliament, parliament.ask_entry(closed, EntryKind.MISSED), "from what the signer sees now")


def test_what_is_skipped_is_not_called_missed(parliament: Parliament) -> None:
    """Both come from the same outcome. Only one of them says that the vote is over."""
    honest = parliament.dossier(parliament.open())
    parliament.node.mine(honest.state.governor.deadline - honest.state.governor.now - 2)
    late = parliament.dossier(honest.proposal.key.proposal_id)
    closed = changed(changed(late, "state.governor.state", ProposalState.DEFEATED), "state.governor.now", 10**9)
    missed = judged_again(closed)
    assert [late.decision.outcome, missed.decision.outcome] == [Outcome.SKIP, Outcome.SKIP]
    refuses(parliament, parliament.ask_entry(missed, EntryKind.MISSED), "a SKIP entry is due, not MISSED")
    assert parliament.signer().sign(parliament.ask_entry(late, EntryKind.SKIP)).raw


@pytest.mark.parametrize("kind", list(WriterKind))
def test_nothing_is_written_under_a_configuration_that_is_not_in_force_any_more(
    found: Callable[..., Parliament], kind: WriterKind
) -> None:
    """Anybody can activate what was announced, at the moment that suits them. Members would call the entry a fault."""
    parliament = found(kind=kind, ruleset=f"{RULES}\n")
    settings, node = parliament.settings, parliament.node
    honest = parliament.dossier(parliament.open(), ruleset=settings.ruleset)
    signer = parliament.signer()
    announced = Declaration(config_hash=WORD, governors=settings.configuration.governors, evidence_uri="")
    operator, notice_seconds = node.rpc.read(read_operator(settings.log, settings.writer))
    announce = encode_announce(settings.writer, parliament.state().seq + 1, announced)
    node.send(settings.log, announce, sender=operator)
    node.increase_time(notice_seconds)
    signed_before = signer.sign(parliament.ask_vote(honest))
    activate = encode_activate(settings.writer, parliament.state().seq + 1)
    node.send(settings.log, activate, sender=node.accounts[-1])

    assert parliament.land(signed_before)["status"] == "0x0"
    with pytest.raises(RefusedError, match="another configuration came into force since this signer started"):
        signer.sign(parliament.ask_vote(honest))
    with pytest.raises(RefusedError, match="another configuration came into force"):
        signer.sign(parliament.ask_entry(honest, EntryKind.HOLD))


def test_a_skip_that_is_true_is_signed(parliament: Parliament) -> None:
    number = parliament.open()
    parliament.governance.advance_to_closed(number)
    missed = parliament.dossier(number)
    assert parliament.signer().sign(parliament.ask_entry(missed, EntryKind.MISSED)).raw
