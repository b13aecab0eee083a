"""What the agent remembers of the chain: each step of following is kept whole, or not at all."""

from __future__ import annotations

import pytest

from pnyx_tools.journal import Case, Found, Journal, MovedError, Stage, Unread, batched

KEY = "1:0x323A76393544d5ecca80cd6ef2A560C6a395b7E3:7"


def found(block: int = 10, key: str = KEY, content: str = "") -> Found:
    return Found(
        proposal=key, content=content or f"in block {block}", title="A title", deadline="9", created_block=block
    )


def case_of(journal: Journal, key: str = KEY) -> Case:
    case = journal.case(key)
    assert case is not None
    return case


def test_position_and_proposals_are_kept_together(journal: Journal):
    assert journal.position() is None
    assert journal.follow("first", [found()]) == [KEY]
    assert (journal.position(), case_of(journal).stage) == ("first", Stage.SEEN)
    assert journal.follow("second", [found()], since="first") == [], "known already"
    assert journal.position() == "second"


def test_a_proposal_that_moved_to_another_block_is_replaced(journal: Journal):
    journal.follow("1", [found(10)])
    journal.advance(KEY, Stage.HELD, workflow="w")
    journal.rewind("2", above=9, since="1")
    assert not case_of(journal).present
    assert case_of(journal).stage is Stage.HELD
    assert journal.follow("3", [found(11)], since="2") == []
    assert journal.proposal_content(KEY) == "in block 11"
    case = case_of(journal)
    assert (case.present, case.created_block, case.stage, case.workflow) == (True, 11, Stage.HELD, "w")


def test_what_failed_before_a_reorganisation_moved_it_is_looked_at_again(journal: Journal):
    journal.follow("1", [found(10)])
    journal.advance(KEY, Stage.FAILED, detail="the governor does not know it")
    journal.rewind("2", above=9, since="1")
    journal.follow("3", [found(11)], since="2")
    assert (case_of(journal).stage, case_of(journal).detail) == (Stage.SEEN, "")


def test_blocks_below_a_reorganisation_keep_their_proposals(journal: Journal):
    journal.follow("1", [found(10)])
    assert journal.rewind("2", above=10, since="1") == []
    assert case_of(journal).present


@pytest.mark.parametrize(("stage", "meanwhile"), [(Stage.SEEN, Stage.GONE), (Stage.HELD, Stage.HELD)])
def test_what_a_final_chain_does_not_have_is_void(journal: Journal, stage: Stage, meanwhile: Stage):
    journal.follow("1", [found(10)])
    journal.advance(KEY, stage)
    assert journal.rewind("2", above=9, since="1") == [KEY]
    assert case_of(journal).stage is meanwhile
    assert journal.settle("3", 9, since="2") == ([], []), "it may come again above"
    assert journal.settle("4", 10, since="3") == ([], [KEY])
    assert (case_of(journal).stage, journal.position()) == (Stage.VOID, "4")
    assert journal.settle("5", 20, since="4") == ([], []), "told once"


def test_what_comes_again_is_looked_at_again(journal: Journal):
    journal.follow("1", [found(10)])
    journal.rewind("2", above=9, since="1")
    journal.settle("3", 10, since="2")
    journal.follow("4", [found(30)], since="3")
    case = case_of(journal)
    assert (case.stage, case.present, case.detail) == (Stage.SEEN, True, "")


def test_a_second_look_finds_what_the_first_one_missed(journal: Journal):
    journal.follow("1", [found(10)])
    other = f"{KEY}1"
    assert journal.settle("2", 12, [found(10), found(11, other)], since="1") == ([other], [])
    assert case_of(journal, other).stage is Stage.SEEN


def test_history_is_read_once_and_goes_on_where_it_stopped(journal: Journal):
    journal.begin_histories([Unread("a", 5, 99), Unread("b", 5, 99)])
    assert journal.read_history(["a", "b"], 50, [found(20)]) == [KEY]
    assert case_of(journal).from_history
    assert journal.histories() == [Unread("a", 51, 99), Unread("b", 51, 99)]
    journal.read_history(["a"], 99, [])
    assert [unread.is_read for unread in journal.histories()] == [True, False]


def test_thousands_of_proposals_in_one_step(journal: Journal):
    many = [found(n, f"{KEY}{n}") for n in range(2_000)]
    assert len(journal.follow("1", many)) == 2_000
    assert journal.follow("2", many, since="1") == []


def test_all_votes_can_be_held(journal: Journal):
    assert journal.held() is None
    journal.hold("somebody looks at it")
    assert journal.held() == "somebody looks at it"
    journal.release("somebody looks at it")
    assert journal.held() is None


def test_what_holds_all_votes_for_another_reason_meanwhile_goes_on_doing_so(journal: Journal):
    journal.hold("somebody looks at it")
    journal.hold("another reason")
    journal.release("somebody looks at it")
    assert journal.held() == "another reason"


def test_a_look_that_began_elsewhere_changes_nothing(journal: Journal):
    """A person had the chain followed anew while it was under way."""
    journal.follow("1", [found(10)])
    journal.rewind("anew", above=5, since="1")
    late = [
        lambda: journal.follow("2", [found(10)], since="1"),
        lambda: journal.rewind("2", above=1, since="1"),
        lambda: journal.settle("2", 20, since="1"),
        lambda: journal.hold("block 4 is gone", at="1"),
    ]
    for step in late:
        with pytest.raises(MovedError):
            step()
    assert (journal.position(), journal.held(), case_of(journal).stage) == ("anew", None, Stage.GONE)
    journal.hold("block 4 is gone", at="anew")
    assert (journal.position(), journal.held()) == ("anew", "block 4 is gone")


def test_batches_are_whole():
    assert list(batched(range(5), 2)) == [(0, 1), (2, 3), (4,)]
    assert list(batched([], 2)) == []
