"""What the actions of a proposal would do, run one after another from the executor on top of the pinned block.

Each action is a call from the executor (the timelock, or the governor itself). No state is overridden but the queue in
which a governor notes its calls to itself (`governance_queue`), and what arrives with messages on another chain. So the
result is what the chain would do now. Three limits to know: the state at execution may be another one; actions of one
proposal revert together on chain, here the effects of those that succeed are shown all the same; `tx.origin` is the
executor.

Four methods, each used when the node lacks the ones before it; the simulation names its own, and why the others were
passed over:

    eth_simulateV1     all actions in one block, in one request (`whole`)
    debug_traceCall    one after another, each with the changes of those before it as state overrides (`traced`)
    a fork             as the first, on a node of one's own that forks the chain, where there is one (`forked`)
    eth_call           each alone (`alone`): it shows no effects and no order, so it proves nothing, and the simulation
                       counts as skipped

What is reported:

    every action ran                     succeeded
    an action reverted or lacked funds   reverted, with the reason, per action
    the governor's queue is not found    skipped, because a call to the governor cannot be judged; the rest is shown
    more events than `MAX_EVENTS`        skipped, and none is shown: who floods the review hides something in the flood

Foreign code that runs with an account's rights is run once more by itself, in place of that account's code
(`DelegatedRun`): what it would do shows even when the call around it does not go through now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import Final, TypeVar

from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.types import BlockRef, Call, to_hex
from pnyx_policies.balances import Question
from pnyx_policies.facts import Balance, DelegatedRun, Movement, ProbeReading, Simulation, SimulationStatus, Skipped
from pnyx_policies.probes import Probe
from pnyx_policies.text import count
from pnyx_tools.effects import changes, movements
from pnyx_tools.pinned import afresh, fork_behind
from pnyx_tools.progress import Tell, tell_nobody
from pnyx_tools.reader import ChainReader, MethodMissingError, ReorganisedError, RpcError
from pnyx_tools.reasons import without_endpoint
from pnyx_tools.simulate import alone
from pnyx_tools.simulate.alone import MAX_TRIED_ALONE, try_each_alone
from pnyx_tools.simulate.balances import Balances
from pnyx_tools.simulate.codes import Codes, born
from pnyx_tools.simulate.forked import Forked
from pnyx_tools.simulate.governance_queue import LIKELY_SLOTS, QUEUE_IS_EMPTY, filled_queue
from pnyx_tools.simulate.next_contracts import next_contracts
from pnyx_tools.simulate.probing import Asked, asked, with_lists
from pnyx_tools.simulate.seats import Seats, unseen
from pnyx_tools.simulate.task import MAX_EVENTS, Overrides, Ran, Task, calldata_of
from pnyx_tools.simulate.traced import MAX_TRACED, Traced
from pnyx_tools.simulate.whole import Whole

T = TypeVar("T")

AlsoOf = Callable[[Sequence[Movement]], Sequence[Question]]
Method = type[Whole] | type[Traced] | type[Forked]
METHODS: Final[tuple[Method, ...]] = (Whole, Traced, Forked)
"""Those that show effects, the better one first."""

MAX_EFFECTS: Final = 4_096
"""Movements and changes together."""
MAX_DELEGATED: Final = 16
"""Delegatecalls whose code is run by itself."""

NOTHING_PREPARED: Final[Overrides] = MappingProxyType({})


def nothing_else(_movements: Sequence[Movement]) -> tuple[Question, ...]:
    """Which balances are read besides: none, whatever moves."""
    return ()


def simulate(
    reader: ChainReader,
    executor: str,
    calls: Sequence[Call],
    block: BlockRef,
    *,
    governor: str | None = None,
    probes: Sequence[Probe] = (),
    seats_of: Sequence[str] = (),
    balances_of: Sequence[Question] = (),
    balances_told: AlsoOf = nothing_else,
    code_at: Sequence[str] = (),
    delegatecalls: Sequence[DecodedCall] = (),
    prepared: Overrides = NOTHING_PREPARED,
    tell: Tell = tell_nobody,
) -> Simulation:
    """Runs `calls` from `executor` on top of `block`; `governor` may be called as from inside its `execute()`. Before
    and after are read: `probes`, the seats of power of the contracts `seats_of`, `balances_of` and, once it is seen
    what moves, `balances_told`; whether there is code at `code_at`, and where the contracts there would create others.
    The code of `delegatecalls` is run by itself, too. `prepared` is put in place before everything else: what arrives
    together with the calls.

    What fails twice in the same words is a thing that the node cannot do, and passed over. Raises `ReorganisedError`
    when the chain no longer has that block, `RpcError` when the node cannot be reached, or failed only once.
    """
    every = asked(reader, probes, block)
    called = [address for address in code_at if address != executor]  # its own code does not run
    looked_at = tuple(dict.fromkeys((*code_at, *next_contracts(reader, called, block))))
    around = _Around(Seats.of(seats_of), Balances(tuple(balances_of)), Codes(looked_at))
    questions = (*(call for call in every if not call.why_not), *around.asked)
    task = Task(reader, executor, tuple(calls), block, questions, {**around.overrides, **prepared}, tell, looked_at)
    inside = governor if governor != executor else None
    simulation = _best(task, inside, delegatecalls[:MAX_DELEGATED])
    more = Balances(tuple(balances_told(simulation.all_movements)))
    balances = tuple(_read_again(task, simulation.method, inside, more))
    demand_same_block(reader, block)  # raises when the node does not answer at all
    if simulation.method == alone.METHOD:
        return simulation
    read = _read(simulation, every, around)
    return read.model_copy(update={"balances": (*read.balances, *balances)})


def _read_again(task: Task, method: str, inside: str | None, balances: Balances) -> Iterator[Balance]:
    """The same actions once more, between readings of what only they told of."""
    found = next((each for each in METHODS if each.name == method), None)
    if found is None or not balances.questions:
        return
    again = replace(task, probes=balances.asked, overrides={**task.overrides, **balances.overrides})
    try:
        yield from balances.read(_firmly(partial(_run, found, again, inside)).readings)
    except MethodMissingError:
        yield from balances.unread


@dataclass(frozen=True)
class _Around:
    """What is read before and after the actions besides the probes, by code that is put where none is."""

    seats: Seats
    balances: Balances
    codes: Codes

    @property
    def asked(self) -> tuple[Asked, ...]:
        return (*self.seats.asked, *self.balances.asked, *self.codes.asked)

    @property
    def overrides(self) -> Overrides:
        return {**self.seats.overrides, **self.balances.overrides, **self.codes.overrides}


def _read(simulation: Simulation, every: Sequence[Asked], around: _Around) -> Simulation:
    """With the readings of the probes, the balances, and what seats and codes tell that no event told."""
    readings = iter(simulation.readings)

    def following(count: int) -> tuple[ProbeReading, ...]:
        return tuple(islice(readings, count))

    of_probes = with_lists(every, following(sum(not call.why_not for call in every)))
    seated = unseen(tuple(around.seats.changes(following(len(around.seats.asked)))), simulation.changes)
    balances = tuple(around.balances.read(following(len(around.balances.asked))))
    changes = (*simulation.changes, *seated, *around.codes.changes(tuple(readings)))
    return simulation.model_copy(update={"readings": of_probes, "balances": balances, "changes": changes})


def _best(task: Task, inside: str | None, delegatecalls: Sequence[DecodedCall]) -> Simulation:
    """`inside` is the governor that may be called as from inside its ``execute()``."""
    passed_over: list[Skipped] = []
    for method in _methods(task):
        task.tell(f"simulating {count(len(task.calls), 'action')} by {method.name}")
        try:
            simulation = _firmly(partial(_run, method, task, inside))
            delegated = tuple(_delegated(method, task, call) for call in delegatecalls)
        except MethodMissingError as missing:
            passed_over.append(Skipped(step=method.name, why=without_endpoint(missing.message)))
            continue
        return simulation.model_copy(update={"passed_over": tuple(passed_over), "delegated": delegated})
    why = "; ".join(skipped.why for skipped in passed_over)
    return Simulation(
        status=SimulationStatus.SKIPPED,
        why_skipped=f"{why}; each action was only tried alone, which shows no effects",
        executor=task.sender,
        method=alone.METHOD,
        passed_over=tuple(passed_over),
        results=try_each_alone(task),
    )


def _methods(task: Task) -> tuple[Method, ...]:
    """Nobody is told that there is no fork."""
    return METHODS if fork_behind(task.reader) else tuple(method for method in METHODS if method is not Forked)


def _firmly(ask: Callable[[], T]) -> T:
    """A bad moment of an endpoint must not decide that nothing is known. Raises `MethodMissingError` for what fails
    twice in the same words.
    """
    try:
        return ask()
    except RpcError as failure:
        try:
            return ask()
        except RpcError as again:
            if again.message != failure.message:
                raise
            raise MethodMissingError(again.message) from again


def demand_same_block(reader: ChainReader, block: BlockRef) -> None:
    """The simulation names its block by number: asked after it, the hash proves which block that was."""
    seen = afresh(reader).block(block.number).hash
    if seen != block.hash:
        raise ReorganisedError(
            f"block {block.number} was {to_hex(block.hash)} and is {to_hex(seen)} now: the chain reorganised"
        )


# --- with one method -------------------------------------------------------------------------------------------------


def _run(method: Method, task: Task, inside: str | None) -> Simulation:
    """As from inside the governor's ``execute()``, if a call to it needs that."""
    simulation = _judged(method, task, method(task).run())
    barred = [r for r in simulation.results if r.error in QUEUE_IS_EMPTY and task.calls[int(r.path)].target == inside]
    if inside is None or not barred:
        return simulation
    slot = method(task).queue_slot(inside, LIKELY_SLOTS)
    if slot is None:
        why = f"action {barred[0].path} is possible only inside the governor's execute(), which could not be imitated"
        return simulation.model_copy(update={"status": SimulationStatus.SKIPPED, "why_skipped": why})
    queue = filled_queue(slot, [calldata_of(call) for call in task.calls if call.target == inside])
    prepared = replace(task, overrides={**task.overrides, inside: {"stateDiff": queue}})
    return _judged(method, prepared, method(prepared).run())


def _judged(method: Method, task: Task, ran: Ran) -> Simulation:
    has_reverted = any(not result.succeeded for result in ran.results)
    simulation = Simulation(
        status=SimulationStatus.REVERTED if has_reverted else SimulationStatus.SUCCEEDED,
        executor=task.sender,
        method=method.name,
        results=ran.results,
        readings=ran.readings,
    )
    seen = {"movements": movements(ran.events), "changes": changes(ran.events)}
    if ran.is_flooded or sum(map(len, seen.values())) > MAX_EFFECTS:
        why = f"the actions emit more events than are read ({MAX_EVENTS}, with {MAX_EFFECTS} effects)"
        return simulation.model_copy(update={"status": SimulationStatus.SKIPPED, "why_skipped": why})
    return simulation.model_copy(update={**seen, "changes": (*seen["changes"], *born(task, ran.events))})


def _delegated(method: Method, task: Task, call: DecodedCall) -> DelegatedRun:
    """The account has the foreign code, and the executor calls it."""
    account = call.caller or task.sender
    code = task.reader.code(call.target, to_hex(task.block.hash))
    alone = replace(
        task,
        calls=(Call(target=account, value_wei=0, calldata=call.calldata),),
        probes=(),
        overrides={account: {"code": to_hex(code)}},
    )
    simulation = _firmly(lambda: _judged(method, alone, method(alone).run()))
    error = simulation.results[0].error or simulation.why_skipped
    return DelegatedRun(
        path=call.path,
        code=call.target,
        account=account,
        succeeded=not error,
        error=error,
        movements=simulation.movements,
        changes=simulation.changes,
    )


__all__ = ["MAX_EFFECTS", "MAX_EVENTS", "MAX_TRACED", "MAX_TRIED_ALONE", "demand_same_block", "simulate"]
