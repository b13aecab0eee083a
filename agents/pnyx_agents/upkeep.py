"""What an agent lives on, looked at every minute: a chain that goes on, a signer that answers, money for gas.

People hear of each lack once, and again only after it was over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from pnyx_agents.gas import gas_money
from pnyx_agents.metrics import Metrics
from pnyx_contracts.types import Address
from pnyx_policies.reading.amounts import coins
from pnyx_tools.follow import Position
from pnyx_tools.notify import Message, Urgency, foreign
from pnyx_tools.reader import ChainReader

LOOK_SECONDS: Final = 60.0
PATIENCE_BLOCKS: Final = 20
LEAST_PATIENCE_SECONDS: Final = 300.0
"""So long the chain may stand still, however fast it is otherwise, and the signer be silent."""
DAY_SECONDS: Final = 86_400
WEI: Final = 10**18


@dataclass(slots=True)
class Upkeep:
    """Times in seconds since the epoch. What began before this process may be told once more by it."""

    reader: ChainReader
    position: Callable[[], str | None]
    """How far the chain was followed (`Journal.position`)."""
    signer_is_silent: Callable[[], str]
    """Why the signer could not be asked; empty when it could."""
    key: Address | None
    """Pays for gas; None: nothing is written on chain."""
    untold: Callable[[], dict[str, int]]
    places: Collection[str]
    outvoted: Callable[[], dict[str, str]]
    """Which endpoints were alone with what they said, since the last look, and about what."""
    tell: Callable[[Message], None]
    metrics: Metrics
    least_votes: int
    """Less money than so many votes cost is too little."""
    behind_seconds: float | None = None
    """An older last block is too old; None: by the pace of the chain."""
    now: Callable[[], float] = time.time
    begun_at: float = field(init=False)
    _since: dict[str, str] = field(init=False, default_factory=dict)
    """What is lacking, and what marks the beginning of that."""
    _silent_since: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.begun_at = self.now()

    def look(self) -> None:
        """Raises what reading the balance raises, after everything else."""
        self._count_untold()
        self._look_at_chain()
        self._look_at_endpoints()
        self._look_at_signer()
        self._look_at_gas()

    def _count_untold(self) -> None:
        counts = self.untold()
        for place in self.places:
            self.metrics.untold.labels(place).set(counts.get(place, 0))

    def _look_at_chain(self) -> None:
        kept = self.position()
        position = None if kept is None else Position.model_validate_json(kept)
        seen = 0 if position is None else position.head.timestamp
        age = self.now() - max(seen, self.begun_at)
        number = "none" if position is None else str(position.head.number)
        patience = self.behind_seconds or max(LEAST_PATIENCE_SECONDS, PATIENCE_BLOCKS * _pace(position))
        self._note(
            "behind", number if age > patience else None, "the chain does not go on",
            f"the last block that was seen is {number}, {(self.now() - seen) / 60:.0f} minutes old"
            if position else "no block was seen yet",
            "pnyx doctor: do the endpoints in chain.rpc work, and does the chain?",
        )  # fmt: skip

    def _look_at_endpoints(self) -> None:
        """Once a day: one that lags contradicts the others for a moment, one that lies goes on."""
        for endpoint, about in self.outvoted().items():
            key = f"outvoted:{endpoint}:{self.now() // DAY_SECONDS:.0f}"
            subject = f"the endpoint {endpoint} contradicts the others"
            to_do = "pnyx doctor; take it out of chain.rpc when that goes on"
            self.tell(Message(key=key, urgency=Urgency.ALERT, subject=subject, detail=foreign(about), to_do=to_do))

    def _look_at_signer(self) -> None:
        why = self.signer_is_silent()
        if not why:
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = self.now()
        since = self._silent_since
        lasts = since is not None and self.now() - since >= LEAST_PATIENCE_SECONDS
        self._note(
            "signer", f"{since:.0f}" if lasts else None, "the signer does not answer", why, "start `pnyx signer` again"
        )

    def _look_at_gas(self) -> None:
        if self.key is None:
            return
        money = gas_money(self.reader, self.key)
        self.metrics.gas_money.labels(self.key).set(money.balance / WEI)
        self.metrics.gas_votes.labels(self.key).set(money.votes)
        self._note(
            f"gas:{self.key}", f"{money.balance}" if money.votes < self.least_votes else None,
            f"{self.key} is short of gas money",
            f"{coins(money.balance)} pay for about {money.votes} votes at the present gas price",
            f"send coins to {self.key}",
        )  # fmt: skip

    def _note(self, what: str, mark: str | None, subject: str, detail: str, to_do: str) -> None:
        """`mark` tells this time from others; None: all is well."""
        if mark is None:
            self._since.pop(what, None)
            return
        key = f"{what}:{self._since.setdefault(what, mark)}"
        self.tell(Message(key=key, urgency=Urgency.ALERT, subject=subject, detail=foreign(detail), to_do=to_do))


def _pace(position: Position | None) -> float:
    """Seconds a block, between the last final one and the last one."""
    if position is None or position.head.number == position.final.number:
        return 0.0
    first, last = position.final, position.head
    return (last.timestamp - first.timestamp) / (last.number - first.number)
