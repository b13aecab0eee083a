"""What leaves the treasury: transfers and allowances.

What the simulation saw move counts, and what the calls say beyond it: a ``transfer`` that moves nothing we can see is
no reason to believe that nothing moved. Without a simulation, the calls give a lower bound only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.types import UINT256_MAX
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
    called = tuple(_leaving(facts, _of_calls(facts)))
    paths = {_essence(o): o.path for o in called}
    moved = tuple(_leaving(facts, (_of_movement(m, paths) for m in facts.simulation.movements)))
    abroad = next((c for c in facts.every_call() if c.other_chain), None)
    doubts = (
        f"the simulation was {facts.simulation.status.value}" if not _simulated(facts) else "",
        f"call {abroad.path} acts on another chain" if abroad else "",
    )
    return Outflows((*moved, *_beyond(called, moved)), "; ".join(d for d in doubts if d))


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


def share_of_treasury(facts: Facts, items: tuple[Outflow, ...]) -> int | None:
    """Basis points (rounded up) of the treasury's balance that these outflows of one asset take; None when unknown.

    Known only for fungible assets that the executor itself holds and sends.
    """
    holding = holding_of(facts, items[0].asset)
    if holding is None or any(o.is_nft or o.sender != facts.simulation.executor for o in items):
        return None
    total = sum(o.amount for o in items)
    return min(-(-total * 10_000 // max(holding.balance, 1)), UINT256_MAX)


def by_asset(items: tuple[Outflow, ...]) -> dict[str | None, tuple[Outflow, ...]]:
    """In order of first appearance."""
    assets = dict.fromkeys(o.asset for o in items)
    return {asset: tuple(o for o in items if o.asset == asset) for asset in assets}


def _leaving(facts: Facts, items: Iterator[Outflow]) -> Iterator[Outflow]:
    own = friends(facts)
    senders = own | {c.caller for c in facts.every_call() if c.caller}
    return (o for o in items if o.sender in senders and o.recipient not in own and o.amount)


_Essence = tuple[OutflowKind, str | None, str, int]


def _essence(outflow: Outflow) -> _Essence:
    return outflow.kind, outflow.asset, outflow.recipient, outflow.amount


def _of_movement(movement: Movement, paths: dict[_Essence, str]) -> Outflow:
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

# signature -> kind, places of sender (None: the caller), recipient, amount (None: one of it, or everything), is NFT
_MONEY: dict[str, tuple[OutflowKind, int | None, int, int | None, bool]] = {
    "transfer(address,uint256)": (_TRANSFER, None, 0, 1, False),
    "transferFrom(address,address,uint256)": (_TRANSFER, 0, 1, 2, False),
    "safeTransferFrom(address,address,uint256)": (_TRANSFER, 0, 1, None, True),
    "safeTransferFrom(address,address,uint256,bytes)": (_TRANSFER, 0, 1, None, True),
    "safeTransferFrom(address,address,uint256,uint256,bytes)": (_TRANSFER, 0, 1, 3, True),
    "send(address,uint256,bytes)": (_TRANSFER, None, 0, 1, False),
    "approve(address,uint256)": (_ALLOWANCE, None, 0, 1, False),
    "increaseAllowance(address,uint256)": (_ALLOWANCE, None, 0, 1, False),
    "increaseApproval(address,uint256)": (_ALLOWANCE, None, 0, 1, False),
    "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)": (_ALLOWANCE, 0, 1, 2, False),
    "setApprovalForAll(address,bool)": (_ALLOWANCE, None, 0, None, False),
}


def _of_calls(facts: Facts) -> Iterator[Outflow]:
    for call in facts.every_call():
        if call.other_chain:
            continue
        caller = call.caller or facts.simulation.executor
        if call.value_wei and not call.delegatecall:
            yield Outflow(_TRANSFER, None, caller, call.target, call.value_wei, call.path)
        if (moved := _money_moved(call, caller)) is not None:
            yield moved


def _money_moved(call: DecodedCall, caller: str) -> Outflow | None:
    """None when this is no money call, or not one whose arguments can be read."""
    known = _MONEY.get(call.signature or "")
    values = [a.value for a in call.arguments]
    if known is None or len(values) <= max(p for p in known[1:4] if p is not None):
        return None
    kind, sender, recipient, place, is_nft = known
    amount = values[place] if place is not None else "1" if is_nft else str(UINT256_MAX * (values[-1] != "false"))
    if not (amount.isascii() and amount.isdecimal() and len(amount) <= _UINT256_DIGITS):
        return None
    from_whom = caller if sender is None else values[sender]
    return Outflow(kind, call.target, from_whom, values[recipient], int(amount), call.path, is_nft)
