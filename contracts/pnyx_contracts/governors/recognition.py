"""What an OpenZeppelin governor says of itself, and whether it can be voted on.

- Compound's governors, Nouns and others emit the very same `ProposalCreated` topic. Only what the contract itself
  answers decides.
- Some OpenZeppelin governors number their proposals one after another (GovernorSequentialProposalId, CompoundGovernor)
  and answer the same ERC-165 ids. They give themselves away when asked for the id of an empty proposal: a counter
  cannot answer with the hash. They are read, but not voted on, because their ids do not bind a proposal's content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

from eth_abi.abi import encode
from eth_hash.auto import keccak

from pnyx_contracts.errors import DecodingError, UnknownEncodingError
from pnyx_contracts.governors.adapter import GovernorProfile, Probe
from pnyx_contracts.selectors import call_data, selector_of
from pnyx_contracts.strict_abi import Tuple, parse_parameters
from pnyx_contracts.types import ZERO_ADDRESS, Call, ClockMode

_COUNTING_SIMPLE: Final = {"support": "bravo", "quorum": "for,abstain"}

_GOVERNOR_INTERFACES: Final = tuple(
    bytes.fromhex(interface)
    for interface in (
        "bf26d897",  # IGovernor of 4.3, also answered until 4.9
        "79dd796f",  # IGovernor of 4.6 with params
        "65455a86",  # IGovernor of 5.0 and later
        "cdbdfcee",  # IGovernor of 5.3 and later, with getProposalId
    )
)
_NOT_AN_INTERFACE: Final = bytes.fromhex("ffffffff")
"""ERC-165: never supported. Whoever says yes says yes to everything."""

_CONTENT_TYPES: Final = ("address[]", "uint256[]", "bytes[]", "bytes32")


def hash_proposal(calls: Sequence[Call], description_hash: bytes) -> int:
    """`IGovernor.hashProposal`: keccak256(abi.encode(targets, values, calldatas, descriptionHash))."""
    return int.from_bytes(keccak(_encode_content(calls, description_hash)), "big")


def _encode_content(calls: Sequence[Call], description_hash: bytes) -> bytes:
    return encode(
        _CONTENT_TYPES,
        ([c.target for c in calls], [c.value_wei for c in calls], [c.calldata for c in calls], description_hash),
    )


def _supports(interface: bytes) -> bytes:
    return call_data("supportsInterface(bytes4)", interface)


_EMPTY_CONTENT: Final = _encode_content((), bytes(32))
_EMPTY_ID: Final = hash_proposal((), bytes(32))

_COUNTING_MODE: Final = call_data("COUNTING_MODE()")
_CLOCK_MODE: Final = call_data("CLOCK_MODE()")
_CLOCK: Final = call_data("clock()")
_NAME: Final = call_data("name()")
_VERSION: Final = call_data("version()")
_TOKEN: Final = call_data("token()")
_TIMELOCK: Final = call_data("timelock()")
_HASH_OF_NOTHING: Final = selector_of("hashProposal(address[],uint256[],bytes[],bytes32)") + _EMPTY_CONTENT
_ID_OF_NOTHING: Final = selector_of("getProposalId(address[],uint256[],bytes[],bytes32)") + _EMPTY_CONTENT

PROBE_CALLS: Final = (
    *(_supports(interface) for interface in (*_GOVERNOR_INTERFACES, _NOT_AN_INTERFACE)),
    _COUNTING_MODE,
    _CLOCK_MODE,
    _CLOCK,
    _NAME,
    _VERSION,
    _TOKEN,
    _TIMELOCK,
    _HASH_OF_NOTHING,
    _ID_OF_NOTHING,
)
"""What the contract is asked."""


def recognise(kind: str, probe: Probe) -> GovernorProfile | None:
    """None for what is no such governor. Raises `UnknownEncodingError` for one whose clock has a unit that we do not
    know.
    """
    answers = _Answers(probe.answers)
    counting_mode = answers.text(_COUNTING_MODE)
    if not probe.code or not _is_governor(answers) or counting_mode is None:
        return None
    cannot_vote_because = _why_not_counted(counting_mode) or _why_not_hashed(answers)
    return GovernorProfile(
        kind=kind,
        address=probe.address,
        chain_id=probe.chain_id,
        name=answers.text(_NAME) or "",
        version=answers.text(_VERSION) or "",
        counting_mode=counting_mode,
        clock_mode=_clock_mode(probe.address, answers),
        token=answers.address(_TOKEN),
        timelock=answers.address(_TIMELOCK),
        can_vote=not cannot_vote_because,
        cannot_vote_because=cannot_vote_because,
    )


class _Answers:
    """The probe's answers as typed values; None where the contract said nothing usable."""

    def __init__(self, answers: Mapping[bytes, bytes | None]) -> None:
        self._answers = answers

    def gave(self, call: bytes) -> bool:
        return bool(self._answers.get(call))

    def text(self, call: bytes) -> str | None:
        value = self._decode(call, "(bytes text)")
        # A name goes into records and onto screens: longer than this is no name.
        return None if value is None else value[:200].decode("utf-8", errors="backslashreplace")

    def address(self, call: bytes) -> str | None:
        value = self._decode(call, "(address account)")
        return None if value in {None, ZERO_ADDRESS} else str(value)

    def number(self, call: bytes) -> int | None:
        value = self._decode(call, "(uint256 number)")
        return None if value is None else int(value)

    def says_yes(self, call: bytes) -> bool:
        return self.number(call) == 1

    def _decode(self, call: bytes, types: str) -> Any:  # noqa: ANN401 - an ABI value
        answer = self._answers.get(call)
        if not answer:
            return None
        try:
            return Tuple(parse_parameters(types)).decode_whole(answer)[0]
        except DecodingError:
            return None


def _is_governor(answers: _Answers) -> bool:
    if answers.says_yes(_supports(_NOT_AN_INTERFACE)):
        return False
    return any(answers.says_yes(_supports(interface)) for interface in _GOVERNOR_INTERFACES)


def _why_not_counted(counting_mode: str) -> str:
    """Empty when votes are counted as GovernorCountingSimple does; else why we do not vote."""
    pairs = parse_qsl(counting_mode, keep_blank_values=True)
    if len(pairs) == len(_COUNTING_SIMPLE) and dict(pairs) == _COUNTING_SIMPLE:
        return ""
    return f"it counts votes as {counting_mode!r}; the only way known for certain is 'support=bravo&quorum=for,abstain'"


def _why_not_hashed(answers: _Answers) -> str:
    """Empty when ids are hashes of the content; else why we do not vote. `getProposalId` exists since 5.3."""
    has_get_id = answers.says_yes(_supports(_GOVERNOR_INTERFACES[-1]))
    ids = [answers.number(_HASH_OF_NOTHING), *([answers.number(_ID_OF_NOTHING)] if has_get_id else [])]
    if all(found == _EMPTY_ID for found in ids):
        return ""
    return (
        "its proposal ids are not hashes of the content (they are numbered), so an id does not prove what is voted on"
    )


def _clock_mode(address: str, answers: _Answers) -> ClockMode:
    """ERC-6372; a governor older than 4.9 has no clock and counts blocks."""
    mode = answers.text(_CLOCK_MODE)
    if mode is None and not answers.gave(_CLOCK_MODE) and not answers.gave(_CLOCK):
        return ClockMode.BLOCK
    fields = dict(parse_qsl(mode or ""))
    if fields.get("mode") == "timestamp":
        return ClockMode.TIMESTAMP
    if fields.get("mode") == "blocknumber" and fields.get("from", "default") == "default":
        return ClockMode.BLOCK
    raise UnknownEncodingError(f"{address} has a clock that we do not know: CLOCK_MODE() is {mode!r}")
