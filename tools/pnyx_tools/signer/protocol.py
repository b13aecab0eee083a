"""What goes over the signer's socket: one request, one reply, then the connection closes.

A frame is four bytes of length (big-endian), then that many bytes of JSON. A request names the protocol's version, so
that a daemon and a signer of different releases notice instead of guessing.
"""

from __future__ import annotations

import socket
import time
from enum import Enum
from typing import Annotated, Final, Literal, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import DecodingError, RefusedError, UnreachableError
from pnyx_contracts.types import Address, Bytes32, Hex, Uint, Value
from pnyx_policies.decision import Mode
from pnyx_policies.suspension import Order, Suspension
from pnyx_tools.signer.settings import WriterKind

T = TypeVar("T")

VERSION: Final = 1

MAX_FRAME_BYTES: Final = 32 * 2**20
"""A bundle holds the whole proposal and every exchange with a model: kilobytes as a rule, a few megabytes at worst."""

_LENGTH_BYTES: Final = 4


class Ticket(Value):
    """What the daemon chooses about a transaction. The signer holds it against the chain and its own limits."""

    nonce: int = Field(ge=0, lt=2**64)
    gas_limit: int = Field(gt=0, lt=2**64)
    max_fee_per_gas: Uint
    """Wei per gas, base fee included (EIP-1559)."""
    max_priority_fee_per_gas: Uint
    """Wei per gas for the block's producer."""


class Hello(Value):
    """Who are you, and for whom do you sign?"""

    op: Literal["hello"] = "hello"
    version: Literal[1] = VERSION


class SignVote(Value):
    """Gate only: entry and vote in one transaction, as the bundle decides."""

    op: Literal["sign-vote"] = "sign-vote"
    version: Literal[1] = VERSION
    bundle: str
    """The evidence bundle's bytes; they are UTF-8 JSON."""
    expected_seq: int = Field(gt=0)
    ticket: Ticket


class SignEntry(Value):
    """An entry that casts no vote by itself. A plain key announces its vote with kind VOTE; a gate cannot."""

    op: Literal["sign-entry"] = "sign-entry"
    version: Literal[1] = VERSION
    bundle: str
    kind: EntryKind
    expected_seq: int = Field(gt=0)
    ticket: Ticket


class SignBallot(Value):
    """Plain key only: the vote that an entry announced, once that entry is on chain."""

    op: Literal["sign-ballot"] = "sign-ballot"
    version: Literal[1] = VERSION
    bundle: str
    entry_transaction: Bytes32
    """Where to look for the entry; the signer reads the receipt itself."""
    ticket: Ticket


class SignSafeTx(Value):
    """The vote that an entry announced, as a Safe's owners are asked to sign it: only to say that it comes from us."""

    op: Literal["sign-safe-tx"] = "sign-safe-tx"
    version: Literal[1] = VERSION
    bundle: str
    entry_transaction: Bytes32
    """As in `SignBallot`."""
    safe_nonce: Uint


class SignCancel(Value):
    """A transfer of nothing from the key to itself, in the place of a transaction that is not wanted any more."""

    op: Literal["sign-cancel"] = "sign-cancel"
    version: Literal[1] = VERSION
    ticket: Ticket


class AskStanding(Value):
    """Would you sign a vote now, and if not, who stopped you?"""

    op: Literal["standing?"] = "standing?"
    version: Literal[1] = VERSION


class GiveOrder(Value):
    """A person's signed order to stop, or to go on. Whoever hands it over needs no right of their own."""

    op: Literal["order"] = "order"
    version: Literal[1] = VERSION
    order: Order


BundleRequest = SignVote | SignEntry | SignBallot
"""What rests on a decision, and becomes a transaction."""
SignRequest = BundleRequest | SignCancel
Asked = Hello | AskStanding | GiveOrder | SignRequest | SignSafeTx
Request = Annotated[Asked, Field(discriminator="op")]


class Identity(Value):
    """Answer to `Hello`: for whom this signer signs, and by which rules."""

    op: Literal["identity"] = "identity"
    key_address: Address
    """Sends the transactions and pays for them."""
    writer: Address
    """The gate, or the key's own address."""
    writer_kind: WriterKind
    chain_id: int
    log: Address
    governors: tuple[Address, ...]
    mode: Mode
    config_hash: Bytes32
    """Hash of the declared configuration that it holds bundles against."""
    ruleset_hash: Bytes32
    safe: Address | None = None
    """Casts the votes, where the writer does not."""


class Signed(Value):
    """A signed transaction. `transaction_hash` is the keccak-256 of `raw`, as a node will report it."""

    op: Literal["signed"] = "signed"
    raw: Hex
    transaction_hash: Bytes32
    nonce: int
    max_fee_per_gas: Uint
    max_priority_fee_per_gas: Uint


class SignedSafeTx(Value):
    """Our signature over a Safe's transaction. It is no owner's: the Safe does not count it."""

    op: Literal["signed-safe-tx"] = "signed-safe-tx"
    safe_tx_hash: Bytes32
    signature: Hex
    """65 bytes: r, s, v."""


class Standing(Value):
    """Answer to `AskStanding` and to `GiveOrder`: what keeps this signer from signing votes."""

    op: Literal["standing"] = "standing"
    suspension: Suspension | None
    """By people. It signs cancellations then, and nothing else."""
    on_chain: str
    """Why the chain wants no votes, or that nobody knows; empty when it says nothing against them. Entries without a
    vote go on."""
    approvals: int
    """So many people must sign to go on."""

    @property
    def held(self) -> str | None:
        """Why it signs no vote now."""
        said = [str(self.suspension)] if self.suspension else []
        return "; ".join([*said, *([self.on_chain] if self.on_chain else [])]) or None


class Again(Enum):
    """Whether the same request may be right another time."""

    NEVER = "never"
    SOON = "soon"
    """In a moment: a node lags, an entry is not mined yet."""
    LATER = "later"
    """When money of the daily limit is free again."""


class Refusal(Value):
    """A no, and why."""

    op: Literal["refused"] = "refused"
    reason: str
    hint: str = ""
    again: Again = Again.NEVER


class Unavailable(Value):
    """The signer could not judge: its own endpoint did not answer, or it failed itself. Nothing was signed."""

    op: Literal["unavailable"] = "unavailable"
    reason: str
    hint: str = ""


Answer = Identity | Standing | Signed | SignedSafeTx
Reply = Annotated[Answer | Refusal | Unavailable, Field(discriminator="op")]

_REQUESTS: Final[TypeAdapter[Asked]] = TypeAdapter(Request)
_REPLIES: Final[TypeAdapter[Answer | Refusal | Unavailable]] = TypeAdapter(Reply)


class NotYetError(RefusedError):
    """A refusal that may end in a moment: the daemon's node is ahead of the signer's, or the other way round."""


class DailyLimitError(NotYetError):
    """A refusal that ends when the money of yesterday comes free again: nothing to be asked for every few seconds."""


def name_of(request: Asked) -> str:
    """For logs: the kind of request, without any of its content."""
    match request:
        case SignEntry():
            return f"{request.op} {request.kind.name}"
        case GiveOrder():
            return f"{request.op} {request.order.action.value}"
        case _:
            return request.op


def parse_request(data: bytes) -> Asked:
    """Raises `DecodingError` with the places that are wrong, never with what stood there."""
    return _parse(_REQUESTS, data, "request")


def parse_reply(data: bytes) -> Answer | Refusal | Unavailable:
    """Raises `DecodingError`."""
    return _parse(_REPLIES, data, "reply")


def send_frame(connection: socket.socket, message: Value) -> None:
    """Raises `DecodingError` for a message above `MAX_FRAME_BYTES`."""
    data = message.model_dump_json().encode()
    if len(data) > MAX_FRAME_BYTES:
        raise DecodingError(f"a message of {len(data)} bytes does not fit: the limit is {MAX_FRAME_BYTES}")
    connection.sendall(len(data).to_bytes(_LENGTH_BYTES, "big") + data)


def receive_frame(connection: socket.socket, seconds: float) -> bytes:
    """One frame, whole within so many seconds: a peer that sends a byte now and then gains no time by it.

    Raises `DecodingError` for an oversized one, `UnreachableError` when the peer went away half-way, `TimeoutError`.
    """
    deadline = time.monotonic() + seconds
    length = int.from_bytes(_receive_exactly(connection, _LENGTH_BYTES, deadline), "big")
    if length > MAX_FRAME_BYTES:
        raise DecodingError(f"the peer announced {length} bytes; the limit is {MAX_FRAME_BYTES}")
    return _receive_exactly(connection, length, deadline)


def _receive_exactly(connection: socket.socket, length: int, deadline: float) -> bytes:
    received = bytearray()
    while len(received) < length:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"the peer sent {len(received)} of {length} bytes in the time it has")
        connection.settimeout(left)
        chunk = connection.recv(min(length - len(received), 2**16))
        if not chunk:
            raise UnreachableError(f"the peer closed the connection after {len(received)} of {length} bytes")
        received += chunk
    return bytes(received)


def _parse(adapter: TypeAdapter[T], data: bytes, what: str) -> T:
    try:
        return adapter.validate_json(data)
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, e['loc'])) or what}: {e['type']}" for e in error.errors()[:5])
        raise DecodingError(
            f"the {what} is not one of protocol version {VERSION}: {places}",
            hint="run daemon and signer from the same release",
        ) from None
