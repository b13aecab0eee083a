"""Steps 1 to 4: the log, and one writer's history in it.

`History` is a state machine without I/O: it takes the writer's events in chain order, one at a time, and is closed
with the state that the log itself holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from eth_utils.address import to_checksum_address

from pnyx_contracts.artifacts import artifact
from pnyx_contracts.decision_log import (
    SUCCESSION,
    fold,
    genesis,
    initial_head,
    succession_root,
    succession_subject,
)
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
from pnyx_policies.verify.verdict import About, Step, Verdict

LogEvent = Registered | Entry | ConfigurationAnnounced | ConfigurationActivated

_GATE_KINDS: Final = frozenset(k for k in EntryKind if EntryKind.SIGNER_ANNOUNCED <= k <= EntryKind.UNPAUSED)
_ANSWERS: Final = frozenset(k for k in EntryKind if k <= EntryKind.CORRECTION)
"""Kinds of entries about proposals."""


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
    """Steps 2 to 4 for one writer, in little room however many events there are.

    `number_in_contracts` gives the number by which contracts know a block of the endpoint's (Arbitrum has two), None
    where nobody can tell. `is_gate`: a vote gate of ours, whose guardian can pause its votes.
    """

    def __init__(
        self,
        chain_id: int,
        log: str,
        writer: str,
        number_in_contracts: Callable[[int], int | None] = lambda n: n,
        *,
        is_gate: bool = False,
    ) -> None:
        self._chain_id = chain_id
        self._log = log
        self._number_in_contracts = number_in_contracts
        self._is_gate = is_gate
        self.writer = writer
        self.scopes: list[Scope] = []
        """By epoch."""
        self.entries = 0
        """How many there were so far."""
        self.kinds: Counter[EntryKind] = Counter()
        self.paused = False
        """The guardian of the gate has paused its votes."""
        self.beginning: Entry | None = None
        """The SUCCEEDS entry of a writer that took another one's place."""
        self.end: Entry | None = None
        """The SUCCEEDED entry of a writer whose place another one took."""
        self.safes: dict[bytes, str] = {}
        """The Safe that votes for the writer, by the hash of the configuration that declares it. Whoever reads the
        configurations fills it in."""
        self._head = b""
        self._last_seq = 0
        self._notice_seconds = 0
        self._announced: ConfigurationAnnounced | None = None
        self._activation: Entry | None = None
        """A CONFIG_ACTIVATED entry whose event is still to come."""

    @property
    def head(self) -> bytes:
        """After the last event."""
        return self._head

    @property
    def start_block(self) -> int | None:
        """Where the writer's duties begin; None when it never registered."""
        return self.scopes[0].from_block if self.scopes else None

    @property
    def predecessor(self) -> str | None:
        return None if self.beginning is None else _other_writer(self.beginning)

    @property
    def successor(self) -> str | None:
        return None if self.end is None else _other_writer(self.end)

    def declaration_at(self, entry: Entry) -> Declaration | None:
        """The configuration that an entry was made under."""
        return self.scopes[entry.epoch].declaration if entry.epoch < len(self.scopes) else None

    @property
    def governors(self) -> frozenset[str]:
        """Every governor that the writer ever declared."""
        return frozenset(governor for scope in self.scopes for governor in scope.declaration.governors)

    def voter_at(self, block: int) -> str:
        """Whose votes count as the writer's in a block: its own, or those of a Safe."""
        in_force = [scope for scope in self.scopes if scope.from_block <= block]
        return self.safes.get(in_force[-1].declaration.config_hash, self.writer) if in_force else self.writer

    def governors_at(self, block: int) -> frozenset[str]:
        """The governors that the writer answered for in a block."""
        in_force = [scope for scope in self.scopes if scope.from_block <= block]
        return frozenset(in_force[-1].declaration.governors) if in_force else frozenset()

    def answers_for(self, governor: str, block: int) -> bool:
        """A proposal announced in this block is the writer's to answer: not one from after its end."""
        return governor in self.governors_at(block) and (self.end is None or block <= self.end.block_number)

    def take(self, event: LogEvent) -> Sequence[Verdict]:
        """The writer's next event, and what is to be said about it."""
        match event:
            case Entry():
                return self._append(event)
            case Registered():
                return list(self._register(event))
            case ConfigurationAnnounced():
                self._announced = event
                return ()
            case ConfigurationActivated():
                return list(self._activate(event))

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

    def _succession(self, entry: Entry, about: About) -> Iterator[Verdict]:
        """Both entries of a succession name the two writers; the first entry of the one is the last of the other."""
        other, begins = _other_writer(entry), entry.kind is EntryKind.SUCCEEDS
        old, new = (other, self.writer) if begins else (self.writer, other)
        if begins:
            self.beginning = self.beginning or entry
        else:
            self.end = entry
        if begins and entry.seq != 1:
            yield about.differs(
                Step.REGISTRATION, "seq", expected=1, seen=entry.seq, reason="a writer succeeds with its first entry"
            )
        if (entry.subject, entry.prompt_hash) != (succession_subject(old, new), SUCCESSION):
            yield about.differs(Step.REGISTRATION, "subject", reason=f"it speaks of another succession than {other}'s")

    # 3. Entries

    def _append(self, entry: Entry) -> Sequence[Verdict]:
        """Most entries of an honest log leave nothing to say before the last one; there may be millions."""
        expected, ended, kind = self._last_seq + 1, self.end is not None, entry.kind
        self._head = fold(self._head, entry)
        self._last_seq = entry.seq
        self.entries += 1
        self.kinds[kind] += 1
        is_next = entry.seq == expected and entry.epoch == len(self.scopes) - 1 and not ended
        if is_next and kind in _ANSWERS and not (self.paused and kind is EntryKind.VOTE):
            return ()
        return list(self._unusual(entry, expected, ended))

    def _unusual(self, entry: Entry, expected: int, ended: bool) -> Iterator[Verdict]:
        about = About(self.writer, entry.seq)
        if entry.seq != expected:
            yield about.differs(
                Step.ENTRIES, "seq", expected=expected, seen=entry.seq, reason="entries are not shown, or shown twice"
            )
        if ended:
            yield about.differs(Step.ENTRIES, "end", reason="an entry after another writer took this one's place")
        yield from self._configuration_of(entry, about)
        if entry.kind in {EntryKind.SUCCEEDS, EntryKind.SUCCEEDED}:
            yield from self._succession(entry, about)
        yield from self._administration(entry, about)

    def close(self, state: WriterState) -> Iterator[Verdict]:
        """All events were taken; `state` is what the log holds at the block that they reach to."""
        about = About(self.writer)
        if not self.scopes:
            why = "the log's state knows the writer, its event is not shown" if state.registered else "never registered"
            yield about.missing(Step.REGISTRATION, why)
            return
        last = self._last_seq
        if not state.registered:
            yield about.differs(Step.ENTRIES, "state", reason="the log's state does not know this writer")
        elif state.seq != last:
            reason = "entries at the end are not shown" if state.seq > last else "entries that the log does not hold"
            yield about.differs(Step.ENTRIES, "seq", expected=state.seq, seen=last, reason=reason)
        elif state.head != self._head:
            reason = "an altered entry, or an altered registration"
            yield about.differs(Step.ENTRIES, "head", expected=state.head, seen=self._head, reason=reason)
        elif state.closed != (self.end is not None):
            expected = "closed" if state.closed else "open"
            yield about.differs(Step.ENTRIES, "end", expected=expected, seen="open" if state.closed else "closed")
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

    # 5, too: what a gate reports about itself

    def _administration(self, entry: Entry, about: About) -> Iterator[Verdict]:
        """Only a gate has a signer, an allowlist and a pause to report about; and none of ours votes while paused."""
        if entry.kind in _GATE_KINDS and not self._is_gate:
            reason = "administration of a gate, by a writer that is none"
            yield about.differs(Step.WRITER, "kind", seen=entry.kind.name, reason=reason)
        elif entry.kind in {EntryKind.PAUSED, EntryKind.UNPAUSED}:
            self.paused = entry.kind is EntryKind.PAUSED
        elif entry.kind is EntryKind.VOTE and self.paused:
            yield about.differs(
                Step.WRITER, "paused", reason="a vote while its votes were paused: no gate of ours does that"
            )

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


def check_predecessor(history: History, state: WriterState, last: Entry | None) -> Iterator[Verdict]:
    """Step 2, for a writer that took another one's place. `state` is the other one's in the log, `last` its SUCCEEDED
    entry that names this writer, None when the node shows none.
    """
    beginning = history.beginning
    if beginning is None:
        return
    about, old = About(history.writer, beginning.seq), _other_writer(beginning)
    if last is None or not state.closed or last.seq != state.seq:
        yield about.missing(Step.REGISTRATION, f"the last entry of {old} that names this writer as its successor")
    elif beginning.record_root != succession_root(state.head):
        yield about.differs(
            Step.REGISTRATION, "recordRoot", expected=succession_root(state.head), seen=beginning.record_root,
            reason=f"it commits to another head than the last one of {old}",
        )  # fmt: skip
    else:
        yield about.matches(Step.REGISTRATION, reason=f"it takes the place of {old}, from its last head on")


def check_successor(history: History, first: Entry | None) -> Iterator[Verdict]:
    """Step 2, for a writer whose place another one took. `first` is that one's SUCCEEDS entry, which names this one."""
    end = history.end
    if end is None:
        return
    about, new = About(history.writer, end.seq), _other_writer(end)
    if first is None or first.seq != 1:
        yield about.missing(Step.REGISTRATION, f"the first entry of {new}, which takes this writer's place")
    elif first.record_root != succession_root(history.head):
        yield about.differs(
            Step.REGISTRATION, "recordRoot", expected=succession_root(history.head), seen=first.record_root,
            reason=f"{new} commits to another head than this writer's last one",
        )  # fmt: skip
    else:
        yield about.matches(Step.REGISTRATION, reason=f"{new} takes its place, from its last head on")


def _other_writer(entry: Entry) -> str:
    """Whom an entry of a succession names."""
    return str(to_checksum_address(entry.action[12:]))
