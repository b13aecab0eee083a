"""Whether other code can come to lie where code destroyed itself, by the rules of this chain."""

from __future__ import annotations

from typing import ClassVar

from pnyx_policies.context.reading import Reading


class DestroyedCode(Reading):
    """Since EIP-6780 (Ethereum's Cancun) SELFDESTRUCT removes only code that was made in the same transaction."""

    TOOL: ClassVar = "destroyed_code"
    VERSION: ClassVar = "1"

    makes_room: bool | None
    """For other code. None where no code that the calls reach can destroy itself: then nobody asked."""
