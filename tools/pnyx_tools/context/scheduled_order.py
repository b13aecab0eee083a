"""Do the operations that the calls schedule do the same when somebody executes them in another order?

The reverse order stands for all: of two operations of which one needs the other, it turns each pair around.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decoded import DecodedCall, made_here
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Call, Proposal
from pnyx_policies.context.scheduled_order import MAX_TIMELOCKS, OrderTried, ScheduledOrder
from pnyx_policies.facts import Grade, Simulation, SimulationStatus
from pnyx_policies.scheduling import scheduled_apart
from pnyx_tools.context.doing import doing_of
from pnyx_tools.context.protocol import ToolSkipped
from pnyx_tools.reader import ChainReader
from pnyx_tools.simulate import simulate


class ScheduledOrderTool:
    """Simulates them from the timelock that would execute them."""

    name = ScheduledOrder.TOOL
    version = ScheduledOrder.VERSION
    grade = Grade.RE_READ
    description = "Whether operations that the calls schedule apart from one another do the same in reverse order."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,  # noqa: ARG002 - the protocol's
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> ScheduledOrder:
        apart = scheduled_apart(made_here(decode_calls(proposal.calls, proposal.key.chain_id)))
        readable = {
            timelock: [scheduling.inner for scheduling in calls]
            for timelock, calls in apart.items()
            if all(scheduling.inner for scheduling in calls)
        }
        tried = [
            _tried(partial(_run, reader, profile, block, timelock), timelock, operations)
            for timelock, operations in list(readable.items())[:MAX_TIMELOCKS]
        ]
        return ScheduledOrder(tried=tuple(tried))


def _run(
    reader: ChainReader, profile: GovernorProfile, block: BlockRef, timelock: str, calls: Sequence[DecodedCall]
) -> Simulation:
    """Raises `ToolSkipped` where it shows no effects."""
    made = [Call(target=call.target, value_wei=call.value_wei, calldata=call.calldata) for call in calls]
    simulation = simulate(reader, timelock, made, block, governor=profile.address)
    if simulation.status is SimulationStatus.SKIPPED:
        raise ToolSkipped(f"what is scheduled, in another order: {simulation.why_skipped}")
    return simulation


def _tried(
    run: Callable[[Sequence[DecodedCall]], Simulation], timelock: str, operations: Sequence[Sequence[DecodedCall]]
) -> OrderTried:
    first = run([call for operation in operations for call in operation])
    fails = sum(not result.succeeded for result in first.results)
    if fails:
        return OrderTried(timelock=timelock, operations=len(operations), reverts_in_order=fails)
    backwards = [call for operation in reversed(operations) for call in operation]
    then = run(backwards)
    reverts = [call.path for call, result in zip(backwards, then.results, strict=True) if not result.succeeded]
    return OrderTried(
        timelock=timelock,
        operations=len(operations),
        reverts_in_order=0,
        reverts_reversed=tuple(reverts),
        differs=not reverts and doing_of(first) != doing_of(then),
    )
