"""Why no vote is signed: the daemon's own brake, people who suspended the signer, or the chain.

The signer is asked at every beat, in a thread of its own: it may be in the middle of a judgement.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from pnyx_contracts.errors import PnyxError
from pnyx_tools.notify import Message, Urgency, foreign
from pnyx_tools.signer.client import Suspendable


@dataclass(slots=True)
class Holds:
    """`signer` is None where there is none that could be suspended."""

    by_daemon: Callable[[], str | None]
    signer: Suspendable | None = None
    by_signer: str | None = None
    """As it said when it was asked last."""
    unknown: str = ""
    """Why it could not be asked."""
    now: Callable[[], float] = time.time

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
        """Once more. People are told when the answer is another one."""
        if self.signer is None:
            return
        try:
            said = self.signer.standing().held
        except PnyxError as error:
            self.unknown = f"whether the signer is suspended is not known: {error.message}"
            raise
        before, self.by_signer, self.unknown = self.by_signer, said, ""
        if said != before:
            tell(self._news(said))

    def _news(self, said: str | None) -> Message:
        key = f"suspension:{self.now():.0f}"
        if said is None:
            return Message(key=key, subject="the signer signs votes again")
        return Message(
            key=key, urgency=Urgency.ALERT, subject="the signer signs no votes", detail=foreign(said),
            to_do="pnyx status",
        )  # fmt: skip
