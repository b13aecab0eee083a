"""A DAO with a past: a dozen proposals that passed, were defeated, were cancelled, or are hostile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from tests.commands.conftest import Ended, Pnyx, pnyx

from pnyx_agents.backtest import Wish, backtest, plan_of
from pnyx_agents.settings import Settings
from pnyx_agents.settings.loading import parse_settings
from pnyx_contracts.types import Vote
from pnyx_policies.backtest import BacktestReport
from pnyx_tools.reader import ChainReader
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy_governance, encode_call
from pnyx_tools.testing.incidents.case import person

__all__ = ["Ended", "Pnyx", "pnyx"]

GARDENER = person("Pay the gardener")
THIEF = "0x000000000000000000000000000000000000bEEF"
HOSTILE_TITLE = "# </title><script>alert(1)</script>\u202e & <b>bold</b>"

Clock = Literal["block", "timestamp"]


@dataclass
class Past:
    """What happened in one DAO."""

    dao: Governance
    ids: dict[str, int] = field(default_factory=dict)
    """Proposals by name."""

    @property
    def node(self) -> Anvil:
        return self.dao.node

    def pay(self, name: str, wei: int = TOKEN, *, to: str | None = None, text: str | None = None) -> int:
        """Opens a proposal that pays, somebody else each time; the text says so, unless it is told to say something
        else.
        """
        ether, payee = f"{wei / TOKEN:g}", to or person(name)
        words = text or f"# {name}\n\nSend {ether} ETH to {payee} for the work in the garden."
        proposal = self.dao.propose([payee], [wei], [b""], words, sender=self.node.accounts[3])
        self.ids[name] = proposal
        return proposal

    def passed(self, name: str, *, executed: bool = True, **options: Any) -> int:
        proposal = self._voted(name, Vote.FOR, **options)
        if executed:
            self.dao.queue(proposal)
            self.dao.execute(proposal)
        return proposal

    def defeated(self, name: str, **options: Any) -> int:
        return self._voted(name, Vote.AGAINST, **options)

    def cancelled(self, name: str) -> int:
        """Before its vote opens, by who proposed it."""
        proposal = self.pay(name)
        self.dao.cancel(proposal, sender=self.node.accounts[3])
        self.node.mine(5, 10)
        return proposal

    def enact(self, name: str, calls: Sequence[tuple[str, bytes]]) -> int:
        """A proposal that is executed."""
        targets, data = zip(*calls, strict=True)
        proposal = self.ids[name] = self.dao.propose(targets, [0] * len(calls), data, f"# {name}")
        self.vote(proposal, Vote.FOR)
        self.dao.queue(proposal)
        self.dao.execute(proposal)
        return proposal

    def _voted(self, name: str, vote: Vote, **options: Any) -> int:
        proposal = self.pay(name, **options)
        self.vote(proposal, vote)
        return proposal

    def vote(self, proposal: int, vote: Vote) -> None:
        self.dao.advance_to_active(proposal)
        self.node.mine()
        self.dao.vote(proposal, vote, self.node.accounts[0])
        self.dao.advance_to_closed(proposal)

    # --- trying it ---------------------------------------------------------------------------------------------------

    def settings(self, folder: Path, more: str = "") -> Settings:
        return parse_settings(self.configuration(more), folder / "pnyx.toml")

    def configuration(self, more: str = "") -> str:
        return (
            f'[agent]\nname = "tester"\n[chain]\nrpc = "{self.node.url}"\nchain_id = 31337\n'
            f'[[governor]]\naddress = "{self.dao.governor}"\nstart_block = 0\n{more}'
        )

    def tried(
        self, folder: Path, *, reader: ChainReader | None = None, more: str = "", **wishes: Any
    ) -> BacktestReport:
        wish = Wish(**{"governor": self.dao.governor, "upto": "latest", **wishes})
        return backtest(plan_of(wish, self.settings(folder, more), reader or self.node.rpc, folder / "scratch"))


def fill(past: Past) -> None:
    """A dozen. Held tokens of the treasury: 100 ETH."""
    past.passed("Pay the gardener")
    past.passed("Pay again", wei=TOKEN // 2)
    past.passed("Pay for autumn", executed=False)
    past.defeated("Pay for a fountain", wei=TOKEN // 4)
    past.defeated("Half of all", wei=45 * TOKEN)
    past.cancelled("Pay twice")
    past.passed("Quiet", to=THIEF, text=f"# Quiet\n\nSend 1 ETH to {GARDENER}.")
    past.defeated("Quiet again", to=THIEF, text=f"# Quiet again\n\nSend 1 ETH to {GARDENER}.")
    past.defeated("Hidden", to=GARDENER, text=f"{HOSTILE_TITLE}\n\nSend 1 ETH to {GARDENER}.")
    past.passed("Quorum", text="# Nothing but words\n\nThe garden is beautiful.", wei=0, executed=False)
    delegate = encode_call("delegate(address)", THIEF)
    past.ids["Delegate"] = past.dao.propose([past.dao.token], [0], [delegate], "# Delegate\n\nOur tokens.")
    past.vote(past.ids["Delegate"], Vote.AGAINST)
    past.pay("Still open")
    past.dao.advance_to_active(past.ids["Still open"])


@contextmanager
def dao_with_a_past(version: Literal[4, 5], clock: Clock) -> Iterator[Past]:
    with Anvil() as node:
        past = Past(deploy_governance(node, version, clock))
        fill(past)
        yield past


@pytest.fixture(scope="session")
def _blocks() -> Iterator[Past]:
    with dao_with_a_past(5, "block") as past:
        yield past


@pytest.fixture(scope="session")
def _seconds() -> Iterator[Past]:
    with dao_with_a_past(4, "timestamp") as past:
        yield past


def _as_it_was(past: Past) -> Iterator[Past]:
    before = past.node.snapshot()
    yield Past(past.dao, dict(past.ids))
    past.node.revert(before)


@pytest.fixture
def blocks(_blocks: Past) -> Iterator[Past]:
    """Counts blocks (OpenZeppelin 5); what happens is undone."""
    yield from _as_it_was(_blocks)


@pytest.fixture
def seconds(_seconds: Past) -> Iterator[Past]:
    """Counts seconds (OpenZeppelin 4)."""
    yield from _as_it_was(_seconds)


@pytest.fixture(params=["block", "timestamp"])
def past(request: pytest.FixtureRequest) -> Past:
    """Each of both."""
    found: Past = request.getfixturevalue("blocks" if request.param == "block" else "seconds")
    return found
