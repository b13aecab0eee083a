"""Steps 1 to 5: the log, and one writer's history in it.

`History` is a state machine without I/O: it takes the writer's events in chain order, one at a time, and is closed
with the state that the log itself holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from pnyx_contracts.artifacts import artifact
from pnyx_contracts.decision_log import fold, genesis, initial_head
from pnyx_contracts.entry import (
    ConfigurationActivated,
    ConfigurationAnnounced,
    Declaration,
    Entry,
    EntryKind,
    Registered,
    WriterState,
)
from pnyx_contracts.types import to_hex
from pnyx_policies.verify.verdict import About, Step, Tier, Verdict

LogEvent = Registered | Entry | ConfigurationAnnounced | ConfigurationActivated

DELEGATION_PREFIX: Final = bytes.fromhex("ef0100")
"""EIP-7702: the code of an account that delegated itself to a contract; 20 bytes of address follow."""

_GATE_KINDS: Final = range(EntryKind.SIGNER_ANNOUNCED, EntryKind.UNPAUSED + 1)


def check_log_code(code: bytes) -> Verdict:
    """Step 1. Without our code behind it, nothing that the log says has the meaning that the other steps rely on."""
    if artifact("DecisionLog").immutables_of(code) is not None:
        return About().matches(Step.LOG_CODE)
    reason = "another contract, not our DecisionLog" if code else "there is no contract at this address"
    return About().differs(Step.LOG_CODE, "code", reason=reason)


@dataclass(frozen=True, slots=True)
class Scope:
    """One configuration in force: from the block that brought it (inclusive) to the next one's."""

    declaration: Declaration
    from_block: int


class History:
    """Steps 2 to 4 for one writer.

    `number_in_contracts` gives the number by which contracts know a block of the endpoint's (Arbitrum has two), None
    where nobody can tell.
    """

    def __init__(
        self, chain_id: int, log: str, writer: str, number_in_contracts: Callable[[int], int | None] = lambda n: n
    ) -> None:
        self._chain_id = chain_id
        self._log = log
        self._number_in_contracts = number_in_contracts
        self.writer = writer
        self.entries: list[Entry] = []
        self.scopes: list[Scope] = []
        """By epoch."""
        self.verdicts: list[Verdict] = []
        self._head = b""
        self._notice_seconds = 0
        self._announced: ConfigurationAnnounced | None = None
        self._activation: Entry | None = None
        """A CONFIG_ACTIVATED entry whose event is still to come."""

    @property
    def start_block(self) -> int | None:
        """Where the writer's duties begin; None when it never registered."""
        return self.scopes[0].from_block if self.scopes else None

    def declaration_at(self, entry: Entry) -> Declaration | None:
        """The configuration that an entry was made under."""
        return self.scopes[entry.epoch].declaration if entry.epoch < len(self.scopes) else None

    @property
    def governors(self) -> frozenset[str]:
        """Every governor that the writer ever declared."""
        return frozenset(governor for scope in self.scopes for governor in scope.declaration.governors)

    def governors_at(self, block: int) -> frozenset[str]:
        """The governors that the writer answered for in a block."""
        in_force = [scope for scope in self.scopes if scope.from_block <= block]
        return frozenset(in_force[-1].declaration.governors) if in_force else frozenset()

    def take(self, event: LogEvent) -> None:
        """The writer's next event."""
        match event:
            case Registered():
                self.verdicts.extend(self._register(event))
            case Entry():
                self.verdicts.extend(self._append(event))
            case ConfigurationAnnounced():
                self._announced = event
            case ConfigurationActivated():
                self.verdicts.extend(self._activate(event))

    def close(self, state: WriterState) -> None:
        """All events were taken; `state` is what the log holds at the block that they reach to."""
        self.verdicts.extend(self._closing(state))

    # 2. Registration

    def _register(self, event: Registered) -> Iterator[Verdict]:
        about = About(self.writer)
        if self.scopes:
            yield about.differs(Step.REGISTRATION, "registrations", expected=1, seen=2)
            return
        self._head = initial_head(event.genesis)
        self._notice_seconds = event.notice_seconds
        self.scopes.append(Scope(event.declaration, event.block_number))
        declared = (event.operator, event.notice_seconds, event.subject)
        expected = genesis(self._chain_id, self._log, self.writer, *declared)
        if event.genesis != expected:
            reason = "the event is not what the writer registered with"
            yield about.differs(Step.REGISTRATION, "genesis", expected=expected, seen=event.genesis, reason=reason)
        elif self._number_in_contracts(event.block_number) not in {event.start_block, None}:
            number = self._number_in_contracts(event.block_number)
            yield about.differs(Step.REGISTRATION, "startBlock", expected=number, seen=event.start_block)
        else:
            yield about.matches(Step.REGISTRATION)

    # 3. Entries

    def _append(self, entry: Entry) -> Iterator[Verdict]:
        about = About(self.writer, entry.seq)
        expected = self.entries[-1].seq + 1 if self.entries else 1
        self._head = fold(self._head, entry)
        self.entries.append(entry)
        if entry.seq != expected:
            yield about.differs(
                Step.ENTRIES, "seq", expected=expected, seen=entry.seq, reason="entries are not shown, or shown twice"
            )
        yield from self._configuration_of(entry, about)

    def _closing(self, state: WriterState) -> Iterator[Verdict]:
        about = About(self.writer)
        if not self.scopes:
            why = "the log's state knows the writer, its event is not shown" if state.registered else "never registered"
            yield about.missing(Step.REGISTRATION, why)
            return
        last = self.entries[-1].seq if self.entries else 0
        if not state.registered:
            yield about.differs(Step.ENTRIES, "state", reason="the log's state does not know this writer")
        elif state.seq != last:
            reason = "entries at the end are not shown" if state.seq > last else "entries that the log does not hold"
            yield about.differs(Step.ENTRIES, "seq", expected=state.seq, seen=last, reason=reason)
        elif state.head != self._head:
            reason = "an altered entry, or an altered registration"
            yield about.differs(Step.ENTRIES, "head", expected=state.head, seen=self._head, reason=reason)
        else:
            yield about.matches(Step.ENTRIES, reason=f"{last} entries, head {to_hex(self._head)}")
        if state.epoch != len(self.scopes) - 1:
            yield about.differs(Step.CONFIGURATION, "epoch", expected=state.epoch, seen=len(self.scopes) - 1)

    # 4. Configuration

    def _configuration_of(self, entry: Entry, about: About) -> Iterator[Verdict]:
        epoch = max(len(self.scopes) - 1, 0)
        if entry.epoch != epoch:
            yield about.differs(Step.CONFIGURATION, "epoch", expected=epoch, seen=entry.epoch)
        if entry.kind is EntryKind.CONFIG_ANNOUNCED:
            yield self._announcement(entry, about)
        if entry.kind is EntryKind.CONFIG_ACTIVATED:
            self._activation = entry

    def _announcement(self, entry: Entry, about: About) -> Verdict:
        event = self._announced
        if event is None or event.transaction_hash != entry.transaction_hash:
            return about.missing(Step.CONFIGURATION, "the event that says which configuration was announced")
        active_at = entry.time + self._notice_seconds
        if event.active_at < active_at:
            return about.differs(Step.CONFIGURATION, "activeAt", expected=active_at, seen=event.active_at)
        words = (entry.subject, entry.prompt_hash, entry.record_root, int.from_bytes(entry.action, "big"))
        if words != (event.subject, event.declaration.config_hash, event.subject, event.active_at):
            return about.differs(
                Step.CONFIGURATION, "entry", reason="it speaks of another configuration than its event"
            )
        if event.epoch != entry.epoch + 1:
            return about.differs(Step.CONFIGURATION, "epoch", expected=entry.epoch + 1, seen=event.epoch)
        return about.matches(Step.CONFIGURATION)

    def _activate(self, event: ConfigurationActivated) -> Iterator[Verdict]:
        announced, entry = self._announced, self._activation
        about = About(self.writer, entry.seq if entry else None)
        self._announced = self._activation = None
        if announced is None or entry is None or entry.transaction_hash != event.transaction_hash:
            yield about.missing(Step.CONFIGURATION, f"configuration {event.epoch} came into force without announcement")
            return
        self.scopes.append(Scope(announced.declaration, event.block_number))
        if entry.time < announced.active_at:
            yield about.differs(Step.CONFIGURATION, "time", expected=announced.active_at, seen=entry.time)
        elif event.config_hash != announced.declaration.config_hash or entry.subject != announced.subject:
            yield about.differs(
                Step.CONFIGURATION, "configHash", expected=announced.declaration.config_hash, seen=event.config_hash,
                reason="another configuration than the announced one came into force",
            )  # fmt: skip
        elif event.epoch != len(self.scopes) - 1:
            yield about.differs(Step.CONFIGURATION, "epoch", expected=len(self.scopes) - 1, seen=event.epoch)
        else:
            yield about.matches(Step.CONFIGURATION)


@dataclass(frozen=True, slots=True)
class GateEvidence:
    """What was read about a writer that has code. Addresses are None where the contract did not answer."""

    factory: str | None
    """What the gate calls its factory."""
    factory_code: bytes
    confirmed: bool
    """The factory says that it made the gate."""


def check_writer(
    writer: str, log: str, code: bytes, gate: GateEvidence | None, trusted_factory: str | None = None
) -> tuple[Tier, Verdict]:
    """Step 5. `trusted_factory` is the one that the member wants to see; without it, any contract with our factory's
    code for this log will do, because that code and the gate's are all that the promise rests on.

    An EIP-7702 account counts as declared here; `Docket.tier_of_account` looks at its votes.
    """
    about = About(writer)
    if not code:
        return Tier.DECLARED, about.matches(Step.WRITER, reason="a plain key: entry first, then vote; not enforced")
    if code.startswith(DELEGATION_PREFIX):
        return Tier.DECLARED, about.matches(
            Step.WRITER, reason="an EIP-7702 account: its key can vote without an entry"
        )
    problem = _gate_problem(log, code, gate, trusted_factory)
    if problem:
        return Tier.UNKNOWN, about.differs(Step.WRITER, "gate", reason=problem)
    return Tier.ENFORCED, about.matches(Step.WRITER, reason="a vote gate of ours: no vote without its entry")


def _gate_problem(log: str, code: bytes, gate: GateEvidence | None, trusted_factory: str | None) -> str:
    immutables = artifact("VoteGate").immutables_of(code)
    if immutables is None:
        return "the writer is a contract with other code than our vote gate: it may vote without an entry"
    if _address(immutables["log"]) != log.lower():
        return f"the gate writes to another log, {to_hex(immutables['log'][12:])}"
    if gate is None or gate.factory is None or _address(immutables["factory"]) != gate.factory.lower():
        return "the gate does not say which factory made it"
    if trusted_factory is not None and gate.factory.lower() != trusted_factory.lower():
        return f"another factory made it: {gate.factory}, not {trusted_factory}"
    factory = artifact("VoteGateFactory").immutables_of(gate.factory_code)
    if factory is None:
        return f"its factory {gate.factory} has other code than ours"
    if _address(factory["log"]) != log.lower():
        return f"its factory {gate.factory} makes gates for another log"
    return "" if gate.confirmed else f"the factory {gate.factory} says that it did not make this gate"


def check_administration(writer: str, tier: Tier, entries: list[Entry]) -> Iterator[Verdict]:
    """Step 5, too: only a gate has a signer, an allowlist and a pause to report about."""
    for entry in entries:
        if entry.kind in _GATE_KINDS and tier is not Tier.ENFORCED:
            yield About(writer, entry.seq).differs(
                Step.WRITER, "kind", seen=entry.kind.name, reason="administration of a gate, by a writer that is none"
            )


def _address(word: bytes) -> str:
    return to_hex(word[12:])
