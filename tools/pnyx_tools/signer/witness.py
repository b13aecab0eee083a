"""What the signer reads itself, through its own endpoint, before it judges. The daemon only says where to look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pnyx_contracts.decision_log import (
    ENTRY_TOPIC,
    decode_entry,
    read_gate_account,
    read_paused,
    read_state,
    read_votes_paused,
    subject,
)
from pnyx_contracts.entry import Entry
from pnyx_contracts.errors import DiffersError, PnyxError, UnreachableError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile, Read, TransactionCall
from pnyx_contracts.safe import read_is_owner
from pnyx_contracts.types import Proposal, ProposalKey, ProposalState, to_hex
from pnyx_policies.facts import Facts
from pnyx_tools.atomic import atomic_log, require_atomic
from pnyx_tools.context import OwnLog
from pnyx_tools.data_fee import data_fee_wei
from pnyx_tools.detect import detect, questions_of
from pnyx_tools.endpoints import Pool
from pnyx_tools.fork import Fork
from pnyx_tools.gather import gather_facts
from pnyx_tools.pinned import PinnedReader, afresh, reads_of
from pnyx_tools.reader import BlockId, ChainReader, RevertedError
from pnyx_tools.registration import require_in_force
from pnyx_tools.side_by_side import side_by_side
from pnyx_tools.signer.policy import closed
from pnyx_tools.signer.protocol import NotYetError
from pnyx_tools.signer.seen import Seen
from pnyx_tools.signer.settings import SignerSettings, WriterKind

REACH_BLOCKS: Final = 1_000
"""No reorganisation is deeper."""
AT_ONCE: Final = 3
"""Looks beside the one at the governor."""


class Witness:
    """Looks at one chain for one writer. `reader` believes no answer of another chain (`quorum.reader_of`)."""

    def __init__(
        self, settings: SignerSettings, key_address: str, reader: ChainReader, adapters: Sequence[GovernorAdapter]
    ) -> None:
        self._settings = settings
        self._key_address = key_address
        self._reader = reader
        self._adapters = adapters
        self._epoch: int | None = None
        self._fork = Fork(settings.fork.get_secret_value()) if settings.fork else None
        self._others = {
            other.chain_id: Pool.of([url.get_secret_value() for url in other.rpc_urls], other.chain_id)
            for other in settings.others
        }

    def check_place(self) -> None:
        """At the start: the writer is one that can write. Raises `DiffersError` or `RefusedError`."""
        settings = self._settings
        state = self._reader.read(read_state(settings.log, settings.writer))
        if state.closed:
            raise closed()
        self._epoch = state.epoch
        self.held_on_chain()  # a switch that cannot be read would stop every vote later
        if settings.writer_kind is WriterKind.GATE:
            self._check_gate()
            return
        _same("the writer, which is the key's address", settings.writer, self._key_address)
        if settings.writer_kind is WriterKind.ATOMIC:
            require_atomic(self._reader, settings.writer, settings.log)

    def check_in_force(self) -> None:
        """After `check_place`: what comes into force in between shows as another epoch. Raises `RefusedError`."""
        settings = self._settings
        config_hash = settings.configuration.hash
        require_in_force(self._reader, settings.log, settings.writer, config_hash, settings.start_block)

    def _check_gate(self) -> None:
        settings = self._settings
        _same("the gate's log", self._reader.read(read_gate_account(settings.writer, "log")), settings.log)
        _same("the gate's signer", self._reader.read(read_gate_account(settings.writer, "signer")), self._key_address)

    def data_fee_wei(self, call: TransactionCall, gas_limit: int) -> int:
        """What the chain takes for the transaction beside its gas, with a margin."""
        return data_fee_wei(self._reader, call, gas_limit)

    def look(self, claimed: Proposal, pinned_block: int, *, gather: bool) -> Seen:
        """All that `policy.judge` needs about one proposal. `claimed` says where the creation event should be."""
        reader = PinnedReader(self._reader, fork=self._fork, others=self._others)
        settings, key = self._settings, claimed.key
        head = reader.block("latest")
        at, state_of_log = to_hex(head.hash), read_state(settings.log, settings.writer)
        with side_by_side(AT_ONCE) as begin:
            nonce = begin(reader.nonce, self._key_address, head.number)
            entries = begin(
                entries_about, reader, settings.log, settings.writer, key, earliest_entry(claimed), head.number
            )
            pinned_at = begin(afresh(reader).block, pinned_block)
            reader.ask_ahead([*reads_of([state_of_log], at), *questions_of(key.governor, self._adapters, at)])
            state = reader.read(state_of_log, at)
            adapter, profile = detect(reader, key.governor, self._adapters, at)
            proposal = self._announced(adapter, profile, claimed)
            facts = self._facts(reader, adapter, profile, proposal, at) if gather and proposal is not None else None
            return Seen(
                adapter=adapter,
                profile=profile,
                proposal=proposal,
                pinned_block_hash=pinned_at.result().hash,
                state=_state(reader, adapter.read_state(profile, key.proposal_id), at),
                has_voted=reader.read(adapter.read_has_voted(profile, key.proposal_id, settings.voter), at),
                next_seq=state.seq + 1,
                is_closed=state.closed,
                account_log=self._account_log(at),
                owns_safe=self._owns_safe(at),
                is_declaration_of_start=state.epoch == self._epoch,
                nonce=nonce.result(),
                entries=entries.result(),
                final_block=reader.block("finalized").number if proposal is None else 0,
                facts=facts,
            )

    def _facts(
        self, reader: PinnedReader, adapter: GovernorAdapter, profile: GovernorProfile, proposal: Proposal, at: str
    ) -> Facts:
        settings = self._settings
        return gather_facts(
            reader,
            adapter,
            profile,
            proposal,
            voter=settings.voter,
            own_log=OwnLog(settings.log, settings.writer),
            block=at,
            known_addresses=settings.configuration.known_addresses,
            interfaces=settings.configuration.interfaces,
            probes=settings.configuration.probes,
            prices=settings.configuration.prices,
            treasury_assets=settings.treasury_assets,
        )

    def held_on_chain(self) -> str:
        """Why the chain wants no votes: a gate that its guardian paused, or the contract that the settings name. Empty
        when it says nothing against them. Raises `NotYetError` when that cannot be read: unknown is no yes.
        """
        settings = self._settings
        switches: list[tuple[str, Read[bool]]] = []
        if settings.writer_kind is WriterKind.GATE:
            switches.append((f"the guardian paused the gate {settings.writer}", read_votes_paused(settings.writer)))
        if settings.suspension is not None:
            switches.append((f"the contract {settings.suspension} is paused", read_paused(settings.suspension)))
        return "; ".join(why for why, read in switches if self._is_set(read))

    def _is_set(self, switch: Read[bool]) -> bool:
        try:
            return self._reader.read(switch)
        except UnreachableError:
            raise
        except PnyxError as error:
            raise NotYetError(
                f"whether votes are suspended on chain cannot be read from {switch.to}: {error.message}",
                hint="[signer] suspension names a contract with `paused()`; see that the signer's endpoint is well",
            ) from error

    def next_nonce(self) -> int:
        """Of the key: transactions that were mined."""
        return self._reader.nonce(self._key_address)

    def _account_log(self, block: BlockId) -> str | None:
        settings = self._settings
        is_atomic = settings.writer_kind is WriterKind.ATOMIC
        return atomic_log(self._reader, settings.writer, block) if is_atomic else None

    def _owns_safe(self, block: BlockId) -> bool:
        safe = self._settings.configuration.safe
        return safe is not None and self._reader.read(read_is_owner(safe, self._key_address), block)

    def _announced(self, adapter: GovernorAdapter, profile: GovernorProfile, claimed: Proposal) -> Proposal | None:
        block = claimed.created_block
        logs = self._reader.logs(block, block, [list(adapter.created_topics())], [claimed.key.governor])
        announced = (
            adapter.decode_created(profile, log) for log in logs if log.transaction_hash == claimed.created_transaction
        )
        return next((p for p in announced if p.key == claimed.key), None)


def _state(reader: ChainReader, read: Read[ProposalState], at: str) -> ProposalState | None:
    try:
        return reader.read(read, at)
    except RevertedError:
        return None


def earliest_entry(proposal: Proposal) -> int:
    """The block from which on entries about it may stand: a reorganisation may bring an entry into an earlier block
    than the one in which the proposal was seen.
    """
    return max(0, proposal.created_block - REACH_BLOCKS)


def entries_about(
    reader: ChainReader, log: str, writer: str, key: ProposalKey, from_block: int, to_block: int
) -> tuple[Entry, ...]:
    """The writer's entries about one proposal, in chain order."""
    topics = [ENTRY_TOPIC, bytes(12) + bytes.fromhex(writer[2:]), subject(key)]
    return tuple(decode_entry(found) for found in reader.logs(from_block, to_block, topics, [log]))


def _same(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise DiffersError(f"{what} is {found}; the signer's settings say {expected}", hint="correct one of the two")
