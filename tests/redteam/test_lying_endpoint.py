"""The daemon's RPC endpoint lies, the daemon believes it, the signer has an endpoint of its own: no wrong vote.

The daemon is honest here: it gathers, checks and decides as always, from answers that somebody made up. So its bundle
is whole, and nothing but another look at the chain can show that it is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from msgspec import Raw
from msgspec.json import decode, encode
from tests.signer.conftest import found, founded, signer_node
from tests.signer.parliament import FRIEND, STRANGER, Parliament

from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import PnyxError, RefusedError
from pnyx_contracts.types import to_hex
from pnyx_policies.decision import Outcome
from pnyx_policies.dossier import Dossier
from pnyx_tools.gather import gather_facts
from pnyx_tools.reader import Question, RevertedError, RpcError
from pnyx_tools.rpc import Rpc
from pnyx_tools.signer.settings import WriterKind

__all__ = ["found", "founded", "signer_node"]

ETHER = 10**18
Lie = Callable[[str, Any, Any], Any]
"""Method, parameters and the true answer in, the answer that the daemon gets out."""


class LyingRpc(Rpc):
    """A node that tells the truth, except where `lie` changes it."""

    def __init__(self, url: str, lie: Lie) -> None:
        super().__init__(url)
        self._lie = lie

    def _ask(self, method: str, params: Any, parse: Callable[[Raw], Any]) -> Any:
        told = self._lie(method, params, super()._ask(method, params, decode))
        return self._transport.parsed(method, Raw(encode(told)), parse)

    def ask_together(self, questions: Sequence[Question]) -> list[Any]:
        return [
            answer if answer is None or isinstance(answer, RevertedError) else self._told(method, params, answer)
            for (method, params), answer in zip(questions, super().ask_together(questions), strict=True)
        ]

    def _told(self, method: str, params: Any, answer: Any) -> Any:
        try:
            return self._lie(method, params, answer)
        except RpcError:
            return None


@pytest.fixture
def gate(found: Callable[..., Parliament]) -> Parliament:
    return found(kind=WriterKind.GATE)


def deceived(parliament: Parliament, proposal: int, lie: Lie, monkeypatch: pytest.MonkeyPatch) -> Dossier:
    """The dossier of a daemon whose endpoint lies."""
    governance, settings = parliament.governance, parliament.settings
    reader = LyingRpc(parliament.node.url, lie)

    def facts(_: Parliament, number: int) -> Any:
        return gather_facts(
            reader,
            governance.adapter,
            governance.profile,
            governance.proposals[number],
            voter=settings.writer,
            known_addresses=settings.configuration.known_addresses,
        )

    monkeypatch.setattr(Parliament, "facts", facts)
    return parliament.dossier(proposal)


def is_refused(parliament: Parliament, dossier: Dossier, reason: str) -> None:
    signer = parliament.signer()
    with pytest.raises(RefusedError, match=reason):
        signer.sign(parliament.ask_vote(dossier))
    assert signer.signed == []


def richer(method: str, _: Any, answer: Any) -> Any:
    return hex(10**30) if method == "eth_getBalance" else answer


def without_effects(method: str, _: Any, answer: Any) -> Any:
    if method != "eth_simulateV1":
        return answer
    return [block | {"calls": [call | {"logs": []} for call in block["calls"]]} for block in answer]


def without_code(method: str, _: Any, answer: Any) -> Any:
    return "0x" if method == "eth_getCode" else answer


def other_code(method: str, _: Any, answer: Any) -> Any:
    return "0x00" if method == "eth_getCode" else answer


def reverting(method: str, _: Any, answer: Any) -> Any:
    if method != "eth_simulateV1":
        return answer
    return [block | {"calls": [call | {"status": "0x0", "logs": []} for call in block["calls"]]} for block in answer]


def test_the_truth_is_signed(gate: Parliament, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the refusals below are measured against."""
    dossier = deceived(gate, gate.open(), lambda _method, _params, answer: answer, monkeypatch)
    assert dossier.decision.outcome is Outcome.FOR
    assert gate.signer().sign(gate.ask_vote(dossier)).raw


def test_a_treasury_that_looks_huge(gate: Parliament, monkeypatch: pytest.MonkeyPatch) -> None:
    dossier = deceived(gate, gate.open(value=10 * ETHER), richer, monkeypatch)
    assert dossier.decision.outcome is Outcome.FOR
    is_refused(gate, dossier, "the signer finds|from what the signer sees now")


def test_effects_that_are_left_out(gate: Parliament, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon's simulation shows nothing of a payment to a stranger."""
    dossier = deceived(gate, gate.open(to=STRANGER), without_effects, monkeypatch)
    assert dossier.decision.outcome is not Outcome.FOR, "what the calls say is believed even where nothing is seen"


def test_code_that_is_other_code(gate: Parliament, monkeypatch: pytest.MonkeyPatch) -> None:
    gate.node.set_code(FRIEND, bytes.fromhex("5f5ff3"))
    try:
        dossier = deceived(gate, gate.open(), other_code, monkeypatch)
        assert dossier.decision.outcome is Outcome.FOR
        is_refused(gate, dossier, "the code that the proposal reaches")
    finally:
        gate.node.set_code(FRIEND, b"")


def test_a_harmless_proposal_made_to_look_hostile(gate: Parliament, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call to a contract of the DAO, which "has no code": the daemon would vote against it."""
    number = gate.open(
        to=gate.governance.token, value=0, text=f"# Nothing\n\nCheck that {gate.governance.token} answers symbol().",
        call=bytes.fromhex("95d89b41"),
    )  # fmt: skip
    dossier = deceived(gate, number, without_code, monkeypatch)
    assert dossier.decision.outcome is Outcome.AGAINST
    is_refused(gate, dossier, "differ|from what the signer sees now|the code that the proposal reaches")


def test_a_simulation_that_seems_to_fail(gate: Parliament, monkeypatch: pytest.MonkeyPatch) -> None:
    """That can silence a vote, never turn it: the daemon holds, and the missing vote is on the daemon's record."""
    dossier = deceived(gate, gate.open(), reverting, monkeypatch)
    assert dossier.decision.outcome is Outcome.HOLD


def test_a_vote_that_is_said_to_be_cast(gate: Parliament, monkeypatch: pytest.MonkeyPatch) -> None:
    """A skip is signed only when the signer sees its reason as well."""
    governance, voted = gate.governance, to_hex(bytes(31) + b"\1")
    number = gate.open()
    read = governance.adapter.read_has_voted(governance.profile, number, gate.settings.writer)

    def lie(method: str, params: Any, answer: Any) -> Any:
        asked = params[0] if method == "eth_call" else {}
        return voted if to_hex(read.data) in asked.values() else answer

    dossier = deceived(gate, number, lie, monkeypatch)
    assert dossier.decision.outcome is Outcome.SKIP
    signer = gate.signer()
    with pytest.raises(RefusedError, match="from what the signer sees now"):
        signer.sign(gate.ask_entry(dossier, EntryKind.SKIP))


def test_another_chain_later(gate: Parliament, monkeypatch: pytest.MonkeyPatch) -> None:
    def elsewhere(method: str, _: Any, answer: Any) -> Any:
        return "0x1" if method == "eth_chainId" else answer

    with pytest.raises(PnyxError, match="of chain 1"):
        deceived(gate, gate.open(), elsewhere, monkeypatch)


def test_another_text_for_the_same_proposal(gate: Parliament) -> None:
    """The id binds the text: facts are not even gathered for another one."""
    number = gate.open()
    real = gate.governance.proposals[number]
    gate.governance.proposals[number] = real.model_copy(update={"description": real.description + b" and more"})
    with pytest.raises(PnyxError, match="hashes to the id"):
        gate.dossier(number)


@pytest.mark.parametrize("answer", [None, [], [{"calls": []}], [{"calls": [{"status": "0x1", "logs": 7}]}], "0x"])
def test_a_simulation_that_makes_no_sense(gate: Parliament, monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    """By neither way to simulate."""
    ways = {"eth_simulateV1", "debug_traceCall"}
    dossier = deceived(gate, gate.open(), lambda method, _, true: answer if method in ways else true, monkeypatch)
    assert dossier.simulation.why_skipped


def test_a_node_that_falls_silent_decides_nothing(gate: Parliament, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(method: str, _: Any, answer: Any) -> Any:
        if method == "eth_getCode":
            raise RpcError("no answer")
        return answer

    with pytest.raises(RpcError):
        deceived(gate, gate.open(), silent, monkeypatch)


def test_a_proposal_that_a_reorganisation_opened_again(gate: Parliament) -> None:
    """Same id, same content, another voting window: the review was of the other one."""
    before, text = gate.node.snapshot(), f"# Pay a friend twice\n\nPay 0.001 ETH to {FRIEND}."
    reviewed = gate.dossier(gate.open(value=10**15, text=text))
    gate.node.revert(before)
    gate.node.mine(3)
    number = gate.open(value=10**15, text=text)
    assert number == reviewed.proposal.key.proposal_id
    is_refused(gate, reviewed, "announced no such proposal|the proposal|the pinned block")
