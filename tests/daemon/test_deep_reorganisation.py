"""The chain takes back what it had called final, or what was acted on before it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pnyx_agents.metrics import Metrics
from pnyx_agents.watch import Watch
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.types import to_hex
from pnyx_tools.follow import Position, Step, Stream, Watchlist, below
from pnyx_tools.journal import Journal, MovedError, Stage
from pnyx_tools.notify import Message
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import TOKEN
from pnyx_tools.verifier import verify

from .conftest import VOTING_PERIOD, MakeAgent, pay, pnyx, position_of


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    """Of its own: the longer its chain, the more states it has in memory."""
    with Anvil(states=5_000, calm=True, extra_arguments=("--slots-in-an-epoch", "1")) as running:
        yield running


def test_a_reorganisation_deeper_than_finality_holds_all_votes(make_agent: MakeAgent) -> None:
    agent = make_agent(confirmations=1)
    agent.mines = True
    agent.start()
    agent.until_stage(pay(agent), Stage.DONE)
    agent.mines = False
    agent.node.mine(10)
    agent.node.send(agent.node.accounts[7], value_wei=1)  # an empty block could come again with the same hash
    agent.node.mine(25)
    agent.until("a settled position", lambda: position_of(agent).final.number > agent.node.rpc.block().number - 10)
    agent.node.reorg(30)
    agent.node.mine(1)
    agent.until("the alarm", lambda: "all votes are held" in agent.output)
    resumed = pnyx(agent, "resume")
    assert (resumed.returncode, "followed anew from block" in resumed.stdout) == (0, True)
    agent.mines = True
    agent.until_stage(pay(agent, wei=TOKEN // 20), Stage.DONE)


class LookedAway(Stream):
    """A person lets votes go on while a look is under way."""

    def __init__(self, node: Anvil, journal: Journal) -> None:
        super().__init__(node.rpc, [], [], finality=2)
        self.node = node
        self.journal = journal
        self.is_resumed_meanwhile = False

    def poll(self, position: Position) -> Step:
        if self.is_resumed_meanwhile:
            anew = below(self.node.rpc, position)
            assert anew is not None
            self.journal.rewind(anew.model_dump_json(), above=anew.head.number, since=position.model_dump_json())
        return super().poll(position)


def test_a_look_that_ends_after_a_person_let_votes_go_on_holds_nothing(node: Anvil, tmp_path: Path) -> None:
    journal = Journal(f"sqlite:///{tmp_path / 'journal.sqlite'}")
    stream, told = LookedAway(node, journal), list[Message]()
    watch = Watch(node.rpc, None, Watchlist({}), stream, journal, Metrics(), told.append)
    watch.look()
    node.mine(10)
    node.send(node.accounts[7], value_wei=1)  # an empty block could come again with the same hash
    node.mine(30)
    watch.look()
    node.reorg(39)
    node.mine(3)
    stream.is_resumed_meanwhile = True
    with pytest.raises(MovedError):
        watch.look()
    assert (journal.held(), told) == (None, [])
    stream.is_resumed_meanwhile = False
    watch.look()
    assert (journal.held(), told) == (None, [])
    journal.close()


def test_what_was_written_in_haste_about_a_proposal_that_vanished_is_taken_back(make_agent: MakeAgent) -> None:
    """Half of a short vote was over before its proposal was final, so the entry did not wait. Members see it void."""
    agent = make_agent(confirmations=VOTING_PERIOD - 10, rules='name = "people"\nversion = "1"\n')
    agent.start()
    agent.until("the agent to follow", lambda: '"following"' in agent.output)
    vanishes = pay(agent)
    agent.until_stage(vanishes, Stage.REVIEWED)
    agent.node.mine(VOTING_PERIOD // 2 + 5)
    (entry,) = agent.until("the entry", agent.entries)
    raw = agent.node.request("eth_getRawTransactionByHash", to_hex(entry.transaction_hash))
    created = agent.dao.proposals[vanishes].created_block
    agent.node.reorg(agent.node.rpc.block().number - created + 1, [(raw, 0)])
    agent.node.mine(VOTING_PERIOD)
    agent.until_stage(vanishes, Stage.VOID)
    agent.until("the VOID entry", lambda: len(agent.entries()) == 2)
    agent.node.mine(VOTING_PERIOD)
    agent.until("its end", lambda: "a VOID entry takes back" in str(agent.case(vanishes)))
    assert [each.kind for each in agent.entries()] == [EntryKind.HOLD, EntryKind.VOID]
    report = verify(agent.node.rpc, agent.log, agent.writer, agent.folder / "evidence", upto="latest")
    assert report.ok, report.problems
