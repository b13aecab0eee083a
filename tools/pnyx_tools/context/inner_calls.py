"""What the actions create and run inside, at any depth: only a trace shows it.

Traced is only where code that the calls reach can create contracts or run other code by delegatecall: as it stands
there, or as a proxy runs it. That a proxy runs its own implementation is known anyhow. A node without `debug_traceCall`
gives no result. Not seen: what reverts now, and calls to the governor that only its own execution allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.context.inner_calls import MAX_CODES, MAX_CREATED, CreatedContract, DelegatedCode, InnerCalls
from pnyx_policies.facts import Grade, TargetFacts
from pnyx_tools.code import read_targets, running_addresses
from pnyx_tools.context.destroyed_code import MAX_TARGETS, makes_room
from pnyx_tools.reader import ChainReader
from pnyx_tools.simulate import demand_same_block
from pnyx_tools.simulate.task import Step, Task
from pnyx_tools.simulate.traced import Traced

_CREATES: Final = frozenset({"CREATE", "CREATE2"})
_DELEGATES: Final = frozenset({"CALLCODE", "DELEGATECALL"})


class InnerCallsTool:
    """Runs the actions once more, traced."""

    name = InnerCalls.TOOL
    version = InnerCalls.VERSION
    grade = Grade.RE_SIMULATED
    description = "Contracts that the calls create, and code that they run by delegatecall, at any depth."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,  # noqa: ARG002 - the protocol's
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> InnerCalls:
        at = to_hex(block.hash)
        running = running_addresses(decode_calls(proposal.calls, proposal.key.chain_id))[:MAX_TARGETS]
        targets = read_targets(reader, running, at)
        if not any(map(_hides_something, targets)):
            return InnerCalls(is_traced=False, created=(), delegated=(), left_out=0, makes_room=None)
        steps = Traced(Task(reader, profile.timelock or profile.address, proposal.calls, block)).run().steps
        demand_same_block(reader, block)
        created, codes = list(_created(steps)), _delegated(steps)
        shown = list(_codes(reader, dict(list(codes.items())[:MAX_CODES]), targets, at))
        can_go = any("SELFDESTRUCT" in each.opcodes for each in shown)
        return InnerCalls(
            is_traced=True,
            created=tuple(created[:MAX_CREATED]),
            delegated=tuple(shown),
            left_out=len(created[MAX_CREATED:]) + max(0, len(codes) - MAX_CODES),
            makes_room=makes_room(reader, block) if can_go else None,
        )


def _hides_something(target: TargetFacts) -> bool:
    """A proxy's own delegatecall leads to its implementation, which counts by itself."""
    own = set(target.opcodes) - (_DELEGATES if target.implementation is not None else set())
    return bool((own | set(target.implementation_opcodes)) & (_CREATES | _DELEGATES))


def _created(steps: Iterable[Step]) -> Iterator[CreatedContract]:
    found = {step.receiver: step for step in steps if step.kind in _CREATES}
    for contract, step in found.items():
        yield CreatedContract(contract=contract, creator=step.sender, how=step.kind)


def _delegated(steps: Iterable[Step]) -> dict[str, str]:
    """Code by address, with who runs it first."""
    found: dict[str, str] = {}
    for step in steps:
        if step.kind in _DELEGATES:
            found.setdefault(step.receiver, step.sender)
    return found


def _codes(
    reader: ChainReader, callers: dict[str, str], reached: Sequence[TargetFacts], at: str
) -> Iterator[DelegatedCode]:
    """Without what is known anyhow: reached code, what a proxy runs, what has no code, or only during the actions."""
    known = {target.address for target in reached} | {target.implementation for target in reached}
    running = {t.address: t.implementation for t in read_targets(reader, list(dict.fromkeys(callers.values())), at)}
    foreign = {code: caller for code, caller in callers.items() if code not in known and running[caller] != code}
    for target in read_targets(reader, list(foreign), at):
        if target.has_code:
            yield DelegatedCode(
                code=target.address, caller=foreign[target.address], code_hash=target.code_hash, opcodes=target.opcodes
            )
