"""Everything that Pnyx raises on purpose.

    PnyxError                     exit code
    ├── UsageError                2   the input or the configuration is wrong
    ├── UnreachableError          3   an endpoint, file or peer that is needed cannot be reached
    ├── DecodingError             1   bytes are not what they claim to be
    │   └── UnknownEncodingError  1   a governor that counts votes in a way that we do not know: no vote
    ├── DiffersError              1   a check found a difference
    └── RefusedError              1   a deliberate no: the signer, a limit, a person

An error is a message to a person: what failed, what was expected, what was seen, what to try.
"""

from __future__ import annotations

from typing import ClassVar


class PnyxError(Exception):
    """Root of the tree. ``hint`` says what to try; both end up on one screen, never a traceback."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  try: {self.hint}" if self.hint else self.message


class UsageError(PnyxError):
    """Wrong input: an argument, a setting, a file."""

    exit_code = 2


class UnreachableError(PnyxError):
    """Something outside that is needed does not answer. Nothing was concluded from its silence."""

    exit_code = 3


class DecodingError(PnyxError):
    """Bytes from a chain, a file or a peer are not what they claim to be."""


class UnknownEncodingError(DecodingError):
    """A contract whose votes we cannot encode for certain. Never guessed: no vote, and an alert."""


class DiffersError(PnyxError):
    """What was declared and what was found are not the same."""


class RefusedError(PnyxError):
    """A deliberate no."""
