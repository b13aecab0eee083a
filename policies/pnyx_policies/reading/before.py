"""What was proposed, paid and done before, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_policies.context import (
    AlreadySo,
    EarlierCalls,
    EarlierPayments,
    NearbyCoins,
    PaymentsByOthers,
    ProposerHistory,
    ProposersNearby,
)
from pnyx_policies.facts import Facts
from pnyx_policies.reading.amounts import amount, decimal, who
from pnyx_policies.reading.blocks import Bullet, bad, bullet, code, warn


def proposers_nearby(found: ProposersNearby, facts: Facts) -> Iterator[Bullet]:
    others = len(found.first_time) + found.left_out
    yield bullet(f"Others who proposed within a day of this: {found.known}; for the first time: {others}")
    for proposer in found.first_time:
        sent = "transactions before: " + ("not known" if proposer.sent_before is None else f"{proposer.sent_before:,}")
        yield bullet(*who(facts, proposer.account), f": proposals {proposer.proposals}, empty {proposer.empty}; {sent}")


def nearby_coins(found: NearbyCoins, facts: Facts) -> Iterator[Bullet]:
    if not found.same:
        yield bullet("No other new account that proposed is known to have its first coin from the same sender")
    for one in found.same:
        yield bullet(
            *who(facts, one.account), warn(" has its first coin from the same sender"), ", ", *who(facts, one.sender)
        )


def payments(found: EarlierPayments, facts: Facts) -> Iterator[Bullet]:
    if not found.payments:
        yield bullet(f"No payment to the same receivers in the same asset since block {found.from_block:,}")
    for paid in found.payments:
        yield bullet(
            *amount(facts, paid.asset, paid.amount),
            " went to ",
            *who(facts, paid.receiver),
            f" before; transfers: {paid.transfers}, the last in block {paid.last_block:,}",
        )
        if paid.since_proposed:
            yield bullet(warn("Since this was proposed"), ": ", *amount(facts, paid.asset, paid.since_proposed))
    for payee in found.mistaken:
        yield bullet(
            bad("Not the one that was paid before"),
            ": ",
            *who(facts, payee.receiver),
            " looks like ",
            *who(facts, payee.looks_like),
        )


def payments_by_others(found: PaymentsByOthers, facts: Facts) -> Iterator[Bullet]:
    if not found.payments:
        yield bullet(f"Nobody else paid the same receivers in the same asset since block {found.from_block:,}")
    for paid in found.payments:
        last = f"; transfers: {paid.transfers}, the last in block {paid.last_block:,}"
        by = who(facts, paid.sender)
        yield bullet(*by, " paid ", *amount(facts, paid.asset, paid.amount), " to ", *who(facts, paid.receiver), last)
    if found.left_out:
        yield bullet(f"Further accounts that paid them: {found.left_out}")


def earlier_calls(found: EarlierCalls, _facts: Facts) -> Iterator[Bullet]:
    if not found.calls:
        yield bullet(f"The executor made none of these calls since block {found.from_block:,}")
    for call in found.calls:
        told = f": {call.times} times, the last in block {call.last_block:,}"
        yield bullet(warn(f"Call {call.path} was made before"), told)


def already_so(found: AlreadySo, facts: Facts) -> Iterator[Bullet]:
    if not found.so:
        yield bullet("No call asks for what is known to be so already")
    for one in found.so:
        told = f"What call {one.path} asks for is so already"
        yield bullet(warn(told), ", by ", code(one.question), " of ", *who(facts, one.contract))
    if found.left_out:
        yield bullet(warn(f"Calls that were not asked about: {found.left_out}"))


def proposer_history(found: ProposerHistory, facts: Facts) -> Iterator[Bullet]:
    yield bullet("Proposed by ", *who(facts, found.proposer))
    yield bullet(
        f"Other proposals since block {found.from_block:,}: {found.proposals_in_governor}, "
        f"of the same proposer: {found.proposals_by_proposer}, of these within a day: {found.nearby_by_proposer}"
    )
    for earlier in found.latest:
        if earlier.same_calls:
            when = f" ({earlier.state}, block {earlier.created_block:,}): proposal "
            yield bullet(warn("The same calls before"), when, code(str(earlier.proposal_id)))
    own = {earlier.proposal_id for earlier in found.latest}
    for earlier in found.repeated:
        if earlier.proposal_id not in own or not earlier.same_calls:
            when = f" ({earlier.state}, block {earlier.created_block:,}): proposal "
            yield bullet(warn("The same actions before"), when, code(str(earlier.proposal_id)))
    for alike in found.alike:
        same = "the same calls" if alike.same_calls else "the same functions" if alike.same_functions else "other calls"
        share, number = decimal(alike.alike_bps, 2), code(str(alike.proposal_id))
        by = who(facts, alike.proposer)
        yield bullet(warn(f"A text that is {share}% alike, with {same}"), ": proposal ", number, " of ", *by)
