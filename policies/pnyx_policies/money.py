"""What leaves the treasury: transfers and allowances.

What the simulation saw move counts, and what the calls say beyond it: a ``transfer`` that moves nothing we can see is
no reason to believe that nothing moved. Without a simulation, the calls give a lower bound only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.types import UINT256_MAX, ZERO_ADDRESS
from pnyx_policies.facts import Facts, Holding, Movement, SimulationStatus
from pnyx_policies.powers import friends


class OutflowKind(Enum):
    TRANSFER = "transfer"
    ALLOWANCE = "allowance"
    """Permission to take. Counts like a transfer: what may be taken is as good as gone."""


@dataclass(frozen=True, slots=True)
class Outflow:
    """`asset` is None for the chain's own coin; `amount` in wei or token units, 1 for one NFT."""

    kind: OutflowKind
    asset: str | None
    sender: str
    recipient: str
    amount: int
    path: str
    """Path of the call; empty when only the simulation showed it."""
    is_nft: bool = False

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
    called = tuple(_to_outsiders(facts, _of_calls(facts)))
    paths = {_essence(o): o.path for o in called}
    moved = tuple(_to_outsiders(facts, _from_the_dao(facts, _movements(facts, paths))))
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
    moved = Counter((o.sender, *_essence(o)) for o in _movements(facts, {}))
    return (called - moved).total() + (moved - called).total() + len(facts.simulation.all_changes)


def _simulated(facts: Facts) -> bool:
    return facts.simulation.status is SimulationStatus.SUCCEEDED


def _beyond(called: Iterable[Outflow], moved: Iterable[Outflow]) -> Iterator[Outflow]:
    """What was called and not seen to move, each as often as it was called."""
    seen = Counter(map(_essence, moved))
    for outflow in called:
        essence = _essence(outflow)
        if seen[essence]:
            seen[essence] -= 1
        else:
            yield outflow


def holding_of(facts: Facts, asset: str | None) -> Holding | None:
    """What the treasury holds of an asset, None when nobody looked."""
    return next((h for h in facts.treasury if h.asset == asset), None)


def decimals_of(facts: Facts, asset: str) -> int | None:
    """How many a token says that it has; None as well for more than make sense: they hide a number behind zeros."""
    holding = holding_of(facts, asset)
    decimals = holding.decimals if holding is not None else None
    return decimals if decimals is not None and decimals <= MOST_DECIMALS else None


def by_asset(items: tuple[Outflow, ...]) -> dict[str | None, tuple[Outflow, ...]]:
    """In order of first appearance."""
    assets = dict.fromkeys(o.asset for o in items)
    return {asset: tuple(o for o in items if o.asset == asset) for asset in assets}


def _to_outsiders(facts: Facts, items: Iterable[Outflow]) -> Iterator[Outflow]:
    own = friends(facts)
    return (o for o in items if o.recipient not in own and o.amount)


def _from_the_dao(facts: Facts, items: Iterable[Outflow]) -> Iterator[Outflow]:
    """Paid by the DAO, by an account that acts for it, or by a contract that is called and pays from what it has."""
    payers = friends(facts) | {c.caller for c in facts.every_call() if c.caller}
    drained = _drained(facts)
    return (o for o in items if o.sender in payers or (o.sender, o.asset) in drained)


def _drained(facts: Facts) -> frozenset[tuple[str, str | None]]:
    """Called contracts, each with an asset of which more went out than came in."""
    called = {c.target for c in facts.every_call() if not c.other_chain}
    balances: Counter[tuple[str, str | None]] = Counter()
    for movement in facts.simulation.all_movements:
        if movement.kind == "transfer":
            balances[movement.sender, movement.asset] -= movement.amount
            balances[movement.recipient, movement.asset] += movement.amount
    return frozenset(place for place, change in balances.items() if change < 0 and place[0] in called)


_Essence = tuple[OutflowKind, str | None, str, int]


def _essence(outflow: Outflow) -> _Essence:
    return outflow.kind, outflow.asset, outflow.recipient, outflow.amount


def _movements(facts: Facts, paths: Mapping[_Essence, str]) -> Iterator[Outflow]:
    return (_of_movement(movement, paths) for movement in facts.simulation.all_movements)


def _of_movement(movement: Movement, paths: Mapping[_Essence, str]) -> Outflow:
    kind = OutflowKind.TRANSFER if movement.kind == "transfer" else OutflowKind.ALLOWANCE
    essence = (kind, movement.asset, movement.recipient, movement.amount)
    return Outflow(
        kind,
        movement.asset,
        movement.sender,
        movement.recipient,
        movement.amount,
        paths.get(essence, ""),
        is_nft=movement.token_id is not None,
    )


_UINT256_DIGITS = 78
_TRANSFER, _ALLOWANCE = OutflowKind.TRANSFER, OutflowKind.ALLOWANCE


@dataclass(frozen=True, slots=True)
class _Money:
    """Places of a money function's arguments. No `sender`: the caller; no `asset`: the contract that is called; no
    `amount`: one NFT, or everything.
    """

    kind: OutflowKind
    recipient: int
    amount: int | None
    sender: int | None = None
    asset: int | None = None
    is_nft: bool = False
    mints: bool = False

    @property
    def places(self) -> int:
        """How many arguments there must be."""
        return 1 + max(p for p in (self.recipient, self.amount, self.sender, self.asset) if p is not None)


_MONEY: dict[str, _Money] = {
    "transfer(address,uint256)": _Money(_TRANSFER, 0, 1),
    "transferFrom(address,address,uint256)": _Money(_TRANSFER, 1, 2, sender=0),
    "safeTransferFrom(address,address,uint256)": _Money(_TRANSFER, 1, None, sender=0, is_nft=True),
    "safeTransferFrom(address,address,uint256,bytes)": _Money(_TRANSFER, 1, None, sender=0, is_nft=True),
    "safeTransferFrom(address,address,uint256,uint256,bytes)": _Money(_TRANSFER, 1, 3, sender=0, is_nft=True),
    "safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)": _Money(_TRANSFER, 1, None, sender=0),
    "send(address,uint256,bytes)": _Money(_TRANSFER, 0, 1),
    "withdrawTo(address,uint256)": _Money(_TRANSFER, 0, 1),
    "withdraw(uint256,address,address)": _Money(_TRANSFER, 1, 0, sender=2),
    "redeem(uint256,address,address)": _Money(_TRANSFER, 1, 0, sender=2),
    "_grantComp(address,uint256)": _Money(_TRANSFER, 0, 1),
    "recoverFunds(address,address,uint256)": _Money(_TRANSFER, 1, 2, asset=0),
    "approve(address,uint256)": _Money(_ALLOWANCE, 0, 1),
    "increaseAllowance(address,uint256)": _Money(_ALLOWANCE, 0, 1),
    "increaseApproval(address,uint256)": _Money(_ALLOWANCE, 0, 1),
    "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)": _Money(_ALLOWANCE, 1, 2, sender=0),
    "setApprovalForAll(address,bool)": _Money(_ALLOWANCE, 0, None),
    # Permit2
    "approve(address,address,uint160,uint48)": _Money(_ALLOWANCE, 1, 2, asset=0),
    "transferFrom(address,address,uint160,address)": _Money(_TRANSFER, 1, 2, sender=0, asset=3),
    # new money dilutes everybody's
    "mint(address,uint256)": _Money(_TRANSFER, 0, 1, mints=True),
    "mint(address,uint256,uint256,bytes)": _Money(_TRANSFER, 0, 2, is_nft=True, mints=True),
    "safeMint(address,uint256)": _Money(_TRANSFER, 0, None, is_nft=True, mints=True),
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
    place = money.amount if money is not None and not money.is_nft else _AMOUNTS_BESIDE.get(signature)
    places = money.places if money is not None else (place or 0) + 1
    if place is None or len(values) < places or call.other_chain or signature in _IN_OTHER_UNITS:
        return None
    asset = call.target if money is None or money.asset is None else values[money.asset]
    return TokenAmount(asset, place, int(values[place])) if _is_amount(values[place]) else None


def _is_amount(text: str) -> bool:
    """A stranger's record may hold anything where an amount stands."""
    return text.isascii() and text.isdecimal() and len(text) <= _UINT256_DIGITS


def _of_calls(facts: Facts) -> Iterator[Outflow]:
    return flows_of(facts.every_call(), facts.simulation.executor)


def flows_of(calls: Iterable[DecodedCall], executor: str) -> Iterator[Outflow]:
    """What each of these calls by itself, and none of those inside it, says that it moves."""
    for call in calls:
        if call.other_chain:
            continue
        caller = call.caller or executor
        if call.value_wei and not call.delegatecall:
            yield Outflow(_TRANSFER, None, caller, call.target, call.value_wei, call.path)
        if (moved := _money_moved(call, caller)) is not None:
            yield moved


def _money_moved(call: DecodedCall, caller: str) -> Outflow | None:
    """None when this is no money call, or not one whose arguments can be read."""
    money = _MONEY.get(call.signature or "")
    values = [a.value for a in call.arguments]
    if money is None or len(values) < money.places:
        return None
    whole = "1" if money.is_nft else str(UINT256_MAX * (values[-1] != "false"))
    amount = values[money.amount] if money.amount is not None else whole
    if not _is_amount(amount):
        return None
    sender = ZERO_ADDRESS if money.mints else caller if money.sender is None else values[money.sender]
    asset = call.target if money.asset is None else values[money.asset]
    return Outflow(money.kind, asset, sender, values[money.recipient], int(amount), call.path, money.is_nft)
