"""The pure steps by themselves, and the words for them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import pnyx_policies.verify
from pnyx_contracts.decision_log import (
    declaration_subject,
    fold,
    genesis,
    initial_head,
    subject,
    vote_action,
)
from pnyx_contracts.entry import Declaration, Entry, EntryKind, Registered, WriterState
from pnyx_contracts.types import ProposalKey, ProposalState
from pnyx_policies.facts import Grade
from pnyx_policies.verify import About, Report, Status, Step, Tier
from pnyx_policies.verify.history import History
from pnyx_policies.verify.votes import Ballot, Duty, Matter, tier_of_account

DOCS = Path(__file__).parents[2] / "docs" / "verifying.md"
WRITER, LOG, OPERATOR, GOVERNOR = ("0x" + digit * 40 for digit in "1234")


def steps_in(text: str) -> dict[int, str]:
    """Numbered list items with their words, joined lines."""
    items = re.findall(r"^ ?(\d+)\. ((?:.+\n)(?:    .+\n)*)", text, re.MULTILINE)
    return {int(number): " ".join(words.split()) for number, words in items}


def test_the_steps_are_told_once_and_the_same_everywhere():
    told = steps_in(pnyx_policies.verify.__doc__)
    assert list(told) == [int(step) for step in Step]
    assert {number: words.partition(":")[0] for number, words in told.items()} == {
        int(step): step.title for step in Step
    }
    documented = steps_in(DOCS.read_text(encoding="utf-8").replace("**", ""))
    assert documented == told


def test_every_status_and_grade_and_tier_is_documented():
    text = DOCS.read_text(encoding="utf-8")
    for word in (*(s.value for s in Status), *(g.value for g in Grade), *(t.name for t in Tier)):
        assert f"**{word}**" in text


def test_a_report_about_nobody_shows_nothing():
    report = Report(chain_id=1, log=LOG, block=None)
    assert not report.ok
    assert report.exit_code == 1


def test_a_verdict_says_what_it_means_in_words():
    about = About(WRITER, 3)
    assert str(about.matches(Step.HEADER)) == "matches"
    assert str(about.differs(Step.HEADER, "header.log")) == "differs at header.log"
    assert str(about.not_proven(Step.STATE, "it is withheld")) == "not proven, because it is withheld"
    assert str(about.not_checkable(Step.STATE, "no state")) == "not checkable, because no state"
    assert str(about.missing(Step.BUNDLE, "gone")) == "missing: gone"


def test_a_comparison_names_the_first_place_that_differs():
    verdict = About().compare(Step.DECISION, "d", expected={"a": [1, {"b": "x"}]}, seen={"a": [1, {"b": "y"}]})
    assert (verdict.where, verdict.expected, verdict.seen) == ("d.a[1].b", "x", "y")


@given(st.dictionaries(st.text(), st.integers(0, 9)), st.dictionaries(st.text(), st.integers(0, 9)))
def test_no_key_confuses_a_comparison(expected, seen):
    verdict = About().compare(Step.CONTEXT, "context", expected=expected, seen=seen)
    assert (verdict.status is Status.MATCHES) == (expected == seen)


# History


DECLARATION = Declaration(config_hash=bytes([7]) * 32, governors=(GOVERNOR,), evidence_uri="")


def registered(declaration: Declaration = DECLARATION, operator: str = OPERATOR, notice: int = 86_400) -> Registered:
    """An honest registration."""
    declared = declaration_subject(declaration)
    return Registered(
        writer=WRITER, operator=operator, notice_seconds=notice, start_block=1,
        genesis=genesis(1, LOG, WRITER, operator, notice, declared), declaration=declaration, subject=declared,
        block_number=1, transaction_hash=bytes(32), log_index=0,
    )  # fmt: skip


def entry(seq: int, kind: EntryKind = EntryKind.SKIP, **parts) -> Entry:
    values = {
        "writer": WRITER, "subject": keccak(b"subject %d" % seq), "kind": kind, "seq": seq, "epoch": 0,
        "time": 1000 + seq,
        "prompt_hash": bytes([1]) * 32, "record_root": keccak(b"root %d" % seq), "action": bytes(32),
        "block_number": 1 + seq, "transaction_hash": keccak(b"tx %d" % seq), "log_index": 0,
    }  # fmt: skip
    return Entry(**(values | parts))


def true_state(entries: list[Entry]) -> WriterState:
    head = initial_head(registered().genesis)
    for one in entries:
        head = fold(head, one)
    return WriterState(head=head, seq=len(entries), epoch=0, registered=True)


def history_of(shown: list[Entry], state: WriterState, registration: Registered | None = None) -> list:
    history = History(1, LOG, WRITER)
    events = [registration or registered(), *shown]
    return [verdict for event in events for verdict in history.take(event)] + list(history.close(state))


LENGTHS = st.integers(1, 12)


@given(LENGTHS)
def test_a_whole_history_holds(length):
    entries = [entry(seq) for seq in range(1, length + 1)]
    assert {v.status for v in history_of(entries, true_state(entries))} == {Status.MATCHES}


@given(LENGTHS, st.data())
@settings(max_examples=200)
def test_whatever_is_done_to_a_history_is_seen(length, data):
    entries = [entry(seq) for seq in range(1, length + 1)]
    place = data.draw(st.integers(0, length - 1))
    other = data.draw(st.binary(min_size=32, max_size=32))
    field = data.draw(st.sampled_from(["subject", "prompt_hash", "record_root", "action"]))
    tampered = {
        "dropped": entries[:place] + entries[place + 1 :],
        "doubled": [*entries[: place + 1], *entries[place:]],
        "added": [*entries, entry(length + 1)],
        "altered": [*entries[:place], replace(entries[place], **{field: other}), *entries[place + 1 :]],
        "retimed": [*entries[:place], replace(entries[place], time=5), *entries[place + 1 :]],
        "swapped": [entries[-1], *entries[1:-1], entries[0]],
    }
    how = data.draw(st.sampled_from(sorted(tampered)))
    shown = tampered[how]
    verdicts = history_of(shown, true_state(entries))
    assert any(v.status.is_problem for v in verdicts) == (shown != entries)


OTHER_REGISTRATIONS = {
    "operator": registered(operator=GOVERNOR),
    "notice": registered(notice=86_401),
    "configuration": registered(DECLARATION.model_copy(update={"config_hash": bytes([8]) * 32})),
    "governors": registered(DECLARATION.model_copy(update={"governors": ()})),
    "evidence": registered(DECLARATION.model_copy(update={"evidence_uri": "https://example.org"})),
}


@pytest.mark.parametrize("what", OTHER_REGISTRATIONS)
@pytest.mark.parametrize("length", [0, 2])
def test_a_registration_that_is_not_the_writers(what, length):
    """With the true genesis it contradicts itself, with its own it does not lead to the head."""
    entries = [entry(seq) for seq in range(1, length + 1)]
    state, other = true_state(entries), OTHER_REGISTRATIONS[what]

    def problems(shown: Registered) -> list:
        verdicts = history_of(entries, state, shown)
        return [(v.step, v.where) for v in verdicts if v.status.is_problem]

    assert problems(registered()) == []
    assert problems(other.model_copy(update={"genesis": registered().genesis})) == [(Step.REGISTRATION, "genesis")]
    assert problems(other) == [(Step.ENTRIES, "head")]


# Votes


KEY = ProposalKey(chain_id=1, governor=GOVERNOR, proposal_id=5)


def vote_entry(seq: int, transaction: bytes) -> Entry:
    return entry(seq, EntryKind.VOTE, subject=subject(KEY), action=vote_action(1), transaction_hash=transaction)


def ballot(block: int, index: int, transaction: bytes) -> Ballot:
    return Ballot(KEY, 1, block, index, transaction, in_scope=True)


def test_a_delegated_account_is_atomic_while_every_vote_comes_with_its_entry():
    together, apart = keccak(b"one"), keccak(b"two")
    announced = vote_entry(1, together)
    at_once = Matter(WRITER, [announced], [ballot(announced.block_number, 1, together)])
    later = Matter(WRITER, [announced], [ballot(announced.block_number + 1, 0, apart)])
    never = Matter(WRITER, [announced])
    assert [list(m.together()) for m in (at_once, later, never)] == [[True], [False], []]
    assert [tier_of_account(*n) for n in ((2, 2), (2, 1), (0, 0))] == [Tier.ATOMIC, Tier.DECLARED, Tier.DECLARED]
    assert [v.status for v in later.check_votes(Tier.DECLARED)] == [Status.MATCHES]


def test_a_gate_never_votes_apart_from_its_entry():
    announced = vote_entry(1, keccak(b"one"))
    matter = Matter(WRITER, [announced], [ballot(announced.block_number + 1, 0, keccak(b"two"))])
    assert [v.where for v in matter.check_votes(Tier.ENFORCED)] == ["transaction"]


def test_in_one_transaction_the_entry_must_still_come_first():
    transaction = keccak(b"one")
    announced = replace(vote_entry(1, transaction), log_index=2)
    matter = Matter(WRITER, [announced], [ballot(announced.block_number, 1, transaction)])
    assert [v.status for v in matter.check_votes(Tier.DECLARED)] == [Status.MISSING]


@given(
    deadline=st.integers(1, 20),
    time=st.integers(1, 20) | st.none(),
    state=st.sampled_from(ProposalState),
)
def test_a_vote_is_taken_back_only_when_it_cannot_land(deadline, time, state):
    announced = vote_entry(1, keccak(b"one"))
    back = entry(2, EntryKind.VOID, subject=subject(KEY), record_root=announced.record_root)
    duty = Duty(KEY, state, deadline, has_voted=False, times={back.block_number: time})
    (verdict,) = Matter(WRITER, [announced, back], [], duty).check_announced_votes()
    if state is ProposalState.CANCELED:
        assert verdict.status is Status.MATCHES
    elif time is None:
        assert verdict.status is Status.NOT_CHECKABLE
    else:
        assert verdict.status is (Status.DIFFERS if time <= deadline else Status.MATCHES)


def test_whether_a_vote_could_land_is_not_guessed():
    announced = vote_entry(1, keccak(b"one"))
    back = entry(2, EntryKind.VOID, subject=subject(KEY), record_root=announced.record_root)
    (verdict,) = Matter(WRITER, [announced, back], []).check_announced_votes()
    assert verdict.status is Status.NOT_CHECKABLE


def test_one_entry_covers_one_vote():
    announced = vote_entry(1, keccak(b"one"))
    twice = [ballot(announced.block_number + 1, 0, keccak(b"two")), ballot(announced.block_number + 2, 0, keccak(b"3"))]
    matter = Matter(WRITER, [announced], twice)
    assert [v.status for v in matter.check_votes(Tier.DECLARED)] == [Status.MATCHES, Status.MISSING]
