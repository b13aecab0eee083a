"""Several endpoints: what two show alike counts, and one that is alone stops nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pytest

from pnyx_contracts.errors import DiffersError
from pnyx_tools.endpoints import Pool
from pnyx_tools.follow import Chapter, Settled, Stream, read_history
from pnyx_tools.follow.council import require_agreement
from pnyx_tools.reader import RpcError
from pnyx_tools.testing.deploy import Governance
from pnyx_tools.testing.provider import Provider, Question, Rule, result

from .following import Beside, Follower, ids, propose, stream


def no_logs(question: Question):
    """Says that there is nothing."""
    return result(question, []) if question["method"] == "eth_getLogs" else None


def honest(_: Question):
    return None


@contextmanager
def pool_of(governance: Governance, rules: Sequence[Rule]) -> Iterator[Pool]:
    with ExitStack() as stack:
        urls = [stack.enter_context(Provider(governance.node.url, rule)).url for rule in rules]
        pool = Pool.of(urls, governance.node.rpc.chain_id())
        stack.callback(pool.close)
        yield pool


def following(governance: Governance, pool: Pool) -> Stream:
    return stream(governance, reader=pool, council=pool.council, finality=1)


@pytest.mark.parametrize("place", range(3))
def test_a_liar_among_three_hides_no_proposal(governance: Governance, place: int):
    rules: list[Rule] = [honest] * 3
    with pool_of(governance, rules) as trusted:
        position = following(governance, trusted).begin()
    rules[place] = no_logs
    with pool_of(governance, rules) as pool:
        follower = Follower(following(governance, pool), position)
        made = propose(governance, 1)
        governance.node.mine(3)
        follower.poll()
        if place == 0:
            with pytest.raises(DiffersError, match="disagree about the proposals"):
                follower.settle()
            follower.poll()
        settled = follower.settle()
    assert isinstance(settled, Settled)
    assert ids(governance, settled.logs) == [made]


def test_of_two_nobody_knows_who_lies(governance: Governance):
    with pool_of(governance, [honest, no_logs]) as pool:
        follower = Follower.of(following(governance, pool))
        propose(governance, 1)
        governance.node.mine(3)
        for _ in range(3):
            follower.poll()
            with pytest.raises(DiffersError, match="disagree about the proposals"):
                follower.settle()


def test_a_fork_that_only_one_of_three_shows_is_left(governance: Governance):
    node, is_forked = governance.node, False

    def fork(question: Question):
        """Shows other blocks than everybody else."""
        if question["method"] != "eth_getBlockByNumber" or not is_forked:
            return None
        block = node.request(question["method"], *question["params"])
        return result(question, {**block, "hash": "0x" + "11" * 32, "parentHash": "0x" + "22" * 32})

    with pool_of(governance, [fork, honest, honest]) as pool:
        follower = Follower.of(following(governance, pool))
        node.mine(1)
        follower.poll()
        is_forked = True
        node.mine(1)
        with pytest.raises(DiffersError, match="disagree about block"):
            follower.poll()
        follower.advance()
        assert follower.position.head.number == node.rpc.block().number


@pytest.mark.parametrize("place", range(3))
def test_history_that_two_show_is_read(governance: Governance, place: int):
    made = [propose(governance, number) for number in range(3)]
    rules: list[Rule] = [honest] * 3
    rules[place] = no_logs

    def read(pool: Pool) -> list[Chapter]:
        last = governance.node.rpc.block().number
        topics = governance.adapter.created_topics()
        return list(read_history(pool, topics, [governance.governor], 0, last, council=pool.council))

    with pool_of(governance, rules) as pool:
        if place == 0:
            with pytest.raises(DiffersError, match="disagree about the proposals"):
                read(pool)
        chapters = read(pool)
    assert [number for chapter in chapters for number in ids(governance, chapter.logs)] == made


def test_whoever_does_not_answer_has_no_say():
    class Silent:
        """Not a reader at all: nobody gets as far as asking it."""

    def ask(reader: object) -> int:
        if isinstance(reader, Silent):
            raise RpcError("away")
        return reader.answer

    class Says:
        def __init__(self, answer: int) -> None:
            self.answer = answer

    def demand(*readers: object) -> Beside:
        beside = Beside.of(*readers)
        require_agreement(beside, 1, ask, lambda theirs: DiffersError(f"theirs is {theirs}"))
        return beside

    assert demand(Silent(), Says(1)).distrusted == 0
    assert demand(Says(2), Says(1)).distrusted == 0
    for readers, error, words in (
        ([], RpcError, "no other endpoint"),
        ([Silent()], RpcError, "away"),
        ([Says(2), Silent()], DiffersError, "theirs is 2"),
        ([Says(2), Says(3)], DiffersError, "theirs is 2"),
        ([Says(2), Says(2)], DiffersError, "theirs is 2"),
    ):
        with pytest.raises(error, match=words):
            demand(*readers)
