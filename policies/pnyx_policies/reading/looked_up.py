"""What the context tools found, in sentences; of tools that are not our own, single values as they are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch
from typing import Final

from pydantic import JsonValue

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.types import ZERO_ADDRESS
from pnyx_policies.context import (
    READINGS,
    Afterwards,
    AssetPrices,
    CodeOrigins,
    DestroyedCode,
    EnsNames,
    FirstCoin,
    GovernorCode,
    GroundRules,
    HeldProposals,
    Initializers,
    InnerCalls,
    LiveProposals,
    OtherChains,
    PowerReceivers,
    PriceSources,
    ProposerAccount,
    ProposerBefore,
    Reading,
    ScheduledOrder,
    TimelockQueue,
    TreasuryBalances,
    Upgrades,
    ValuesOfUpgrades,
    VotingPower,
    read_context,
)
from pnyx_policies.elsewhere import chain_in_words
from pnyx_policies.facts import Facts, Grade, ToolResult
from pnyx_policies.reading import before
from pnyx_policies.reading.amounts import amount, decimal, span, who
from pnyx_policies.reading.blocks import Block, Bullet, Bullets, bad, bullet, code, line, paragraph, soft, strong, warn
from pnyx_policies.reading.priced import KIND, prices_of_assets, sources_of_prices
from pnyx_policies.untrusted import quoted_json

LONGEST_VALUE: Final = 200
_MEANING: Final = {
    Grade.DERIVED: "Derived: anybody can compute it again from what the chain holds.",
    Grade.RE_READ: "Re-read: anybody can read it again from the chain.",
    Grade.RE_SIMULATED: "Re-simulated: anybody can simulate it again.",
    Grade.ATTESTED: "Attested: only the operator says so.",
}
_KINDS: Final = {kind.TOOL: kind for kind in READINGS}


def looked_up(facts: Facts) -> Iterator[Block]:
    if not facts.context:
        yield paragraph("Nothing.")
        return
    grades = {result.grade for result in facts.context}
    yield paragraph(soft(" ".join(_MEANING[grade] for grade in Grade if grade in grades)))
    yield Bullets(tuple(_told(facts, result) for result in facts.context))


def _told(facts: Facts, result: ToolResult) -> Bullet:
    """On one line where there is one thing to tell: most tools find nothing most of the time."""
    head, found = line(strong(result.tool), f" ({result.grade.value})"), tuple(_found(facts, result))
    if len(found) == 1 and not found[0].inner:
        return bullet(*head, ": ", *found[0].line)
    return bullet(*head, inner=found)


def _found(facts: Facts, result: ToolResult) -> Iterator[Bullet]:
    kind = _KINDS.get(result.tool)
    try:
        reading = read_context(kind, (result,), ()) if kind else None
    except DecodingError:  # of another version, or a stranger's
        reading = None
    yield from _values(result.result) if reading is None else _sentences(reading, facts)


def _values(result: JsonValue) -> Iterator[Bullet]:
    values = result if isinstance(result, dict) else {"result": result}
    for name, value in sorted(values.items()):
        shown = f"{len(value)} items" if isinstance(value, list) else quoted_json(value, LONGEST_VALUE).strip('"')
        yield bullet(f"{name.replace('_', ' ')}: ", code(shown))


@singledispatch
def _sentences(reading: Reading, _facts: Facts) -> Iterator[Bullet]:
    """Of a result for which there are no words."""
    yield from _values(reading.model_dump(mode="json"))


for _words in (
    before.proposer_history, before.payments, before.payments_by_others, before.earlier_calls, before.already_so,
    before.proposers_nearby, before.nearby_coins,
):  # fmt: skip
    _sentences.register(_words)


@_sentences.register
def _account(found: ProposerAccount, facts: Facts) -> Iterator[Bullet]:
    yield bullet("The account that proposed, ", *who(facts, found.proposer), f", is a {KIND[found.kind]} now")
    called = who(facts, found.called) if found.called else line("nobody: it created a contract")
    sent = f", transactions sent before: {found.sender_transactions:,}; it called "
    yield bullet("The transaction was sent by ", *who(facts, found.sender), sent, *called)


@_sentences.register
def _before(found: ProposerBefore, _facts: Facts) -> Iterator[Bullet]:
    before = found.before
    if before is None:
        yield bullet("The chain is too young to tell how the account stood a week before")
        return
    yield bullet(
        f"In block {before.block:,} the account had {before.coin_wei:,} wei, had sent {before.transactions:,} "
        f"transactions, and was {'a contract' if before.has_code else 'no contract'}"
    )


@_sentences.register
def _upgrades(found: Upgrades, facts: Facts) -> Iterator[Bullet]:
    if not found.upgrades:
        yield bullet("The calls replace no code that a proxy runs")
    for upgrade in found.upgrades:
        gone = len(upgrade.gone) + upgrade.more_gone
        told = f" has {upgrade.functions} functions, {upgrade.added} of them new; gone are {gone}"
        yield bullet(*who(facts, upgrade.after), told if upgrade.functions else " shows no functions")
    if found.left_out:
        yield bullet(warn(f"Further upgrades that were not compared: {found.left_out}"))


@_sentences.register
def _changed_values(found: ValuesOfUpgrades, facts: Facts) -> Iterator[Bullet]:
    if not found.upgrades:
        yield bullet("No contract was asked what an upgrade changes")
    for upgrade in found.upgrades:
        number = len(upgrade.moved) + upgrade.more_moved
        told = f" answers {number} of {upgrade.answered} questions otherwise by its new code, constants aside"
        yield bullet(*who(facts, upgrade.contract), told)
        for signature in upgrade.opened:
            yield bullet(bad("Anybody can initialise it afterwards"), " by ", code(signature))
        if upgrade.left_out:
            yield bullet(warn(f"Questions that were not asked: {upgrade.left_out}"))


@_sentences.register
def _inner(found: InnerCalls, facts: Facts) -> Iterator[Bullet]:
    if not found.is_traced:
        yield bullet("No code that the calls reach creates contracts or runs other code")
        return
    yield bullet(f"Contracts that the actions create: {len(found.created) or 'none'}")
    for each in found.delegated:
        yield bullet(*who(facts, each.caller), " runs code of ", *who(facts, each.code))
    if found.left_out:
        yield bullet(warn(f"Further contracts and codes inside the actions: {found.left_out}"))


@_sentences.register
def _first_coin(found: FirstCoin, facts: Facts) -> Iterator[Bullet]:
    if found.block is None:
        yield bullet("Where the proposer's account has its first coin from was not looked for: it is not that new")
        return
    sender = who(facts, found.sender) if found.sender else line("nobody knows whom")
    yield bullet(f"The proposer's account got its first coin in block {found.block:,}, from ", *sender)


@_sentences.register
def _receivers(found: PowerReceivers, facts: Facts) -> Iterator[Bullet]:
    if not found.receivers:
        yield bullet("The calls give nobody a role, ownership, a seat or a module")
    for receiver in found.receivers:
        yield bullet("Power goes to ", *who(facts, receiver.account), f", a {KIND[receiver.kind]}")
    if found.left_out:
        yield bullet(warn(f"Receivers of power that were not looked at: {found.left_out}"))


@_sentences.register
def _price_sources(found: PriceSources, facts: Facts) -> Iterator[Bullet]:
    yield from sources_of_prices(found, facts)


@_sentences.register
def _asset_prices(found: AssetPrices, facts: Facts) -> Iterator[Bullet]:
    yield from prices_of_assets(found, facts)


@_sentences.register
def _power(found: VotingPower, facts: Facts) -> Iterator[Bullet]:
    whole = found.supply_before or _supply(facts)
    before = f", {_part(found.proposer_before, whole)} a day before" if found.proposer_before is not None else ""
    yield bullet(f"The proposer had {_part(found.proposer_at_creation, whole)} when it was proposed{before}")
    if found.power_ahead_of_time is not None:
        yield bullet(bad("The governor tells the power of a moment that has not come: it may count live power"))
    if not found.voters:
        yield bullet("Nobody voted yet")
    else:
        largest = decimal(found.largest_share_bps, 2)
        yield bullet(f"Accounts that voted: {found.voters:,}; the largest cast {largest}% of what was cast")
    for voter in found.largest[:3]:
        yield bullet(
            *who(facts, voter.voter),
            f" voted {', '.join(voter.votes)} with {_part(voter.weight, found.weight_cast, 'what was cast')}",
        )
    if found.late is not None and found.late.turned:
        yield bullet(bad(f"Votes since block {found.late.since_block:,} turned the majority around"))


@_sentences.register
def _balances(found: TreasuryBalances, facts: Facts) -> Iterator[Bullet]:
    if not found.accounts:
        yield bullet("No account was looked at")
    for account in found.accounts:
        inner = tuple(Bullet(amount(facts, h.asset, h.balance)) for h in account.holdings if h.balance)
        holds = " holds" if inner else " holds nothing of what was looked at"
        yield bullet(f"The {account.role} ", *who(facts, account.account), holds, inner=inner)


@_sentences.register
def _queue(found: TimelockQueue, facts: Facts) -> Iterator[Bullet]:
    delay = f": {found.pending}; its delay: {span(found.min_delay_seconds)}"
    yield bullet("Operations that wait in the timelock ", *who(facts, found.timelock), delay)
    for operation in found.operations:
        if operation.same_calls:
            yield bullet(warn("One of them does what this proposal would"), ": ", code(f"0x{operation.id.hex()}"))


@_sentences.register
def _rules(found: GroundRules, facts: Facts) -> Iterator[Bullet]:
    def ticks(number: int | None) -> str:
        return "not known" if number is None else f"about {span(number * found.milliseconds_per_tick // 1000)}"

    yield bullet(f"Time to look: {ticks(found.voting_delay)}; to vote: {ticks(found.voting_period)}")
    if found.timelock_delay_seconds is not None:
        yield bullet(f"Between the vote and the execution: {span(found.timelock_delay_seconds)}")
    yield bullet(
        f"To propose takes {_part(found.proposal_threshold, found.supply)}; "
        f"to pass takes {_part(found.quorum, found.supply)}"
    )
    if found.flash_loan:
        yield bullet(bad("The token lends itself for the length of one transaction"), f": {found.flash_loan:,} units")
    for role in found.roles:
        holder = line("anybody") if role.holder == ZERO_ADDRESS else who(facts, role.holder)
        over = line("itself") if role.holder == role.timelock else who(facts, role.timelock)
        yield bullet(*holder, f" is {role.role} of ", *over)


@_sentences.register
def _governor_code(found: GovernorCode, _facts: Facts) -> Iterator[Bullet]:
    past, live = (", ".join(names) or "nothing" for names in (found.past, found.live))
    yield bullet(f"The governor's code asks for power of the past by {past}, of now by {live}")
    for path in found.emergency:
        yield bullet(warn("It has an emergency path"), ": ", code(path))


@_sentences.register
def _initializers(found: Initializers, facts: Facts) -> Iterator[Bullet]:
    can = f"{len(found.open) or 'none'} of {len(found.contracts)}"
    yield bullet(f"Contracts that anybody can initialise again: {can}")
    if found.left_out:
        yield bullet(warn(f"Contracts that were not asked: {found.left_out}"))
    for one in found.open:
        yield bullet(
            bad("Anybody can initialise it again"),
            f": the {one.role} ",
            *who(facts, one.contract),
            " by ",
            code(one.signature),
        )


@_sentences.register
def _names(found: EnsNames, _facts: Facts) -> Iterator[Bullet]:
    if found.registry is None:
        yield bullet("There is no ENS on this chain")
    elif not found.names:
        yield bullet("No address of the calls has a name that leads back to it")
    yield from (bullet(code(entry.address), f" is {entry.name}") for entry in found.names)
    for address in found.not_believed:
        yield bullet(code(address), warn(" claims a name that does not lead back to it, or is not plain"))
    if found.left_out:
        yield bullet(warn(f"Addresses that were not looked up: {found.left_out}"))


@_sentences.register
def _live(found: LiveProposals, _facts: Facts) -> Iterator[Bullet]:
    yield bullet(f"Other proposals that may still be executed, made since block {found.from_block:,}: {found.live}")
    for other in found.proposals:
        fails = (", ", warn("which does not go through now")) if other.reverts else ()
        yield bullet("Proposal ", code(str(other.proposal_id)), f" ({other.state}, calls: {other.calls})", *fails)
    if found.waiting:
        yield bullet(f"Operations of others that wait in the timelock: {found.waiting}")
    for operation in found.operations:
        fails = (", ", warn("which does not go through now")) if operation.reverts else ()
        yield bullet("Operation ", code(f"0x{operation.id.hex()}"), f" (calls: {operation.calls})", *fails)
    if found.afterwards is not None:
        yield _after(found.afterwards)
    if unseen := found.live - len(found.proposals) + found.waiting - len(found.operations):
        yield bullet(warn(f"Further ones that were not tried: {unseen}"))
    if found.not_asked:
        yield bullet(warn(f"Older proposals that were not asked whether they are live: {found.not_asked}"))


@_sentences.register
def _order(found: ScheduledOrder, facts: Facts) -> Iterator[Bullet]:
    if not found.tried:
        yield bullet("The calls schedule no operations apart from one another")
    for tried in found.tried:
        if tried.reverts_in_order:
            told = warn("some do not go through as things are")
        elif tried.reverts_reversed or tried.differs:
            told = bad("in the reverse order they do something else, or revert")
        else:
            told = soft("in the reverse order they do the same")
        yield bullet(f"{tried.operations} operations in ", *who(facts, tried.timelock), ": ", told)


@_sentences.register
def _held(found: HeldProposals, _facts: Facts) -> Iterator[Bullet]:
    if found.log is None:
        yield bullet("No log was named in which an agent would hold proposals")
        return
    yield bullet(
        f"Other proposals that wait for people, because this agent holds its vote: {found.held}, "
        f"of the same proposer: {found.held_of_proposer}"
    )
    if found.not_asked:
        yield bullet(warn(f"Older proposals that were not asked whether they can be voted on: {found.not_asked}"))


@_sentences.register
def _destroyed(found: DestroyedCode, _facts: Facts) -> Iterator[Bullet]:
    if found.makes_room is None:
        yield bullet("No code that the calls reach can destroy itself")
    elif found.makes_room:
        yield bullet(warn("On this chain, other code can come to lie where code destroyed itself"))
    else:
        yield bullet("On this chain, code that destroys itself makes no room for other code")


@_sentences.register
def _origins(found: CodeOrigins, facts: Facts) -> Iterator[Bullet]:
    if not found.codes:
        since = f"since before block {found.young_from:,}" if found.young_from else "of a chain that is young itself"
        yield bullet(f"Code that the calls run: {since}")
    for made in (made for origin in found.codes for made in origin.made):
        by = who(facts, made.maker) if made.maker else line("nobody knows whom")
        yield bullet(*who(facts, made.contract), f" was made in block {made.block:,} ({made.how.value}) by ", *by)
    if found.left_out:
        yield bullet(warn(f"Further codes that were not looked at: {found.left_out}"))


def _after(found: Afterwards) -> Bullet:
    tried = f"Run after them ({len(found.after) + len(found.after_operations)}), this one "
    if found.reverts:
        return bullet(tried, bad("reverts"), f": actions {', '.join(found.reverts)}")
    return bullet(tried, bad("does something else") if found.differs else "does what it does alone")


@_sentences.register
def _other_chains(found: OtherChains, _facts: Facts) -> Iterator[Bullet]:
    if not found.runs:
        yield bullet("No call is a message to another chain")
    for run in found.runs:
        what = f"Calls {', '.join(run.paths)} on {chain_in_words(run.chain_id)}"
        if run.simulation is None or run.block is None:
            yield bullet(what, ": ", warn(f"not simulated: {run.why_not}"))
        else:
            at = f", at block {run.block.number:,} there: {run.simulation.status.value}"
            yield bullet(what, at, soft(f" · effects: {len(run.simulation.effects)}"))


def _part(power: int | None, whole: int | None, of: str = "all voting power") -> str:
    """``4.2% of all voting power``, rounded down."""
    if power is None or not whole:
        return "an unknown part of " + of
    basis_points = power * 10_000 // whole
    return f"{decimal(basis_points, 2)}% of {of}" if basis_points or not power else f"less than 0.01% of {of}"


def _supply(facts: Facts) -> int | None:
    """Of voting power today."""
    try:
        return read_context(GroundRules, facts.context, facts.skipped).supply
    except DecodingError:
        return None
