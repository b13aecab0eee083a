"""OpenZeppelin Governor, 4.3 to 5.x (ENS, Arbitrum and most younger DAOs).

Sources: `@openzeppelin/contracts` 4.3.3, 4.9.6, 5.0.2, 5.7.0 (`governance/`), ERC-165, ERC-6372.

What it is careful about, beside what `recognition` says:

- ``support`` is a number whose meaning depends on how votes are counted, so only the one known way is voted on.
- A description is bytes: the id is a hash of bytes, and nothing on chain makes sure that they are UTF-8.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

from eth_hash.auto import keccak

from pnyx_contracts.errors import DecodingError, UnknownEncodingError
from pnyx_contracts.governors.adapter import GovernorProfile, Probe, Read, TransactionCall
from pnyx_contracts.governors.created import Created, read_created
from pnyx_contracts.governors.recognition import PROBE_CALLS, hash_proposal, recognise
from pnyx_contracts.selectors import call_data
from pnyx_contracts.strict_abi import Parameter, Tuple, parse_parameters
from pnyx_contracts.types import (
    Call,
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


class OpenZeppelinGovernor:
    """`GovernorAdapter` for OpenZeppelin Governor 4.3 to 5.x."""

    kind = "openzeppelin"

    # --- what is it? -------------------------------------------------------------------------------------------------

    def probe_calls(self) -> Sequence[bytes]:
        return PROBE_CALLS

    def recognise(self, probe: Probe) -> GovernorProfile | None:
        """Raises `UnknownEncodingError` for an OpenZeppelin governor whose clock has a unit that we do not know."""
        return recognise(self.kind, probe)

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
            data = call_data("castVoteWithReason(uint256,uint8,string)", proposal_id, support, reason)
        else:
            data = call_data("castVote(uint256,uint8)", proposal_id, support)
        return TransactionCall(to=profile.address, data=data)


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
        values = Tuple(parameters).decode_whole(log.data)
    except DecodingError as error:
        raise DecodingError(f"{_where(log)} of {log.address} is malformed: {error.message}") from None
    return {parameter.name: value for parameter, value in zip(parameters, values, strict=True)}


def _read(
    profile: GovernorProfile,
    signature: str,
    arguments: tuple[object, ...],
    returns: str,
    convert: Callable[[tuple[Any, ...]], T],
) -> Read[T]:
    def decode(answer: bytes) -> T:
        try:
            return convert(Tuple(parse_parameters(returns)).decode_whole(answer))
        except DecodingError as error:
            raise DecodingError(f"{signature} of {profile.address} answered nonsense: {error.message}") from None

    return Read(profile.address, call_data(signature, *arguments), decode)


def _only(words: tuple[Any, ...]) -> Any:  # noqa: ANN401 - the one word, typed by the read
    return words[0]


def _state(number: int) -> ProposalState:
    if number not in set(ProposalState):
        raise DecodingError(f"{number} is no proposal state")
    return ProposalState(number)
