"""What an agent lives on: people hear of each lack once, and again only after it was over."""

from __future__ import annotations

import pytest

from pnyx_agents.metrics import Metrics
from pnyx_agents.upkeep import LEAST_PATIENCE_SECONDS, Upkeep
from pnyx_contracts.types import BlockRef
from pnyx_tools.follow import Position
from pnyx_tools.notify import Message, Urgency
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.anvil import Anvil

KEY = "0x323A76393544d5ecca80cd6ef2A560C6a395b7E3"
NOW = 1_700_000_000
PRICE = 10**9
VOTE_WEI = PRICE * 300_000


def block(number: int, timestamp: int) -> BlockRef:
    return BlockRef(number=number, hash=bytes(32), timestamp=timestamp)


class Life:
    """An agent's means, as a test sets them, and what people heard."""

    def __init__(self, node: Anvil | None = None, behind_seconds: float | None = None) -> None:
        self.now = float(NOW)
        self.last, self.silent = block(100, NOW), ""
        self.pace_seconds = 12
        self.untold: dict[str, int] = {}
        self.outvoted: dict[str, str] = {}
        self.metrics = Metrics()
        self.heard: list[str] = []
        self._keys: set[str] = set()
        self.upkeep = Upkeep(
            reader=Rpc(node.url) if node else None,
            position=self._position, signer_is_silent=lambda: self.silent, key=KEY if node else None,
            outvoted=lambda: self.outvoted,
            untold=lambda: self.untold, places=["log", "mail"], tell=self._tell, metrics=self.metrics, least_votes=10,
            behind_seconds=behind_seconds, now=lambda: self.now,
        )  # fmt: skip

    def _position(self) -> str | None:
        final = block(self.last.number - 10, self.last.timestamp - 10 * self.pace_seconds)
        return Position(head=self.last, final=final).model_dump_json()

    def _tell(self, message: Message) -> None:
        """As the ledger: each key once."""
        assert message.urgency is Urgency.ALERT
        if message.key not in self._keys:
            self._keys.add(message.key)
            self.heard.append(message.subject)

    def look_after(self, seconds: float) -> list[str]:
        """What is new."""
        self.now += seconds
        before = len(self.heard)
        self.upkeep.look()
        return self.heard[before:]

    def sample(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


STILL = ["the chain does not go on"]


def test_a_chain_that_stands_still_is_told_once_each_time() -> None:
    life = Life()
    assert life.look_after(LEAST_PATIENCE_SECONDS) == []
    assert life.look_after(1) == STILL
    assert life.look_after(3600) == []
    life.last = block(101, int(life.now))
    assert life.look_after(0) == []
    assert life.look_after(LEAST_PATIENCE_SECONDS + 1) == STILL


def test_an_endpoint_that_contradicts_the_others_is_named_once_a_day() -> None:
    life = Life()
    life.outvoted = {"1 (http://one)": "the balance of 0xaa"}
    told = ["the endpoint 1 (http://one) contradicts the others"]
    assert life.look_after(1) == told
    assert life.look_after(1) == []
    assert [subject for subject in life.look_after(24 * 3600) if subject not in STILL] == told


def test_a_chain_that_crawls_far_behind_is_told_once() -> None:
    life = Life()
    assert life.look_after(4000) == STILL
    for number in range(101, 110):
        life.last = block(number, NOW + number)
        assert life.look_after(60) == []


@pytest.mark.parametrize(("pace", "allowed", "patience"), [(60, None, 1200), (12, 30.0, 30)])
def test_patience_follows_the_chain_or_the_operator(pace: int, allowed: float | None, patience: int) -> None:
    life = Life(behind_seconds=allowed)
    life.pace_seconds = pace
    assert life.look_after(patience) == []
    assert life.look_after(1) == STILL


def test_after_a_long_time_off_there_is_time_to_catch_up() -> None:
    life = Life()
    life.last = block(100, NOW - 86_400)
    assert life.look_after(60) == []


def test_a_signer_that_restarts_is_no_news_and_one_that_stays_away_is() -> None:
    life = Life()
    life.silent = "connection refused"
    assert life.look_after(0) == []
    life.silent = ""
    assert life.look_after(60) == []
    life.silent = "connection refused"
    assert life.look_after(60) == []
    life.last = block(101, int(life.now + LEAST_PATIENCE_SECONDS))
    assert life.look_after(LEAST_PATIENCE_SECONDS) == ["the signer does not answer"]
    assert life.look_after(60) == []


def test_untold_messages_are_counted_for_each_place() -> None:
    life = Life()
    life.untold = {"mail": 3}
    life.look_after(0)
    assert life.sample("pnyx_untold_messages", place="mail") == 3
    life.untold = {}
    life.look_after(0)
    assert life.sample("pnyx_untold_messages", place="mail") == 0


def test_low_gas_money_is_told_before_it_is_gone() -> None:
    short = [f"{KEY} is short of gas money"]
    with Anvil(extra_arguments=("--gas-price", str(PRICE), "--block-base-fee-per-gas", "0")) as node:
        life = Life(node)
        price = int(node.rpc.request("eth_gasPrice", []), 16)
        vote = VOTE_WEI * price // PRICE

        def with_votes(votes: int) -> list[str]:
            node.set_balance(KEY, votes * vote)
            return life.look_after(1)

        assert with_votes(10) == []
        assert with_votes(9) == short
        assert with_votes(8) == []
        assert life.sample("pnyx_gas_money_votes", key=KEY) == 8
        assert life.sample("pnyx_gas_money_ether", key=KEY) == pytest.approx(8 * vote / 10**18)
        assert with_votes(50) == []
        assert with_votes(7) == short
