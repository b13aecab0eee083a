"""Step 15, for other chains: what messages do there, simulated again at the blocks that the record names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.types import to_hex
from pnyx_policies.context.other_chains import MAX_SECONDS_APART, FarRun, OtherChains
from pnyx_policies.context.reading import read_context
from pnyx_policies.elsewhere import chain_in_words
from pnyx_policies.facts import Grade, ToolResult
from pnyx_policies.verify.record import Case
from pnyx_policies.verify.simulations import essence
from pnyx_policies.verify.verdict import Step, Verdict

_GRADE: Final = Grade.RE_SIMULATED


def check_other_chains(case: Case, where: str, recorded: ToolResult, again: ToolResult) -> Iterator[Verdict]:
    """Run by run. Which messages there are follows from the calls; what they do, from the other chains."""
    try:
        theirs = read_context(OtherChains, (recorded,), ()).runs
    except DecodingError as error:
        yield case.about.differs(Step.CONTEXT, where, reason=error.message, grade=_GRADE)
        return
    ours = read_context(OtherChains, (again,), ()).runs
    yield case.about.compare(
        Step.CONTEXT, f"{where}.runs", expected=list(map(_goes, ours)), seen=list(map(_goes, theirs)), grade=_GRADE
    )
    if list(map(_goes, ours)) == list(map(_goes, theirs)):
        for number, (recorded_run, own) in enumerate(zip(theirs, ours, strict=True)):
            yield _run(case, f"{where}.runs[{number}]", recorded_run, own)


def _goes(run: FarRun) -> dict[str, Any]:
    return {"paths": list(run.paths), "chain_id": run.chain_id}


def _run(case: Case, where: str, recorded: FarRun, again: FarRun) -> Verdict:
    what, about = f"what call {recorded.paths[0]} does on {chain_in_words(recorded.chain_id)}", case.about
    if recorded.block is None or recorded.why_unknown:
        because = f"{what}: the record says that it was not simulated: {recorded.why_unknown}"
        return about.not_checkable(Step.CONTEXT, because, _GRADE)
    apart = abs(recorded.block.timestamp - case.dossier.state.block.timestamp)
    if apart > MAX_SECONDS_APART:
        return about.differs(
            Step.CONTEXT, f"{where}.block", expected=f"at most {MAX_SECONDS_APART} seconds from the pinned block",
            seen=f"{apart} seconds", grade=_GRADE,
        )  # fmt: skip
    if again.block is None or (again.block == recorded.block and again.why_unknown):
        return about.not_checkable(Step.CONTEXT, f"{what}: {again.why_unknown}", _GRADE)
    if again.block != recorded.block:
        has = f"block {again.block.number} ({to_hex(again.block.hash)})"
        why = f"{what} was looked at in block {recorded.block.number} ({to_hex(recorded.block.hash)}); there is {has}"
        return case.unproven(Step.CONTEXT, why, _GRADE)
    return about.compare(Step.CONTEXT, where, expected=_seen(again), seen=_seen(recorded), grade=_GRADE)


def _seen(run: FarRun) -> dict[str, Any]:
    told = run.model_dump(mode="json", include={"named_sender", "treasury"})
    return told | {"simulation": None if run.simulation is None else essence(run.simulation)}
