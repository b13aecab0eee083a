"""What a proposal does: money, power, code, and every call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.guesses import guesses
from pnyx_contracts.types import ZERO_ADDRESS
from pnyx_contracts.wrappers import MAY_COUNT_AN_NFT
from pnyx_policies.checks.delegatecall import only_batches
from pnyx_policies.code import unsteady
from pnyx_policies.elsewhere import chain_in_words
from pnyx_policies.facts import Balance, Change, Facts, Movement, SimulationStatus
from pnyx_policies.money import NOT_SEEN, Outflow, OutflowKind, by_asset, outflows, token_amount
from pnyx_policies.post_state import complaints
from pnyx_policies.power_functions import PowerKind
from pnyx_policies.powers import PowerShift, other_changes, power_shifts, seen_changes
from pnyx_policies.reading.amounts import amount, coin, share, total, who
from pnyx_policies.reading.arguments import arguments, counts, role, short
from pnyx_policies.reading.blocks import (
    Block,
    Bullet,
    Bullets,
    Line,
    Table,
    bad,
    bullet,
    code,
    line,
    paragraph,
    soft,
    strong,
    warn,
)
from pnyx_policies.shares import held_by_treasury

POWER: Final = tuple(kind for kind in PowerKind if kind is not PowerKind.CODE)
HELD: Final = {
    PowerKind.ROLE: "a role",
    PowerKind.OWNERSHIP: "ownership",
    PowerKind.ADMIN: "the admin's seat",
    PowerKind.MODULE: "a module's power",
    PowerKind.VOTES: "voting power",
}


def money(facts: Facts) -> Iterator[Block]:
    flows = outflows(facts)
    if flows.items:
        yield Bullets(tuple(bullet(*payment(facts, flow), soft(_places(flow.paths))) for flow in flows.items))
        yield _totals(facts, flows.items)
    else:
        yield _nothing_seen(facts, "No money leaves the treasury")
    if moves := _inside(facts, flows.items):
        yield paragraph("The simulation also saw, inside the DAO or between others:")
        yield Bullets(moves)
    if changed := tuple(_before_and_after(facts)):
        yield paragraph("What the DAO has, and lets others take, changes:")
        yield Bullets(changed)
    if flows.items and flows.why:
        yield paragraph(warn(f"There may be more: {flows.why}."))


def _nothing_seen(facts: Facts, words: str) -> Block:
    """Calls of a known name can do unknown things, so this is never more than what was seen."""
    unknown = sum(call.signature is None and bool(call.calldata) for call in facts.every_call())
    doubts = [] if _ran(facts) else [NOT_SEEN[facts.simulation.status]]
    doubts += [f"calls that are not understood: {unknown}"] if unknown else []
    sends = any(call.other_chain for call in facts.every_call())
    beyond = " What messages do on other chains stands with the simulation." if sends else ""
    if doubts:
        known = f" {words}, as far as the decoded calls show.{beyond}"
        return paragraph(warn(f"Not known: {'; '.join(doubts)}."), known)
    return paragraph(f"{words}, as far as calls and simulation show.{beyond}")


def _ran(facts: Facts) -> bool:
    return facts.simulation.status is SimulationStatus.SUCCEEDED


def payment(facts: Facts, flow: Outflow, *, brief: bool = False) -> Line:
    """One payment or permission, as a sentence without its end."""
    sum_of = amount(facts, flow.asset, flow.amount, token_id=flow.token_id, brief=brief)
    if flow.kind is OutflowKind.ALLOWANCE:
        return line(*who(facts, flow.recipient), " may take ", *sum_of, *_from(facts, flow.sender))
    if flow.sender == ZERO_ADDRESS:
        return line("Mints ", *sum_of, " for ", *who(facts, flow.recipient))
    if flow.recipient == ZERO_ADDRESS:
        return line("Burns ", *sum_of, *_from(facts, flow.sender))
    return line("Pays ", *sum_of, " to ", *who(facts, flow.recipient), *_from(facts, flow.sender))


def _from(facts: Facts, sender: str) -> Line:
    return () if sender == facts.simulation.executor else line(" from ", *who(facts, sender))


def _places(paths: tuple[str, ...]) -> str:
    return f" · call {', '.join(paths)}" if paths else " · seen in the simulation only"


def _totals(facts: Facts, items: tuple[Outflow, ...]) -> Table:
    rows = tuple(
        (total(facts, flows), _held(facts, flows[0]), line(share(facts, flows) or "unknown"))
        for flows in by_asset(facts, items)
    )
    return Table(("leaves, in all", "the treasury holds", "that is"), rows)


def _held(facts: Facts, flow: Outflow) -> Line:
    held = held_by_treasury(facts, flow)
    if held is None:
        return line("nobody looked")
    return amount(facts, flow.asset, held.balance, token_id=held.token_id, brief=True)


def _inside(facts: Facts, items: tuple[Outflow, ...]) -> tuple[Bullet, ...]:
    """Movements that no payment above tells of."""
    told = {(flow.asset, flow.sender, flow.recipient, flow.amount) for flow in items}
    moves = (m for m in facts.simulation.all_movements if (m.asset, m.sender, m.recipient, m.amount) not in told)
    return tuple(Bullet(_movement(facts, move)) for move in moves)


def _movement(facts: Facts, move: Movement) -> Line:
    sum_of = amount(facts, move.asset, move.amount, token_id=move.token_id)
    sender, recipient = who(facts, move.sender), who(facts, move.recipient)
    if move.kind == "transfer":
        return line(*sum_of, " from ", *sender, " to ", *recipient)
    return line(*recipient, " may take ", *sum_of, " from ", *sender)


def _before_and_after(facts: Facts) -> Iterator[Bullet]:
    """Balances and allowances that are others after the simulated actions."""
    for each in facts.simulation.balances:
        if each.before != each.after:
            whose = line(*who(facts, each.spender), " may take") if each.spender else line("Balance")
            what = line(code(each.token)) if each.token else line("the chain's coin")
            number = "" if each.token_id is None else f", number {each.token_id}"
            was, afterwards = (_standing(facts, each, units) for units in (each.before, each.after))
            is_own = each.holder == facts.simulation.executor
            holder = () if is_own else line(" from " if each.spender else " at ", *who(facts, each.holder))
            yield bullet(*whose, " of ", *what, number, *holder, ": ", *was, " before, ", *afterwards, " after")


def _standing(facts: Facts, balance: Balance, units: int | None) -> Line:
    if units is None:
        return line(warn("the token does not say"))
    return amount(facts, balance.token, units, brief=True) if balance.token_id is None else line(f"{units:,}")


# Power


def power(facts: Facts) -> Iterator[Block]:
    shifts = power_shifts(facts, *POWER)
    items = [bullet(*shift_of_power(facts, shift), soft(_places(shift.paths))) for shift in shifts]
    items += [Bullet(_change(facts, change)) for change in other_changes(facts)]
    yield (
        Bullets(tuple(items)) if items else _nothing_seen(facts, "Nobody gains power, no setting of governance changes")
    )


def shift_of_power(facts: Facts, shift: PowerShift) -> Line:
    """One shift of power or change of code, as a sentence without its end."""
    contract, by = who(facts, shift.contract), line(" (", code(shift.function), ")")
    receiver = who(facts, shift.receiver) if shift.receiver else ()
    if shift.kind is PowerKind.CODE:
        return line("Replaces the code of ", *contract, " by ", *(receiver or line("unnamed code")), *by)
    if shift.kind is PowerKind.SETTING:
        return line("Changes how ", *contract, " is governed", *by, *_values(facts, shift))
    what = _held_by(facts, shift)
    if not receiver:
        return line(f"Changes who has {what} over ", *contract, *by)
    return line(f"Gives {what} over ", *contract, " to ", *receiver, *by)


def _held_by(facts: Facts, shift: PowerShift) -> str:
    """``the role PROPOSER_ROLE`` where the call names one that is known."""
    call = facts.call_at(shift.path)
    named = next((name for a in call.arguments if (name := role(a))), "") if call else ""
    return f"the role {named}" if named and shift.kind is PowerKind.ROLE else HELD[shift.kind]


def _values(facts: Facts, shift: PowerShift) -> Line:
    """The new ones, as the call has them; and as the simulation saw them, the old ones too."""
    call = facts.call_at(shift.path)
    values = ", ".join(f"{a.name} = {a.value[:80]}" for a in call.arguments) if call else ""
    seen = "; ".join(change.detail for change in seen_changes(facts, shift))
    return line(*(line(": ", code(values)) if values else ()), soft(f" · {seen}") if seen else "")


def _change(facts: Facts, change: Change) -> Line:
    return line(f"{change.kind} in ", *who(facts, change.contract), f": {change.subject} {change.detail}".rstrip())


# Code


def what_runs(facts: Facts) -> Iterator[Block]:
    items = [
        bullet(*shift_of_power(facts, shift), soft(_places(shift.paths)), inner=_doubts(facts, shift.receiver))
        for shift in power_shifts(facts, PowerKind.CODE)
    ]
    foreign = foreign_code(facts)
    items += [_foreign(facts, call) for call in foreign]
    told = {call.target for call in foreign}
    for target in facts.targets:
        if target.address not in told and (doubts := _doubts(facts, target.address)):
            items.append(bullet("Calls ", *who(facts, target.address), inner=doubts))
    yield (
        Bullets(tuple(items)) if items else _nothing_seen(facts, "No code is replaced, none runs with the DAO's rights")
    )


def foreign_code(facts: Facts) -> tuple[DecodedCall, ...]:
    """Delegatecalls, except those of Safe's libraries that only batch."""
    return tuple(call for call in facts.every_call() if call.delegatecall and not only_batches(call))


def _foreign(facts: Facts, call: DecodedCall) -> Bullet:
    by = who(facts, call.caller) if call.caller else line("the executor")
    words = line(bad("Runs the code of "), *who(facts, call.target), " with the rights of ", *by)
    return bullet(*words, soft(f" · call {call.path}"), inner=_doubts(facts, call.target))


def _doubts(facts: Facts, address: str | None) -> tuple[Bullet, ...]:
    target = facts.target(address) if address else None
    if target is None:
        return ()
    called = {c.target for c in facts.every_call() if c.calldata or c.delegatecall}
    missing = not target.has_code and target.address in called
    words = ("There is no code there: the call does nothing.",) if missing else unsteady(facts, target.address)
    return tuple(bullet(warn(sentence)) for sentence in words)


def simulated(facts: Facts) -> Iterator[Block]:
    simulation = facts.simulation
    if simulation.status is SimulationStatus.SKIPPED:
        yield paragraph(warn(f"It was not simulated: {simulation.why_skipped}"))
        return
    method = f" by {simulation.method}" if simulation.method else ""
    yield paragraph(f"Simulated{method} from ", *who(facts, simulation.executor), f": {simulation.status.value}.")
    yield from failures(facts)
    if facts.probes and (wrong := complaints(facts)) is not None:
        yield paragraph(f"Of {len(facts.probes)} things that must hold afterwards, {len(wrong)} do not or cannot tell.")
        yield Bullets(tuple(bullet(bad(c.probe.name), f": {c.words}") for c in wrong))


def failures(facts: Facts) -> Iterator[Block]:
    """What reverts in the simulation."""
    simulation = facts.simulation
    found = [bullet(bad(f"Call {r.path} reverts: "), r.error) for r in simulation.results if r.error]
    found += [
        bullet("The code of ", *who(facts, run.code), bad(" by itself reverts: "), run.error)
        for run in simulation.delegated
        if run.error
    ]
    if found:
        yield Bullets(tuple(found))


# Every call


def calls(facts: Facts) -> Iterator[Block]:
    if not facts.calls:
        yield paragraph("It calls nothing.")
        return
    yield Bullets(tuple(_call(facts, call) for call in facts.calls))


def _call(facts: Facts, call: DecodedCall) -> Bullet:
    sum_of = coin(call.value_wei, call.chain_id if call.other_chain else facts.proposal.key.chain_id)
    place = line(code(call.target)) if call.other_chain else who(facts, call.target)
    if not call.calldata:
        words = line(f"pay {sum_of}" if call.value_wei else "nothing", " to ", *place)
    else:
        name = strong(call.signature) if call.signature else warn(f"unknown call {call.selector}".rstrip())
        words = line(name, " on ", *place, f" with {sum_of}" if call.value_wei else "")
    inside = [*arguments(facts, call), *_bytes(call), *_guessed(call)]
    inside += [bullet(warn(note))] if call.calldata and (note := _note(facts, call)) else []
    inside += [_call(facts, inner) for inner in call.inner]
    where = line(warn(f" on {chain_in_words(call.chain_id)}")) if call.other_chain else ()
    how = line((soft if only_batches(call) else bad)(" by delegatecall")) if call.delegatecall else ()
    return bullet(code(call.path), " ", *words, *where, *how, inner=tuple(inside))


def _note(facts: Facts, call: DecodedCall) -> str:
    """Without the doubt whether an amount is one, where the token has told how it counts."""
    counted = token_amount(call)
    is_amount = counted is not None and counts(facts, counted.asset)
    return call.note.replace(MAY_COUNT_AN_NFT, "").strip("; ") if is_amount else call.note


def _bytes(call: DecodedCall) -> Iterator[Bullet]:
    """Of a call that nothing explains."""
    if call.signature is None and call.calldata:
        yield bullet(code(short(f"0x{call.calldata.hex()}")))


def _guessed(call: DecodedCall) -> Iterator[Bullet]:
    """What published packages have under the selector of an unknown call: for people, and for nothing else."""
    if call.signature is not None or call.inner:
        return
    for guess in guesses(call.calldata):
        fits = "its arguments fit" if guess.arguments is not None else "its arguments are not read"
        words = line("perhaps ", code(guess.signature), f": a guess by four bytes, which anyone can match; {fits}")
        values = tuple(bullet(code(short(a.value)), soft(f" ({a.type})")) for a in guess.arguments or ())
        yield Bullet(words, values)
