"""Who got what, and who may take what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from eth_hash.auto import keccak

from pnyx_contracts.selectors import Function
from pnyx_contracts.types import UINT256_MAX
from pnyx_policies.claims import PERMIT2
from pnyx_policies.facts import Movement
from pnyx_tools.effects.events import Event, by_topic, event_arguments

NATIVE = "0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE"
"""Pseudo address from which `eth_simulateV1` reports transfers of the chain's own coin."""

TRANSFER = bytes(keccak(b"Transfer(address,address,uint256)"))

_TRANSFER_6909 = "Transfer(address caller, address from, address to, uint256 id, uint256 amount)"
_INDEXED = {_TRANSFER_6909: ("from", "to", "id")}
"""Which arguments are, where they are not the first ones."""

_Arguments = Mapping[str, Any]
_MovementReader = Callable[[Event, _Arguments], Sequence[Movement]]


def movements(events: Sequence[Event]) -> tuple[Movement, ...]:
    """Transfers and allowances in order: the chain's coin, ERC-20, 721, 777, 1155, 6909, Permit2."""
    found: list[Movement] = []
    for event in events:
        known = _movement_events().get(event.topics[0] if event.topics else b"")
        if known is None:
            continue
        function, (read, indexed) = known
        if (args := event_arguments(function, event, indexed)) is not None:
            found.extend(read(event, args))
    return tuple(found)


def _transfer(event: Event, args: _Arguments) -> Sequence[Movement]:
    if event.address == NATIVE:
        return [_movement("transfer", None, args, args["amount"])] if args["amount"] else []
    if _is_nft(event):
        return [_movement("transfer", event.address, args, 1, args["amount"])]
    return [_movement("transfer", event.address, args, args["amount"])]


def _approval(event: Event, args: _Arguments) -> Sequence[Movement]:
    if _is_nft(event):
        return [_movement("approval", event.address, args, 1, args["amount"])]
    return [_movement("approval", event.address, args, args["amount"])]


def _is_nft(event: Event) -> bool:
    """ERC-721 indexes the token id, ERC-20 does not index the amount."""
    return len(event.topics) == 4


def _approval_of_number(event: Event, args: _Arguments) -> Sequence[Movement]:
    return [_movement("approval", event.address, args, args["amount"], args["id"])]


def _transfer_single(event: Event, args: _Arguments) -> Sequence[Movement]:
    return [_movement("transfer", event.address, args, args["amount"], args["id"])]


def _transfer_batch(event: Event, args: _Arguments) -> Sequence[Movement]:
    pairs = zip(args["ids"], args["amounts"], strict=False)
    return [_movement("transfer", event.address, args, amount, token_id) for token_id, amount in pairs]


def _approval_for_all(event: Event, args: _Arguments) -> Sequence[Movement]:
    """Everything of that collection, now and later; or nothing any more."""
    return [_movement("approval", event.address, args, UINT256_MAX if args["approved"] else 0)]


def _authorized(event: Event, args: _Arguments) -> Sequence[Movement]:
    """ERC-777: an operator may send whatever there is."""
    return [_movement("approval", event.address, args, UINT256_MAX)]


def _revoked(event: Event, args: _Arguments) -> Sequence[Movement]:
    return [_movement("approval", event.address, args, 0)]


def _permit2(event: Event, args: _Arguments) -> Sequence[Movement]:
    """Permit2 speaks for the tokens that it may move; nobody else does."""
    if event.address != PERMIT2:
        return []
    return [_movement("approval", args["token"], args, args["amount"])]


def _movement(kind: str, asset: str | None, args: _Arguments, amount: int, token_id: int | None = None) -> Movement:
    return Movement(kind=kind, asset=asset, sender=args["from"], recipient=args["to"], amount=amount, token_id=token_id)


_READERS: tuple[tuple[str, _MovementReader], ...] = (
    ("Transfer(address from, address to, uint256 amount)", _transfer),
    ("TransferSingle(address operator, address from, address to, uint256 id, uint256 amount)", _transfer_single),
    ("TransferBatch(address operator, address from, address to, uint256[] ids, uint256[] amounts)", _transfer_batch),
    (_TRANSFER_6909, _transfer_single),
    ("Approval(address from, address to, uint256 amount)", _approval),
    ("Approval(address from, address to, uint256 id, uint256 amount)", _approval_of_number),
    ("ApprovalForAll(address from, address to, bool approved)", _approval_for_all),
    ("OperatorSet(address from, address to, bool approved)", _approval_for_all),
    ("AuthorizedOperator(address to, address from)", _authorized),
    ("RevokedOperator(address to, address from)", _revoked),
    # Permit2: `from` lets `to` spend `token`; the event comes from Permit2, not from the token.
    ("Approval(address from, address token, address to, uint160 amount, uint48 expiration)", _permit2),
    ("Permit(address from, address token, address to, uint160 amount, uint48 expiration, uint48 nonce)", _permit2),
)


@cache
def _movement_events() -> dict[bytes, tuple[Function, tuple[_MovementReader, Sequence[str]]]]:
    return by_topic([(text, (read, _INDEXED.get(text, ()))) for text, read in _READERS])
