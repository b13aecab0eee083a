"""A proposal as text, for a database that keeps thousands.

Its JSON form doubles the size of a description: bytes are hex there. Here a byte of it is a character (ISO 8859-1,
which loses none), so that most texts are as long as they are.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.json import decode, encode

from pnyx_contracts.types import Call, Proposal, ProposalKey

_BYTES_AS_THEY_ARE: Final = "iso-8859-1"


class _Call(Struct, frozen=True, array_like=True, gc=False):
    target: str
    value_wei: str
    calldata: str
    signature: str


class _Kept(Struct, frozen=True, gc=False):
    """The fields of `Proposal` besides its key; numbers that may be large in decimal, other bytes in hex."""

    proposer: str
    calls: list[_Call]
    description: str
    vote_start: str
    vote_end: str
    created_block: int
    created_transaction: str


def to_kept(proposal: Proposal) -> str:
    calls = [_Call(call.target, str(call.value_wei), call.calldata.hex(), call.signature) for call in proposal.calls]
    form = _Kept(
        proposal.proposer, calls, proposal.description.decode(_BYTES_AS_THEY_ARE),
        str(proposal.vote_start), str(proposal.vote_end), proposal.created_block, proposal.created_transaction.hex(),
    )  # fmt: skip
    return encode(form).decode()


def from_kept(key: str, text: str) -> Proposal:
    """`key` as `str` gives that of a proposal. Raises ValueError for what `to_kept` did not make."""
    form = decode(text, type=_Kept)
    return Proposal(
        key=ProposalKey.parse(key),
        proposer=form.proposer,
        calls=tuple(_call(each) for each in form.calls),
        description=form.description.encode(_BYTES_AS_THEY_ARE),
        vote_start=int(form.vote_start),
        vote_end=int(form.vote_end),
        created_block=form.created_block,
        created_transaction=bytes.fromhex(form.created_transaction),
    )


def _call(form: _Call) -> Call:
    return Call(
        target=form.target,
        value_wei=int(form.value_wei),
        calldata=bytes.fromhex(form.calldata),
        signature=form.signature,
    )
