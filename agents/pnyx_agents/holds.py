"""Why no vote is signed: the daemon's own brake, people who suspended the signer, or the chain.

The signer is asked at every beat, in a thread of its own: it may be in the middle of a judgement. One that is stopped
is asked ever more rarely, because people take hours; and at once when `pnyx resume` lets the daemon go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pnyx_contracts.errors import PnyxError
from pnyx_tools.notify import Message, Urgency, foreign
from pnyx_tools.sender import OutboxPort
from pnyx_tools.signer.client import Suspendable

FIRST_REST_SECONDS: Final = 15.0
LONGEST_REST_SECONDS: Final = 120.0
"""So long a vote may wait after somebody elsewhere let the signer go on."""
TOLD: Final = "told:signer-stopped"


@dataclass(slots=True)
class Holds:
    """`signer` is None where there is none that could be suspended."""

    by_daemon: Callable[[], str | None]
    memory: OutboxPort
    """Keeps what people were told last, over restarts and for all workers."""
    signer: Suspendable | None = None
    by_signer: str | None = None
    """As it said when it was asked last."""
    unknown: str = ""
    """Why it could not be asked."""
    now: Callable[[], float] = time.time
    rest_seconds: float = 0.0
    """Between the last two questions to a stopped signer."""
    next_at: float = 0.0
    was_held: bool = False
    """By the daemon's own brake, when it was last looked at."""

    @property
    def why(self) -> str | None:
        """None when votes may be signed, as far as it is known."""
        said = [self.by_daemon(), self.by_signer and f"the signer is stopped: {self.by_signer}"]
        return "; ".join(filter(None, said)) or None

    @property
    def reasons(self) -> list[str]:
        """Why it would not vote now; a signer that does not say is a reason."""
        held = f"all votes are held: {self.why}" if self.why else ""
        return list(filter(None, [held, self.unknown]))

    def ask(self, tell: Callable[[Message], None]) -> None:
        """Once more, when it is time. People are told when the answer is another one."""
        if self.signer is None or not self._is_due():
            return
        try:
            said = self.signer.standing().held
        except PnyxError as error:
            self.unknown = f"whether the signer is suspended is not known: {error.message}"
            raise
        self.by_signer, self.unknown = said, ""
        self._rest(is_stopped=said is not None)
        if (said or "") != (self.memory.load(TOLD) or ""):
            tell(self._news(said))
            self.memory.save(TOLD, said or "")

    def _is_due(self) -> bool:
        was_held, self.was_held = self.was_held, self.by_daemon() is not None
        return self.by_signer is None or self.now() >= self.next_at or (was_held and not self.was_held)

    def _rest(self, *, is_stopped: bool) -> None:
        grown = max(FIRST_REST_SECONDS, 2 * self.rest_seconds)
        self.rest_seconds = min(grown, LONGEST_REST_SECONDS) if is_stopped else 0.0
        self.next_at = self.now() + self.rest_seconds

    def _news(self, said: str | None) -> Message:
        key = f"suspension:{self.now():.0f}"
        if said is None:
            return Message(key=key, subject="the signer signs votes again")
        return Message(
            key=key, urgency=Urgency.ALERT, subject="the signer signs no votes", detail=foreign(said),
            to_do="pnyx status",
        )  # fmt: skip
