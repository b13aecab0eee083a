"""A signer that people stopped, or the chain did: what it signs then, however the daemon asks."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_utils.address import to_checksum_address
from pydantic import SecretStr

from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import RefusedError, UnreachableError
from pnyx_contracts.types import to_hex
from pnyx_policies.decision import Mode
from pnyx_policies.suspension import Action, Order
from pnyx_tools.rpc import Rpc
from pnyx_tools.signer.certificates import make_certificates
from pnyx_tools.signer.client import SignerClient, SocketWay, TlsWay, Way
from pnyx_tools.signer.doors import Door, SocketDoor, TlsDoor
from pnyx_tools.signer.memory import Memory
from pnyx_tools.signer.notary import Notary
from pnyx_tools.signer.protocol import AskStanding, GiveOrder, NotYetError, SignCancel, SignSafeTx, Standing
from pnyx_tools.signer.settings import WriterKind
from pnyx_tools.signer.tls import TlsFiles, TlsPlace
from pnyx_tools.testing.deploy import encode_call

from .parliament import STRANGER, DirectSigner, Parliament, signed
from .serving import Serving

ADA, BOB, MALLORY = (Account.create() for _ in range(3))
SWITCHES: Iterator[int] = itertools.count(0x5A17C4)
PAUSED_OF_SLOT_0 = bytes.fromhex("5f545f5260205ff3")
"""SLOAD(0), whatever is asked: a contract with ``paused()`` in eight bytes."""


@pytest.fixture
def guarded(found: Callable[..., Parliament]) -> Callable[[WriterKind], Parliament]:
    """Ada and Bob can stop it."""

    def find(kind: WriterKind = WriterKind.GATE, mode: Mode = Mode.AUTONOMOUS) -> Parliament:
        parliament = found(kind=kind, mode=mode)
        configuration = parliament.settings.configuration.model_copy(
            update={"approvers": (ADA.address, BOB.address), "approvals": 2}
        )
        parliament.settings = parliament.settings.model_copy(update={"configuration": configuration})
        return parliament

    return find


def order(parliament: Parliament, by: Any, action: Action, number: int, **parts: Any) -> GiveOrder:
    settings = parliament.settings
    place = {"chain_id": settings.chain_id, "log": settings.log, "writer": settings.writer, "why": "It votes oddly."}
    unsigned = Order(action=action, number=number, **{**place, **parts})
    signature = by.sign_typed_data(full_message=unsigned.typed_data).signature
    return GiveOrder(order=unsigned.model_copy(update={"signature": to_hex(bytes(signature))}))


def now(parliament: Parliament) -> int:
    return int(parliament.clock.now())


def tell(signer: DirectSigner, request: GiveOrder | AskStanding) -> Standing:
    standing = signer.notary.answer(request)
    assert isinstance(standing, Standing)
    return standing


def suspend(parliament: Parliament, by: Any = ADA, **parts: Any) -> GiveOrder:
    return order(parliament, by, Action.SUSPEND, **{"number": now(parliament), **parts})


def resume(parliament: Parliament, by: Any, number: int) -> GiveOrder:
    return order(parliament, by, Action.RESUME, number)


@pytest.mark.parametrize("kind", WriterKind)
def test_a_suspended_signer_signs_cancellations_and_nothing_else(
    guarded: Callable[..., Parliament], kind: WriterKind
) -> None:
    """Also after it was started anew, and whatever the daemon says."""
    parliament = guarded(kind)
    number, held = parliament.open(), parliament.open(to=STRANGER)
    vote = parliament.ask_vote(parliament.dossier(number))
    hold = parliament.ask_entry(parliament.dossier(held), EntryKind.HOLD)
    signer = parliament.signer()
    signer.sign(vote)
    assert tell(signer, suspend(parliament)).held == f"suspended by {ADA.address}: It votes oddly."
    for start in (lambda: signer, parliament.signer):
        restarted = start()
        for request in (vote, hold, parliament.ask_ballot(parliament.dossier(number), bytes(32))):
            with pytest.raises(NotYetError, match=f"all votes are suspended: the signer is suspended by {ADA.address}"):
                restarted.sign(request)
        with pytest.raises(NotYetError, match="all votes are suspended"):
            restarted.sign_safe_tx(SignSafeTx(bundle=vote.bundle, entry_transaction=bytes(32), safe_nonce=0))
        assert restarted.sign(SignCancel(ticket=parliament.ticket())).raw


def test_going_on_takes_two_people_and_no_order_counts_twice(guarded: Callable[..., Parliament]) -> None:
    parliament = guarded()
    vote = parliament.ask_vote(parliament.dossier(parliament.open()))
    first = suspend(parliament)
    number = first.order.number
    tell(parliament.signer(), first)
    by_ada, by_bob = resume(parliament, ADA, number), resume(parliament, BOB, number)
    standing = tell(parliament.signer(), by_ada)
    assert standing.suspension is not None
    assert (standing.suspension.resumed_by, standing.approvals) == ((ADA.address,), 2)
    for again, why in (
        (by_ada, "a person counts once"),
        (order(parliament, ADA, Action.RESUME, number, why="Another signature."), "a person counts once"),
        (resume(parliament, MALLORY, number), f"signed by {MALLORY.address}"),
        (resume(parliament, BOB, number - 1), "is for the suspension"),
    ):
        with pytest.raises(RefusedError, match=why):
            tell(parliament.signer(), again)
    with pytest.raises(NotYetError, match="suspended"):
        parliament.signer().sign(vote)

    assert tell(parliament.signer(), by_bob).held is None
    assert parliament.signer().sign(vote).raw

    second = suspend(parliament, BOB, number=number + 1)
    with pytest.raises(RefusedError, match="it is an old one"):
        tell(parliament.signer(), first)
    tell(parliament.signer(), second)
    for stale in (by_ada, by_bob):
        with pytest.raises(RefusedError, match=f"is for the suspension {number}; in force is {number + 1}"):
            tell(parliament.signer(), stale)
    with pytest.raises(NotYetError, match=f"suspended by {BOB.address}"):
        parliament.signer().sign(vote)


def test_an_order_for_another_writer_suspends_nothing(guarded: Callable[..., Parliament]) -> None:
    parliament = guarded()
    signer = parliament.signer()
    for wrong in (
        suspend(parliament, writer=STRANGER),
        suspend(parliament, chain_id=1),
        suspend(parliament, MALLORY),
        suspend(parliament, number=now(parliament) + 7200),
    ):
        with pytest.raises(RefusedError):
            tell(signer, wrong)
    assert tell(signer, AskStanding()).held is None
    assert signer.sign(parliament.ask_vote(parliament.dossier(parliament.open()))).raw


def test_a_suspension_outlasts_what_two_people_approved(guarded: Callable[..., Parliament]) -> None:
    parliament = guarded(mode=Mode.PROPOSE)
    approved = parliament.dossier(parliament.open(), words=[signed(ADA), signed(BOB)])
    signer = parliament.signer()
    tell(signer, suspend(parliament))
    with pytest.raises(NotYetError, match="suspended"):
        signer.sign(parliament.ask_vote(approved))


def by_socket(folder: Path) -> tuple[Door, Way]:
    path = folder / "signer.sock"
    return SocketDoor(path), SocketWay(path)


def by_tls(folder: Path) -> tuple[Door, Way]:
    make_certificates(folder, ["127.0.0.1"], days=90)
    signer, daemon = (
        TlsFiles(ca=folder / "ca.pem", certificate=folder / f"{side}.pem", key=folder / f"{side}.key")
        for side in ("signer", "daemon")
    )
    door = TlsDoor(TlsPlace(host="127.0.0.1", port=0), signer, ("daemon",))
    return door, TlsWay(TlsPlace(host="127.0.0.1", port=door.port), daemon)


@pytest.mark.parametrize("leads", [by_socket, by_tls])
def test_orders_go_the_way_of_requests(
    guarded: Callable[..., Parliament], tmp_path: Path, leads: Callable[[Path], tuple[Door, Way]]
) -> None:
    parliament, (door, way) = guarded(), leads(tmp_path / "way")
    memory = Memory(parliament.settings.memory)
    notary = Notary(parliament.settings, parliament.key, Rpc(parliament.node.url), memory, parliament.clock.now)
    notary.check_place()
    with Serving(notary, door):
        client = SignerClient(way)
        assert client.standing().held is None
        assert client.give(suspend(parliament).order).suspension == client.standing().suspension
        with pytest.raises(RefusedError, match="it is an old one"):
            client.give(suspend(parliament).order)
        with pytest.raises(NotYetError, match="all votes are suspended"):
            client.sign(parliament.ask_vote(parliament.dossier(parliament.open())))
    memory.close()


# --- by the chain ----------------------------------------------------------------------------------------------------


def test_a_gate_that_its_guardian_paused_gets_no_vote_and_goes_on_to_note(gate: Parliament) -> None:
    """The gate refuses the vote anyway; its signer does not even give one away. The gate lets entries through."""
    one, other = gate.open(), gate.open(to=STRANGER)
    vote, held = gate.ask_vote(gate.dossier(one)), gate.ask_entry(gate.dossier(other), EntryKind.HOLD)
    gate.node.send(gate.settings.writer, encode_call("pauseVotes()"))
    try:
        signer = gate.signer()
        with pytest.raises(NotYetError, match=f"the guardian paused the gate {gate.settings.writer}"):
            signer.sign(vote.model_copy(update={"expected_seq": gate.state().seq + 1}))
        assert "the guardian paused" in tell(signer, AskStanding()).on_chain
        assert signer.sign(held.model_copy(update={"expected_seq": gate.state().seq + 1})).raw
    finally:
        gate.node.send(gate.settings.writer, encode_call("unpauseVotes()"))
    assert gate.signer().sign(vote.model_copy(update={"expected_seq": gate.state().seq + 1})).raw


@pytest.fixture
def switch(plain: Parliament) -> str:
    """The address of a contract that ``[signer] suspension`` names."""
    address = str(to_checksum_address(f"0x{next(SWITCHES):040x}"))
    plain.node.set_code(address, PAUSED_OF_SLOT_0)
    plain.settings = plain.settings.model_copy(update={"suspension": address})
    return address


def turn(plain: Parliament, switch: str, value: int) -> None:
    plain.node.request("anvil_setStorageAt", switch, "0x0", to_hex(value.to_bytes(32, "big")))


def test_a_plain_key_is_stopped_by_the_contract_that_its_settings_name(plain: Parliament, switch: str) -> None:
    one, other = plain.open(), plain.open(to=STRANGER)
    vote, ballot = plain.ask_vote(plain.dossier(one)), plain.ask_ballot(plain.dossier(other), bytes(32))
    signer = plain.signer()
    turn(plain, switch, 1)
    for request in (vote, ballot):
        with pytest.raises(NotYetError, match=f"the contract {switch} is paused"):
            signer.sign(request)
    turn(plain, switch, 0)
    assert signer.sign(vote).raw


@pytest.mark.parametrize("code", [b"", bytes.fromhex("5f5ffd"), bytes.fromhex("60025f5260205ff3")])
def test_a_switch_that_cannot_be_read_is_no_yes(plain: Parliament, switch: str, code: bytes) -> None:
    """No code, a revert, and a word that is no bool."""
    vote, signer = plain.ask_vote(plain.dossier(plain.open())), plain.signer()
    plain.node.set_code(switch, code)
    with pytest.raises(NotYetError, match=f"cannot be read from {switch}"):
        signer.sign(vote)
    assert "cannot be read" in tell(signer, AskStanding()).on_chain
    plain.node.set_code(switch, PAUSED_OF_SLOT_0)
    assert signer.sign(vote).raw
    plain.node.set_code(switch, code)
    with pytest.raises(RefusedError, match="cannot be read"):
        plain.signer()


def test_no_endpoint_no_signature(guarded: Callable[..., Parliament]) -> None:
    parliament = guarded()
    vote, signer = parliament.ask_vote(parliament.dossier(parliament.open())), parliament.signer()
    away = parliament.settings.model_copy(update={"rpc_urls": (SecretStr("http://127.0.0.1:1"),)})
    notary = Notary(away, parliament.key, Rpc("http://127.0.0.1:1"), signer.notary._memory, parliament.clock.now)
    with pytest.raises(UnreachableError):
        notary.answer(vote)
    standing = notary.answer(AskStanding())
    assert isinstance(standing, Standing)
    assert standing.held, "unknown is no yes"
