"""OpenZeppelin Governor, 4.3 to 5.x (ENS, Arbitrum and most younger DAOs).

Sources: `@openzeppelin/contracts` 4.3.3, 4.9.6, 5.0.2, 5.7.0 (`governance/`), ERC-165, ERC-6372.

What it is careful about:

- Compound's governors, Nouns and others emit the very same `ProposalCreated` topic. Only what the contract itself
  answers decides.
- Some OpenZeppelin governors number their proposals one after another (GovernorSequentialProposalId, CompoundGovernor)
  and answer the same ERC-165 ids. They give themselves away when asked for the id of an empty proposal: a counter
  cannot answer with the hash. They are read, but not voted on, because their ids do not bind a proposal's content.
- ``support`` is a number whose meaning depends on how votes are counted, so only the one known way is voted on.
- A description is bytes: the id is a hash of bytes, and nothing on chain makes sure that they are UTF-8.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

from eth_abi.abi import encode
from eth_hash.auto import keccak

from pnyx_contracts.errors import DecodingError, UnknownEncodingError
from pnyx_contracts.governors.adapter import GovernorProfile, Probe, Read, TransactionCall
from pnyx_contracts.governors.created import Created, read_created
from pnyx_contracts.selectors import selector_of
from pnyx_contracts.strict_abi import Parameter, Tuple, parse_parameters
from pnyx_contracts.types import (
    ZERO_ADDRESS,
    Call,
    ClockMode,
    Log,
    Proposal,
    ProposalKey,
    ProposalState,
    Vote,
    VoteCast,
    unchecked,
)

T = TypeVar("T")

SUPPORT: Final[Mapping[Vote, int]] = MappingProxyType({Vote.AGAINST: 0, Vote.FOR: 1, Vote.ABSTAIN: 2})
"""`GovernorCountingSimple.VoteType`."""

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

# The description is declared as bytes here: the ABI encoding is that of a string.
_CREATED: Final = parse_parameters(
    "(uint256 proposalId, address proposer, address[] targets, uint256[] values, bytes[] signatures, "
    "bytes[] calldatas, uint256 voteStart, uint256 voteEnd, bytes description)"
)
_VOTE: Final = parse_parameters("(uint256 proposalId, uint8 support, uint256 weight, bytes reason)")
_VOTE_WITH_PARAMS: Final = parse_parameters(
    "(uint256 proposalId, uint8 support, uint256 weight, bytes reason, bytes params)"
)

CREATED_TOPIC: Final = keccak(
    b"ProposalCreated(uint256,address,address[],uint256[],string[],bytes[],uint256,uint256,string)"
)
VOTE_TOPIC: Final = keccak(b"VoteCast(address,uint256,uint8,uint256,string)")
VOTE_WITH_PARAMS_TOPIC: Final = keccak(b"VoteCastWithParams(address,uint256,uint8,uint256,string,bytes)")

_CONTENT_TYPES: Final = ("address[]", "uint256[]", "bytes[]", "bytes32")


def hash_proposal(calls: Sequence[Call], description_hash: bytes) -> int:
    """`IGovernor.hashProposal`: keccak256(abi.encode(targets, values, calldatas, descriptionHash))."""
    return int.from_bytes(keccak(_encode_content(calls, description_hash)), "big")


def _encode_content(calls: Sequence[Call], description_hash: bytes) -> bytes:
    return encode(
        _CONTENT_TYPES,
        ([c.target for c in calls], [c.value_wei for c in calls], [c.calldata for c in calls], description_hash),
    )


def _call_data(signature: str, *arguments: object) -> bytes:
    types = signature[signature.index("(") + 1 : -1]
    return selector_of(signature) + encode(types.split(",") if types else [], arguments)


def _supports(interface: bytes) -> bytes:
    return _call_data("supportsInterface(bytes4)", interface)


_EMPTY_CONTENT: Final = _encode_content((), bytes(32))
_EMPTY_ID: Final = hash_proposal((), bytes(32))

_COUNTING_MODE: Final = _call_data("COUNTING_MODE()")
_CLOCK_MODE: Final = _call_data("CLOCK_MODE()")
_CLOCK: Final = _call_data("clock()")
_NAME: Final = _call_data("name()")
_VERSION: Final = _call_data("version()")
_TOKEN: Final = _call_data("token()")
_TIMELOCK: Final = _call_data("timelock()")
_HASH_OF_NOTHING: Final = selector_of("hashProposal(address[],uint256[],bytes[],bytes32)") + _EMPTY_CONTENT
_ID_OF_NOTHING: Final = selector_of("getProposalId(address[],uint256[],bytes[],bytes32)") + _EMPTY_CONTENT


class OpenZeppelinGovernor:
    """`GovernorAdapter` for OpenZeppelin Governor 4.3 to 5.x."""

    kind = "openzeppelin"

    # --- what is it? -------------------------------------------------------------------------------------------------

    def probe_calls(self) -> Sequence[bytes]:
        return (
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

    def recognise(self, probe: Probe) -> GovernorProfile | None:
        """Raises `UnknownEncodingError` for an OpenZeppelin governor whose clock has a unit that we do not know."""
        answers = _Answers(probe.answers)
        counting_mode = answers.text(_COUNTING_MODE)
        if not probe.code or not _is_governor(answers) or counting_mode is None:
            return None
        cannot_vote_because = _why_not_counted(counting_mode) or _why_not_hashed(answers)
        return GovernorProfile(
            kind=self.kind,
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

    # --- events ------------------------------------------------------------------------------------------------------

    def created_topics(self) -> Sequence[bytes]:
        return (CREATED_TOPIC,)

    def vote_topics(self) -> Sequence[bytes]:
        return (VOTE_TOPIC, VOTE_WITH_PARAMS_TOPIC)

    def voter_topics(self, voter: str) -> Sequence[bytes | Sequence[bytes] | None]:
        return (self.vote_topics(), bytes(12) + bytes.fromhex(voter[2:]))

    def decode_created(self, profile: GovernorProfile, log: Log) -> Proposal:
        """Raises `DecodingError`. That the id belongs to the content is not checked here: see `compute_id`."""
        if log.topics != (CREATED_TOPIC,):
            raise DecodingError(f"{_where(log)} is no ProposalCreated of an OpenZeppelin governor: its topics differ")
        if log.address == profile.address and (event := read_created(log.data)) is not None:
            return _proposal(profile, log, event)
        return self._decode_slowly(profile, log)

    def _decode_slowly(self, profile: GovernorProfile, log: Log) -> Proposal:
        """Says what is wrong with an event that `read_created` does not read."""
        event = _decode_event(profile, log, _CREATED)
        columns = [event[name] for name in ("targets", "values", "calldatas", "signatures")]
        if len({len(column) for column in columns}) != 1:
            raise DecodingError(f"{_where(log)}: targets, values, calldatas and signatures differ in length")
        if any(event["signatures"]):
            raise DecodingError(
                f"{_where(log)}: an OpenZeppelin governor leaves the signatures empty, this one did not"
            )
        return Proposal(
            key=_key(profile, event["proposalId"]),
            proposer=event["proposer"],
            calls=tuple(Call(target=t, value_wei=v, calldata=d) for t, v, d, _ in zip(*columns, strict=True)),
            description=event["description"],
            vote_start=event["voteStart"],
            vote_end=event["voteEnd"],
            created_block=log.block_number,
            created_transaction=log.transaction_hash,
        )

    def decode_vote(self, profile: GovernorProfile, log: Log) -> VoteCast:
        """Raises `DecodingError`."""
        if len(log.topics) != 2 or log.topics[0] not in self.vote_topics() or any(log.topics[1][:12]):
            raise DecodingError(f"{_where(log)} is no vote of an OpenZeppelin governor: its topics differ")
        with_params = log.topics[0] == VOTE_WITH_PARAMS_TOPIC
        event = _decode_event(profile, log, _VOTE_WITH_PARAMS if with_params else _VOTE)
        return VoteCast(
            key=_key(profile, event["proposalId"]),
            voter=log.topics[1][12:],
            support=event["support"],
            vote=_meaning(profile, event["support"], bool(event.get("params"))),
            weight=event["weight"],
            reason=event["reason"].decode("utf-8", errors="backslashreplace"),
            block_number=log.block_number,
            transaction_hash=log.transaction_hash,
            log_index=log.log_index,
        )

    def compute_id(self, proposal: Proposal) -> int | None:
        """The hash of the content; None for an id that is obviously counted (no hash is below 2**64 in practice).

        A counted id says nothing about content, so a profile of such a governor never has `can_vote`.
        """
        if proposal.key.proposal_id < 2**64:
            return None
        return hash_proposal(proposal.calls, keccak(proposal.description))

    # --- state -------------------------------------------------------------------------------------------------------

    def read_state(self, profile: GovernorProfile, proposal_id: int) -> Read[ProposalState]:
        return _read(profile, "state(uint256)", (proposal_id,), "(uint8)", lambda words: _state(words[0]))

    def read_snapshot(self, profile: GovernorProfile, proposal_id: int) -> Read[int]:
        return _read(profile, "proposalSnapshot(uint256)", (proposal_id,), "(uint256)", _only)

    def read_deadline(self, profile: GovernorProfile, proposal_id: int) -> Read[int]:
        """May move while a vote runs (GovernorPreventLateQuorum)."""
        return _read(profile, "proposalDeadline(uint256)", (proposal_id,), "(uint256)", _only)

    def read_has_voted(self, profile: GovernorProfile, proposal_id: int, voter: str) -> Read[bool]:
        return _read(profile, "hasVoted(uint256,address)", (proposal_id, voter), "(bool)", _only)

    def read_voting_power(self, profile: GovernorProfile, voter: str, timepoint: int) -> Read[int]:
        """The call reverts while `timepoint` is not in the past."""
        return _read(profile, "getVotes(address,uint256)", (voter, timepoint), "(uint256)", _only)

    def read_quorum(self, profile: GovernorProfile, timepoint: int) -> Read[int]:
        """The call reverts while `timepoint` is not in the past."""
        return _read(profile, "quorum(uint256)", (timepoint,), "(uint256)", _only)

    def read_tally(self, profile: GovernorProfile, proposal_id: int) -> Read[tuple[int, int, int]]:
        returns = "(uint256 against, uint256 for_, uint256 abstain)"
        return _read(profile, "proposalVotes(uint256)", (proposal_id,), returns, lambda w: (w[0], w[1], w[2]))

    # --- voting ------------------------------------------------------------------------------------------------------

    def support_of(self, profile: GovernorProfile, vote: Vote) -> int:
        if not profile.can_vote:
            raise UnknownEncodingError(
                f"no votes on {profile.address}: {profile.cannot_vote_because}",
                hint="observe this governor, or add an adapter that knows how it counts",
            )
        return SUPPORT[vote]

    def encode_vote(self, profile: GovernorProfile, proposal_id: int, vote: Vote, reason: str) -> TransactionCall:
        support = self.support_of(profile, vote)
        if reason:
            data = _call_data("castVoteWithReason(uint256,uint8,string)", proposal_id, support, reason)
        else:
            data = _call_data("castVote(uint256,uint8)", proposal_id, support)
        return TransactionCall(to=profile.address, data=data)


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
            return _decode_exactly(parse_parameters(types), answer)[0]
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


def _meaning(profile: GovernorProfile, support: int, has_params: bool) -> Vote | None:
    """What the number says, where that is certain: 0, 1, 2 of the ``bravo`` kind, not split by parameters."""
    counts_bravo = "bravo" in dict(parse_qsl(profile.counting_mode)).get("support", "").split(",")
    if not profile.can_vote and (has_params or not counts_bravo):
        return None
    return next((vote for vote, number in SUPPORT.items() if number == support), None)


def _key(profile: GovernorProfile, proposal_id: int) -> ProposalKey:
    return ProposalKey(chain_id=profile.chain_id, governor=profile.address, proposal_id=proposal_id)


_proposal_of, _key_of, _call_of = unchecked(Proposal), unchecked(ProposalKey), unchecked(Call)


def _proposal(profile: GovernorProfile, log: Log, event: Created) -> Proposal:
    """Without validation: an old governor has thousands, and `read_created` and `parse_log` looked at every part."""
    return _proposal_of(
        key=_key_of(chain_id=profile.chain_id, governor=profile.address, proposal_id=event.proposal_id),
        proposer=event.proposer,
        calls=tuple(
            [
                _call_of(target=target, value_wei=value, calldata=calldata, signature="")
                for target, value, calldata in zip(event.targets, event.values, event.calldatas, strict=True)
            ]
        ),
        description=event.description,
        vote_start=event.vote_start,
        vote_end=event.vote_end,
        created_block=log.block_number,
        created_transaction=log.transaction_hash,
    )


def _where(log: Log) -> str:
    return f"log {log.log_index} of block {log.block_number}"


def _decode_event(profile: GovernorProfile, log: Log, parameters: tuple[Parameter, ...]) -> dict[str, Any]:
    if log.address != profile.address:
        raise DecodingError(f"{_where(log)} comes from {log.address}, not from the governor {profile.address}")
    try:
        values = _decode_exactly(parameters, log.data)
    except DecodingError as error:
        raise DecodingError(f"{_where(log)} of {log.address} is malformed: {error.message}") from None
    return {parameter.name: value for parameter, value in zip(parameters, values, strict=True)}


def _decode_exactly(parameters: tuple[Parameter, ...], data: bytes) -> tuple[Any, ...]:
    values, end = Tuple(parameters).decode(data, 0)
    if end != len(data):
        raise DecodingError(f"{len(data) - end} bytes are left over")
    return values


def _read(
    profile: GovernorProfile,
    signature: str,
    arguments: tuple[object, ...],
    returns: str,
    convert: Callable[[tuple[Any, ...]], T],
) -> Read[T]:
    def decode(answer: bytes) -> T:
        try:
            return convert(_decode_exactly(parse_parameters(returns), answer))
        except DecodingError as error:
            raise DecodingError(f"{signature} of {profile.address} answered nonsense: {error.message}") from None

    return Read(profile.address, _call_data(signature, *arguments), decode)


def _only(words: tuple[Any, ...]) -> Any:  # noqa: ANN401 - the one word, typed by the read
    return words[0]


def _state(number: int) -> ProposalState:
    if number not in set(ProposalState):
        raise DecodingError(f"{number} is no proposal state")
    return ProposalState(number)
