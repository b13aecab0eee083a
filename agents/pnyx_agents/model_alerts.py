"""What people hear about models: one that fails, and money or tokens that ran out. They hear it again only after the
model has answered in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from pnyx_agents.analyst import Deliberation
from pnyx_contracts.types import DAY_SECONDS
from pnyx_policies.analysis import COST_CAP, Opinion
from pnyx_policies.dossier import Attempt
from pnyx_tools.costs import IN_A_DAY
from pnyx_tools.notify import Message, Urgency, foreign

RAISE: Final = "raise [costs] in pnyx.toml, or decide by hand"


@dataclass(frozen=True, slots=True)
class ModelAlerts:
    """`last_answer`: when a model last gave a usable answer. Times in seconds since the epoch."""

    tell: Callable[[Message], None]
    last_answer: Callable[[str], float]
    now: Callable[[], float]

    def look(self, proposal: str, said: Deliberation) -> None:
        """At what a committee said about a proposal."""
        for number, opinion in enumerate(said.opinions):
            own = [attempt for attempt in said.attempts if attempt.opinion == number]
            for message in self._about(proposal, opinion, own):
                self.tell(message)

    def _about(self, proposal: str, opinion: Opinion, attempts: list[Attempt]) -> Iterator[Message]:
        if opinion.failure.startswith(COST_CAP):
            yield self._cap(proposal, opinion.failure)
        elif opinion.analysis is None and attempts:
            yield self._failure(proposal, opinion, attempts[-1].outcome)

    def _cap(self, proposal: str, why: str) -> Message:
        """The cap of a day is heard of once a day, however many proposals it holds up."""
        scope = str(int(self.now() // DAY_SECONDS)) if IN_A_DAY in why else proposal
        return Message(
            key=f"cost-cap:{scope}", urgency=Urgency.ALERT, subject="no model is asked", proposal=proposal,
            detail=foreign(why), to_do=RAISE,
        )  # fmt: skip

    def _failure(self, proposal: str, opinion: Opinion, kind: str) -> Message:
        name = opinion.analyst.name
        return Message(
            key=f"model:{name}:{kind}:{self.last_answer(name):.0f}", urgency=Urgency.ALERT,
            subject=f"the model {name} fails ({kind})", proposal=proposal, detail=foreign(opinion.failure),
            to_do="pnyx doctor",
        )  # fmt: skip
