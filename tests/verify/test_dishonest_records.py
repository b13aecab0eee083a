"""Records that do not say what happened. Everything is sealed and entered properly, unless a test says otherwise."""

from __future__ import annotations

import io
import json

import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address
from rich.console import Console

from pnyx_contracts.decision_log import encode_activate, encode_announce, vote_action
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import RefusedError
from pnyx_contracts.types import Vote, to_hex
from pnyx_policies.approval import answer_in, answered
from pnyx_policies.decision import Mode, Outcome
from pnyx_policies.dossier import Dossier
from pnyx_policies.entitlement import Entitlement, entitlement
from pnyx_policies.facts import Grade, Holding, Simulation, SimulationStatus, Skipped
from pnyx_policies.prompt import templates_hash
from pnyx_policies.verify import Status, Step
from pnyx_tools.context import ToolSkipped, builtin_tools
from pnyx_tools.context.voting_power import VotingPowerTool
from pnyx_tools.gather import gather_facts
from pnyx_tools.testing import decisions
from pnyx_tools.testing.decisions import Outlined, ask_outline
from pnyx_tools.testing.deploy import DAY
from pnyx_tools.verifier import render


@pytest.fixture
def agent(world):
    return world.plain_key()


@pytest.fixture
def proposal(world):
    return world.open_proposal()


def with_parts(dossier, **parts):
    """A copy with parts of its parts changed: ``state__voter=...`` is ``dossier.state.voter``."""
    for path, value in parts.items():
        *outer, last = path.split("__")
        owners = [dossier]
        for name in outer:
            owners.append(getattr(owners[-1], name))
        for owner, name in zip(reversed(owners), [last, *reversed(outer)], strict=True):
            value = owner.model_copy(update={name: value})
        dossier = value
    return dossier


def write_changed(world, agent, proposal, bodies=None, **parts):
    """An honest review, changed, then sealed, entered and voted as if nothing had happened."""
    honest = agent.review(world.blocks, proposal)
    changed = agent.seal(with_parts(honest.dossier, **parts), honest.bundle.bodies if bodies is None else bodies)
    agent.write(world.blocks, changed)
    return honest, changed


# The evidence


def test_a_changed_byte(world, agent, proposal):
    sealed = agent.act(world.blocks, proposal)
    file = world.bundle_file(sealed.bundle.record_root)
    data = file.read_bytes()
    assert b"Nothing speaks against it" in data
    file.write_bytes(data.replace(b"Nothing speaks against it", b"Nothing speaks against if"))
    problem = world.only_problem(world.check())
    assert (problem.step, problem.status) == (Step.BUNDLE, Status.DIFFERS)
    assert "fields.decision" in problem.where
    assert "fields.ruleset" in problem.where
    assert "fields.proposal" not in problem.where


def test_a_byte_that_makes_it_unreadable(world, agent, proposal):
    sealed = agent.act(world.blocks, proposal)
    world.bundle_file(sealed.bundle.record_root).write_bytes(b"{" + sealed.bundle.to_bytes())
    assert world.only_problem(world.check()).step is Step.BUNDLE


def test_a_swapped_bundle(world, agent, proposal):
    first = agent.act(world.blocks, proposal)
    second = agent.act(world.blocks, world.open_proposal())
    file = world.bundle_file(first.bundle.record_root)
    file.write_bytes(world.bundle_file(second.bundle.record_root).read_bytes())
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.BUNDLE, "recordRoot")
    assert problem.reason == "swapped: this is the bundle of entry 2"


def test_a_removed_bundle(world, agent, proposal):
    sealed = agent.act(world.blocks, proposal)
    world.bundle_file(sealed.bundle.record_root).unlink()
    problem = world.only_problem(world.check())
    assert (problem.step, problem.status, problem.about.seq) == (Step.BUNDLE, Status.MISSING, 1)


def test_a_bundle_of_another_proposal(world, agent, proposal):
    """Properly sealed, but entered under the subject of another proposal."""
    other = agent.review(world.blocks, world.open_proposal())
    key = world.blocks.proposals[proposal].key
    agent.enter(key, EntryKind.VOTE, other.bundle.record_root, other.bundle.prompt_hash, vote_action(1))
    agent.cast(world.blocks, key, Vote.FOR)
    assert (Step.HEADER, "proposal.key") in world.check_fails()


# Prompts and answers


def test_a_prompt_that_does_not_match_its_hash(world, proposal):
    agent = world.model()
    sealed = agent.review(world.blocks, proposal)
    key = sealed.dossier.proposal.key
    agent.enter(key, EntryKind.VOTE, sealed.bundle.record_root, keccak(b"another prompt"), vote_action(1))
    agent.cast(world.blocks, key, Vote.FOR)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.BUNDLE, "promptHash")


def test_a_changed_request_in_the_bundle(world, proposal):
    agent = world.model()
    sealed = agent.act(world.blocks, proposal)
    file = world.bundle_file(sealed.bundle.record_root)
    raw = json.loads(file.read_text())
    digest = "0x" + sealed.dossier.attempts[0].request_hash.hex()
    raw["bodies"][digest]["text"] = raw["bodies"][digest]["text"].replace("gardener", "gangster")
    file.write_text(json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.BUNDLE, f"bodies.{digest}")


def doctored(sealed, place, change):
    """The record with another body at one place, all hashes recomputed. `place` is ``request`` or ``response``."""
    (attempt,) = sealed.dossier.attempts
    old = getattr(attempt, f"{place}_hash")
    body = change(sealed.bundle.bodies[old])
    assert body != sealed.bundle.bodies[old]
    bodies = {digest: bytes_ for digest, bytes_ in sealed.bundle.bodies.items() if digest != old}
    attempts = (attempt.model_copy(update={f"{place}_hash": keccak(body)}),)
    return sealed.dossier.model_copy(update={"attempts": attempts}), {**bodies, keccak(body): body}


def test_a_doctored_prompt_whose_hash_matches(world, proposal):
    agent = world.model()
    dossier, bodies = doctored(
        agent.review(world.blocks, proposal), "request", lambda body: body.replace(b"gardener", b"president")
    )
    agent.write(world.blocks, agent.seal(dossier, bodies))
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.PROMPTS, "attempts[0].request")
    assert problem.reason.startswith("messages")


def test_a_message_that_was_slipped_in(world, proposal):
    def slip_in(body):
        request = json.loads(body)
        request["messages"].append({"role": "user", "content": "Say for."})
        return json.dumps(request).encode()

    agent = world.model()
    dossier, bodies = doctored(agent.review(world.blocks, proposal), "request", slip_in)
    agent.write(world.blocks, agent.seal(dossier, bodies))
    assert world.only_problem(world.check()).step is Step.PROMPTS


def test_templates_that_were_not_declared(world, proposal):
    agent = world.model()
    honest = agent.review(world.blocks, proposal)
    first, *rest = honest.dossier.prompt
    first = first.model_copy(update={"text": first.text + "\nAlways say for."})
    agent.write(world.blocks, agent.seal(with_parts(honest.dossier, prompt=(first, *rest)), honest.bundle.bodies))
    assert world.check_fails() == {(Step.DECLARED_CONFIGURATION, "prompt"), (Step.PROMPTS, "attempts[0].request")}


def test_templates_that_nobody_can_render(world, proposal, monkeypatch):
    """Declared as they should be. They must not free each request from having to follow from them."""
    agent = world.model()
    honest = agent.review(world.blocks, proposal)
    broken = tuple(t.model_copy(update={"text": t.text + "$nothing"}) for t in honest.dossier.prompt)
    monkeypatch.setattr(decisions, "templates_hash", lambda: templates_hash(broken))
    agent.change(world.RULESET)
    lie, bodies = doctored(
        agent.review(world.blocks, proposal), "request", lambda body: body.replace(b"gardener", b"president")
    )
    agent.write(world.blocks, agent.seal(with_parts(lie, prompt=broken), bodies))
    assert world.check_fails() == {(Step.PROMPTS, "prompt")}


def test_templates_of_a_rendering_that_is_made_up(world, proposal, monkeypatch):
    """Declared as they should be, and nobody here can say whether the doctored request follows from them."""
    agent = world.model()
    honest = agent.review(world.blocks, proposal)
    other = tuple(
        t.model_copy(update={"text": t.text.replace("rendering = 1", "rendering = 99")}) for t in honest.dossier.prompt
    )
    monkeypatch.setattr(decisions, "templates_hash", lambda: templates_hash(other))
    agent.change(world.RULESET)
    lie, bodies = doctored(
        agent.review(world.blocks, proposal), "request", lambda body: body.replace(b"gardener", b"president")
    )
    agent.write(world.blocks, agent.seal(with_parts(lie, prompt=other), bodies))
    report = world.check()
    assert report.exit_code == 1
    assert {v.step for v in report.unproven} == {Step.PROMPTS}


def test_context_of_a_made_up_version(world, proposal, monkeypatch):
    """A built-in tool in a version that nobody ships says what the operator likes."""
    monkeypatch.setattr(VotingPowerTool, "version", "99")
    agent = world.plain_key(tools=builtin_tools())
    honest = agent.review(world.blocks, proposal)
    context = tuple(
        r.model_copy(update={"result": {"all": "well"}}) if r.version == "99" else r for r in honest.dossier.context
    )
    agent.write(world.blocks, agent.seal(with_parts(honest.dossier, context=context)))
    monkeypatch.undo()
    report = world.check()
    assert report.exit_code == 1
    assert {v.step for v in report.unproven} == {Step.CONTEXT}


def test_an_opinion_that_the_model_did_not_give(world, proposal):
    agent = world.model()
    dossier, bodies = doctored(
        agent.review(world.blocks, proposal), "response", lambda body: body.replace(b"90", b"10")
    )
    agent.write(world.blocks, agent.seal(dossier, bodies))
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.ANSWERS, "opinions[0].analysis.confidence_percent")


def test_an_answer_that_was_not_liked(world, proposal):
    """A good answer is called a failure, and the model is asked again."""
    agent = world.model()
    honest = agent.review(world.blocks, proposal)
    (good,) = honest.dossier.attempts
    bad = good.model_copy(update={"outcome": "http-error", "http_status": 500})
    attempts = (bad, good.model_copy(update={"number": 1}))
    agent.write(world.blocks, agent.seal(with_parts(honest.dossier, attempts=attempts), honest.bundle.bodies))
    problem = world.only_problem(world.check())
    assert (problem.step, problem.reason) == (Step.ANSWERS, "a usable answer was thrown away")


def test_attempts_that_are_not_shown(world, proposal):
    agent = world.model()
    honest = agent.review(world.blocks, proposal)
    attempts = (honest.dossier.attempts[0].model_copy(update={"number": 2}),)
    agent.write(world.blocks, agent.seal(with_parts(honest.dossier, attempts=attempts), honest.bundle.bodies))
    assert world.only_problem(world.check()).where == "attempts"


def test_an_opinion_of_a_model_that_was_never_asked(world, proposal):
    agent = world.model()
    write_changed(world, agent, proposal, attempts=(), bodies={})
    assert {step for step, _ in world.check_fails()} == {Step.PROMPTS, Step.ANSWERS}


def test_an_outline_that_says_something_else(world, agent, proposal):
    honest = agent.review(world.blocks, proposal)
    opinion = with_parts(honest.dossier.opinions[0], analysis__summary="A language model read this and likes it.")
    agent.write(world.blocks, agent.seal(with_parts(honest.dossier, opinions=(opinion,))))
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.ANSWERS, "opinions[0].analysis.summary")


def test_a_member_of_the_committee_that_is_not_shown(world, agent, proposal):
    write_changed(world, agent, proposal, opinions=())
    assert world.check_fails() == {(Step.DECLARED_CONFIGURATION, "opinions")}


ADVISED = """
name = "advised"
version = "1"

[[rule]]
id = "advice"
because = "The model says so."
when = ["findings.critical is 0"]
then = "model"
[rule.model]
allow = ["for", "against"]
min_confidence_percent = 50
"""


def test_a_failure_beside_a_good_answer(world, proposal):
    """The answer is good and stands in the record. Words about a failure hold the vote all the same."""
    agent = world.model(ruleset=ADVISED)
    honest = agent.review(world.blocks, proposal)
    (opinion,) = honest.dossier.opinions
    failed = Outlined((opinion.model_copy(update={"failure": "it felt wrong"}),), honest.dossier.attempts)
    dossier = agent.conclude(honest.dossier.facts, failed)
    assert [honest.dossier.decision.outcome, dossier.decision.outcome] == [Outcome.FOR, Outcome.HOLD]
    agent.write(world.blocks, agent.seal(dossier, honest.bundle.bodies))
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.ANSWERS, "opinions[0].failure")


# What is withheld


def withhold(world, sealed, *names):
    """The file without these fields, their leaves in place: its root is the same."""
    file = world.bundle_file(sealed.bundle.record_root)
    raw = json.loads(file.read_text())
    for name in names:
        del raw["fields"][name], raw["salts"][name]
        raw["item_salts"].pop(name, None)
    file.write_text(json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


NEEDED = sorted(set(Dossier.model_fields) - {"software"})


@pytest.mark.parametrize("name", NEEDED)
def test_an_honest_record_that_withholds_a_field_is_not_proven(world, agent, proposal, name):
    withhold(world, agent.act(world.blocks, proposal), name)
    report = world.check()
    assert [f"{v.step.name}: {v}" for v in report.problems] == []
    assert any(f"the record withholds {name}" in v.reason for v in report.unproven)
    assert not report.ok
    assert report.exit_code == 1
    out = io.StringIO()
    render(report, Console(file=out, width=200, color_system=None))
    assert out.getvalue().startswith("NOT PROVEN: nothing differs, but 1 decision(s)")
    assert "HOLDS" not in out.getvalue()


@pytest.mark.parametrize("name", NEEDED)
def test_no_field_that_is_withheld_hides_a_lie(world, agent, proposal, name):
    """The rules give "for", the record says "against": whatever is withheld, this does not hold."""
    _, lie = write_changed(world, agent, proposal, decision__outcome=Outcome.AGAINST)
    withhold(world, lie, name)
    report = world.check()
    assert report.exit_code == 1
    assert report.problems or report.unproven


def test_a_prompt_salt_and_a_request_that_are_withheld(world, proposal):
    agent = world.model()
    sealed = agent.act(world.blocks, proposal)
    (attempt,) = sealed.dossier.attempts
    bodies = {attempt.response_hash: sealed.bundle.bodies[attempt.response_hash]}
    partial = sealed.bundle.model_copy(update={"prompt_salt": None, "bodies": bodies})
    world.bundle_file(sealed.bundle.record_root).write_bytes(partial.to_bytes())
    report = world.check()
    assert report.problems == []
    assert [v.step for v in report.unproven] == [Step.BUNDLE, Step.PROMPTS]


def test_what_can_be_read_again_is_compared_whatever_else_is_withheld(world, agent, proposal):
    _, lie = write_changed(world, agent, proposal, state__voter__voting_power=7)
    withhold(world, lie, "context", "calls", "simulation")
    assert (Step.STATE, "state.voter.voting_power") in world.check_fails()


def test_a_correction_may_withhold_everything(world, agent, proposal):
    """It decides nothing, so nothing rests on it."""
    sealed = agent.act(world.blocks, proposal)
    correction = agent.seal(sealed.dossier)
    key, bundle = sealed.dossier.proposal.key, correction.bundle
    agent.enter(key, EntryKind.CORRECTION, bundle.record_root, bundle.prompt_hash)
    withhold(world, correction, *NEEDED)
    report = world.check()
    assert report.ok
    assert {v.about.seq for v in world.verdicts if v.status is Status.NOT_CHECKABLE} == {2}


# Whose standing, and when


def gathered(world, proposal, **options):
    return gather_facts(
        world.node.rpc, world.blocks.adapter, world.blocks.profile, world.blocks.proposals[proposal], **options
    )


def concluded(agent, facts):
    return agent.seal(agent.conclude(facts, ask_outline(facts)))


def test_another_voter_whose_vote_can_be_skipped(world, agent, proposal):
    """The rules give "for". The standing of an address without power makes it a skip."""
    sealed = concluded(agent, gathered(world, proposal, voter=world.RECIPIENT))
    assert sealed.dossier.decision.outcome is Outcome.SKIP
    agent.write(world.blocks, sealed)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.HEADER, "state.voter.voter")
    assert (problem.expected, problem.seen) == (agent.writer, world.RECIPIENT)


STRICT = '[limits]\nmin_voting_power = "1000000000000000000000000000000"\n\n[[rule]]'


@pytest.fixture
def strict(world):
    """An agent whose rules never let it vote with the power that it has."""
    return world.plain_key(ruleset=world.RULESET.replace("[[rule]]", STRICT, 1))


def write_vote_all_the_same(world, agent, sealed):
    with pytest.raises(RefusedError):
        entitlement(sealed.dossier)
    agent.write(world.blocks, sealed, Entitlement(EntryKind.VOTE, Vote.FOR))


def test_a_vote_in_nobodys_name_is_no_way_around_the_limits(world, strict, proposal):
    sealed = concluded(strict, gathered(world, proposal))
    assert sealed.dossier.decision.outcome is Outcome.FOR
    write_vote_all_the_same(world, strict, sealed)
    assert world.check_fails() == {(Step.HEADER, "state.voter.voter"), (Step.ENTRY, "kind")}


def test_a_preview_is_no_vote(world, strict, proposal):
    """Looked at before voting started, nothing was asked about power and time."""
    created = world.blocks.proposals[proposal].created_block
    sealed = concluded(strict, gathered(world, proposal, voter=strict.writer, block=created))
    assert sealed.dossier.decision.outcome is Outcome.FOR
    write_vote_all_the_same(world, strict, sealed)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.ENTRY, "kind")
    assert "voting has not started yet" in problem.reason


# Decision, rules, configuration


def test_a_ruleset_that_would_have_decided_otherwise(world, agent, proposal):
    _, changed = write_changed(world, agent, proposal, decision__outcome=Outcome.AGAINST)
    assert changed.dossier.decision.outcome is Outcome.AGAINST
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.DECISION, "decision.outcome")
    assert (problem.expected, problem.seen) == ("for", "against")


def test_rules_that_did_something_else(world, agent, proposal):
    honest = agent.review(world.blocks, proposal)
    rules = tuple(rule.model_copy(update={"matched": not rule.matched}) for rule in honest.dossier.rules)
    agent.write(world.blocks, agent.seal(with_parts(honest.dossier, rules=rules)))
    assert world.check_fails() == {(Step.DECISION, "rules")}


def test_a_ruleset_that_was_not_declared(world, agent, proposal):
    """The record is consistent: another ruleset, and what it decides. But it is not the configured one."""
    honest = agent.review(world.blocks, proposal)
    other = world.agent(ruleset=world.OTHER_RULESET)
    silent = other.conclude(
        honest.dossier.facts, type("Said", (), {"opinions": honest.dossier.opinions, "attempts": ()})
    )
    dossier = with_parts(silent, header__config_hash=honest.dossier.header.config_hash)
    agent.write(world.blocks, agent.seal(dossier))
    assert world.check_fails() == {
        (Step.DECLARED_CONFIGURATION, "ruleset"),
        (Step.DECLARED_CONFIGURATION, "decision.ruleset_hash"),
    }


def test_a_silent_change_of_configuration(world, agent, proposal):
    agent.act(world.blocks, proposal)
    silent = world.agent(ruleset=world.OTHER_RULESET)  # same key, nothing announced
    world.store.put_configuration(silent.configuration)
    silent.act(world.blocks, world.open_proposal())
    report = world.check()
    (header,) = [v for v in report.problems if v.step is Step.HEADER]
    assert header.where == "header.config_hash"
    assert header.about.seq == 2
    assert "silent change" in header.reason
    assert {v.about.seq for v in report.problems} == {2}


@pytest.mark.parametrize("how", ["changed", "removed"])
def test_the_document_of_the_configuration(world, agent, proposal, how):
    agent.act(world.blocks, proposal)
    file = world.bundle_file(agent.configuration.hash)
    file.unlink() if how == "removed" else file.write_bytes(file.read_bytes().replace(b"autonomous", b"propose"))
    problem = world.only_problem(world.check())
    assert problem.step is Step.DECLARED_CONFIGURATION
    assert problem.status is (Status.MISSING if how == "removed" else Status.DIFFERS)


def test_other_governors_under_the_same_document(world, agent):
    """The document was read for the first declaration. The second names a governor less, the document does not."""
    agent.act(world.blocks, world.open_proposal())
    fewer = agent.declaration.model_copy(update={"governors": (world.blocks.governor,)})
    agent._send(world.log, encode_announce(agent.writer, agent.next_seq(), fewer))
    world.node.increase_time(DAY)
    agent._send(world.log, encode_activate(agent.writer, agent.next_seq()))
    agent.act(world.blocks, world.open_proposal())
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.DECLARED_CONFIGURATION, "governors")


def test_an_entry_that_its_record_does_not_entitle_to(world, agent, proposal):
    sealed = agent.review(world.blocks, proposal)
    agent.enter(sealed.dossier.proposal.key, EntryKind.SKIP, sealed.bundle.record_root, sealed.bundle.prompt_hash)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where, problem.expected, problem.seen) == (Step.ENTRY, "kind", "VOTE", "SKIP")


def test_an_entry_and_a_vote_that_agree_against_the_record(world, agent, proposal):
    sealed = agent.review(world.blocks, proposal)
    key = sealed.dossier.proposal.key
    agent.enter(key, EntryKind.VOTE, sealed.bundle.record_root, sealed.bundle.prompt_hash, vote_action(0))
    agent.cast(world.blocks, key, Vote.AGAINST)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.ENTRY, "action")


@pytest.mark.parametrize(
    ("forgery", "where"),
    [({"decision_digest": bytes(32)}, "approval"), ({"expires_at": 1}, "approval.expires_at")],
)
def test_a_forged_and_an_expired_approval(world, proposal, forgery, where):
    agent = world.plain_key(mode=Mode.PROPOSE)
    dossier = agent.review(world.blocks, proposal).dossier
    expires_at = forgery.get("expires_at", 2**40)
    approval = answered(dossier, person="Ada", verdict="approve", vote="for", expires_at=expires_at)
    vote_all_the_same(world, agent, proposal, Vote.FOR, approval.model_copy(update=forgery))
    assert world.check_fails() == {(Step.ENTRY, where)}


def vote_all_the_same(world, agent, proposal, vote, approval):
    """Entry and vote, with this approval in the record, whatever the record entitles to."""
    sealed = agent.review(world.blocks, proposal, approval)
    agent.write(world.blocks, sealed, Entitlement(EntryKind.VOTE, vote))
    return sealed


FULL = {"person": "the community", "expires_at": 2**40}


@pytest.mark.parametrize("signature", ["", "0xdeadbeef", "0x" + "1b" * 65])
def test_an_invented_approval_does_not_overrule_an_autonomous_ruleset(world, proposal, signature):
    agent = world.plain_key()
    dossier = agent.review(world.blocks, proposal).dossier
    word = answered(dossier, verdict="approve", vote="against", **FULL)
    vote_all_the_same(world, agent, proposal, Vote.AGAINST, word.model_copy(update={"signature": signature}))
    assert world.check_fails() == {(Step.ENTRY, "approval")}


@pytest.mark.parametrize("options", [{}, {"approvers": True}])
def test_an_unsigned_word_that_gives_another_vote(world, proposal, options):
    """It counts neither without approvers nor with them."""
    approvers = (Account.create().address,) if options else ()
    agent = world.plain_key(mode=Mode.PROPOSE, approvers=approvers)
    dossier = agent.review(world.blocks, proposal).dossier
    word = answered(dossier, verdict="approve", vote="against", **FULL)
    vote_all_the_same(world, agent, proposal, Vote.AGAINST, word)
    assert world.check_fails() == {(Step.ENTRY, "approval")}


def test_an_unsigned_word_that_is_declared_to_count_is_the_operators(world, proposal):
    agent = world.plain_key(mode=Mode.PROPOSE, unsafe_unsigned_approvals=True)
    dossier = agent.review(world.blocks, proposal).dossier
    word = answered(dossier, verdict="approve", vote="against", **FULL)
    vote_all_the_same(world, agent, proposal, Vote.AGAINST, word)
    report = world.check()
    assert report.ok
    (entry,) = [v for v in world.verdicts if v.step is Step.ENTRY]
    assert (entry.grade, "as the operator attests" in entry.reason) == (Grade.ATTESTED, True)


def test_a_signed_rejection_that_was_flipped(world, proposal):
    ada = Account.create()
    agent = world.plain_key(mode=Mode.PROPOSE, approvers=(ada.address,))
    dossier = agent.review(world.blocks, proposal).dossier
    word = answered(dossier, person=ada.address, verdict="reject", expires_at=2**40)
    signature = ada.sign_typed_data(full_message=answer_in(dossier, word).typed_data).signature
    flipped = word.model_copy(update={"signature": to_hex(bytes(signature)), "verdict": "approve"})
    vote_all_the_same(world, agent, proposal, Vote.FOR, flipped)
    assert world.check_fails() == {(Step.ENTRY, "approval")}


def signed_by(person, dossier, **word):
    said = answered(dossier, person=person.address, expires_at=2**40, **word)
    signature = person.sign_typed_data(full_message=answer_in(dossier, said).typed_data).signature
    return said.model_copy(update={"signature": to_hex(bytes(signature))})


def test_a_vote_that_was_rejected_and_cast_all_the_same(world, proposal):
    """Each record holds by itself: a veto, and what the rules give."""
    ada = Account.create()
    agent = world.plain_key(approvers=(ada.address,))
    dossier = agent.review(world.blocks, proposal).dossier
    rejection = signed_by(ada, dossier, verdict="reject")
    agent.write(world.blocks, agent.review(world.blocks, proposal, rejection))
    agent.act(world.blocks, proposal)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where, problem.about.seq) == (Step.ENTRY, "approval", 2)
    assert problem.reason == "a person rejected this decision, as entry 1 says"


def test_a_later_word_lifts_a_rejection(world, proposal):
    ada = Account.create()
    agent = world.plain_key(mode=Mode.PROPOSE, approvers=(ada.address,))
    dossier = agent.review(world.blocks, proposal).dossier
    for verdict in ("reject", "approve"):
        agent.write(world.blocks, agent.review(world.blocks, proposal, signed_by(ada, dossier, verdict=verdict)))
    assert world.check().ok


def test_a_rejection_that_nobody_signed_where_approvers_are_declared(world, proposal):
    agent = world.plain_key(approvers=(Account.create().address,))
    dossier = agent.review(world.blocks, proposal).dossier
    agent.write(world.blocks, agent.review(world.blocks, proposal, answered(dossier, verdict="reject", **FULL)))
    assert world.check_fails() == {(Step.ENTRY, "approval")}


# Facts


def test_a_vote_for_another_text(world, agent, proposal):
    honest = agent.review(world.blocks, proposal)
    other = honest.dossier.proposal.model_copy(update={"description": b"# Something nicer"})
    agent.write(world.blocks, agent.seal(with_parts(honest.dossier, proposal=other)))
    assert (Step.PROPOSAL, "proposal.description") in world.check_fails()


def test_a_proposal_that_was_never_announced(world, agent, proposal):
    write_changed(world, agent, proposal, proposal__created_block=1)
    steps = {v.step: v.status for v in world.check().problems}
    assert steps[Step.PROPOSAL] is Status.MISSING


def test_calls_that_were_decoded_kindly(world, agent, proposal):
    honest = agent.review(world.blocks, proposal)
    calls = (honest.dossier.calls[0].model_copy(update={"note": "perfectly harmless"}),)
    agent.write(world.blocks, agent.seal(with_parts(honest.dossier, calls=calls)))
    assert (Step.PROPOSAL, "calls[0].note") in world.check_fails()


def test_a_record_that_breaks_a_step_does_not_hold_and_the_others_are_checked(world, agent, proposal):
    honest = agent.review(world.blocks, proposal)
    calls = (honest.dossier.calls[0].model_copy(update={"path": "0" * 100}),)
    agent.write(world.blocks, agent.seal(with_parts(honest.dossier, calls=calls)))
    agent.act(world.blocks, world.open_proposal())
    report = world.check()
    assert {(1, Step.ANSWERS, "record")} <= {(v.about.seq, v.step, v.where) for v in report.problems}
    assert {v.about.seq for v in report.problems} == {1}
    assert [v.status for v in world.verdicts if v.step is Step.ENTRY] == [Status.MATCHES, Status.MATCHES]


def test_a_review_bound_to_something_else(world, agent, proposal):
    write_changed(world, agent, proposal, state__review_digest=bytes(32))
    assert (Step.PROPOSAL, "state.review_digest") in world.check_fails()


@pytest.mark.parametrize(
    ("part", "value", "where"),
    [
        ("state__voter__voting_power", 7, "state.voter.voting_power"),
        ("state__governor__quorum", 1, "state.governor.quorum"),
        ("state__treasury", (), "state.treasury[0]"),
    ],
)
def test_state_that_was_made_up(world, agent, proposal, part, value, where):
    write_changed(world, agent, proposal, **{part: value})
    assert (Step.STATE, where) in world.check_fails()


def test_a_pinned_block_that_is_not_on_the_chain(world, agent, proposal):
    write_changed(world, agent, proposal, state__block__hash=bytes(32))
    assert world.check_fails() == {(Step.STATE, "state.block")}


def test_a_look_before_the_proposal_existed(world, agent, proposal):
    before = world.node.rpc.block(world.blocks.proposals[proposal].created_block - 1)
    write_changed(world, agent, proposal, state__block=before)
    assert Step.STATE in {step for step, _ in world.check_fails()}


def test_a_look_before_there_was_a_governor(world, agent, proposal):
    """Nothing can be read again there: that is no excuse."""
    write_changed(world, agent, proposal, state__block=world.node.rpc.block(1), state__voter__voting_power=7)
    assert (Step.STATE, "state.block.number") in world.check_fails()


def test_a_simulation_that_hides_a_transfer(world, agent, proposal):
    write_changed(world, agent, proposal, simulation__movements=())
    assert (Step.SIMULATION, "simulation.movements[0]") in world.check_fails()


def unsimulated(facts, why="no time"):
    """What is known on a node that does not simulate."""
    simulation = Simulation(status=SimulationStatus.SKIPPED, why_skipped=why, executor=facts.simulation.executor)
    return facts.model_copy(update={"simulation": simulation, "skipped": (Skipped(step="simulation", why=why),)})


def test_a_simulation_that_could_not_run_is_said_plainly(world, proposal):
    """The decision would be the same: nothing hides behind it."""
    agent = world.plain_key(ruleset='name = "empty"\nversion = "1"\n')
    sealed = concluded(agent, unsimulated(agent.facts(world.blocks, proposal)))
    agent.write(world.blocks, sealed)
    report = world.check()
    assert report.ok
    (simulation,) = [v for v in world.verdicts if v.step is Step.SIMULATION]
    assert simulation.status is Status.NOT_CHECKABLE
    assert "no time" in simulation.reason


GRANTS_A_ROLE = bytes.fromhex(
    "73" + "00" * 19 + "aa" + "73" + "00" * 19 + "bb" + "6000"
    "7f" + keccak(b"RoleGranted(bytes32,address,address)").hex() + "60006000a400"
)
"""Code that emits RoleGranted whatever it is called with."""


def test_a_skipped_simulation_that_hides_an_against(world, agent):
    """Only the simulation shows what the call does. "It could not run" turns "against" into something else."""
    target = "0x00000000000000000000000000000000000E0E0E"
    world.node.set_code(target, GRANTS_A_ROLE)
    text = f"# Website\n\nCalls {target} to refresh our web site."
    hostile = world.blocks.propose([target], [0], [b"\x12\x34\x56\x78"], text)
    world.blocks.advance_to_active(hostile)
    honest = agent.review(world.blocks, hostile)
    lie = concluded(agent, unsimulated(honest.dossier.facts))
    assert honest.dossier.decision.outcome is Outcome.AGAINST
    assert lie.dossier.decision.outcome is not Outcome.AGAINST
    agent.write(world.blocks, lie)
    report = world.check()
    assert report.problems == []
    (unproven,) = report.unproven
    assert unproven.step is Step.DECISION
    assert f"the record decides {lie.dossier.decision.outcome.value}" in unproven.reason
    assert "the rules decide against" in unproven.reason
    assert report.exit_code == 1


@pytest.mark.parametrize("skipped", [(), (Skipped(step="simulation", why="x"), Skipped(step="simulation", why="x"))])
def test_a_simulation_is_skipped_or_not(world, agent, proposal, skipped):
    facts = unsimulated(agent.facts(world.blocks, proposal)).model_copy(update={"skipped": skipped})
    agent.write(world.blocks, concluded(agent, facts))
    assert world.check_fails() == {(Step.SIMULATION, "state.skipped")}


CAREFUL = """[[rule]]
id = "careful"
because = "Too little is known."
when = ["steps.skipped > 0"]
then = "hold"

[[rule]]"""


@pytest.mark.parametrize("step", ["targets", "quorum"])
def test_a_step_that_is_said_to_be_skipped_and_was_not(world, proposal, step):
    agent = world.plain_key(ruleset=world.RULESET.replace("[[rule]]", CAREFUL, 1))
    facts = agent.facts(world.blocks, proposal).model_copy(update={"skipped": (Skipped(step=step, why="no time"),)})
    sealed = concluded(agent, facts)
    assert sealed.dossier.decision.outcome is Outcome.HOLD
    agent.write(world.blocks, sealed)
    report = world.check()
    assert {(v.step, v.where) for v in report.problems} == {(Step.STATE, "state.skipped")}
    assert {v.step for v in report.unproven} == {Step.DECISION}


class OfAPlugin:
    """A declared tool that members do not have."""

    name = "of-a-plugin"
    version = "1"
    grade = Grade.ATTESTED
    description = "Never has time."

    def run(self, *_):
        raise ToolSkipped("no time")


def test_a_skipped_step_that_nobody_can_check_must_not_decide(world, proposal):
    agent = world.plain_key(ruleset=world.RULESET.replace("[[rule]]", CAREFUL, 1), tools=[OfAPlugin()])
    agent.act(world.blocks, proposal)
    report = world.check()
    assert report.problems == []
    (unproven,) = report.unproven
    assert unproven.step is Step.DECISION
    assert "decides hold" in unproven.reason
    assert "decide for" in unproven.reason


def test_a_skipped_step_that_decides_nothing_is_the_operators_word(world, proposal):
    world.plain_key(tools=[OfAPlugin()]).act(world.blocks, proposal)
    report = world.check()
    assert report.ok
    assert any("tool:of-a-plugin" in v.reason and v.grade is Grade.ATTESTED for v in world.verdicts)


def test_a_skipped_step_that_is_not_told(world, agent):
    """A token that does not say what the treasury holds was left out of the balances: rules count that."""
    token = "0x00000000000000000000000000000000000E0E0E"
    world.node.set_code(token, bytes.fromhex("60006000fd"))
    transfer = keccak(b"transfer(address,uint256)")[:4] + encode(["address", "uint256"], [world.RECIPIENT, 5])
    number = world.blocks.propose([token], [0], [transfer], "# Pay\n\nPay.")
    world.blocks.advance_to_active(number)
    facts = agent.facts(world.blocks, number)
    assert [skipped.step for skipped in facts.skipped] == ["treasury"]
    agent.write(world.blocks, concluded(agent, facts.model_copy(update={"skipped": ()})))
    assert (Step.STATE, "state.skipped") in world.check_fails()


def test_code_that_changed_between_review_and_vote(world, agent):
    target = "0x00000000000000000000000000000000000E0E0E"
    world.node.set_code(target, b"\x00")
    number = world.blocks.propose([target], [0], [b""], f"# Call\n\nCall {target}.")
    world.blocks.advance_to_active(number)
    sealed = agent.review(world.blocks, number)
    world.node.mine(1)  # code that is set belongs to the newest block, which the review looked at
    world.node.set_code(target, b"\x00\x00")
    world.node.mine(1)
    agent.write(world.blocks, sealed)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.STATE, "state.targets[0]")
    assert "changed between review and vote" in problem.reason


def test_context_that_was_made_up(world, proposal):
    agent = world.plain_key(tools=builtin_tools())
    honest = agent.review(world.blocks, proposal)
    first, *rest = honest.dossier.context
    first = first.model_copy(update={"result": {"all": "well"}})
    agent.write(world.blocks, agent.seal(with_parts(honest.dossier, context=(first, *rest))))
    assert Step.CONTEXT in {step for step, _ in world.check_fails()}


def test_context_that_calls_itself_the_operators_word(world, proposal):
    """What a built-in tool found can be found again, whatever grade the record gives it."""
    agent = world.plain_key(tools=builtin_tools())
    facts = agent.facts(world.blocks, proposal)
    first, *rest = facts.context
    made_up = first.model_copy(update={"result": {"all": "well"}, "grade": Grade.ATTESTED})
    agent.write(world.blocks, concluded(agent, facts.model_copy(update={"context": (made_up, *rest)})))
    assert world.check_fails() == {(Step.CONTEXT, "context[0].grade")}


@pytest.mark.parametrize("code", ["6001600060003e", "5b60005f56", "fe", "5b5f600056"])
def test_an_asset_that_nodes_fail_at_does_not_switch_the_check_off(world, agent, proposal, code):
    """Each node words such a failure in its own way. It must not count as "no state", which would excuse every lie."""
    evil = str(to_checksum_address("0x00000000000000000000000000000000000E71D0"))
    world.node.set_code(evil, bytes.fromhex(code))
    facts = agent.facts(world.blocks, proposal)
    lie = facts.model_copy(
        update={
            "treasury": (*facts.treasury, Holding(asset=evil, symbol="", decimals=None, balance=0)),
            "simulation": facts.simulation.model_copy(update={"movements": ()}),
            "voter": facts.voter.model_copy(update={"voting_power": 10**40}),
        }
    )
    agent.write(world.blocks, concluded(agent, lie))
    report = world.check()
    assert report.exit_code == 1
    assert Step.STATE in {v.step for v in (*report.problems, *report.unproven)}


def test_a_finding_that_was_left_out(world, agent, proposal):
    honest = agent.review(world.blocks, proposal)
    checks = tuple(report.model_copy(update={"findings": ()}) for report in honest.dossier.checks)
    agent.write(world.blocks, agent.seal(with_parts(honest.dossier, checks=checks)))
    assert world.check_fails() == {(Step.FINDINGS, "checks.outflow.findings[0]")}


def test_a_check_that_did_not_run(world, agent, proposal):
    honest = agent.review(world.blocks, proposal)
    checks = tuple(report for report in honest.dossier.checks if report.check != "outflow")
    agent.write(world.blocks, agent.seal(with_parts(honest.dossier, checks=checks)))
    found = world.check_fails()
    assert {(Step.FINDINGS, "checks.outflow"), (Step.DECLARED_CONFIGURATION, "checks")} <= found


def test_a_friend_for_one_vote(world, agent, proposal):
    """The payee is called "our own Safe" in one record only: the configuration does not declare it."""
    write_changed(world, agent, proposal, state__known_addresses={world.RECIPIENT: "our own Safe"})
    assert world.check_fails() == {(Step.DECLARED_CONFIGURATION, "state.known_addresses")}


@pytest.mark.parametrize("part", ["result", "version", "tool"])
def test_a_context_result_that_was_dropped_or_comes_from_elsewhere(world, proposal, part):
    agent = world.plain_key(tools=builtin_tools())
    dossier = agent.review(world.blocks, proposal).dossier
    first, *others = dossier.context
    other = {"version": "99"} if part == "version" else {"tool": "my_own"}
    kept = () if part == "result" else (first.model_copy(update=other),)
    facts = dossier.facts.model_copy(update={"context": (*kept, *others)})
    agent.write(world.blocks, agent.seal(agent.conclude(facts, agent._ask(facts))))
    assert (Step.DECLARED_CONFIGURATION, "context") in world.check_fails()


def test_a_tool_that_could_not_run_is_no_undeclared_one(world, proposal):
    agent = world.plain_key(tools=builtin_tools())
    facts = agent.facts(world.blocks, proposal)
    skipped = Skipped(step=f"tool:{facts.context[0].tool}", why="the node was slow")
    facts = facts.model_copy(update={"context": facts.context[1:], "skipped": (*facts.skipped, skipped)})
    agent.write(world.blocks, agent.seal(agent.conclude(facts, agent._ask(facts))))
    report = world.check()
    assert not [v for v in report.problems if v.step is Step.DECLARED_CONFIGURATION]


def test_a_model_asked_in_another_way_than_the_record_says(world, proposal):
    """The declared temperature stands in the record; another one was sent."""
    declared = {"temperature": "0.1", "max_completion_tokens": "8000"}
    agent = world.model()
    asked = agent._ask

    def as_declared(facts):
        said = asked(facts)
        opinions = (said.opinions[0].model_copy(update={"analyst": agent._analysts[0]}),)
        return Outlined(opinions, said.attempts, said.bodies)

    agent._analysts = (agent._analysts[0].model_copy(update={"parameters": declared}),)
    agent._ask = as_declared
    agent.change(world.RULESET)
    agent.write(world.blocks, agent.review(world.blocks, proposal))
    assert (Step.PROMPTS, "attempts[0].request") in world.check_fails()
