"""One request from beginning to end: read the bundle, look at the chain, judge, remember, sign."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import PnyxError, UsageError
from pnyx_contracts.governors import TransactionCall, builtin_adapters
from pnyx_contracts.types import to_hex
from pnyx_policies.ruleset import Ruleset
from pnyx_policies.suspension import Action, Order, is_lifted, require_order
from pnyx_tools.reader import ChainReader
from pnyx_tools.signer.claims import Evidence, read_evidence
from pnyx_tools.signer.envelope import require_as_asked, require_signature
from pnyx_tools.signer.keys import Key, UnsignedTransaction
from pnyx_tools.signer.limits import within_limits
from pnyx_tools.signer.memory import Memory, Remembered
from pnyx_tools.signer.policy import Bench, Judged, judge, judge_cancel, judge_safe_tx, needs_facts
from pnyx_tools.signer.protocol import (
    Answer,
    Asked,
    AskStanding,
    BundleRequest,
    GiveOrder,
    Hello,
    Identity,
    NotYetError,
    SignBallot,
    SignCancel,
    Signed,
    SignedSafeTx,
    SignEntry,
    SignSafeTx,
    SignVote,
    Standing,
    Ticket,
)
from pnyx_tools.signer.settings import SignerSettings
from pnyx_tools.signer.witness import Witness

NO_SUBJECT: Final = b""
"""A cancellation is about no proposal."""


class Notary:
    """Signs for one writer. `wall_clock` gives seconds since the epoch."""

    def __init__(
        self,
        settings: SignerSettings,
        key: Key,
        reader: ChainReader,
        memory: Memory,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Raises `UsageError` for a ruleset that is none, or is not the declared one."""
        ruleset = Ruleset.parse(settings.ruleset, "the signer's settings", settings.configuration.checks)
        if ruleset.hash != settings.configuration.ruleset_hash:
            raise UsageError(
                f"the signer's ruleset has the hash {to_hex(ruleset.hash)}, the declared configuration names "
                f"{to_hex(settings.configuration.ruleset_hash)}",
                hint="give the signer the ruleset that was declared, or announce the new one first",
            )
        self._bench = Bench(settings, ruleset)
        self._key = key
        self._witness = Witness(settings, key.address, reader, builtin_adapters())
        self._memory = memory
        self._wall_clock = wall_clock

    def check_place(self) -> None:
        """At the start. Raises `DiffersError` or `RefusedError` when chain, writer and settings do not fit together."""
        self._witness.check_place()

    def check_in_force(self) -> None:
        """At the start, after `check_place`. Raises `RefusedError` for another configuration than the one on chain."""
        self._witness.check_in_force()

    def identity(self) -> Identity:
        settings = self._bench.settings
        return Identity(
            key_address=self._key.address,
            writer=settings.writer,
            writer_kind=settings.writer_kind,
            chain_id=settings.chain_id,
            log=settings.log,
            governors=settings.configuration.governors,
            mode=settings.configuration.mode,
            config_hash=settings.configuration.hash,
            ruleset_hash=self._bench.ruleset.hash,
            safe=settings.configuration.safe,
        )

    def answer(self, request: Asked) -> Answer:
        """Raises `PnyxError`: nothing was signed then."""
        match request:
            case Hello():
                return self.identity()
            case AskStanding():
                return self.standing()
            case GiveOrder():
                return self._obey(request.order)
            case SignCancel():
                return self._cancel(request)
            case SignSafeTx():
                return self._sign_safe_tx(request)
            case _:
                return self._sign(request)

    def standing(self) -> Standing:
        """Does not fail where the chain cannot be read: no vote is signed then, and that is said."""
        try:
            on_chain = self._witness.held_on_chain()
        except PnyxError as error:
            on_chain = error.message
        approvals = self._bench.settings.configuration.approvals
        return Standing(suspension=self._memory.suspension(), on_chain=on_chain, approvals=approvals)

    def _obey(self, order: Order) -> Standing:
        settings, current, now = self._bench.settings, self._memory.suspension(), int(self._wall_clock())
        place, configuration = (settings.chain_id, settings.log, settings.writer), settings.configuration
        person = require_order(order, place, configuration, current, self._memory.last_suspension(), now)
        lifts = order.action is Action.RESUME and current is not None and is_lifted(current, person, configuration)
        self._memory.remember_order(order, person, now, lifts=lifts)
        return self.standing()

    def _require_released(self, request: BundleRequest | SignSafeTx) -> None:
        """A person's order stops everything; the chain's stops votes, as a gate's own pause does."""
        if (suspension := self._memory.suspension()) is not None:
            raise held(f"the signer is {suspension}", "pnyx resume --keystore FILE")
        is_vote = not isinstance(request, SignEntry) or request.kind is EntryKind.VOTE
        if is_vote and (why := self._witness.held_on_chain()):
            raise held(why, "whoever paused it can let votes go on")

    def _cancel(self, request: SignCancel) -> Signed:
        """It takes the place of a vote or of an entry, and its money from the same limit."""
        nonce, now = request.ticket.nonce, int(self._wall_clock())
        was_signed = self._memory.has_signed_from(self._key.address, nonce)
        call = judge_cancel(self._key.address, nonce, self._witness.next_nonce(), was_signed=was_signed)
        remembered = self._memory.recall(NO_SUBJECT, self._key.address, nonce, now)
        is_vote = self._memory.was_vote(self._key.address, nonce)
        return self._signed(self._afforded(call, request.ticket, remembered, NO_SUBJECT, is_vote=is_vote, now=now))

    def _sign(self, request: BundleRequest) -> Signed:
        self._require_released(request)
        settings = self._bench.settings
        now = int(self._wall_clock())
        evidence = read_evidence(settings, self._bench.ruleset, request.bundle.encode())
        seen = self._witness.look(
            evidence.dossier.proposal, evidence.dossier.state.block.number, gather=_needs_facts(request)
        )
        remembered = self._memory.recall(evidence.subject, self._key.address, request.ticket.nonce, now)
        judged = judge(self._bench, evidence, request, seen, remembered, now)
        is_vote = judged.vote is not None
        transaction = self._afforded(
            judged.call, request.ticket, remembered, evidence.subject, is_vote=is_vote, now=now
        )
        self._remember(evidence, judged)
        return self._signed(transaction)

    def _sign_safe_tx(self, request: SignSafeTx) -> SignedSafeTx:
        """No transaction of ours: it spends nothing, and takes no nonce of the key."""
        self._require_released(request)
        now = int(self._wall_clock())
        evidence = read_evidence(self._bench.settings, self._bench.ruleset, request.bundle.encode())
        seen = self._witness.look(evidence.dossier.proposal, evidence.dossier.state.block.number, gather=True)
        remembered = self._memory.recall(evidence.subject, self._key.address, seen.nonce, now)
        transaction, vote = judge_safe_tx(self._bench, evidence, request, seen, remembered, now)
        self._memory.remember_vote(evidence.subject, vote)
        signature = self._key.sign_digest(transaction.hash)
        require_signature(transaction.hash, signature, self._key.address)
        return SignedSafeTx(safe_tx_hash=transaction.hash, signature=signature)

    def _signed(self, transaction: UnsignedTransaction) -> Signed:
        signed = self._key.sign(transaction)
        require_as_asked(transaction, signed, self._key.address)
        return Signed(
            raw=signed.raw,
            transaction_hash=signed.hash,
            nonce=transaction.nonce,
            max_fee_per_gas=transaction.max_fee_per_gas,
            max_priority_fee_per_gas=transaction.max_priority_fee_per_gas,
        )

    def _afforded(
        self, call: TransactionCall, ticket: Ticket, remembered: Remembered, subject: bytes, *, is_vote: bool, now: int
    ) -> UnsignedTransaction:
        """The transaction to sign; its cost is remembered before the signature exists. Raises `RefusedError`."""
        settings = self._bench.settings
        made = within_limits(
            settings.limits,
            settings.chain_id,
            call,
            ticket,
            remembered,
            is_vote=is_vote,
            data_fee_wei=self._witness.data_fee_wei(call, ticket.gas_limit),
        )
        if is_vote and subject != NO_SUBJECT:
            self._memory.charge(subject, self._key.address, ticket.nonce, made.own_wei)
        self._memory.remember_spending(self._key.address, ticket.nonce, is_vote=is_vote, wei=made.cost_wei, now=now)
        return made.transaction

    def _remember(self, evidence: Evidence, judged: Judged) -> None:
        """Before the signature exists."""
        if judged.vote is not None:
            self._memory.remember_vote(evidence.subject, judged.vote)
        if judged.gives_up:
            self._memory.give_up(evidence.subject)


def held(why: str, hint: str) -> NotYetError:
    return NotYetError(f"all votes are suspended: {why}", hint=hint)


def _needs_facts(request: BundleRequest) -> bool:
    match request:
        case SignVote() | SignBallot():
            return True
        case SignEntry():
            return needs_facts(request.kind)
