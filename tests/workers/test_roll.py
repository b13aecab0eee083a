"""Who is there, who was given up, who leads, whose turn it is; on a real PostgreSQL."""

from __future__ import annotations

import threading
import time

import pytest
import sqlalchemy as sa

from pnyx_contracts.errors import RefusedError
from pnyx_tools.database import Database
from pnyx_tools.journal import Found, Journal, Stage
from pnyx_tools.testing.postgres import Postgres
from pnyx_tools.workers import GivenUpByOthersError, Roll, SharedTurns

FOUND = Found(proposal="1:0xA:7", content="{}", title="A title", deadline="9", created_block=3)
TRAITS = {"agent": "ada", "salt key": "00"}


class Crew:
    """Workers on one database."""

    def __init__(self, url: str) -> None:
        self.url = url

    def worker(self, name: str, version: str = "5:a", **traits: str) -> Roll:
        roll = Roll(Database(self.url), name, lease_seconds=30)
        roll.join(version, TRAITS | traits)
        return roll

    def silence(self, name: str, seconds: float = 31) -> None:
        """As if it had said nothing for so long."""
        with Database(self.url).engine.begin() as connection:
            connection.execute(
                sa.text("UPDATE worker SET beat_at = beat_at - :s WHERE id = :w"), {"s": seconds, "w": name}
            )


@pytest.fixture
def crew(postgres: Postgres) -> Crew:
    return Crew(postgres.new_database())


def test_one_leads_until_it_is_given_up_and_then_another(crew: Crew) -> None:
    first, second = crew.worker("first"), crew.worker("second")
    assert (first.leads("x"), second.leads("x"), first.leads("x")) == (True, False, True)
    assert (first.has("x"), second.has("x"), second.has("y")) == (True, False, False)
    assert second.leads("y"), "each duty has its own leader"
    crew.silence("first", 29)
    assert second.give_up_silent() == []
    first.beat()
    crew.silence("first", 31)
    assert second.give_up_silent() == ["first"]
    assert second.leads("x")


def test_who_was_given_up_writes_nothing_any_more(crew: Crew) -> None:
    first, second = crew.worker("first"), crew.worker("second")
    asleep = Journal(first.database)
    asleep.follow("1", [FOUND])
    crew.silence("first")
    assert second.give_up_silent() == ["first"]
    for attempt in (
        lambda: asleep.save("a purpose", "signed"),
        lambda: asleep.advance(FOUND.proposal, Stage.DONE),
        first.beat,
        first.require_there,
        lambda: first.leads("x"),
    ):
        with pytest.raises(GivenUpByOthersError, match="gave up first"):
            attempt()
    awake = Journal(second.database)
    case = awake.case(FOUND.proposal)
    assert case is not None
    assert (awake.load("a purpose"), case.stage) == (None, Stage.SEEN)


def test_a_transaction_that_is_under_way_ends_before_its_worker_is_given_up(crew: Crew) -> None:
    first, second = crew.worker("first"), crew.worker("second")
    crew.silence("first")
    with first.database.begin():
        giving_up = threading.Thread(target=second.give_up_silent)
        giving_up.start()
        giving_up.join(0.3)
        assert giving_up.is_alive(), "it waits"
    giving_up.join(10)
    with pytest.raises(GivenUpByOthersError):
        first.require_there()


def test_who_is_gone_is_named_until_its_work_was_taken_over(crew: Crew) -> None:
    first, second = crew.worker("first"), crew.worker("second")
    first.leave()
    assert [worker.id for worker in second.workers()] == ["second"]
    assert (second.give_up_silent(), second.give_up_silent()) == (["first"], ["first"])
    second.forget("first")
    assert second.give_up_silent() == []


def test_workers_of_another_agent_key_or_version_are_refused(crew: Crew) -> None:
    first = crew.worker("first")
    with pytest.raises(RefusedError, match="another agent"):
        crew.worker("second", agent="bob")
    with pytest.raises(RefusedError, match="another salt key"):
        crew.worker("second", **{"salt key": "01"})
    with pytest.raises(RefusedError, match="first runs another configuration or release"):
        crew.worker("second", version="6:a")
    assert [worker.id for worker in first.workers()] == ["first"], "nobody joined by half"
    first.leave()
    assert crew.worker("second", version="6:a").leads("x"), "all were stopped: the new version begins"


def test_turns_go_round_between_workers_the_urgent_ones_first(crew: Crew) -> None:
    rolls = [crew.worker(name) for name in ("first", "second", "third")]
    turns = [SharedTurns(roll, "a key", poll_seconds=0.02) for roll in rolls]
    order: list[str] = []

    def errand(turn: SharedTurns, name: str, *, urgent: bool) -> None:
        with turn.take(urgent=urgent):
            order.append(name)

    threads = []
    with turns[0].take(urgent=False):
        for number, (name, urgent) in enumerate([("calm", False), ("urgent", True)]):
            thread = threading.Thread(target=errand, args=(turns[number + 1], name), kwargs={"urgent": urgent})
            thread.start()
            threads.append(thread)
            while len(turns[0]._waiting()) <= number:
                time.sleep(0.01)
        assert (turns[0].anyone_waits, turns[0].urgent_waits, order) == (True, True, [])
    for thread in threads:
        thread.join(10)
    assert order == ["urgent", "calm"]
    assert not turns[0].anyone_waits


def test_never_two_at_once(crew: Crew) -> None:
    """Eight threads of two workers, thirty errands each of them in a hurry."""
    rolls = [crew.worker(name) for name in ("first", "second")]
    inside, most, done = 0, 0, 0
    lock = threading.Lock()

    def work(roll: Roll) -> None:
        nonlocal inside, most, done
        turns = SharedTurns(roll, "a key", poll_seconds=0.001)
        for number in range(10):
            with turns.take(urgent=number % 2 == 0):
                with lock:
                    inside += 1
                    most = max(most, inside)
                with lock:
                    inside -= 1
                    done += 1

    threads = [threading.Thread(target=work, args=(roll,)) for roll in rolls for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (most, done) == (1, 80)


def test_the_turn_of_who_was_given_up_goes_to_the_next(crew: Crew) -> None:
    first, second = crew.worker("first"), crew.worker("second")
    asleep = SharedTurns(first, "a key")
    with asleep.take(urgent=True):
        crew.silence("first")
        assert second.give_up_silent() == ["first"]
        with SharedTurns(second, "a key").take(urgent=False):
            pass
