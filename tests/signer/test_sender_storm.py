"""A sender in the worst of weather, on a chain in memory: whatever happens, each errand lands exactly once."""

from __future__ import annotations

import collections
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pnyx_contracts.errors import PnyxError
from pnyx_tools.sender import Sender, SenderSettings
from pnyx_tools.testing.outbox import MemoryOutbox

from .moments import Killed
from .toy_chain import GAS, GWEI, KEY, ToyChain

LIMIT = 200 * GWEI
PURPOSES = ("entry 1", "vote 2", "entry 3", "vote 4")


EVENTS = (
    "mine", "mine", "mine", "nothing", "forget", "stranger", "dear stranger", "mumble before", "mumble after", "lag",
    "back 1", "back 3", "back and forget", "fees rise", "fees fall", "killed",
)  # fmt: skip


CONFIRMATIONS = 4


class Storm:
    """The clock of the sender: each time it waits, something happens. No block goes away that has `CONFIRMATIONS`: what
    landed and was undone later is nobody's errand any more, see docs/sending.md.
    """

    def __init__(self, chain: ToyChain, events: list[str]) -> None:
        self.chain = chain
        self.time = 0.0
        self._events = iter(events)
        self._highest = 0

    def ends(self) -> None:
        """Calm weather from now on."""
        self._events = iter(())
        self.chain.base_fee = GWEI

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        self._happen(next(self._events, "mine"))

    def _happen(self, event: str) -> None:
        chain = self.chain
        match event:
            case "mine":
                chain.mine()
            case "forget":
                chain.forget()
            case "stranger" | "dear stranger":
                chain.stranger(2 if event == "stranger" else 500)
            case "mumble before" | "mumble after":
                chain.mumbles = event.split()[1]
            case "lag":
                chain.lag = 5
            case "back 1" | "back 3" | "back and forget":
                self._go_back(3 if event == "back 3" else 1, forgets=event == "back and forget")
            case "fees rise":
                chain.base_fee = min(chain.base_fee * 4, 150 * GWEI)
            case "fees fall":
                chain.base_fee = GWEI
            case "killed":
                raise Killed

    def _go_back(self, depth: int, *, forgets: bool) -> None:
        self._highest = max(self._highest, len(self.chain.blocks))
        final = self._highest - CONFIRMATIONS + 1
        self.chain.go_back(min(depth, max(0, len(self.chain.blocks) - final)), forgets=forgets)


def sender(chain: ToyChain, outbox: MemoryOutbox, storm: Storm) -> Sender:
    wishes = {"max_fee_per_gas": LIMIT, "vote_wei": 10**20, "daily_wei": 10**22, "confirmations": CONFIRMATIONS}
    return Sender(chain, chain, KEY, outbox, SenderSettings(**wishes), storm)


def land(chain: ToyChain, outbox: MemoryOutbox, storm: Storm, purpose: str, tries: int) -> bool:
    """As the engine does it: what does not land is tried again, by another process after a crash."""
    is_vote = purpose.startswith("vote")
    for _ in range(tries):
        try:
            sender(chain, outbox, storm).send(
                chain.errand(purpose, is_urgent=is_vote, charged_to=purpose if is_vote else "")
            )
        except (Killed, PnyxError):
            continue
        return True
    return False


def survive(events: list[str]) -> None:
    chain, outbox = ToyChain(), MemoryOutbox()
    storm = Storm(chain, events)
    for purpose in PURPOSES:
        land(chain, outbox, storm, purpose, tries=3)
    storm.ends()

    for purpose in PURPOSES * 2:  # the second time nothing is left to do
        assert land(chain, outbox, storm, purpose, tries=20), purpose
    chain.mine()

    assert collections.Counter(chain.wrote) == dict.fromkeys(PURPOSES, 1)
    assert all(wish["max_fee"] <= LIMIT for wish in chain.signed)


@settings(max_examples=150)
@given(events=st.lists(st.sampled_from(EVENTS), max_size=80))
def test_whatever_happens_each_errand_lands_exactly_once(events: list[str]) -> None:
    survive(events)


def test_in_calm_weather_nothing_is_signed_twice() -> None:
    chain, outbox = ToyChain(), MemoryOutbox()
    storm = Storm(chain, [])
    for purpose in PURPOSES:
        assert land(chain, outbox, storm, purpose, tries=1)
    assert chain.wrote == list(PURPOSES)
    assert [wish["nonce"] for wish in chain.signed] == [0, 1, 2, 3]
    assert all(wish["gas"] == GAS * 5 // 4 for wish in chain.signed)


@pytest.mark.parametrize("seed", list(itertools.product(["mine", "nothing", "back 1", "forget"], repeat=3)))
def test_every_short_storm(seed: tuple[str, ...]) -> None:
    """Not only those that chance finds."""
    chain, outbox = ToyChain(), MemoryOutbox()
    storm = Storm(chain, list(seed))
    for purpose in PURPOSES * 2:
        land(chain, outbox, storm, purpose, tries=20)
    assert collections.Counter(chain.wrote) == dict.fromkeys(PURPOSES, 1)


@pytest.mark.parametrize(
    "storm",
    [
        "killed, mine, killed, dear stranger, mine, killed, back and forget, back 1, dear stranger",
        "killed, dear stranger, mine, dear stranger, killed, mine, back 1, mine, killed, mumble before, back 1",
        "killed, killed, dear stranger, mine, forget, back 1, killed, mine, forget, back and forget",
    ],
)
def test_what_waits_behind_a_strangers_lost_transaction_is_not_signed_twice(storm: str) -> None:
    """The stranger's is gone with its block, ours waits at the nonce behind it: that gap is filled with nothing."""
    survive(storm.split(", "))
