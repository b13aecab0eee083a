"""Several endpoints: what they must agree on, and what happens when they do not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr

from pnyx_agents.settings import parse_settings
from pnyx_contracts.decision_log import ENTRY_TOPIC, read_state
from pnyx_contracts.errors import RefusedError, UnreachableError, UsageError
from pnyx_contracts.types import BlockRef, to_hex
from pnyx_tools.quorum import DisagreementError, Quorum
from pnyx_tools.reader import AsksTogether, ChainReader, MethodMissingError, Question, RevertedError, RpcError
from pnyx_tools.rpc import Rpc
from pnyx_tools.signer.memory import Memory
from pnyx_tools.signer.notary import Notary
from pnyx_tools.signer.process import spawn
from pnyx_tools.signer.protocol import Signed
from pnyx_tools.testing.passing_on import PassingOn
from pnyx_tools.voter import vote

from .parliament import FRIEND, STRANGER, Parliament
from .serving import keystore_of
from .test_keys_elsewhere import MINIMAL

AWAY = "http://127.0.0.1:9"


class Node(PassingOn):
    """An honest node but for what `lies` say, by method; it counts what it is asked."""

    def __init__(self, honest: ChainReader, **lies: Any) -> None:
        super().__init__(honest)
        self.lies = lies
        self.asked = 0

    def __getattribute__(self, name: str) -> Any:
        lies = object.__getattribute__(self, "__dict__").get("lies", {})
        if name in lies:
            self.asked += 1
            return lies[name]
        return object.__getattribute__(self, name)


LIES_BY_METHOD = {"eth_getCode": "code", "eth_call": "call"}


class Consistent(Node):
    """Lies in the same words where it is asked several things at once."""

    def ask_together(self, questions: Sequence[Question]) -> list[Any]:
        honest = cast("AsksTogether", self.honest).ask_together(questions)
        lies = [self.lies.get(LIES_BY_METHOD.get(method, "")) for method, _ in questions]
        return [to_hex(lie()) if lie else answer for lie, answer in zip(lies, honest, strict=True)]


def raises(error: Exception) -> Any:
    def fail(*_args: Any, **_options: Any) -> Any:
        raise error

    return fail


def says(answer: Any) -> Any:
    return lambda *_args, **_options: answer


def test_who_contradicts_those_that_agree_is_named(gate: Parliament) -> None:
    one, two = gate.node.rpc, Rpc(gate.node.url)
    liar = Node(one, balance=says(7), receipt=says(None))
    quorum, governor = Quorum([liar, one, two], 2), gate.governance.governor
    assert quorum.balance(governor) == one.balance(governor)
    assert quorum.outvoted() == {f"1 ({one.display_url})": f"the balance of {governor}"}
    assert quorum.code(governor) == one.code(governor)
    sent = bytes.fromhex(gate.node.send(gate.node.accounts[1], sender=gate.node.accounts[2])["transactionHash"][2:])
    assert quorum.receipt(sent) is not None
    assert quorum.outvoted() == {}, "who has no receipt yet contradicts nobody"


def test_honest_endpoints_say_what_one_says(gate: Parliament) -> None:
    one, two = gate.node.rpc, Rpc(gate.node.url)
    both, block = Quorum([one, two], 2), one.block()
    settings, governor = gate.settings, gate.governance.governor
    assert both.chain_id() == one.chain_id()
    assert both.block(block.number) == block
    assert both.code(governor) == one.code(governor)
    assert both.balance(gate.key.address) == one.balance(gate.key.address)
    assert both.storage(governor, 0, block.number) == one.storage(governor, 0, block.number)
    assert both.nonce(gate.key.address) == one.nonce(gate.key.address)
    state = read_state(settings.log, settings.writer)
    assert both.read(state) == one.read(state)
    found = both.logs(0, block.number, [])
    assert found == one.logs(0, block.number, [])
    assert found
    transaction = found[0].transaction_hash
    assert both.receipt(transaction) == one.receipt(transaction)
    assert both.transaction(transaction) == one.transaction(transaction)
    assert both.receipt(b"\x01" * 32) is None
    assert both.logs(0, block.number, [ENTRY_TOPIC], [FRIEND]) == []


def test_one_that_lies_is_outvoted_and_two_cannot_agree(gate: Parliament) -> None:
    honest, liar = gate.node.rpc, Node(gate.node.rpc, balance=says(5))
    assert Quorum([liar, honest, Rpc(gate.node.url)], 2).balance(gate.key.address) > 5
    with pytest.raises(DisagreementError, match=r"contradict each other about the balance .* says 5; http://127"):
        Quorum([liar, honest], 2).balance(gate.key.address)
    hides = Node(gate.node.rpc, logs=says([]))
    with pytest.raises(DisagreementError, match="the logs of blocks"):
        Quorum([hides, honest], 2).logs(0, gate.node.rpc.block().number, [])


def test_a_revert_is_an_answer_and_must_be_the_same(gate: Parliament) -> None:
    honest = gate.node.rpc
    reverting = (gate.settings.log, b"\xff\xff\xff\xff")
    with pytest.raises(RevertedError):
        Quorum([honest, Rpc(gate.node.url)], 2).call(*reverting)
    with pytest.raises(DisagreementError):
        Quorum([honest, Node(honest, call=says(b""))], 2).call(*reverting)


def test_the_latest_block_is_one_that_enough_have_reached(gate: Parliament) -> None:
    honest = gate.node.rpc
    gate.node.mine()
    newest = honest.block()

    class Lagging(PassingOn):
        """Two blocks behind."""

        def block(self, block: Any = "latest") -> BlockRef:
            return honest.block(newest.number - 2 if block == "latest" else block)

    assert Quorum([honest, Lagging(honest)], 2).block().number == newest.number - 2
    assert Quorum([Lagging(honest), honest, Rpc(gate.node.url)], 2).block().number == newest.number
    assert Quorum([honest, Lagging(honest)], 2).nonce(gate.key.address) == honest.nonce(
        gate.key.address, newest.number - 2
    )


def test_one_that_is_away_does_not_count(gate: Parliament) -> None:
    away = Node(gate.node.rpc, chain_id=raises(UnreachableError("away")))
    with pytest.raises(RpcError, match="2 of 2 endpoints must answer for the chain id: away"):
        Quorum([away, gate.node.rpc], 2).chain_id()
    assert Quorum([away, gate.node.rpc, Rpc(gate.node.url)], 2).chain_id() == 31337


def test_a_method_that_too_few_offer_is_a_missing_one(gate: Parliament) -> None:
    without = Node(gate.node.rpc, request=raises(MethodMissingError("no such method")))
    question = ("eth_simulateV1", [{"blockStateCalls": [{"calls": []}]}, "latest"])
    with pytest.raises(MethodMissingError, match="no such method"):
        Quorum([without, gate.node.rpc], 2).request(*question)
    assert Quorum([without, gate.node.rpc, Rpc(gate.node.url)], 2).request(*question)


@pytest.mark.parametrize("lie", [{"nonce": "0x999"}, {"from": FRIEND}, {"to": FRIEND}, {"value": "0x999"}])
def test_who_sent_a_transaction_must_be_said_alike(gate: Parliament, lie: dict[str, str]) -> None:
    honest = gate.node.rpc
    sent = honest.logs(0, honest.block().number, [])[0].transaction_hash
    told = honest.transaction(sent)
    assert told is not None
    own = Node(honest, transaction=says({**told, "extra": "of this client"}))
    assert Quorum([honest, own], 2).transaction(sent) == told
    with pytest.raises(DisagreementError, match="contradict each other about transaction"):
        Quorum([honest, Node(honest, transaction=says({**told, **lie}))], 2).transaction(sent)


def test_receipts_of_a_block_and_traces_agree_by_what_they_tell(gate: Parliament) -> None:
    honest = gate.node.rpc
    log = honest.logs(0, honest.block().number, [])[0]
    receipts = ("eth_getBlockReceipts", [hex(log.block_number)])
    trace = ("debug_traceTransaction", [to_hex(log.transaction_hash), {"tracer": "callTracer"}])
    for question in (receipts, trace):
        told = honest.request(*question)
        first = told[0] if isinstance(told, list) else told
        for change, is_another in (({"extra": "0x1"}, False), ({"from": FRIEND}, True)):
            other = [{**first, **change}, *told[1:]] if isinstance(told, list) else {**first, **change}
            both = Quorum([honest, Node(honest, request=says(other))], 2)
            if is_another:
                with pytest.raises(DisagreementError):
                    both.request(*question)
            else:
                assert both.request(*question) == told


def test_simulations_agree_by_their_effects() -> None:
    """Nodes word errors in their own ways, and add what they like."""
    event = {"address": "0xAA", "topics": ["0x01"], "data": "0x02"}
    one = [{"hash": "0x1", "calls": [{"status": "0x1", "logs": [event], "gasUsed": "0x1"}]}]
    same = [{"hash": "0x2", "calls": [{"status": "0x1", "logs": [{**event, "address": "0xaa", "logIndex": "0x0"}]}]}]
    other = [{"calls": [{"status": "0x1", "logs": [{**event, "data": "0x03"}]}]}]

    def node(answer: Any) -> Any:
        return Node(object(), request=says(answer))  # asked for nothing else

    assert Quorum([node(one), node(same)], 2).request("eth_simulateV1", []) == one
    with pytest.raises(DisagreementError):
        Quorum([node(one), node(other)], 2).request("eth_simulateV1", [])


def test_more_than_there_are_cannot_agree(gate: Parliament, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="2 of 1 endpoints cannot agree"):
        Quorum([gate.node.rpc], 2)
    for signer, complaint in (
        ('rpc = "http://a"\nrpc_quorum = 2', "rpc must name at least as many endpoints"),
        ('rpc = ["http://a", "http://a"]\nrpc_quorum = 2', "rpc names an endpoint twice"),
    ):
        with pytest.raises(UsageError, match=complaint):
            parse_settings(f"{MINIMAL}\n[signer]\n{signer}", tmp_path / "pnyx.toml")


# --- the signer ------------------------------------------------------------------------------------------------------


def test_a_signer_with_two_endpoints_votes(gate: Parliament) -> None:
    """The same node under two names: each answer is compared."""
    other = gate.node.url.replace("127.0.0.1", "localhost")
    urls = (SecretStr(gate.node.url), SecretStr(other))
    with spawn(gate.settings.model_copy(update={"rpc_urls": urls, "rpc_quorum": 2}), keystore_of(gate)) as child:
        with pytest.raises(RefusedError, match="the rules give no vote here"):
            child.client.sign(gate.ask_vote(gate.dossier(gate.open(to=STRANGER))))
        case = gate.case(gate.dossier(gate.open()))
        assert vote(gate.writer(child.client), gate.booth, case).cast is not None


def test_a_signer_whose_first_endpoint_is_away_votes(gate: Parliament) -> None:
    urls = (SecretStr(AWAY), SecretStr(gate.node.url))
    with spawn(gate.settings.model_copy(update={"rpc_urls": urls}), keystore_of(gate)) as child:
        case = gate.case(gate.dossier(gate.open()))
        assert vote(gate.writer(child.client), gate.booth, case).cast is not None


@pytest.mark.parametrize("lie", ["code", "balance", "call", "nonce", "request"])
def test_nothing_is_signed_on_the_word_of_one_endpoint(gate: Parliament, lie: str) -> None:
    """Whatever one of two says that the other does not: the signer cannot judge, and signs nothing."""
    told = {"nonce": 77, "balance": 10**30, "request": [{"calls": []}]}.get(lie, b"\x01" * 32)
    memory = Memory(gate.settings.memory)
    liar = Consistent(gate.node.rpc)
    notary = Notary(gate.settings, gate.key, Quorum([liar, Rpc(gate.node.url)], 2), memory, gate.clock.now)
    notary.check_place()
    honest = gate.ask_vote(gate.dossier(gate.open()))
    liar.lies[lie] = says(told)
    with pytest.raises(DisagreementError):
        notary.answer(honest)
    assert liar.asked
    liar.lies.clear()
    assert isinstance(notary.answer(honest), Signed)
    memory.close()
