"""A sender and its world: a node, a log, a signer that signs anything, a clock that a test moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eth_account import Account

from pnyx_contracts.decision_log import encode_record, encode_register, read_state
from pnyx_contracts.entry import Declaration, EntryKind
from pnyx_contracts.errors import RefusedError
from pnyx_contracts.governors import TransactionCall
from pnyx_contracts.types import to_hex
from pnyx_tools.chain import Chain
from pnyx_tools.notify import Message
from pnyx_tools.sender import Attempt, Effort, Errand, Relay, Sender, SenderSettings
from pnyx_tools.signer.keys import LocalKey, UnsignedTransaction
from pnyx_tools.signer.protocol import Identity, NotYetError, SignCancel, Signed, Ticket
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.outbox import MemoryOutbox

from .moments import QuickClock

GWEI = 10**9
REPLACE_AFTER = 60


def raising(error: type[BaseException]) -> Callable[[], None]:
    def raises() -> None:
        raise error

    return raises


@dataclass(frozen=True)
class Wish:
    """What the tests ask their signer for."""

    call: TransactionCall
    ticket: Ticket


class AnySigner:
    """Signs whatever it is asked for; policy is tested elsewhere."""

    def __init__(self, key: LocalKey, chain_id: int) -> None:
        self.key = key
        self.chain_id = chain_id
        self.tickets: list[Ticket] = []
        self.not_yet = 0
        self.cancels = False

    def identity(self) -> Identity:
        raise NotImplementedError

    def sign(self, wish: Wish | SignCancel) -> Signed:
        if isinstance(wish, SignCancel):
            if not self.cancels:
                raise RefusedError("this signer cancels nothing")
            wish = Wish(TransactionCall(self.key.address, b""), wish.ticket)
        if self.not_yet:
            self.not_yet -= 1
            raise NotYetError("the signer's node is behind")
        ticket = wish.ticket
        self.tickets.append(ticket)
        signed = self.key.sign(
            UnsignedTransaction(
                chain_id=self.chain_id,
                to=wish.call.to,
                data=wish.call.data,
                **ticket.model_dump(),
            )
        )
        return Signed(
            raw=signed.raw,
            transaction_hash=signed.hash,
            nonce=ticket.nonce,
            max_fee_per_gas=ticket.max_fee_per_gas,
            max_priority_fee_per_gas=ticket.max_priority_fee_per_gas,
        )


class World:
    """A node, a log, a plain writer with a funded key, and a sender that can be killed and started again."""

    def __init__(self, node: Anvil, log: str) -> None:
        self.node = node
        self.log = log
        self.chain = Chain.of([node.url])
        self.key = LocalKey(bytes(Account.create().key))
        node.set_balance(self.key.address, 10**18)
        node.impersonate(self.key.address)
        declaration = Declaration(config_hash=b"\x01" * 32, governors=(), evidence_uri="")
        node.send(log, encode_register(node.accounts[0], 86_400, declaration), sender=self.key.address)
        self.signer = AnySigner(self.key, self.chain.chain_id())
        self.outbox = MemoryOutbox()
        self.clock = QuickClock()
        self.relays: tuple[Relay, ...] = ()
        self.heard: list[Message] = []

    def sender(self, chain: Any = None, **settings: Any) -> Sender:
        limits = {
            "max_fee_per_gas": 500 * GWEI,
            "vote_wei": 10**18,
            "daily_wei": 10**18,
            "replace_after_seconds": REPLACE_AFTER,
        }
        made = SenderSettings(**{**limits, "poll_seconds": 10, "patience_seconds": 600, **settings})
        return Sender(
            chain or self.chain,
            self.signer,
            self.key.address,
            self.outbox,
            made,
            self.clock,
            relays=self.relays,
            tell=self.heard.append,
        )

    @property
    def seq(self) -> int:
        return self.chain.read(read_state(self.log, self.key.address)).seq

    def entry(self, purpose: str = "entry:1", number: int = 1, **parts: Any) -> Errand:
        """An entry with a fixed expected number, so that it can land once only."""
        data = encode_record(number, EntryKind.SKIP, b"\x07" * 32, b"\x08" * 32, b"\x09" * 32, bytes(32))
        call = TransactionCall(self.log, data)
        return Errand(purpose, lambda: (call, lambda ticket: Wish(call, ticket)), **parts)

    def effort(self, purpose: str = "entry:1") -> Effort:
        return Effort.model_validate_json(self.outbox.contents[purpose])

    def automine(self, on: bool) -> None:
        self.node.request("evm_setAutomine", on)

    def drop(self, attempt: Attempt) -> None:
        """The node forgets it."""
        self.node.request("anvil_dropTransaction", to_hex(attempt.transaction_hash))

    def stranger(self, nonce: int, gwei: int = 2) -> bytes:
        """Another program pays somebody with the same key."""
        payment = {"from": self.key.address, "to": self.node.accounts[0], "nonce": hex(nonce), "gas": hex(21_000)}
        fees = {"maxFeePerGas": hex(gwei * GWEI), "maxPriorityFeePerGas": hex(gwei * GWEI)}
        return bytes.fromhex(self.node.request("eth_sendTransaction", payment | fees)[2:])

    def is_pending(self, attempt: Attempt) -> bool:
        known = self.chain.transaction(attempt.transaction_hash)
        return known is not None and known["blockNumber"] is None
