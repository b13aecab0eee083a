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


class UndelegatedError(RefusedError):
    """The account does not run our code: a call to itself would succeed and do nothing, no entry and no vote. `runs`
    says what it runs instead, where that is known.
    """

    def __init__(self, account: str, log: str, runs: str = "") -> None:
        instead = f" (it runs {runs})" if runs else ""
        super().__init__(
            f"the account {account} does not run AtomicAccount for the log {log}{instead}: "
            "it cannot vote together with its entry",
            hint="`pnyx deploy --atomic` delegates it (EIP-7702), again if it must be",
        )
        self.account = account
        self.runs = runs


def require_atomic(reader: ChainReader, account: str, log: str) -> None:
    """Raises `UndelegatedError`, which names what the account runs now."""
    if atomic_log(reader, account) != log:
        raise UndelegatedError(account, log, _runs(reader.code(account, "latest")))


def _runs(code: bytes) -> str:
    delegate = delegate_of(code)
    return f"the code at {delegate}" if delegate else "code of its own" if code else "no code"
