"""Steps 13 to 15: the facts in a record against the facts gathered again at its pinned block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from pydantic import JsonValue

from pnyx_contracts.types import BlockRef, to_hex
from pnyx_policies.context import OtherChains, full_reach, searched_from
from pnyx_policies.facts import (
    CODE_LONG_BEFORE,
    CODE_WHEN_PROPOSED,
    EarlierCode,
    Facts,
    Grade,
    SimulationStatus,
    Skipped,
    TargetFacts,
    ToolResult,
)
from pnyx_policies.verify.elsewhere import check_other_chains
from pnyx_policies.verify.record import Case
from pnyx_policies.verify.simulations import essence
from pnyx_policies.verify.verdict import Step, Verdict

_STATE = ("governor", "voter", "targets", "treasury")

_TOLD_BY_STATE: Final = ("tally", "quorum", "voting power", "targets")
"""Steps of the review that the contracts' answers alone can make impossible: on every node, or on none. So can they the
balance of a token (`_TREASURY`), but for tokens that only the operator's configuration names.
"""
_TREASURY: Final = "treasury"
_SIMULATION: Final = "simulation"


def check_pinned_block(case: Case, block: BlockRef | None) -> Iterator[Verdict]:
    """Step 13, first: the pinned block is on the chain, after the proposal and before the entry. `block` is the chain's
    with its number, None when there is none.
    """
    pinned, about = case.dossier.state.block, case.about
    if pinned != block:
        yield about.differs(
            Step.STATE, "state.block", expected=to_hex(block.hash) if block else "", seen=to_hex(pinned.hash),
            reason=f"not block {pinned.number} of this chain",
        )  # fmt: skip
    elif not case.dossier.proposal.created_block <= pinned.number <= case.entry.block_number:
        yield about.differs(
            Step.STATE, "state.block.number",
            expected=f"{case.dossier.proposal.created_block} to {case.entry.block_number}", seen=pinned.number,
            reason="looked at before the proposal, or after the entry",
        )  # fmt: skip


def check_state(case: Case, again: Facts) -> Iterator[Verdict]:
    """Step 13."""
    simulated_alike = _is_simulated(case) == (again.simulation.status is not SimulationStatus.SKIPPED)
    if not simulated_alike:
        again = _without_assets_seen_moving(again, {holding.asset for holding in case.dossier.state.treasury})
    expected: dict[str, JsonValue] = again.model_dump(mode="json")
    seen: dict[str, JsonValue] = case.dossier.state.model_dump(mode="json")
    for name in _STATE:
        yield case.about.compare(
            Step.STATE, f"state.{name}", expected=expected[name], seen=seen[name], grade=Grade.RE_READ
        )
    yield from _check_earlier_code(case, again)
    ours, theirs = Counter(s.step for s in again.skipped), Counter(s.step for s in case.dossier.state.skipped)
    wrong = [step for step in _TOLD_BY_STATE if ours[step] != theirs[step]]
    if simulated_alike and theirs[_TREASURY] < ours[_TREASURY]:
        wrong.append(_TREASURY)
    for step in wrong:
        yield case.about.differs(
            Step.STATE, "state.skipped", expected=f"{step}: {ours[step]}", seen=f"{step}: {theirs[step]}",
            reason="the record says otherwise which steps could not run", grade=Grade.RE_READ,
        )  # fmt: skip
    if names := case.dossier.state.known_addresses:
        why = f"whether {len(names)} declared address(es) are friends of the DAO is the operator's word"
        yield case.about.not_checkable(Step.STATE, why, Grade.ATTESTED)


def _check_earlier_code(case: Case, again: Facts) -> Iterator[Verdict]:
    """Blocks whose state only one of the two nodes had: see `established`, where it is the record that knows less."""
    state, about = case.dossier.state, case.about
    expected, seen = _looks_back(again.earlier_code, again.skipped), _looks_back(state.earlier_code, state.skipped)
    if expected != seen:
        yield about.differs(
            Step.STATE, "state.earlier_code", expected=expected, seen=seen, grade=Grade.RE_READ,
            reason="each look at an earlier block is recorded, or skipped",
        )  # fmt: skip
    ours = {earlier.block: earlier.model_dump(mode="json") for earlier in again.earlier_code}
    for index, recorded in enumerate(state.earlier_code):
        where, told = f"state.earlier_code[{index}]", recorded.model_dump(mode="json")
        if recorded.block in ours or len(ours) == expected:
            known = ours.get(recorded.block)
            yield about.compare(Step.STATE, where, expected=known, seen=told, grade=Grade.RE_READ)
        else:
            why = f"this node could not tell the code of block {recorded.block}"
            yield about.not_checkable(Step.STATE, why, Grade.RE_READ)


def _looks_back(found: Sequence[EarlierCode], skipped: Sequence[Skipped]) -> int:
    return len(found) + sum(step.step in {CODE_WHEN_PROPOSED, CODE_LONG_BEFORE} for step in skipped)


def check_code_until_entry(case: Case, targets: Sequence[TargetFacts]) -> Iterator[Verdict]:
    """Step 13, last. `targets` is the code right before the entry: the vote is about the code that was reviewed."""
    for index, (reviewed, then) in enumerate(zip(case.dossier.state.targets, targets, strict=True)):
        if _code(reviewed) != _code(then):
            yield case.about.differs(
                Step.STATE, f"state.targets[{index}]", expected=_code(then), seen=_code(reviewed), grade=Grade.RE_READ,
                reason=f"the code behind {reviewed.address} changed between review and vote",
            )  # fmt: skip


def check_simulation_told(case: Case) -> Iterator[Verdict]:
    """Step 14, first: a simulation is recorded, or the record says once that it was skipped."""
    expected = int(not _is_simulated(case))
    seen = sum(skipped.step == _SIMULATION for skipped in case.dossier.state.skipped)
    if expected != seen:
        yield case.about.differs(
            Step.SIMULATION, "state.skipped", expected=f"{_SIMULATION}: {expected}", seen=f"{_SIMULATION}: {seen}",
            reason="a simulation that ran is not skipped, and one that is skipped did not run",
        )  # fmt: skip


def check_simulation(case: Case, again: Facts) -> Iterator[Verdict]:
    """Step 14."""
    grade, about = Grade.RE_SIMULATED, case.about
    recorded, ours = case.dossier.simulation, again.simulation
    if recorded.status is SimulationStatus.SKIPPED:
        because = f"the record says that it was skipped: {recorded.why_skipped}"
        yield about.not_checkable(Step.SIMULATION, because, grade)
    elif ours.status is SimulationStatus.SKIPPED:
        yield about.not_checkable(Step.SIMULATION, f"this node could not simulate: {ours.why_skipped}", grade)
    else:
        yield about.compare(Step.SIMULATION, "simulation", expected=essence(ours), seen=essence(recorded), grade=grade)


def check_context(case: Case, again: Facts) -> Iterator[Verdict]:
    """Step 15. Only tools that were run again can be compared; the rest is the operator's word."""
    ours = {(result.tool, result.version): result for result in again.context}
    for skipped in unconfirmed(case.dossier.state.skipped, again.skipped):
        if skipped.step not in {_SIMULATION, *_TOLD_BY_STATE}:
            why = f"that {skipped.step} could not run is the operator's word: {skipped.why}"
            yield case.about.not_checkable(Step.CONTEXT, why, Grade.ATTESTED)
    if not case.dossier.context:
        yield case.about.matches(Step.CONTEXT, reason="no context tools")
    shipped = {result.tool for result in again.context}
    for index, recorded in enumerate(case.dossier.context):
        known = ours.get((recorded.tool, recorded.version))
        if known is None and recorded.tool in shipped:
            why = (
                f"{recorded.tool} {recorded.version} is no version of this release: check with the one that is declared"
            )
            yield case.unproven(Step.CONTEXT, why, Grade.ATTESTED)
        else:
            yield from _tool(case, index, recorded, known)
            yield from _not_as_far(case, recorded)


def established(recorded: Facts, again: Facts) -> Facts:
    """The recorded facts, with what could be found out after all in place of what the record says was skipped."""
    in_doubt = unconfirmed(recorded.skipped, again.skipped)
    known: dict[str, object] = {"skipped": tuple(s for s in recorded.skipped if s not in in_doubt)}
    if any(skipped.step == _SIMULATION for skipped in in_doubt):
        known |= {"simulation": again.simulation, "treasury": again.treasury}
    told = {skipped.tool for skipped in in_doubt}
    if results := [result for result in again.context if result.tool in told]:
        known["context"] = (*recorded.context, *results)
    if len(again.earlier_code) > len(recorded.earlier_code):
        known["earlier_code"] = again.earlier_code
    return recorded.model_copy(update=known)


def unconfirmed(recorded: Sequence[Skipped], again: Sequence[Skipped]) -> list[Skipped]:
    """What the record says was skipped and was not skipped again, whatever the words for the reason."""
    left = Counter(skipped.step for skipped in again)
    found = []
    for skipped in recorded:
        if left[skipped.step]:
            left[skipped.step] -= 1
        else:
            found.append(skipped)
    return found


def _tool(case: Case, index: int, recorded: ToolResult, again: ToolResult | None) -> Iterator[Verdict]:
    """How far a result can be relied on is what the tool claims, not what the record says of it."""
    name, about = f"{recorded.tool} {recorded.version}", case.about
    if again is None:
        why = "not a tool that ships with this version of Pnyx, or it could not run"
        yield about.not_checkable(Step.CONTEXT, f"{name}: {why}", Grade.ATTESTED)
    elif recorded.grade is not again.grade:
        where, ours, theirs = f"context[{index}].grade", again.grade.value, recorded.grade.value
        yield about.differs(Step.CONTEXT, where, expected=ours, seen=theirs)
    elif again.grade is Grade.ATTESTED:
        yield about.not_checkable(Step.CONTEXT, f"{name}: the operator's word", Grade.ATTESTED)
    elif again.tool == OtherChains.TOOL:
        yield from check_other_chains(case, f"context[{index}].result", recorded, again)
    else:
        yield _same_result(case, f"context[{index}].result", recorded, again)


def _same_result(case: Case, where: str, recorded: ToolResult, again: ToolResult) -> Verdict:
    ours, theirs = searched_from(again), searched_from(recorded)
    if ours is not None and theirs is not None and _full_reach(case) <= theirs < ours:
        name = f"{recorded.tool} {recorded.version}"
        why = f"{name}: this node shows the past from block {ours} on, the record looked at it from block {theirs} on"
        return case.about.not_checkable(Step.CONTEXT, why, again.grade)
    return case.about.compare(Step.CONTEXT, where, expected=again.result, seen=recorded.result, grade=again.grade)


def _not_as_far(case: Case, recorded: ToolResult) -> Iterator[Verdict]:
    """A search that ended early may have left out what matters."""
    first = searched_from(recorded)
    if first is not None and first > _full_reach(case):
        name, reach = f"{recorded.tool} {recorded.version}", _full_reach(case)
        why = f"{name} looked back to block {first}, not to {reach}: that no more was shown is the operator's word"
        yield case.about.not_checkable(Step.CONTEXT, why, Grade.ATTESTED)


def _full_reach(case: Case) -> int:
    return full_reach(case.dossier.proposal.created_block, case.dossier.state.block.number)


def _is_simulated(case: Case) -> bool:
    return "simulation" not in case.bundle.withheld and case.dossier.simulation.status is not SimulationStatus.SKIPPED


def _without_assets_seen_moving(facts: Facts, recorded: set[str | None]) -> Facts:
    """Only a simulation finds some assets; a record without one need not have their balances."""
    moving = {movement.asset for movement in facts.simulation.all_movements} - recorded - {None}
    return facts.model_copy(update={"treasury": tuple(h for h in facts.treasury if h.asset not in moving)})


def _code(target: TargetFacts) -> str:
    implementation = target.implementation_code_hash
    return to_hex(target.code_hash) + (f", runs {to_hex(implementation)}" if implementation else "")
