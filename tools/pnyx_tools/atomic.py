"""Accounts of plain keys that run our `AtomicAccount` (EIP-7702): entry and vote are one transaction of theirs."""

from __future__ import annotations

from eth_utils.address import to_checksum_address

from pnyx_contracts.addresses import delegate_of
from pnyx_contracts.artifacts import artifact
from pnyx_contracts.errors import RefusedError
from pnyx_tools.reader import BlockId, ChainReader


def atomic_log(reader: ChainReader, account: str, block: BlockId = "latest") -> str | None:
    """The decision log that `account` votes through; None when it does not run our code."""
    delegate = delegate_of(reader.code(account, block))
    bound_to = artifact("AtomicAccount").immutables_of(reader.code(delegate, block)) if delegate else None
    return str(to_checksum_address(bound_to["log"][-20:])) if bound_to else None


def undelegated(account: str, log: str) -> RefusedError:
    """Without its code, a call of the account to itself succeeds and does nothing: no entry, and no vote."""
    return RefusedError(
        f"the account {account} does not run AtomicAccount for the log {log}: it cannot vote together with its entry",
        hint="`pnyx deploy --atomic` delegates it (EIP-7702), again if it must be",
    )
