"""A second dialect, for tests only: Compound's GovernorAlpha as Uniswap had it. It shows that the seam fits one.

What is other than with OpenZeppelin: ``support`` is a boolean, ids are counted, nothing is indexed in the events, calls
may carry a signature instead of a selector, power is asked of the token, and there is no ERC-165 and no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from eth_hash.auto import keccak

from pnyx_contracts.errors import DecodingError, UnknownEncodingError
from pnyx_contracts.governors import GovernorProfile, Probe, Read, TransactionCall
from pnyx_contracts.governors.openzeppelin import CREATED_TOPIC
from pnyx_contracts.selectors import call_data, selector_of
from pnyx_contracts.strict_abi import Parameter, Tuple, parse_parameters
from pnyx_contracts.types import Call, ClockMode, Log, Proposal, ProposalKey, ProposalState, Vote, VoteCast

T = TypeVar("T")

_SUPPORT = {Vote.AGAINST: 0, Vote.FOR: 1}
_VOTE_TOPIC = keccak(b"VoteCast(address,uint256,bool,uint256)")
_VOTE = parse_parameters("(address voter, uint256 proposalId, bool support, uint256 votes)")
_CREATED = parse_parameters(
    "(uint256 id, address proposer, address[] targets, uint256[] values, bytes[] signatures, bytes[] calldatas, "
    "uint256 startBlock, uint256 endBlock, bytes description)"
)
_PROPOSAL = parse_parameters(
    "(uint256 id, address proposer, uint256 eta, uint256 startBlock, uint256 endBlock, uint256 forVotes, "
    "uint256 againstVotes, bool canceled, bool executed)"
)
_NAME, _UNI, _TIMELOCK, _QUORUM, _BRAVO = map(
    selector_of, ("name()", "uni()", "timelock()", "quorumVotes()", "initialProposalId()")
)


class GovernorAlpha:
    """`GovernorAdapter` for GovernorAlpha. `profile.token` has the voting power."""

    kind = "governor-alpha"

    def probe_calls(self) -> Sequence[bytes]:
        return (_NAME, _UNI, _TIMELOCK, _QUORUM, _BRAVO)

    def recognise(self, probe: Probe) -> GovernorProfile | None:
        told = probe.answers
        if told[_BRAVO] or not all(told[call] for call in (_UNI, _TIMELOCK, _QUORUM)):
            return None
        return GovernorProfile(
            kind=self.kind,
            address=probe.address,
            chain_id=probe.chain_id,
            name=_decode("(bytes name)", told[_NAME] or b"")[0].decode(),
            version="",
            counting_mode="",
            clock_mode=ClockMode.BLOCK,
            token=_decode("(address uni)", told[_UNI] or b"")[0],
            timelock=_decode("(address timelock)", told[_TIMELOCK] or b"")[0],
            can_vote=True,
        )

    def created_topics(self) -> Sequence[bytes]:
        return (CREATED_TOPIC,)

    def vote_topics(self) -> Sequence[bytes]:
        return (_VOTE_TOPIC,)

    def voter_topics(self, voter: str) -> None:
        return None

    def decode_created(self, profile: GovernorProfile, log: Log) -> Proposal:
        event = _named(_CREATED, log)
        columns = (event["targets"], event["values"], event["signatures"], event["calldatas"])
        return Proposal(
            key=_key(profile, event["id"]),
            proposer=event["proposer"],
            calls=tuple(
                Call(target=t, value_wei=v, signature=s.decode(), calldata=d)
                for t, v, s, d in zip(*columns, strict=True)
            ),
            description=event["description"],
            vote_start=event["startBlock"],
            vote_end=event["endBlock"],
            created_block=log.block_number,
            created_transaction=log.transaction_hash,
        )

    def decode_vote(self, profile: GovernorProfile, log: Log) -> VoteCast:
        event = _named(_VOTE, log)
        return VoteCast(
            key=_key(profile, event["proposalId"]),
            voter=event["voter"],
            support=int(event["support"]),
            vote=Vote.FOR if event["support"] else Vote.AGAINST,
            weight=event["votes"],
            reason="",
            block_number=log.block_number,
            transaction_hash=log.transaction_hash,
            log_index=log.log_index,
        )

    def compute_id(self, proposal: Proposal) -> int | None:
        return None

    def read_state(self, profile: GovernorProfile, proposal_id: int) -> Read[ProposalState]:
        return _read(profile.address, "state(uint256)", (proposal_id,), "(uint8)", lambda w: ProposalState(w[0]))

    def read_snapshot(self, profile: GovernorProfile, proposal_id: int) -> Read[int]:
        return self._proposal(profile, proposal_id, lambda p: int(p["startBlock"]))

    def read_deadline(self, profile: GovernorProfile, proposal_id: int) -> Read[int]:
        return self._proposal(profile, proposal_id, lambda p: int(p["endBlock"]))

    def read_has_voted(self, profile: GovernorProfile, proposal_id: int, voter: str) -> Read[bool]:
        returns = "(bool hasVoted, bool support, uint96 votes)"
        return _read(
            profile.address, "getReceipt(uint256,address)", (proposal_id, voter), returns, lambda w: bool(w[0])
        )

    def read_voting_power(self, profile: GovernorProfile, voter: str, timepoint: int) -> Read[int]:
        assert profile.token is not None
        return _read(profile.token, "getPriorVotes(address,uint256)", (voter, timepoint), "(uint96)", _first)

    def read_quorum(self, profile: GovernorProfile, timepoint: int) -> Read[int]:
        return _read(profile.address, "quorumVotes()", (), "(uint256)", _first)

    def read_tally(self, profile: GovernorProfile, proposal_id: int) -> Read[tuple[int, int, int]]:
        return self._proposal(profile, proposal_id, lambda p: (p["againstVotes"], p["forVotes"], 0))

    def support_of(self, profile: GovernorProfile, vote: Vote) -> int:
        if vote not in _SUPPORT:
            raise UnknownEncodingError(f"{profile.address} knows no {vote.value}: it counts for and against")
        return _SUPPORT[vote]

    def encode_vote(self, profile: GovernorProfile, proposal_id: int, vote: Vote, reason: str) -> TransactionCall:
        data = call_data("castVote(uint256,bool)", proposal_id, bool(self.support_of(profile, vote)))
        return TransactionCall(to=profile.address, data=data)

    @staticmethod
    def _proposal(profile: GovernorProfile, proposal_id: int, pick: Callable[[dict[str, Any]], T]) -> Read[T]:
        def convert(words: tuple[Any, ...]) -> T:
            return pick({p.name: word for p, word in zip(_PROPOSAL, words, strict=True)})

        data = call_data("proposals(uint256)", proposal_id)
        return Read(profile.address, data, lambda answer: convert(Tuple(_PROPOSAL).decode_whole(answer)))


def _read(
    to: str, signature: str, arguments: tuple[object, ...], returns: str, convert: Callable[[tuple[Any, ...]], T]
) -> Read[T]:
    return Read(to, call_data(signature, *arguments), lambda answer: convert(_decode(returns, answer)))


def _first(words: tuple[Any, ...]) -> int:
    return int(words[0])


def _named(parameters: tuple[Parameter, ...], log: Log) -> dict[str, Any]:
    if len(log.topics) != 1:
        raise DecodingError("GovernorAlpha indexes nothing")
    return {p.name: word for p, word in zip(parameters, Tuple(parameters).decode_whole(log.data), strict=True)}


def _decode(types: str, data: bytes) -> tuple[Any, ...]:
    return Tuple(parse_parameters(types)).decode_whole(data)


def _key(profile: GovernorProfile, proposal_id: int) -> ProposalKey:
    return ProposalKey(chain_id=profile.chain_id, governor=profile.address, proposal_id=proposal_id)
