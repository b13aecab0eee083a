"""Asking the owners of a Safe for a vote: proposed once, found again after a crash, followed until its number is used.

What is asked for is stored before anybody hears of it. It is known by its hash, so a second time changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from pnyx_contracts.entry import Entry
from pnyx_contracts.governors import TransactionCall
from pnyx_contracts.safe import EXECUTED_TOPIC, FAILED_TOPIC, SafeTx, executed_hash
from pnyx_contracts.types import Bytes32, Value, to_hex
from pnyx_tools.reader import ChainReader
from pnyx_tools.safe.reading import Safe, read_safe
from pnyx_tools.safe.service import TransactionService
from pnyx_tools.sender import OutboxPort
from pnyx_tools.signer.client import SafeSignerPort
from pnyx_tools.signer.payload import safe_tx
from pnyx_tools.signer.protocol import NotYetError, SignSafeTx

TO_OWNERS: Final = "safe"
"""What is stored of a decision under this name (`recorder.Case.purpose`) is an `Asked`."""


class Standing(Enum):
    """Of what was asked, while the vote is not cast."""

    WAITS = "waits"
    REPLACED = "replaced"
    """Another transaction took the number of the one before: it waits, with a new number."""
    REJECTED = "rejected"
    """The owners used its number for nothing, as wallets do to reject. Nobody is asked again."""


class WaitsForOwnersError(NotYetError):
    """A vote is announced, and the owners of the Safe have not cast it yet."""

    def __init__(self, asked: Asked, safe: Safe, entry: Entry, standing: Standing) -> None:
        super().__init__(
            f"{safe.threshold} of {len(safe.owners)} owners of the Safe {safe.address} have to sign the vote: "
            f"transaction {to_hex(asked.transaction.hash)}, number {asked.transaction.nonce}",
            hint="pnyx safe show ID has what they sign",
        )
        self.transaction = asked.transaction
        self.entry = entry
        self.standing = standing


class Asked(Value):
    """What the owners were asked to sign last, for one decision."""

    transaction: SafeTx
    replaces: Bytes32 | None = None
    """The hash of what they were asked before, whose number another transaction took."""


@dataclass(frozen=True, slots=True)
class Service:
    """A transaction service, and in whose name things are proposed there."""

    at: TransactionService
    signer: SafeSignerPort
    proposer: str
    """Address of the signer's key."""


@dataclass(frozen=True, slots=True)
class Owners:
    """Of one Safe. Without a service, they get what `pnyx safe show` prints."""

    safe: str
    outbox: OutboxPort
    service: Service | None = None

    def ask(
        self, chain: ChainReader, purpose: str, call: TransactionCall, bundle: str, entry: Entry
    ) -> WaitsForOwnersError:
        """Asks for `call`, which `entry` announced, unless that was done; gives what is waited for.

        Raises what hinders it: `UnreachableError`, `RefusedError`, `NotYetError`.
        """
        safe = read_safe(chain, self.safe)
        kept = self.outbox.load(purpose)
        asked = None if kept is None else Asked.model_validate_json(kept)
        if asked is not None and asked.transaction.nonce < safe.nonce:
            executed = executed_since(chain, self.safe, entry.block_number)
            if asked.transaction.hash in executed:
                raise NotYetError("the Safe has just executed the vote, which is read in a moment")
            if _rejection(asked.transaction).hash in executed:
                return WaitsForOwnersError(asked, safe, entry, Standing.REJECTED)
        if asked is None or asked.transaction.nonce < safe.nonce:
            before = None if asked is None else asked.transaction.hash
            asked = Asked(transaction=self._choose(chain, safe, call), replaces=before)
            self.outbox.save(purpose, asked.model_dump_json())
        self._propose(asked.transaction, bundle, entry)
        return WaitsForOwnersError(asked, safe, entry, Standing.WAITS if asked.replaces is None else Standing.REPLACED)

    def _choose(self, chain: ChainReader, safe: Safe, call: TransactionCall) -> SafeTx:
        """With the next number that nothing waits for."""
        nonce = safe.nonce if self.service is None else self.service.at.free_nonce(safe.address, safe.nonce)
        return safe_tx(chain.chain_id(), safe.address, call, nonce)

    def _propose(self, transaction: SafeTx, bundle: str, entry: Entry) -> None:
        service = self.service
        if service is None or service.at.knows(transaction.hash):
            return
        request = SignSafeTx(bundle=bundle, entry_transaction=entry.transaction_hash, safe_nonce=transaction.nonce)
        signed = service.signer.sign_safe_tx(request)
        service.at.propose(transaction, service.proposer, signed.signature)


def executed_since(chain: ChainReader, safe: str, block: int) -> set[bytes]:
    """The hashes of what a Safe executed, with success or without, from a block on."""
    logs = chain.logs(block, chain.block("latest").number, [[EXECUTED_TOPIC, FAILED_TOPIC]], [safe])
    return {executed_hash(log) for log in logs}


def _rejection(transaction: SafeTx) -> SafeTx:
    """What wallets execute in its place to reject it: a call of nothing to the Safe itself."""
    return transaction.model_copy(update={"to": transaction.safe, "data": b"", "value_wei": 0})
