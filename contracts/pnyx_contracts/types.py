"""Frozen values for what the chain says.

Every model here (and every model that enters a decision record) derives from `Value`: frozen, closed, strict about
unknown fields. In JSON form, integers that may pass 2**53 are decimal strings, bytes are ``0x`` hex and addresses are
EIP-55 checksummed, so that canonical JSON (RFC 8785) keeps them exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, IntEnum
from functools import lru_cache
from typing import Annotated, Any, Final, Self, TypeVar

from eth_utils.address import is_address, is_checksum_address, to_checksum_address
from msgspec import Struct, to_builtins
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, PlainSerializer
from pydantic_core import CoreSchema

UINT256_MAX = 2**256 - 1
DAY_SECONDS: Final = 86_400
_ADDRESS_CHARACTERS = 42


def _fail_fast(schema: Any) -> None:  # noqa: ANN401 - a part of a core schema
    """Lists inside end at their first wrong item."""
    if isinstance(schema, dict):
        if schema.get("type") == "list" or schema.get("type") == "tuple":
            schema["fail_fast"] = True
        parts = [part for name, part in schema.items() if name not in {"default", "metadata"}]
    else:
        parts = schema if isinstance(schema, list) else []
    for part in parts:
        _fail_fast(part)


class Value(BaseModel):
    """Base of all frozen values."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, validate_default=True, allow_inf_nan=False)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - pydantic's signature
        """A stranger's list may hold a hundred thousand wrong items, and a complaint about each takes 2 kB."""
        schema = handler(source)
        _fail_fast(schema)
        return schema


# What holds a model's parts, asked for once: a frozen one takes no assignment.
_new: Final = object.__new__
_set_fields: Final = BaseModel.__dict__["__dict__"].__set__
_set_names: Final = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_set_extra: Final = BaseModel.__dict__["__pydantic_extra__"].__set__
_set_private: Final = BaseModel.__dict__["__pydantic_private__"].__set__


V = TypeVar("V", bound=Value)


def unchecked(kind: type[V]) -> Callable[..., V]:
    """Makes values of all their fields, without validation: for who makes thousands and has looked at every part. As
    `model_construct` does, without its loop over the fields.
    """
    names = set(kind.model_fields)  # one for all of them: nobody adds a field to what is frozen

    def make(**fields: Any) -> V:  # noqa: ANN401 - the fields' own types
        value = _new(kind)
        _set_fields(value, fields)
        _set_names(value, names)
        _set_extra(value, None)
        _set_private(value, None)
        return value

    return make


def _to_uint(value: Any) -> int:  # noqa: ANN401 - a validator sees what came in, whatever it is
    if isinstance(value, bool):
        raise ValueError("expected an integer, got a boolean")
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit() and (value == "0" or value[0] != "0")):
            raise ValueError(f"expected a decimal integer without sign or leading zeros, got {value[:40]!r}")
        value = int(value)
    if not isinstance(value, int) or not 0 <= value <= UINT256_MAX:
        raise ValueError("expected an integer from 0 to 2**256-1")
    return value


def _to_bytes(value: Any) -> bytes:  # noqa: ANN401 - a validator sees what came in
    if isinstance(value, str):
        if not value.startswith("0x"):
            raise ValueError(f"expected 0x-prefixed hex, got {value[:40]!r}")
        return bytes.fromhex(value[2:])
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise ValueError("expected bytes or 0x-prefixed hex")


def _to_bytes32(value: Any) -> bytes:  # noqa: ANN401 - a validator sees what came in
    data = _to_bytes(value)
    if len(data) != 32:
        raise ValueError(f"expected 32 bytes, got {len(data)}")
    return data


def _to_address(value: Any) -> str:  # noqa: ANN401 - a validator sees what came in
    if isinstance(value, bytes) and len(value) == 20:
        value = "0x" + value.hex()
    if not isinstance(value, str) or len(value) != _ADDRESS_CHARACTERS:
        raise ValueError(f"expected a 20-byte address in 0x hex, got {str(value)[:60]!r}")
    return _checksummed(value)


@lru_cache(maxsize=4_096)
def _checksummed(value: str) -> str:
    """A checksum takes a hash, and the same few addresses come again and again."""
    if not value.startswith("0x") or not is_address(value):
        raise ValueError(f"expected a 20-byte address in 0x hex, got {value!r}")
    digits = value[2:]
    if digits not in {digits.lower(), digits.upper()} and not is_checksum_address(value):
        raise ValueError(f"the address {value} is mistyped: its checksum (EIP-55) is wrong")
    return str(to_checksum_address(value))


def to_hex(data: bytes) -> str:
    """``0x`` hex, lower case."""
    return "0x" + data.hex()


Uint = Annotated[int, BeforeValidator(_to_uint), PlainSerializer(str, return_type=str, when_used="json")]
"""uint256; in JSON a decimal string. Wei, token units, proposal ids, voting power, timepoints."""

Hex = Annotated[bytes, BeforeValidator(_to_bytes), PlainSerializer(to_hex, return_type=str, when_used="json")]
"""Bytes of any length; in JSON ``0x`` hex."""

Bytes32 = Annotated[bytes, BeforeValidator(_to_bytes32), PlainSerializer(to_hex, return_type=str, when_used="json")]
"""Exactly 32 bytes: a hash, a root, a word."""

Address = Annotated[str, BeforeValidator(_to_address)]
"""EIP-55 checksummed address."""

ZERO_ADDRESS = "0x0000000000000000000000000000000000000000"


class Vote(Enum):
    """What an agent may say to a governor. How it is encoded is the adapter's business, never ours to guess."""

    FOR = "for"
    AGAINST = "against"
    ABSTAIN = "abstain"


class ProposalState(IntEnum):
    """``IGovernor.ProposalState`` of OpenZeppelin (and Compound); other dialects map to it."""

    PENDING = 0
    ACTIVE = 1
    CANCELED = 2
    DEFEATED = 3
    SUCCEEDED = 4
    QUEUED = 5
    EXPIRED = 6
    EXECUTED = 7


class ClockMode(Enum):
    """The unit of a governor's timepoints (ERC-6372)."""

    BLOCK = "blocknumber"
    TIMESTAMP = "timestamp"


class BlockRef(Value):
    """One block, pinned by its hash. ``timestamp`` in seconds since the epoch."""

    number: int = Field(ge=0)
    hash: Bytes32
    timestamp: int = Field(ge=0)


class Call(Value):
    """One action of a proposal. ``signature`` is empty except in Compound-style proposals, where it gives the
    selector.
    """

    target: Address
    value_wei: Uint
    calldata: Hex
    signature: str = ""


class Log(Struct, frozen=True, gc=False):
    """One event as a node returns it. Hashes and topics have 32 bytes, the address its checksum (EIP-55).

    No `Value`: a check reads hundreds of thousands, so whoever makes one has looked at its parts (ADR 10).
    """

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: bytes
    transaction_hash: bytes
    log_index: int


def in_json(value: Struct) -> dict[str, Any]:
    """The JSON form of a struct, as that of a `Value` is: bytes are ``0x`` hex."""
    fields = to_builtins(value, builtin_types=(bytes,))
    return {name: to_hex(field) if isinstance(field, bytes) else field for name, field in fields.items()}


class ProposalKey(Value):
    """Names a proposal for certain: an OpenZeppelin id alone is the same on two governors (it binds no chain, no
    address).
    """

    chain_id: int = Field(gt=0)
    governor: Address
    proposal_id: Uint

    def __str__(self) -> str:
        return f"{self.chain_id}:{self.governor}:{self.proposal_id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `str` gives. Raises ValueError for anything else."""
        chain_id, governor, proposal_id = text.split(":")
        return cls.model_validate({"chain_id": chain_id, "governor": governor, "proposal_id": proposal_id})


class Proposal(Value):
    """A proposal as its creation event tells it.

    ``description`` is the raw bytes of the event: ids are computed from bytes, and not every description is UTF-8.
    ``vote_start`` and ``vote_end`` are timepoints of the governor's clock (blocks or seconds).
    """

    key: ProposalKey
    proposer: Address
    calls: tuple[Call, ...]
    description: Hex
    vote_start: Uint
    vote_end: Uint
    created_block: int
    created_transaction: Bytes32

    @property
    def text(self) -> str:
        """The description for people: invalid UTF-8 is shown escaped, never dropped."""
        return self.description.decode("utf-8", errors="backslashreplace")


class VoteCast(Value):
    """A vote that landed. ``vote`` is None when the number is none that we know (fractional votes, for example)."""

    key: ProposalKey
    voter: Address
    support: int
    vote: Vote | None
    weight: Uint
    reason: str
    block_number: int
    transaction_hash: Bytes32
    log_index: int
