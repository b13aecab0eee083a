"""Whose money it is that moves: what of all movements the DAO pays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from pnyx_contracts.types import ZERO_ADDRESS
from pnyx_policies.claims import claims_of
from pnyx_policies.facts import Facts, Movement
from pnyx_policies.powers import friends
from pnyx_policies.text import addresses

Holder = tuple[str, str | None]
"""Somebody, and an asset."""


def movements_of_the_dao(facts: Facts, through: Mapping[Holder, str]) -> Iterator[Movement]:
    """Transfers and allowances by the DAO, by an account that acts for it, or by a contract whose shares it gives up;
    transfers from what it had by a contract that is called, or by anybody to whom a call says. What goes `through` a
    contract is paid by who paid that one.
    """
    payers, called, losers, said = _payers(facts), _called(facts), _losers(facts), _receivers_in_calls(facts)
    for move in facts.simulation.all_movements:
        is_transfer, holder = move.kind == "transfer", (move.sender, move.asset)
        is_directed = move.sender in called or (is_transfer and move.recipient in said)
        if is_transfer and (move.recipient, move.asset) in through:
            continue
        if is_transfer and holder in through:
            yield move.model_copy(update={"sender": through[holder]})
        elif move.sender in payers or (is_directed and holder in losers):
            yield move


def passed_through(facts: Facts) -> dict[Holder, str]:
    """Called contracts, each with an asset of which all that one account of the DAO pays goes on to receivers in a
    list, and that account: whoever pays many by one call pays each of them. Only contracts that the text or the
    operator names: another one may pass on in a simulation, and keep what it gets later.
    """
    moves = [m for m in facts.simulation.all_movements if m.kind == "transfer"]
    listed = _receivers_in_calls(facts, "[]") - {m.asset for m in moves}
    payers, named = _payers(facts), claims_of(facts).addresses | facts.known_addresses.keys()
    called = (_called(facts) & named) - friends(facts)
    come, gone, sources = Counter[Holder](), Counter[Holder](), dict[Holder, set[str]]()
    for move in moves:
        come[move.recipient, move.asset] += move.amount
        sources.setdefault((move.recipient, move.asset), set()).add(move.sender)
        gone[move.sender, move.asset] += move.amount if move.recipient in listed else 0
    whole = (h for h, amount in gone.items() if h[0] in called and 0 < amount == come[h] and len(sources[h]) == 1)
    paid = {holder: next(iter(sources[holder])) for holder in whole}
    return {holder: source for holder, source in paid.items() if source in payers}


def _payers(facts: Facts) -> frozenset[str]:
    own = friends(facts) | {c.caller for c in facts.every_call() if c.caller}
    gone = (m for m in facts.simulation.all_movements if m.kind == "transfer" and m.recipient == ZERO_ADDRESS)
    return own | {m.asset for m in gone if m.sender in own and m.asset}


def _losers(facts: Facts) -> frozenset[Holder]:
    """Who pays out more of an asset than comes in. Coin that goes to the asset's own contract is wrapped there; what is
    made anew is nobody's loss.
    """
    moves = [m for m in facts.simulation.all_movements if m.kind == "transfer"]
    assets = {m.asset for m in moves}
    balances: Counter[tuple[str, str | None, int | None]] = Counter()
    for move in moves:
        balances[move.sender, move.asset, move.token_id] -= move.amount
        balances[move.recipient, move.asset, move.token_id] += move.amount
        if move.asset is None and move.recipient in assets:
            balances[move.sender, move.recipient, None] += move.amount
    return frozenset((who, asset) for (who, asset, _), change in balances.items() if change < 0 and who != ZERO_ADDRESS)


def _called(facts: Facts) -> frozenset[str]:
    return frozenset(call.target for call in facts.every_call() if not call.other_chain)


def _receivers_in_calls(facts: Facts, in_type: str = "") -> frozenset[str]:
    """Addresses among the arguments; with `in_type`, of types that contain this."""
    arguments = (a for call in facts.every_call() if not call.other_chain for a in call.arguments)
    return frozenset(
        found for a in arguments if "address" in a.type and in_type in a.type for found in addresses(a.value)
    )
