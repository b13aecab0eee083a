"""Who loses power: what calls say and what the simulation saw. `powers` tells who gains."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final

from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.types import ZERO_ADDRESS
from pnyx_policies.claims import Claims
from pnyx_policies.facts import Change, Facts
from pnyx_policies.power_functions import FUNCTIONS, PowerKind
from pnyx_policies.powers import friends, power_shifts, takes_away
from pnyx_policies.roles import role_name
from pnyx_policies.text import addresses

_TAKES: Final = re.compile(
    r"\b(?:revo[kc]|renounc|remov|replac|rotat|resign|abdicat|burn|disabl|immutab|outgoing|relinquish|retir|terminat|"
    r"offboard|deprecat|stripp|dismiss|dissol|sunset|discontinu|"
    r"(?:winds? down|leav(?:es?|ing)|depart(?:s|ed|ing)|expires?|drops?|dropped|ends?|ended|gives? up|giving up|"
    r"given up|no longer|steps? down|"
    r"los(?:es?|ing)|tak(?:es?|en|ing) away)\b)"
)
SEATS: Final = (
    "role", "roles", "permission", "permissions", "owner", "owners", "ownership", "signer", "signers", "admin",
    "admins", "controller", "controllers", "minter", "minters", "operator", "operators", "guardian", "guardians",
    "keeper", "keepers", "canceller", "cancellers", "proposer", "executor", "veto", "vetoer", "module", "modules",
    "guard", "ward", "wards",
)  # fmt: skip
"""Words for power that one can lose."""

FUNCTIONS_THAT_TAKE: Final[dict[str, int | None]] = {
    "revokeRole(bytes32,address)": 1,
    "revokeRole(uint64,address)": 1,
    "renounceRole(bytes32,address)": 1,
    "renounceRole(uint64,address)": 1,
    "revoke(address,address,bytes32)": 1,
    "revokePermission(address,address,bytes32)": 0,
    "deny(address)": 0,
    "removeOwner(address,address,uint256)": 1,
    "swapOwner(address,address,address)": 1,
    "disableModule(address,address)": 1,
    "removeMinter(address)": 0,
    "removeOperator(address)": 0,
    "removeController(address)": 0,
    "removePoolAdmin(address)": 0,
    "removeEmergencyAdmin(address)": 0,
    "removeRiskAdmin(address)": 0,
    "renounceOwnership()": None,
    "renounceMinter()": None,
    "renouncePauser()": None,
    "renounceAdmin()": None,
    "_burnVetoPower()": None,
    "__abdicate()": None,
    "abdicate()": None,
}
"""The place of the argument that loses; None: whoever calls."""

_CHANGES: Final = {"role-revoked": "a role", "owner-removed": "ownership"}
_GIVEN_UP: Final = {"ownership-transferred": "ownership", "admin-changed": "admin", "role-granted": "role"}
"""Kinds of change that take a seat away when nobody sits there afterwards."""


_NO_SEATS: Final = ("owns the ENS name", "may accept", "offered")
"""How the details of changes begin that concern no seat: a name can be given again by whoever owns the one above it,
and an offer ends when it is accepted."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Power over `contract` that `loser` has no more; None: whoever had it."""

    contract: str
    loser: str | None
    path: str
    """Path of the call; empty when only the simulation showed it."""
    function: str
    """Name of the function, or the kind of change that the simulation saw."""
    detail: str
    to_the_dao: bool = False
    """The DAO itself gets power over the same contract by the same actions."""

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path,) if self.path else ()

    def is_spoken_of(self, claims: Claims) -> bool:
        """Whether the text says that something is taken away, and what; or has the function's name."""
        takes = _TAKES.search(claims.shown.lower()) and (claims.names_word(*SEATS) or self.loser in claims.addresses)
        return bool(takes) or claims.names_word(self.function.lstrip("_"))

    def is_touched_on(self, claims: Claims) -> bool:
        """Whether it names a seat of power and who loses, and not that it goes."""
        return claims.names_word(*SEATS) and self.loser in claims.addresses


def losses(facts: Facts) -> tuple[Loss, ...]:
    """What the calls say, then what only the simulation showed. Power that the same proposal gave before is none."""
    executor = facts.simulation.executor
    called = tuple(loss for call in facts.every_call() if (loss := _of_call(call, executor)) is not None)
    gained = {(shift.contract, shift.receiver) for shift in power_shifts(facts, *PowerKind)}
    return tuple(
        loss
        for loss in dict.fromkeys((*called, *_only_seen(facts, called)))
        if (loss.contract, loss.loser) not in gained
    )


def _only_seen(facts: Facts, called: Collection[Loss]) -> Iterator[Loss]:
    """Of the simulation: not what a call says anyway, and not getters that new code has no more."""
    told = {loss.contract for loss in called}
    places = {(loss.contract, loss.loser) for loss in called}
    taken_over = {s.contract for s in power_shifts(facts, *PowerKind) if s.receiver in friends(facts)}
    renewed = {shift.contract for shift in power_shifts(facts, PowerKind.CODE)}
    for change in facts.simulation.all_changes:
        loss = _of_change(change)
        if loss is None or (loss.contract, loss.loser) in places:
            continue
        if loss.loser is not None or loss.contract not in told | renewed:
            yield replace(loss, to_the_dao=loss.contract in taken_over)


def _of_call(call: DecodedCall, executor: str) -> Loss | None:
    signature, values = call.signature or "", [a.value for a in call.arguments]
    what = ", ".join(f"role {(role_name(a.value) or a.value)[:40]}" for a in call.arguments if a.type == "bytes32")
    if signature in FUNCTIONS_THAT_TAKE:
        place = FUNCTIONS_THAT_TAKE[signature]
        loser = call.caller or executor if place is None else values[place]
        return Loss(call.target, loser, call.path, call.name, what)
    gives = FUNCTIONS.get(signature)
    if gives is None or gives.kind is PowerKind.CODE or gives.receiver is None:
        return None
    receiver = values[gives.receiver]
    if receiver == ZERO_ADDRESS:
        is_whole = gives.receiver == 0  # elsewhere it is a name or a role that can be given again
        return Loss(call.target, None, call.path, call.name, what) if is_whole else None
    is_taken = takes_away(call, gives)
    return Loss(call.target, receiver, call.path, call.name, what) if is_taken else None


def _of_change(change: Change) -> Loss | None:
    if change.kind in _CHANGES:
        loser = next(iter(sorted(addresses(change.subject))), None)
        return Loss(change.contract, loser, "", change.kind, change.detail)
    is_no_seat = change.detail.startswith(_NO_SEATS)
    if change.kind in _GIVEN_UP and ZERO_ADDRESS in addresses(change.subject) and not is_no_seat:
        return Loss(change.contract, None, "", change.kind, change.detail)
    return None
