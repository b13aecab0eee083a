"""Proposals and facts made from a few words, for tests of checks, rules and prompts.

    pay = call_of(TOKEN, "transfer(address,uint256)", ALICE, 5)
    facts = facts_for(proposal_of([pay], f"Pay 5 to Alice, {ALICE}"), treasury=(holding(TOKEN, 100),))

What is not given is harmless: an active vote, some voting power, every target has code, no simulation, and a past in
which nothing happened.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.governors import GovernorProfile
from pnyx_contracts.governors.recognition import hash_proposal
from pnyx_contracts.selectors import call_data
from pnyx_contracts.types import BlockRef, Call, ClockMode, Proposal, ProposalKey, ProposalState
from pnyx_policies.context import (
    AccountKind,
    AlreadySo,
    AssetPrices,
    CodeOrigins,
    DestroyedCode,
    EarlierCalls,
    EarlierPayments,
    FirstCoin,
    GovernorCode,
    GroundRules,
    HeldProposals,
    Initializers,
    InnerCalls,
    LiveProposals,
    NearbyCoins,
    OtherChains,
    PaymentsByOthers,
    PowerReceivers,
    PriceSources,
    ProposerAccount,
    ProposerBefore,
    ProposerHistory,
    ProposersNearby,
    Reading,
    ScheduledOrder,
    TimelockQueue,
    TreasuryBalances,
    Upgrades,
    ValuesOfUpgrades,
    VotingPower,
)
from pnyx_policies.facts import (
    Change,
    Facts,
    GovernorFacts,
    Grade,
    Holding,
    Movement,
    Simulation,
    SimulationStatus,
    Skipped,
    TargetFacts,
    ToolResult,
    VoterFacts,
)
from pnyx_policies.review import review_digest


def address_of(name: str) -> str:
    """A different address for every name, the same each time."""
    return str(to_checksum_address(keccak(name.encode())[12:]))


GOVERNOR = address_of("governor")
TIMELOCK = address_of("timelock")
TOKEN = address_of("voting token")
PROPOSER = address_of("proposer")
VOTER = address_of("voter")

_BLOCK = BlockRef(number=1_000, hash=keccak(b"block"), timestamp=1_700_000_000)


def call_of(target: str, signature: str = "", *arguments: object, value_wei: int = 0) -> Call:
    """``call_of(token, "transfer(address,uint256)", alice, 5)``; without a signature, a plain transfer of coin."""
    return Call(target=target, value_wei=value_wei, calldata=call_data(signature, *arguments) if signature else b"")


def proposal_of(
    calls: Sequence[Call], text: str | bytes, *, proposer: str = PROPOSER, governor: str = GOVERNOR, chain_id: int = 1
) -> Proposal:
    """A proposal with an OpenZeppelin id, open from block 900 to 2000."""
    description = text if isinstance(text, bytes) else text.encode()
    return Proposal(
        key=ProposalKey(chain_id=chain_id, governor=governor, proposal_id=hash_proposal(calls, keccak(description))),
        proposer=proposer,
        calls=tuple(calls),
        description=description,
        vote_start=900,
        vote_end=2_000,
        created_block=800,
        created_transaction=keccak(b"created"),
    )


def proposal_from_file(path: Path) -> tuple[Proposal, str]:
    """A proposal in the JSON format of `pnyx demo --proposals`, and the timelock that would execute it."""
    data = json.loads(path.read_text(encoding="utf-8"))
    calls = [
        Call(target=to_checksum_address(target), value_wei=int(value), calldata=calldata)
        for target, value, calldata in zip(data["targets"], data["values"], data["calldatas"], strict=True)
    ]
    proposal = proposal_of(calls, data["description"], governor=data["governor"], chain_id=data["chain_id"])
    return proposal, str(to_checksum_address(data["timelock"]))


def holding(asset: str | None, balance: int, *, decimals: int = 18, symbol: str = "") -> Holding:
    """What the treasury holds of `asset` (None: the chain's coin)."""
    return Holding(asset=asset, symbol=symbol, decimals=decimals, balance=balance)


def moved(
    asset: str | None,
    recipient: str,
    amount: int,
    *,
    sender: str = TIMELOCK,
    kind: str = "transfer",
    token_id: int | None = None,
) -> Movement:
    """A movement that the simulation saw; ``kind="approval"`` for an allowance."""
    return Movement(kind=kind, asset=asset, sender=sender, recipient=recipient, amount=amount, token_id=token_id)


def simulated(
    movements: Iterable[Movement] = (),
    changes: Iterable[Change] = (),
    *,
    status: SimulationStatus = SimulationStatus.SUCCEEDED,
    executor: str = TIMELOCK,
) -> Simulation:
    """A simulation that ran."""
    return Simulation(status=status, executor=executor, movements=tuple(movements), changes=tuple(changes))


def not_simulated(executor: str = TIMELOCK) -> Simulation:
    """A simulation that did not run."""
    return Simulation(status=SimulationStatus.SKIPPED, why_skipped="no node was asked", executor=executor)


def uneventful(proposal: Proposal, profile: GovernorProfile) -> tuple[Reading, ...]:
    """What the built-in context tools find in a settled DAO: two days to look, a week to vote, two days to leave."""
    past, now, power, timelock = _BLOCK.number - 1_000, _BLOCK.number, 10**22, profile.timelock
    queue = TimelockQueue(
        timelock=timelock or profile.address, min_delay_seconds=172_800, from_block=past, to_block=now, pending=0,
        operations=(),
    )  # fmt: skip
    return (
        ProposerHistory(
            proposer=proposal.proposer, from_block=past, to_block=now, proposals_in_governor=1,
            proposals_by_proposer=1, nearby_by_proposer=0, nearby_empty=0, latest=(), alike=(), repeated=(),
        ),
        VotingPower(
            proposer=proposal.proposer, proposer_before=power, supply_before=10**24, proposer_at_creation=power,
            proposer_at_snapshot=power, proposer_now=power, power_ahead_of_time=None, from_block=past, to_block=now,
            voters=0, weight_cast=0, largest_share_bps=0, largest=(), late=None, gains_from_block=past,
            gains_to_block=now, gains=(), earlier=(),
        ),
        TreasuryBalances(accounts=(), left_out=0),
        *([queue] if timelock else []),
        GroundRules(
            voting_delay=14_400, voting_period=50_400, milliseconds_per_tick=12_000, proposal_threshold=10**20,
            quorum=4 * 10**22, supply=10**24, flash_loan=None, timelock_delay_seconds=172_800, roles=(),
        ),
        Initializers(contracts=(profile.address,), left_out=0, open=(), makes_room=None),
        GovernorCode(
            codes=(profile.address,), emergency=(), past=("getPastVotes(address,uint256)",), live=(),
        ),
        EarlierPayments(treasury=timelock or profile.address, from_block=past, to_block=now, payments=()),
        PaymentsByOthers(from_block=past, to_block=now, payments=(), left_out=0),
        EarlierCalls(from_block=past, to_block=now, calls=()),
        AlreadySo(so=(), left_out=0),
        LiveProposals(from_block=past, to_block=now, live=0, not_asked=0, proposals=(), afterwards=None),
        ScheduledOrder(tried=()),
        HeldProposals(
            log=None, writer=None, from_block=past, to_block=now, held=0, held_of_proposer=0, not_asked=0, newest=(),
        ),
        DestroyedCode(makes_room=None),
        CodeOrigins(young_from=None, codes=(), left_out=0),
        ProposerAccount(
            proposer=proposal.proposer, kind=AccountKind.KEY, sender=proposal.proposer, sender_transactions=100,
            called=profile.address,
        ),
        ProposerBefore(proposer=proposal.proposer, before=None),
        PowerReceivers(receivers=(), left_out=0),
        FirstCoin(account=proposal.proposer, block=None, sender=None, transaction=None),
        ProposersNearby(
            from_block=past, to_block=now, known=0, first_time=(), left_out=0, alike=0, is_of_them=False, alike_texts=0,
        ),
        NearbyCoins(from_block=past, to_block=now, same=(), asked=0),
        Upgrades(upgrades=(), left_out=0),
        ValuesOfUpgrades(upgrades=(), left_out=0, from_block=None),
        InnerCalls(is_traced=False, created=(), delegated=(), left_out=0, makes_room=None),
        OtherChains(runs=()),
        PriceSources(sources=(), left_out=0),
        AssetPrices(prices=()),
    )  # fmt: skip


def _grade_of(reading: Reading) -> Grade:
    return Grade.RE_SIMULATED if isinstance(reading, InnerCalls | OtherChains | ValuesOfUpgrades) else Grade.RE_READ


def results_of(readings: Iterable[Reading]) -> tuple[ToolResult, ...]:
    """As they stand in facts and records."""
    return tuple(
        ToolResult(tool=r.TOOL, version=r.VERSION, grade=_grade_of(r), result=r.model_dump(mode="json"))
        for r in readings
    )


def facts_for(
    proposal: Proposal,
    *,
    timelock: str | None = TIMELOCK,
    state: ProposalState = ProposalState.ACTIVE,
    now: int = 1_000,
    clock: ClockMode = ClockMode.BLOCK,
    can_vote: bool = True,
    voting_power: int | None = 10**18,
    has_voted: bool = False,
    voter: str | None = VOTER,
    simulation: Simulation | None = None,
    treasury: Sequence[Holding] = (),
    without_code: Iterable[str] = (),
    known_addresses: Mapping[str, str] | None = None,
    skipped: Sequence[Skipped] = (),
    context: Iterable[Reading] = (),
) -> Facts:
    """Facts about `proposal`. Calls are decoded as in a real review; addresses in `without_code` are no contracts.

    `context` takes the place of the harmless results of the same tools.
    """
    calls = decode_calls(proposal.calls, proposal.key.chain_id)
    executor = timelock or proposal.key.governor
    bare = frozenset(without_code)
    reached = dict.fromkeys(c.target for call in calls for c in call.walk())
    targets = tuple(
        TargetFacts(address=a, has_code=a not in bare, code_hash=keccak(b"" if a in bare else a.encode()))
        for a in reached
    )
    profile = GovernorProfile(
        kind="openzeppelin",
        address=proposal.key.governor,
        chain_id=proposal.key.chain_id,
        name="Test Governor",
        version="1",
        counting_mode="support=bravo&quorum=for,abstain",
        clock_mode=clock,
        token=TOKEN,
        timelock=timelock,
        can_vote=can_vote,
        cannot_vote_because="" if can_vote else "its counting mode is unknown",
    )
    return Facts(
        block=_BLOCK,
        proposal=proposal,
        review_digest=review_digest(profile.kind, proposal, targets),
        governor=GovernorFacts(
            profile=profile,
            state=state,
            snapshot=proposal.vote_start,
            deadline=proposal.vote_end,
            now=now,
            quorum=10**18,
            tally=None,
        ),
        voter=VoterFacts(voter=voter, voting_power=voting_power, has_voted=has_voted) if voter else None,
        calls=calls,
        targets=targets,
        simulation=simulation or not_simulated(executor),
        treasury=tuple(treasury),
        context=results_of({r.TOOL: r for r in (*uneventful(proposal, profile), *context)}.values()),
        skipped=tuple(skipped),
        known_addresses=dict(known_addresses or {}),
    )
