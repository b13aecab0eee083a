"""The emergency brake: while all votes are held, the daemon asks for no signature, whatever it is in the middle of.

What is signed already may still land. A transaction that takes a signed one back is let through.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pnyx_tools.signer.client import SignerPort
from pnyx_tools.signer.protocol import Identity, NotYetError, SignCancel, Signed, SignRequest


@dataclass(frozen=True, slots=True)
class Brake:
    """A signer that is asked for nothing while `held` says why not. Implements `SignerPort`."""

    signer: SignerPort
    held: Callable[[], str | None]

    def identity(self) -> Identity:
        return self.signer.identity()

    def sign(self, request: SignRequest) -> Signed:
        """Raises `NotYetError` while votes are held."""
        self.require_released(request)
        return self.signer.sign(request)

    def require_released(self, request: SignRequest) -> None:
        why = None if isinstance(request, SignCancel) else self.held()
        if why is not None:
            raise held_back(why)


def held_back(why: str) -> NotYetError:
    return NotYetError(f"all votes are held: {why}", hint="`pnyx resume` when the reason is gone")
