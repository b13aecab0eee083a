"""Private relays, as real HTTP servers: what they get, and when everybody gets it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import to_hex
from pnyx_tools.sender import Relay
from pnyx_tools.sender.answers import Answer
from pnyx_tools.sender.delivery import PRIVATE, RAW, goes_public
from pnyx_tools.sender.fees import Urgency
from pnyx_tools.testing.provider import Provider, Question, Reply, error, result

from .senders import World

SECRET = "this-is-the-key-of-the-relay"


class PrivateRelay:
    """Keeps what it gets, and passes it on to the node only when it is `open`."""

    def __init__(self, node_url: str) -> None:
        self.got: list[str] = []
        self.is_open = True
        self.provider = Provider(node_url, self._rule)

    @property
    def url(self) -> str:
        return f"{self.provider.url}/{SECRET}"

    def _rule(self, question: Question) -> Reply | None:
        """Only sending is offered here."""
        raw = question["params"][0]
        self.got.append(raw["tx"] if question["method"] == PRIVATE else raw)
        if question["method"] == PRIVATE:
            return result(question, "0x" + "11" * 32)
        return None if self.is_open else result(question, "0x" + "11" * 32)


@pytest.fixture
def relay(world: World) -> Iterator[PrivateRelay]:
    made = PrivateRelay(world.node.url)
    with made.provider:
        world.relays = (Relay(made.url),)
        yield made


@pytest.fixture
def public(world: World) -> list[str]:
    """What goes to the public endpoint."""
    seen: list[str] = []
    send = world.chain.send_raw

    def watched(raw: bytes) -> bytes:
        seen.append(to_hex(raw))
        return send(raw)

    world.chain.send_raw = watched
    return seen


def test_a_relay_that_works_is_all_that_is_asked(world: World, relay: PrivateRelay, public: list[str]) -> None:
    receipt = world.sender().send(world.entry())
    attempt = world.effort().attempts[0]
    assert receipt["transactionHash"] == to_hex(attempt.transaction_hash)
    assert relay.got == [to_hex(attempt.raw)]
    assert public == []


def test_after_some_blocks_the_same_bytes_are_for_everybody(
    world: World, relay: PrivateRelay, public: list[str]
) -> None:
    """The relay takes it and nothing comes of it. Nobody sees it for three blocks, then all do."""
    relay.is_open = False
    first = world.chain.block().number
    world.clock.on_sleep = lambda: world.node.mine() and None
    receipt = world.sender(public_after_blocks=3).send(world.entry())

    assert int(receipt["blockNumber"], 16) - first == 4
    assert public[0] in relay.got
    assert len(world.signer.tickets) == 1
    assert world.heard == []


def test_a_replacement_does_not_begin_the_wait_anew(world: World, relay: PrivateRelay, public: list[str]) -> None:
    relay.is_open = False
    world.clock.on_sleep = lambda: world.node.mine() and None
    world.sender(public_after_blocks=10, replace_after_seconds=30).send(world.entry())
    attempts = world.effort().attempts
    assert len(attempts) > 1
    assert {attempt.nonce for attempt in attempts} == {1}
    assert set(public) <= {to_hex(attempt.raw) for attempt in attempts}


def test_near_the_deadline_everybody_gets_it_at_once(world: World, relay: PrivateRelay, public: list[str]) -> None:
    relay.is_open = False
    world.sender().send(world.entry("vote", is_urgent=True, seconds_left=lambda: 60.0))
    assert public
    assert set(public) == set(relay.got)
    assert world.seq == 1


def test_a_relay_that_is_down_costs_no_vote(world: World, relay: PrivateRelay, public: list[str]) -> None:
    world.relays = (Relay("http://127.0.0.1:9/" + SECRET), *world.relays)
    assert world.sender().send(world.entry())["status"] == "0x1"
    assert public == []
    assert len(relay.got) == 1


def test_with_every_relay_down_it_lands_by_the_public_way(world: World, public: list[str]) -> None:
    world.relays = (Relay("http://127.0.0.1:9/" + SECRET),)
    world.clock.on_sleep = lambda: world.node.mine() and None
    assert world.sender(public_after_blocks=2).send(world.entry())["status"] == "0x1"
    assert public


def test_a_relay_is_asked_by_the_method_that_its_url_names(relay: PrivateRelay) -> None:
    reply = Relay(f"{relay.url}#{PRIVATE}").send(b"\x02\x03")
    assert reply.answer is Answer.TAKEN
    assert relay.got == ["0x0203"]
    assert [question["method"] for question in relay.provider.asked] == [PRIVATE]
    assert relay.provider.asked[0]["params"] == [{"tx": "0x0203"}]


def test_another_method_is_refused() -> None:
    with pytest.raises(UsageError, match=f"knows the methods {RAW} and {PRIVATE}"):
        Relay("https://relay.example#eth_sendBundle")


def test_the_key_in_a_relays_url_shows_nowhere() -> None:
    with Provider() as provider:
        provider.rule = lambda q: error(q, -32000, f"no such account: {SECRET}")
        relay = Relay(f"{provider.url}/{SECRET}")
        said = relay.send(b"\x02")
    down = Relay(f"http://127.0.0.1:9/{SECRET}").send(b"\x02")
    assert "no such account: [hidden]" in said.text
    assert said.answer is down.answer is Answer.UNSURE
    assert SECRET not in f"{relay!r} {said} {down}"


@given(
    relays=st.integers(0, 5), waited=st.integers(0, 100), after=st.integers(1, 100), urgency=st.sampled_from(Urgency)
)
def test_once_public_it_stays_public_as_blocks_pass_and_time_runs_out(
    relays: int, waited: int, after: int, urgency: Urgency
) -> None:
    public = goes_public(relays, waited, after, urgency)
    assert not public or goes_public(relays, waited + 1, after, urgency)
    assert not public or all(goes_public(relays, waited, after, more) for more in Urgency if more >= urgency)
    assert public == (relays == 0 or waited >= after or urgency in {Urgency.HIGH, Urgency.LAST})
