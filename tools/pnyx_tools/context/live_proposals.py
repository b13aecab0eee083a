"""Which other proposals of the governor are live, and whether this one does the same after them.

1. Proposals of the recent past, and their states at the pinned block.
2. This proposal's actions alone, from the executor (`simulate`).
3. The actions of the others, in the order in which their votes end. Actions of one proposal are executed together or
   not at all: the first that does not go through is left out, and the rest run again.
4. All of these and then this proposal's own. What 4 shows beyond 3 is its own doing, and is compared with 2.

Others may as well be executed later, in another order, or only some of them: that is not tried. Where a governor has
another executor for each proposal, its usual one stands for all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Call, Proposal, ProposalState
from pnyx_policies.context.live_proposals import (
    MAX_EFFECTS,
    MAX_PROPOSALS,
    Afterwards,
    Effects,
    LiveProposal,
    LiveProposals,
)
from pnyx_policies.facts import Change, Grade, Movement, Simulation, SimulationStatus
from pnyx_tools.context.history import SearchingTool, recent_past
from pnyx_tools.context.others import others
from pnyx_tools.context.protocol import ToolSkipped
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


class LiveProposalsTool(SearchingTool):
    """Money that another one spends first, and rights that another one gives or takes, show here."""

    name = LiveProposals.TOOL
    version = LiveProposals.VERSION
    grade = Grade.RE_READ
    description = "Other proposals that may still be executed, and whether this one does the same after them."

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
        shown = live[:MAX_PROPOSALS]
        run = partial(_run, reader, profile, block)
        failing, afterwards = _tried(run, proposal, shown)
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
                    reverts=p in failing,
                )
                for p in shown
            ),
            afterwards=afterwards,
        )


def _run(reader: ChainReader, profile: GovernorProfile, block: BlockRef, calls: Sequence[Call]) -> Simulation:
    """Raises `ToolSkipped` where it shows no effects."""
    simulation = simulate(reader, profile.timelock or profile.address, calls, block, governor=profile.address)
    if simulation.status is SimulationStatus.SKIPPED:
        raise ToolSkipped(f"other proposals are live, and what this one does after them: {simulation.why_skipped}")
    return simulation


def _tried(run: Run, proposal: Proposal, others: Sequence[Proposal]) -> tuple[list[Proposal], Afterwards | None]:
    """The others that do not go through, and what comes of this one after the rest."""
    ahead = sorted((p for p in others if p.calls), key=lambda p: (p.vote_end, p.created_block, p.key.proposal_id))
    if not ahead or not proposal.calls:
        return [], None
    count = len(_calls(ahead)) + len(proposal.calls)
    if count > MAX_ACTIONS:
        raise ToolSkipped(f"the proposals that are live have {count} actions, at most {MAX_ACTIONS} are run in a row")
    failing: list[Proposal] = []
    before = run(_calls(ahead))
    while (first := _first_failing(ahead, before)) is not None:
        failing.append(first)
        ahead.remove(first)
        if not ahead:
            return failing, None
        before = run(_calls(ahead))
    return failing, _compared(proposal, ahead, run(proposal.calls), before, run((*_calls(ahead), *proposal.calls)))


def _calls(proposals: Sequence[Proposal]) -> tuple[Call, ...]:
    return tuple(call for proposal in proposals for call in proposal.calls)


def _first_failing(proposals: Sequence[Proposal], simulation: Simulation) -> Proposal | None:
    owners = [proposal for proposal in proposals for _ in proposal.calls]
    return next((p for p, r in zip(owners, simulation.results, strict=True) if not r.succeeded), None)


def _compared(
    proposal: Proposal, ahead: Sequence[Proposal], alone: Simulation, before: Simulation, together: Simulation
) -> Afterwards:
    own = together.results[-len(proposal.calls) :]
    reverts_alone = tuple(result.path for result in alone.results if not result.succeeded)
    reverts = tuple(str(place) for place, result in enumerate(own) if not result.succeeded)
    gas = sum(result.gas_used for result in together.results)
    if reverts and not reverts_alone and gas > MOST_GAS:
        raise ToolSkipped(f"all live proposals together use {gas} gas: too much to be run in one block")
    usual = _Doing() if reverts_alone else _doing(alone)
    then = usual if reverts else _doing(together).beyond(_doing(before))
    return Afterwards(
        after=tuple(p.key.proposal_id for p in ahead),
        reverts_alone=reverts_alone,
        reverts=reverts,
        appears=then.beyond(usual).told(),
        vanishes=usual.beyond(then).told(),
    )


@dataclass(frozen=True, slots=True)
class _Doing:
    """What actions do, each effect as often as it was seen."""

    movements: Counter[Movement] = field(default_factory=Counter)
    changes: Counter[Change] = field(default_factory=Counter)

    def beyond(self, other: _Doing) -> _Doing:
        return _Doing(self.movements - other.movements, self.changes - other.changes)

    def told(self) -> Effects:
        movements, changes = tuple(self.movements.elements()), tuple(self.changes.elements())
        left_out = sum(max(0, len(seen) - MAX_EFFECTS) for seen in (movements, changes))
        return Effects(movements=movements[:MAX_EFFECTS], changes=changes[:MAX_EFFECTS], left_out=left_out)


def _doing(simulation: Simulation) -> _Doing:
    return _Doing(Counter(simulation.movements), Counter(simulation.changes))
