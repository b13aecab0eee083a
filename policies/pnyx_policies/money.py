"""What leaves the treasury: transfers and allowances.

What the simulation saw move counts, and what the calls say beyond it: a ``transfer`` that moves nothing we can see is
no reason to believe that nothing moved. Without a simulation, the calls give a lower bound only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.types import UINT256_MAX, ZERO_ADDRESS
from pnyx_policies.facts import Facts, Holding, Movement, SimulationStatus
from pnyx_policies.payers import Holder, movements_of_the_dao, passed_through
from pnyx_policies.powers import friends


class OutflowKind(Enum):
    TRANSFER = "transfer"
    ALLOWANCE = "allowance"
    """Permission to take. Counts like a transfer: what may be taken is as good as gone."""


@dataclass(frozen=True, slots=True)
class Outflow:
    """`asset` is None for the chain's own coin; `amount` in wei or token units, 1 for one NFT. `token_id` is the number
    of what is numbered (ERC-721, ERC-1155).
    """

    kind: OutflowKind
    asset: str | None
    sender: str
    recipient: str
    amount: int
    path: str
    """Path of the call; empty when only the simulation showed it."""
    token_id: int | None = None
    is_indirect: bool = False
    """What is seen of it counts otherwise: a vault pays what its shares stand for, an allowance becomes larger."""
    raised_by: int = 0
    """By how much a call makes an allowance larger, which is `amount` then."""

    @property
    def is_single(self) -> bool:
        """One NFT, or one of what is numbered: an amount that no text would write."""
        return self.token_id is not None and self.amount == 1

    @property
    def unit(self) -> tuple[str | None, int | None]:
        """What `amount` counts."""
        return self.asset, self.token_id

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path,) if self.path else ()


@dataclass(frozen=True, slots=True)
class Outflows:
    """`why` says why there may be more than what is listed; empty when this is all."""

    items: tuple[Outflow, ...]
    why: str = ""


def outflows(facts: Facts) -> Outflows:
    """Everything that goes to somebody outside the DAO."""
    through = passed_through(facts)
    called = tuple(o for o in _to_outsiders(facts, _of_calls(facts)) if not _goes_on(o, through))
    paths = _Paths({_essence(o): o.path for o in called}, {_outline(o): o.path for o in called if o.is_indirect})
    seen = (_of_movement(m, paths) for m in movements_of_the_dao(facts, through))
    moved = tuple(_with_raises(called, tuple(_to_outsiders(facts, seen))))
    abroad = next((c for c in facts.every_call() if c.other_chain), None)
    doubts = (
        "" if _simulated(facts) else NOT_SEEN[facts.simulation.status],
        f"call {abroad.path} acts on another chain" if abroad else "",
    )
    return Outflows((*moved, *_beyond(called, moved)), "; ".join(d for d in doubts if d))


NOT_SEEN: Final = {
    SimulationStatus.SKIPPED: "nothing was simulated",
    SimulationStatus.REVERTED: "the simulation reverts",
}
"""Why the calls alone tell what moves."""


MOST_DECIMALS: Final = 36


def unexplained_effects(facts: Facts) -> int | None:
    """How far the simulation is from "these payments and nothing else": effects that no payment among the calls
    explains, and payments that were not seen. None without a simulation.
    """
    if not _simulated(facts):
        return None
    called = Counter((o.sender, *_essence(o)) for o in _of_calls(facts))
    every = (_of_movement(movement, _Paths({}, {})) for movement in facts.simulation.all_movements)
    moved = Counter((o.sender, *_essence(o)) for o in every)
    return (called - moved).total() + (moved - called).total() + len(facts.simulation.all_changes)


def _simulated(facts: Facts) -> bool:
    return facts.simulation.status is SimulationStatus.SUCCEEDED


def _beyond(called: Iterable[Outflow], moved: Collection[Outflow]) -> Iterator[Outflow]:
    """What was called and not seen to move, each as often as it was called."""
    seen, outlines = Counter(map(_essence, moved)), set(map(_outline, moved))
    for outflow in called:
        essence = _essence(outflow)
        if seen[essence]:
            seen[essence] -= 1
        elif not (outflow.is_indirect and _outline(outflow) in outlines):
            yield outflow


def holding_of(facts: Facts, asset: str | None) -> Holding | None:
    """What the treasury holds of an asset, None when nobody looked."""
    return next((h for h in facts.treasury if h.asset == asset), None)


def asset_words(asset: str | None, token_id: int | None = None) -> str:
    """An asset, or one number of it, in a finding."""
    if asset is None:
        return "the chain's coin"
    return asset if token_id is None else f"number {token_id} of {asset}"


def decimals_of(facts: Facts, asset: str) -> int | None:
    """How many a token says that it has; None as well for more than make sense: they hide a number behind zeros."""
    holding = holding_of(facts, asset)
    decimals = holding.decimals if holding is not None else None
    return decimals if decimals is not None and decimals <= MOST_DECIMALS else None


def by_asset(facts: Facts, items: Iterable[Outflow]) -> tuple[tuple[Outflow, ...], ...]:
    """In order of first appearance. Of a contract that counts each number by itself (ERC-1155), each number is one."""
    counted = {(b.token, b.token_id) for b in facts.simulation.balances if b.token_id is not None and b.was_read}
    groups: dict[tuple[str | None, int | None], list[Outflow]] = {}
    for outflow in items:
        unit = outflow.unit if outflow.unit in counted else (outflow.asset, None)
        groups.setdefault(unit, []).append(outflow)
    return tuple(map(tuple, groups.values()))


def _to_outsiders(facts: Facts, items: Iterable[Outflow]) -> Iterator[Outflow]:
    own = friends(facts)
    return (o for o in items if o.recipient not in own and o.amount)


def _with_raises(called: Iterable[Outflow], moved: Collection[Outflow]) -> Iterator[Outflow]:
    """By how much an allowance grows is told only where one call alone is what changes it."""
    calls, changes = (Counter(map(_outline, items)) for items in (called, moved))
    raises = {_outline(o): o.amount for o in called if o.is_indirect and calls[_outline(o)] == 1}
    for outflow in moved:
        place = _outline(outflow)
        is_raise = outflow.kind is OutflowKind.ALLOWANCE and changes[place] == 1
        yield replace(outflow, raised_by=raises.get(place, 0)) if is_raise else outflow


def _goes_on(outflow: Outflow, through: Mapping[Holder, str]) -> bool:
    return outflow.kind is OutflowKind.TRANSFER and (outflow.recipient, outflow.asset) in through


_Essence = tuple[OutflowKind, str | None, int | None, str, int]
_Outline = tuple[OutflowKind, str | None, str]


@dataclass(frozen=True, slots=True)
class _Paths:
    """Which call a movement belongs to: by all that it says, or by who gets something out of what."""

    by_essence: Mapping[_Essence, str]
    by_outline: Mapping[_Outline, str]

    def of(self, seen: Outflow) -> str:
        return self.by_essence.get(_essence(seen)) or self.by_outline.get(_outline(seen), "")


def _essence(outflow: Outflow) -> _Essence:
    return outflow.kind, outflow.asset, outflow.token_id, outflow.recipient, outflow.amount


def _outline(outflow: Outflow) -> _Outline:
    """For what counts otherwise than it is seen: a vault that is called is who pays."""
    is_payment = outflow.kind is OutflowKind.TRANSFER and not outflow.is_indirect
    return outflow.kind, outflow.sender if is_payment else outflow.asset, outflow.recipient


def _of_movement(movement: Movement, paths: _Paths) -> Outflow:
    kind = OutflowKind.TRANSFER if movement.kind == "transfer" else OutflowKind.ALLOWANCE
    seen = Outflow(kind, movement.asset, movement.sender, movement.recipient, movement.amount, "", movement.token_id)
    return replace(seen, path=paths.of(seen))


_UINT256_DIGITS = 78
_LISTED: Final = re.compile(r"[0-9]+")
_TRANSFER, _ALLOWANCE = OutflowKind.TRANSFER, OutflowKind.ALLOWANCE


@dataclass(frozen=True, slots=True)
class _Money:
    """Places of a money function's arguments. No `sender`: the caller; no `asset`: the contract that is called; no
    `amount`: one NFT where there is a `number`, else everything, or nothing where the `flag` is false. Amounts and
    numbers may be lists. `is_indirect` as in `Outflow`.
    """

    kind: OutflowKind
    recipient: int
    amount: int | None
    sender: int | None = None
    asset: int | None = None
    number: int | None = None
    flag: int | None = None
    mints: bool = False
    is_indirect: bool = False

    @property
    def places(self) -> int:
        """How many arguments there must be."""
        places = (self.recipient, self.amount, self.sender, self.asset, self.number, self.flag)
        return 1 + max(place for place in places if place is not None)


_MONEY: dict[str, _Money] = {
    "transfer(address,uint256)": _Money(_TRANSFER, 0, 1),
    "transferFrom(address,address,uint256)": _Money(_TRANSFER, 1, 2, sender=0),
    "safeTransferFrom(address,address,uint256)": _Money(_TRANSFER, 1, None, sender=0, number=2),
    "safeTransferFrom(address,address,uint256,bytes)": _Money(_TRANSFER, 1, None, sender=0, number=2),
    "safeTransferFrom(address,address,uint256,uint256,bytes)": _Money(_TRANSFER, 1, 3, sender=0, number=2),
    "safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)": _Money(_TRANSFER, 1, 3, sender=0, number=2),
    "send(address,uint256,bytes)": _Money(_TRANSFER, 0, 1),
    "operatorSend(address,address,uint256,bytes,bytes)": _Money(_TRANSFER, 1, 2, sender=0),
    "withdrawTo(address,uint256)": _Money(_TRANSFER, 0, 1, is_indirect=True),
    "withdraw(uint256,address,address)": _Money(_TRANSFER, 1, 0, sender=2, is_indirect=True),
    "redeem(uint256,address,address)": _Money(_TRANSFER, 1, 0, sender=2, is_indirect=True),
    "withdraw(address,uint256,address)": _Money(_TRANSFER, 2, 1, asset=0),
    "_grantComp(address,uint256)": _Money(_TRANSFER, 0, 1, is_indirect=True),
    "recoverFunds(address,address,uint256)": _Money(_TRANSFER, 1, 2, asset=0),
    "approve(address,uint256)": _Money(_ALLOWANCE, 0, 1),
    "increaseAllowance(address,uint256)": _Money(_ALLOWANCE, 0, 1, is_indirect=True),
    "increaseApproval(address,uint256)": _Money(_ALLOWANCE, 0, 1, is_indirect=True),
    "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)": _Money(_ALLOWANCE, 1, 2, sender=0),
    "permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)": _Money(_ALLOWANCE, 1, None, sender=0, flag=4),
    "setApprovalForAll(address,bool)": _Money(_ALLOWANCE, 0, None, flag=1),
    "authorizeOperator(address)": _Money(_ALLOWANCE, 0, None),
    # ERC-6909
    "transfer(address,uint256,uint256)": _Money(_TRANSFER, 0, 2, number=1),
    "transferFrom(address,address,uint256,uint256)": _Money(_TRANSFER, 1, 3, sender=0, number=2),
    "approve(address,uint256,uint256)": _Money(_ALLOWANCE, 0, 2, number=1),
    # Permit2
    "approve(address,address,uint160,uint48)": _Money(_ALLOWANCE, 1, 2, asset=0),
    "transferFrom(address,address,uint160,address)": _Money(_TRANSFER, 1, 2, sender=0, asset=3),
    # new money dilutes everybody's
    "mint(address,uint256)": _Money(_TRANSFER, 0, 1, mints=True),
    "mint(address,uint256,uint256,bytes)": _Money(_TRANSFER, 0, 2, number=1, mints=True),
    "mintBatch(address,uint256[],uint256[],bytes)": _Money(_TRANSFER, 0, 2, number=1, mints=True),
    "safeMint(address,uint256)": _Money(_TRANSFER, 0, None, number=1, mints=True),
}


_IN_OTHER_UNITS = frozenset({"withdraw(uint256,address,address)", "_grantComp(address,uint256)"})
"""Their amounts are not of the contract that is called."""
_AMOUNTS_BESIDE: dict[str, int] = {
    "decreaseAllowance(address,uint256)": 1,
    "decreaseApproval(address,uint256)": 1,
    "burn(uint256)": 0,
    "burn(address,uint256)": 1,
    "burnFrom(address,uint256)": 1,
}
"""Amounts of the called token that go to nobody: place of the argument."""


@dataclass(frozen=True, slots=True)
class TokenAmount:
    """An argument of a call that counts units of `asset`. `place` is that of the argument."""

    asset: str
    place: int
    amount: int


def token_amount(call: DecodedCall) -> TokenAmount | None:
    """None when no argument is known to be one, for NFTs, and for a call on another chain."""
    signature, values = call.signature or "", [a.value for a in call.arguments]
    money = _MONEY.get(signature)
    place = money.amount if money is not None and money.number is None else _AMOUNTS_BESIDE.get(signature)
    places = money.places if money is not None else (place or 0) + 1
    if place is None or len(values) < places or call.other_chain or signature in _IN_OTHER_UNITS:
        return None
    asset = call.target if money is None or money.asset is None else values[money.asset]
    return TokenAmount(asset, place, int(values[place])) if _is_amount(values[place]) else None


def _is_amount(text: str) -> bool:
    """A stranger's record may hold anything where an amount stands."""
    return text.isascii() and text.isdecimal() and len(text) <= _UINT256_DIGITS


def _of_calls(facts: Facts) -> Iterator[Outflow]:
    """``transferFrom`` and ``approve`` of an NFT have its number where a token has the amount: what moves tells."""
    moves = (m for m in facts.simulation.all_movements if m.token_id is not None)
    numbered = {(m.asset, m.recipient, m.token_id) for m in moves}
    for flow in flows_of(facts.every_call(), facts.simulation.executor):
        is_numbered = flow.token_id is None and (flow.asset, flow.recipient, flow.amount) in numbered
        yield replace(flow, token_id=flow.amount, amount=1) if is_numbered else flow


def flows_of(calls: Iterable[DecodedCall], executor: str) -> Iterator[Outflow]:
    """What each of these calls by itself, and none of those inside it, says that it moves."""
    for call in calls:
        if call.other_chain:
            continue
        caller = call.caller or executor
        if call.value_wei and not call.delegatecall:
            yield Outflow(_TRANSFER, None, caller, call.target, call.value_wei, call.path)
        yield from _money_moved(call, caller)


def _money_moved(call: DecodedCall, caller: str) -> Iterator[Outflow]:
    """Nothing when this is no money call, or not one whose arguments can be read."""
    money = _MONEY.get(call.signature or "")
    values = [a.value for a in call.arguments]
    if money is None or len(values) < money.places:
        return
    sender = ZERO_ADDRESS if money.mints else caller if money.sender is None else values[money.sender]
    asset = call.target if money.asset is None else values[money.asset]
    for amount, number in _amounts(money, values):
        yield Outflow(
            money.kind, asset, sender, values[money.recipient], amount, call.path, number, is_indirect=money.is_indirect
        )


def _amounts(money: _Money, values: Sequence[str]) -> Iterator[tuple[int, int | None]]:
    """Each amount with the number of what it counts."""
    if money.number is None:
        is_taken = money.flag is not None and values[money.flag] == "false"
        everything = 0 if is_taken else UINT256_MAX
        amounts = [everything] if money.amount is None else _integers(values[money.amount])
        yield from ((amount, None) for amount in amounts)
        return
    numbers = _integers(values[money.number])
    amounts = [1] * len(numbers) if money.amount is None else _integers(values[money.amount])
    yield from zip(amounts, numbers, strict=False)  # lists of different lengths revert


def _integers(text: str) -> list[int]:
    """One, or those of a list; none where something else stands."""
    texts = _LISTED.findall(text) if text.startswith("[") else [text]
    return [int(each) for each in texts if _is_amount(each)]
