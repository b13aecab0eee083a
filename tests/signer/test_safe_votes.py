"""A vote that a real Safe's owners sign: announced by the key, proposed once, followed until it is cast or over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import DiffersError, RefusedError, UnreachableError
from pnyx_contracts.types import Vote, to_hex
from pnyx_policies.decision import Mode
from pnyx_policies.entitlement import entitlement
from pnyx_tools.recorder import Case
from pnyx_tools.safe.owners import Standing, WaitsForOwnersError
from pnyx_tools.signer.protocol import NotYetError, SignSafeTx
from pnyx_tools.signer.settings import WriterKind
from pnyx_tools.testing.deploy import encode_call
from pnyx_tools.testing.safe import VERSIONS, LocalSafe
from pnyx_tools.testing.safe_service import SafeService

from .landed import own_entries
from .parliament import STRANGER, Parliament


@pytest.fixture
def parliament(found: Callable[..., Parliament]) -> Parliament:
    return found(kind=WriterKind.PLAIN_KEY, mode=Mode.PROPOSE, safe_version="1.4.1")


@pytest.fixture
def safe(parliament: Parliament) -> LocalSafe:
    assert parliament.safe is not None
    return parliament.safe


@pytest.fixture
def service(parliament: Parliament) -> Iterator[SafeService]:
    with SafeService(parliament.node, delegates=(parliament.key.address,)) as started:
        yield started


@pytest.fixture
def decided(parliament: Parliament) -> Case:
    return parliament.case(parliament.dossier(parliament.open()))


def asked(parliament: Parliament, case: Case, service: SafeService | None = None) -> WaitsForOwnersError:
    """What the owners are asked."""
    with pytest.raises(WaitsForOwnersError) as waiting:
        parliament.vote(case, parliament.writer(service=service.url if service else ""))
    return waiting.value


@pytest.mark.parametrize("version", VERSIONS)
def test_two_of_three_owners_cast_what_was_decided(found: Callable[..., Parliament], version: str) -> None:
    parliament = found(kind=WriterKind.PLAIN_KEY, mode=Mode.PROPOSE, safe_version=version)
    assert parliament.safe is not None
    case = parliament.case(parliament.dossier(parliament.open()))

    with SafeService(parliament.node, delegates=(parliament.key.address,)) as service:
        waiting = asked(parliament, case, service)
        assert service.transactions == {to_hex(waiting.transaction.hash): waiting.transaction}
    parliament.safe.execute(waiting.transaction, parliament.safe.owners[1:])
    voted = parliament.vote(case)

    assert voted.cast is not None
    assert (voted.cast.voter, voted.cast.vote) == (parliament.safe.address, Vote.FOR)
    assert voted.cast.reason == case.dossier.decision.reason
    assert own_entries(parliament, case) == [EntryKind.VOTE]
    assert parliament.vote(case) == voted


def test_asked_again_nothing_is_proposed_twice(parliament: Parliament, service: SafeService, decided: Case) -> None:
    first = asked(parliament, decided, service)
    again = asked(parliament, decided, service)
    assert again.transaction == first.transaction
    assert (again.standing, service.posts) == (Standing.WAITS, 1)


@pytest.mark.parametrize("moment", ["before it was sent", "after it was sent"])
def test_killed_while_it_is_proposed_it_is_found_by_its_hash(
    parliament: Parliament, service: SafeService, decided: Case, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    post = service.post

    def die(*arguments: Any) -> Any:
        if moment == "after it was sent":
            post(*arguments)
        raise ConnectionError

    monkeypatch.setattr(service, "post", die)
    with pytest.raises(UnreachableError):
        parliament.vote(decided, parliament.writer(service=service.url))
    monkeypatch.setattr(service, "post", post)

    waiting = asked(parliament, decided, service)

    assert list(service.transactions.values()) == [waiting.transaction]
    assert service.posts == 1


def test_what_waits_already_keeps_its_number(
    parliament: Parliament, service: SafeService, safe: LocalSafe, decided: Case
) -> None:
    theirs = safe.transaction(parliament.node.accounts[5], b"")
    far = safe.transaction(parliament.node.accounts[5], b"", nonce=theirs.nonce + 1_000_000)
    service.waits(theirs)
    service.waits(far)
    assert asked(parliament, decided, service).transaction.nonce == theirs.nonce + 1


def test_another_vote_is_an_alarm(parliament: Parliament, safe: LocalSafe, decided: Case) -> None:
    asked(parliament, decided)
    governor, profile = parliament.booth.adapter, parliament.booth.profile
    call = governor.encode_vote(profile, decided.key.proposal_id, Vote.AGAINST, "we think otherwise")
    safe.act(call.to, call.data)
    with pytest.raises(DiffersError, match=r"AGAINST.*should be.*FOR"):
        parliament.vote(decided)


def test_the_owners_may_vote_in_their_own_words(parliament: Parliament, safe: LocalSafe, decided: Case) -> None:
    asked(parliament, decided)
    safe.act(decided.key.governor, encode_call("castVote(uint256,uint8)", decided.key.proposal_id, 1))
    voted = parliament.vote(decided)
    assert voted.cast is not None
    assert voted.cast.reason == ""


def test_a_transaction_that_took_its_number_is_told_and_the_vote_proposed_anew(
    parliament: Parliament, service: SafeService, safe: LocalSafe, decided: Case
) -> None:
    first = asked(parliament, decided, service).transaction
    safe.execute(safe.transaction(parliament.node.accounts[5], b"", nonce=first.nonce))

    second = asked(parliament, decided, service)

    assert second.standing is Standing.REPLACED
    assert second.transaction == first.model_copy(update={"nonce": first.nonce + 1})
    assert to_hex(second.transaction.hash) in service.transactions
    assert asked(parliament, decided, service).standing is Standing.REPLACED
    safe.execute(second.transaction)
    assert parliament.vote(decided).cast is not None


def test_owners_who_reject_it_are_not_asked_again(
    parliament: Parliament, service: SafeService, safe: LocalSafe, decided: Case
) -> None:
    first = asked(parliament, decided, service).transaction
    safe.execute(safe.transaction(safe.address, b"", nonce=first.nonce))
    waiting = asked(parliament, decided, service)
    assert (waiting.standing, waiting.transaction) == (Standing.REJECTED, first)
    assert service.posts == 1


def test_a_vote_that_nobody_signed_in_time_is_void(parliament: Parliament, decided: Case) -> None:
    asked(parliament, decided)
    parliament.governance.advance_to_closed(decided.key.proposal_id)
    voted = parliament.vote(decided)
    assert voted.void is not None
    assert own_entries(parliament, decided) == [EntryKind.VOTE, EntryKind.VOID]
    assert parliament.vote(decided) == voted


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_service_that_is_away_is_asked_again(
    parliament: Parliament, service: SafeService, decided: Case, status: int
) -> None:
    service.status = status
    with pytest.raises(UnreachableError, match=f"HTTP {status}"):
        parliament.vote(decided, parliament.writer(service=service.url))
    service.status = 200
    assert asked(parliament, decided, service).standing is Standing.WAITS


def test_a_service_that_does_not_know_us_says_what_to_do(
    parliament: Parliament, service: SafeService, decided: Case
) -> None:
    service.delegates.clear()
    with pytest.raises(RefusedError, match="not an owner or delegate") as refused:
        parliament.vote(decided, parliament.writer(service=service.url))
    assert parliament.key.address in refused.value.hint


# --- what the signer refuses -----------------------------------------------------------------------------------------


def request_for(parliament: Parliament, case: Case) -> SignSafeTx:
    waiting = asked(parliament, case)
    nonce = waiting.transaction.nonce
    return SignSafeTx(bundle=case.text, entry_transaction=waiting.entry.transaction_hash, safe_nonce=nonce)


def test_the_key_signs_what_it_would_vote_itself_and_signs_no_ballot(parliament: Parliament, decided: Case) -> None:
    request, meant = request_for(parliament, decided), asked(parliament, decided).transaction
    signer = parliament.signer()
    assert signer.sign_safe_tx(request).safe_tx_hash == meant.hash
    with pytest.raises(RefusedError, match="owners of the Safe"):
        signer.sign(parliament.ask_ballot(decided.dossier, request.entry_transaction))


def test_a_vote_that_was_not_announced_is_not_signed(parliament: Parliament, decided: Case) -> None:
    request = SignSafeTx(bundle=decided.text, entry_transaction=bytes(32), safe_nonce=0)
    with pytest.raises(NotYetError, match="holds no VOTE entry"):
        parliament.signer().sign_safe_tx(request)


def test_an_agent_that_is_an_owner_signs_nothing(parliament: Parliament, safe: LocalSafe, decided: Case) -> None:
    request = request_for(parliament, decided)
    before = parliament.node.snapshot()
    safe.act(safe.address, encode_call("addOwnerWithThreshold(address,uint256)", parliament.key.address, 2))
    with pytest.raises(RefusedError, match="is an owner of the Safe"):
        parliament.signer().sign_safe_tx(request)
    parliament.node.revert(before)


def test_without_a_safe_nothing_is_signed_for_one(found: Callable[..., Parliament]) -> None:
    plain = found(kind=WriterKind.PLAIN_KEY)
    case = plain.case(plain.dossier(plain.open()))
    request = SignSafeTx(bundle=case.text, entry_transaction=bytes(32), safe_nonce=0)
    with pytest.raises(RefusedError, match="no Safe votes"):
        plain.signer().sign_safe_tx(request)


def test_a_daemon_cannot_make_up_a_safe_to_vote_without_approval(found: Callable[..., Parliament]) -> None:
    """In propose mode a vote takes people: their word, or a declared Safe."""
    plain = found(kind=WriterKind.PLAIN_KEY, mode=Mode.PROPOSE)
    honest = plain.dossier(plain.open())
    assert honest.state.voter is not None
    voter = honest.state.voter.model_copy(update={"voter": STRANGER})
    made_up = honest.model_copy(update={"state": honest.state.model_copy(update={"voter": voter})})
    assert entitlement(made_up).kind is EntryKind.VOTE
    with pytest.raises(RefusedError, match="the voter in the bundle differs"):
        plain.signer().sign(plain.ask_entry(made_up, EntryKind.VOTE))
