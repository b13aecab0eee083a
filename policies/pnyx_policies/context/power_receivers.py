"""What kind of accounts the calls give power to."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pnyx_contracts.types import Address, Value
from pnyx_policies.context.proposer_account import AccountKind
from pnyx_policies.context.reading import Reading

MAX_RECEIVERS = 16


class PowerReceiver(Value):
    """Who gets a role, ownership, an admin seat or a module's rights."""

    account: Address
    kind: AccountKind


class PowerReceivers(Reading):
    """Those that the calls name. Whom only the simulation shows is not looked at."""

    TOOL: ClassVar = "power_receivers"
    VERSION: ClassVar = "1"

    receivers: tuple[PowerReceiver, ...] = Field(max_length=MAX_RECEIVERS)
    left_out: int

    def is_no_contract(self, account: str | None) -> bool:
        """False where nothing is known."""
        return any(r.account == account and r.kind is not AccountKind.CONTRACT for r in self.receivers)
