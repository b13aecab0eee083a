"""By which rules this governor governs: how long things take, how much it takes, who may do what in the timelock."""

from __future__ import annotations

from eth_hash.auto import keccak

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decoded import made_here
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import ZERO_ADDRESS, BlockRef, Proposal, to_hex
from pnyx_policies.context.ground_rules import GroundRules, Role
from pnyx_policies.facts import Grade
from pnyx_tools.clock import clock_at, seconds_per_tick
from pnyx_tools.context.asking import ask_all, number_of
from pnyx_tools.reader import ChainReader

MAX_TIMELOCKS = 4

_ROLES = (
    ("proposer", keccak(b"PROPOSER_ROLE")),
    ("executor", keccak(b"EXECUTOR_ROLE")),
    ("canceller", keccak(b"CANCELLER_ROLE")),
    ("admin", bytes(32)),  # OpenZeppelin 5
    ("admin", keccak(b"TIMELOCK_ADMIN_ROLE")),  # OpenZeppelin 4
)


class GroundRulesTool:
    """Asks by the names that Compound's and OpenZeppelin's governors, timelocks and tokens share."""

    name = GroundRules.TOOL
    version = GroundRules.VERSION
    grade = Grade.RE_READ
    description = "Voting delay and period, threshold, quorum, the timelock's delay, and who has which role in it."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> GroundRules:
        at = to_hex(block.hash)
        snapshot = reader.read(adapter.read_snapshot(profile, proposal.key.proposal_id), at)
        moment = max(min(snapshot, clock_at(reader, profile, block) - 1), 0)
        token, timelock = profile.token or ZERO_ADDRESS, profile.timelock or ZERO_ADDRESS
        told = ask_all(
            reader,
            [
                *(
                    number_of(profile.address, f"{name}()")
                    for name in ("votingDelay", "votingPeriod", "proposalThreshold")
                ),
                adapter.read_quorum(profile, moment),
                number_of(token, "getPastTotalSupply(uint256)", moment),
                number_of(token, "maxFlashLoan(address)", token),
                *(number_of(timelock, f"{name}()") for name in ("getMinDelay", "delay")),
            ],
            at,
        )
        delay, period, threshold, quorum, supply, flash_loan, min_delay, compounds_delay = told
        return GroundRules(
            voting_delay=delay,
            voting_period=period,
            milliseconds_per_tick=round(seconds_per_tick(reader, profile, block) * 1000),
            proposal_threshold=threshold,
            quorum=quorum,
            supply=supply,
            flash_loan=flash_loan,
            timelock_delay_seconds=compounds_delay if min_delay is None else min_delay,
            roles=_roles(reader, profile, proposal, at),
        )


def _roles(reader: ChainReader, profile: GovernorProfile, proposal: Proposal, at: str) -> tuple[Role, ...]:
    asked = [
        (
            number_of(timelock, "hasRole(bytes32,address)", role, holder),
            Role(timelock=timelock, role=name, holder=holder),
        )
        for timelock in _timelocks(profile, proposal)
        for name, role in _ROLES
        for holder in dict.fromkeys((ZERO_ADDRESS, proposal.proposer, profile.address, timelock))
    ]
    answers = ask_all(reader, [read for read, _ in asked], at)
    return tuple(dict.fromkeys(role for (_, role), yes in zip(asked, answers, strict=True) if yes == 1))


def _timelocks(profile: GovernorProfile, proposal: Proposal) -> list[str]:
    """The governor's, and those in which the calls schedule something."""
    every = made_here(decode_calls(proposal.calls, proposal.key.chain_id))
    called = [call.target for call in every if call.name in {"schedule", "scheduleBatch"}]
    return list(dict.fromkeys([*([profile.timelock] if profile.timelock else []), *called]))[:MAX_TIMELOCKS]
