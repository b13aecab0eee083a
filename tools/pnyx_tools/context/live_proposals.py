"""Which other proposals of the governor are live, what else waits in its timelock, and whether this proposal does the
same after them.

1. Proposals of the recent past, and their states at the pinned block. Operations that wait in the timelock and belong
   to none of them: others scheduled them.
2. This proposal's actions alone, from the executor (`simulate`).
3. The operations, in the order in which they were scheduled, and the actions of the other proposals, in the order in
   which their votes end. Those of one are executed together or not at all: the first that does not go through is left
   out, and the rest run again.
4. All of these and then this proposal's own. What 4 shows beyond 3 is its own doing, and is compared with 2.

Others may as well be executed later, in another order, or only some of them: that is not tried. Where a governor has
another executor for each proposal, its usual one stands for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Call, Proposal, ProposalState, to_hex
from pnyx_policies.context.live_proposals import (
    MAX_EFFECTS,
    MAX_OPERATIONS,
    MAX_PROPOSALS,
    Afterwards,
    Effects,
    LiveProposal,
    LiveProposals,
    WaitingOperation,
)
from pnyx_policies.facts import Grade, Simulation, SimulationStatus
from pnyx_tools.context.asking import ask_all, number_of
from pnyx_tools.context.doing import Doing, doing_of
from pnyx_tools.context.history import History, SearchingTool, recent_past
from pnyx_tools.context.others import others
from pnyx_tools.context.protocol import ToolSkipped
from pnyx_tools.context.waiting import Waiting, waiting_in
from pnyx_tools.reader import ChainReader
from pnyx_tools.simulate import simulate

LIVE = frozenset({ProposalState.PENDING, ProposalState.ACTIVE, ProposalState.SUCCEEDED, ProposalState.QUEUED})
MAX_ACTIONS = 64
"""Of all proposals together."""
MOST_GAS = 15_000_000
"""Of all actions together: half of what a block may have. A simulation gives them no more than one block's gas, so what
reverts beyond that may have lacked it.
"""

Run = Callable[[Sequence[Call]], Simulation]


@dataclass(frozen=True, slots=True)
class _Other:
    """What may be executed before, as a whole or not at all: a proposal, or an operation of the timelock."""

    id: int | bytes
    calls: tuple[Call, ...]


class LiveProposalsTool(SearchingTool):
    """Money that another one spends first, and rights that another one gives or takes, show here."""

    name = LiveProposals.TOOL
    version = LiveProposals.VERSION
    grade = Grade.RE_READ
    description = "Other proposals and operations that may still be executed, and whether this one does the same then."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> LiveProposals:
        history = recent_past(reader, adapter, profile, block, self._oldest(proposal, block))
        around = others(reader, adapter, profile, proposal, block, history)
        live, states = around.that_are(LIVE), {p.key: state for p, state in around.states}
        waiting = _waiting(reader, profile, (proposal, *live), block, history)
        shown, scheduled = live[:MAX_PROPOSALS], waiting[:MAX_OPERATIONS]
        ahead = [_Other(operation.id, operation.calls) for operation in reversed(scheduled)]
        ahead += [_Other(p.key.proposal_id, p.calls) for p in sorted(shown, key=_end_of_vote)]
        failing, afterwards = _tried(partial(_run, reader, profile, block), proposal, ahead)
        return LiveProposals(
            from_block=history.from_block,
            to_block=block.number,
            live=len(live),
            not_asked=around.not_asked,
            proposals=tuple(
                LiveProposal(
                    proposal_id=p.key.proposal_id,
                    state=states[p.key].name.lower(),
                    created_block=p.created_block,
                    calls=len(p.calls),
                    reverts=p.key.proposal_id in failing,
                )
                for p in shown
            ),
            waiting=len(waiting),
            operations=tuple(
                WaitingOperation(
                    id=operation.id,
                    scheduled_block=operation.block,
                    calls=len(operation.calls),
                    reverts=operation.id in failing,
                )
                for operation in scheduled
            ),
            afterwards=afterwards,
        )


def _end_of_vote(proposal: Proposal) -> tuple[int, int, int]:
    return proposal.vote_end, proposal.created_block, proposal.key.proposal_id


def _waiting(
    reader: ChainReader, profile: GovernorProfile, proposals: Sequence[Proposal], block: BlockRef, history: History
) -> list[Waiting]:
    """Operations that are no queued proposal of these and can be executed, the newest first."""
    if profile.timelock is None:
        return []
    known = [proposal.calls for proposal in proposals]
    found = [operation for operation in waiting_in(history, profile.timelock) if operation.calls not in known]
    before = {operation.predecessor for operation in found if operation.predecessor is not None}
    asked = sorted(before - {operation.id for operation in found})
    reads = [number_of(profile.timelock, "isOperationDone(bytes32)", operation) for operation in asked]
    done = {
        operation for operation, yes in zip(asked, ask_all(reader, reads, to_hex(block.hash)), strict=True) if yes == 1
    }
    ready: list[Waiting] = []
    for operation in found:
        if operation.predecessor in {None, *done, *(one.id for one in ready)}:
            ready.append(operation)
    return ready[::-1]


def _run(reader: ChainReader, profile: GovernorProfile, block: BlockRef, calls: Sequence[Call]) -> Simulation:
    """Raises `ToolSkipped` where it shows no effects."""
    simulation = simulate(reader, profile.timelock or profile.address, calls, block, governor=profile.address)
    if simulation.status is SimulationStatus.SKIPPED:
        raise ToolSkipped(f"others may be executed first, and what this one does after them: {simulation.why_skipped}")
    return simulation


def _tried(run: Run, proposal: Proposal, others: Sequence[_Other]) -> tuple[set[int | bytes], Afterwards | None]:
    """The others that do not go through, and what comes of this one after the rest."""
    ahead, failing = [other for other in others if other.calls], set[int | bytes]()
    if not ahead or not proposal.calls:
        return failing, None
    count = len(_calls(ahead)) + len(proposal.calls)
    if count > MAX_ACTIONS:
        raise ToolSkipped(f"what may be executed has {count} actions, at most {MAX_ACTIONS} are run in a row")
    before = run(_calls(ahead))
    while (first := _first_failing(ahead, before)) is not None:
        failing.add(first.id)
        ahead.remove(first)
        if not ahead:
            return failing, None
        before = run(_calls(ahead))
    return failing, _compared(proposal, ahead, run(proposal.calls), before, run((*_calls(ahead), *proposal.calls)))


def _calls(others: Sequence[_Other]) -> tuple[Call, ...]:
    return tuple(call for other in others for call in other.calls)


def _first_failing(others: Sequence[_Other], simulation: Simulation) -> _Other | None:
    owners = [other for other in others for _ in other.calls]
    return next((o for o, r in zip(owners, simulation.results, strict=True) if not r.succeeded), None)


def _compared(
    proposal: Proposal, ahead: Sequence[_Other], alone: Simulation, before: Simulation, together: Simulation
) -> Afterwards:
    own = together.results[-len(proposal.calls) :]
    reverts_alone = tuple(result.path for result in alone.results if not result.succeeded)
    reverts = tuple(str(place) for place, result in enumerate(own) if not result.succeeded)
    gas = sum(result.gas_used for result in together.results)
    if reverts and not reverts_alone and gas > MOST_GAS:
        raise ToolSkipped(f"all that may be executed together uses {gas} gas: too much to be run in one block")
    usual = Doing() if reverts_alone else doing_of(alone)
    then = usual if reverts else doing_of(together).beyond(doing_of(before))
    return Afterwards(
        after=tuple(other.id for other in ahead if isinstance(other.id, int)),
        after_operations=tuple(other.id for other in ahead if isinstance(other.id, bytes)),
        reverts_alone=reverts_alone,
        reverts=reverts,
        appears=_told(then.beyond(usual)),
        vanishes=_told(usual.beyond(then)),
    )


def _told(doing: Doing) -> Effects:
    movements, changes = tuple(doing.movements.elements()), tuple(doing.changes.elements())
    left_out = sum(max(0, len(seen) - MAX_EFFECTS) for seen in (movements, changes))
    return Effects(movements=movements[:MAX_EFFECTS], changes=changes[:MAX_EFFECTS], left_out=left_out)
