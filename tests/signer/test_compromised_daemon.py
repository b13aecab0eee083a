"""A daemon that was taken over can ask for anything. It gets nothing but what rules, chain and people give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address
from pydantic import ValidationError

from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import DecodingError, PnyxError
from pnyx_policies.asset_prices import PriceOrigin
from pnyx_policies.checks import CheckReport
from pnyx_policies.decide import decide
from pnyx_policies.decision import Mode, Outcome
from pnyx_policies.dossier import Dossier
from pnyx_policies.facts import Grade, ToolResult
from pnyx_policies.finding import Severity
from pnyx_policies.review import review_digest
from pnyx_policies.ruleset import Ruleset
from pnyx_tools.signer.settings import WriterKind
from pnyx_tools.testing.deploy import encode_call

from .doctoring import GENEROUS, WORD, changed, declare, judged_again, refuses
from .parliament import FRIEND, RULES, STRANGER, Parliament, approve, heard, sealed, text


def test_the_honest_request_is_signed(parliament: Parliament) -> None:
    """What the refusals below are measured against."""
    assert parliament.signer().sign(parliament.ask_vote(parliament.dossier(parliament.open()))).raw


# --- the bundle, field by field --------------------------------------------------------------------------------------

OTHER = str(to_checksum_address("0x00000000000000000000000000000000000e7be2"))

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
    ("state.prices", (PriceOrigin(asset=None, fixed=1),), "the places of prices"),
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
    from .parliament import found_parliament

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


def severities(dossier: Dossier, check: str) -> set[Severity]:
    return {finding.severity for report in dossier.checks if report.check == check for finding in report.findings}


def test_context_that_was_made_up_hides_nothing(gate: Parliament) -> None:
    """An old text, now with a payment: the daemon leaves the old proposal out of what it says was proposed before."""
    text = f"# Thanks to a friend\n\nThe DAO thanks a friend of ours for all the help with 0.001 ETH to {FRIEND}."
    delegate = encode_call("delegate(address)", gate.governance.timelock)
    gate.open(to=gate.governance.token, call=delegate, value=0, text=text)
    honest = gate.dossier(gate.open(value=10**15, text=text))
    assert Severity.MEDIUM in severities(honest, "decoys")
    place = next(n for n, result in enumerate(honest.context) if result.tool == "proposer_history")
    nothing = {"alike": [], "proposals_in_governor": 0, "proposals_by_proposer": 0}
    liar = judged_again(changed(honest, f"context.{place}.result", lambda old: old | nothing))
    assert Severity.MEDIUM not in severities(liar, "decoys")
    refuses(gate, gate.ask_vote(liar), "the signer finds what the bundle does not tell: decoys: medium")


def test_what_a_plugins_tool_found_stays_the_daemons_word(gate: Parliament) -> None:
    declare(gate, tools=gate.settings.configuration.tools | {"my_own": "1"})
    honest = gate.dossier(gate.open())
    own = ToolResult(tool="my_own", version="1", grade=Grade.ATTESTED, result={"all": "well"})
    gate.signer().sign(gate.ask_vote(judged_again(changed(honest, "context", lambda old: (*old, own)))))


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
