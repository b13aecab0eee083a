"""Steps 13 to 15: the facts in a record against the facts gathered again at its pinned block."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from pnyx_contracts.types import BlockRef, to_hex
from pnyx_policies.facts import Facts, Grade, Simulation, SimulationStatus, ToolResult
from pnyx_policies.verify.record import Case
from pnyx_policies.verify.verdict import Step, Verdict

_STATE = ("governor", "voter", "targets", "treasury")


def check_pinned_block(case: Case, block: BlockRef) -> Iterator[Verdict]:
    """Step 13, first: the pinned block is on the chain, after the proposal and before the entry."""
    pinned, about = case.dossier.state.block, case.about
    if pinned != block:
        yield about.differs(Step.STATE, "state.block", expected=to_hex(block.hash), seen=to_hex(pinned.hash))
    if not case.dossier.proposal.created_block <= pinned.number <= case.entry.block_number:
        yield about.differs(
            Step.STATE, "state.block.number",
            expected=f"{case.dossier.proposal.created_block} to {case.entry.block_number}", seen=pinned.number,
            reason="looked at before the proposal, or after the entry",
        )  # fmt: skip


def check_state(case: Case, again: Facts) -> Iterator[Verdict]:
    """Step 13."""
    expected: dict[str, JsonValue] = again.model_dump(mode="json")
    seen: dict[str, JsonValue] = case.dossier.state.model_dump(mode="json")
    for name in _STATE:
        yield case.about.compare(
            Step.STATE, f"state.{name}", expected=expected[name], seen=seen[name], grade=Grade.RE_READ
        )
    if names := case.dossier.state.known_addresses:
        why = f"whether {len(names)} declared address(es) are friends of the DAO is the operator's word"
        yield case.about.not_checkable(Step.STATE, why, Grade.ATTESTED)


def check_simulation(case: Case, again: Facts) -> Iterator[Verdict]:
    """Step 14. Gas and the wording of errors are each node's own affair; what moves and what changes is not."""
    grade, about = Grade.RE_SIMULATED, case.about
    recorded, ours = case.dossier.simulation, again.simulation
    if recorded.status is SimulationStatus.SKIPPED:
        because = f"the record says that it was skipped: {recorded.why_skipped}"
        yield about.not_checkable(Step.SIMULATION, because, grade)
    elif ours.status is SimulationStatus.SKIPPED:
        yield about.not_checkable(Step.SIMULATION, f"this node could not simulate: {ours.why_skipped}", grade)
    else:
        yield about.compare(
            Step.SIMULATION, "simulation", expected=_essence(ours), seen=_essence(recorded), grade=grade
        )


def check_context(case: Case, again: Facts) -> Iterator[Verdict]:
    """Step 15. Only tools that were run again can be compared; the rest is the operator's word."""
    ours = {(result.tool, result.version): result for result in again.context}
    if not case.dossier.context:
        yield case.about.matches(Step.CONTEXT, reason="no context tools")
    for index, recorded in enumerate(case.dossier.context):
        yield _tool(case, index, recorded, ours.get((recorded.tool, recorded.version)))


def _tool(case: Case, index: int, recorded: ToolResult, again: ToolResult | None) -> Verdict:
    name = f"{recorded.tool} {recorded.version}"
    if recorded.grade is Grade.ATTESTED or again is None:
        why = "the operator's word" if again else "not a tool that ships with this version of Pnyx, or it could not run"
        return case.about.not_checkable(Step.CONTEXT, f"{name}: {why}", Grade.ATTESTED)
    where = f"context[{index}].result"
    return case.about.compare(Step.CONTEXT, where, expected=again.result, seen=recorded.result, grade=recorded.grade)


def _essence(simulation: Simulation) -> JsonValue:
    whole: dict[str, JsonValue] = simulation.model_dump(mode="json")
    whole["results"] = [{"path": r.path, "succeeded": r.succeeded} for r in simulation.results]
    return whole
