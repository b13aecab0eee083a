"""Steps 6 to 8: votes against entries, entries against votes, proposals against entries. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pnyx_contracts.decision_log import subject, vote_action
from pnyx_contracts.entry import Entry, EntryKind
from pnyx_contracts.types import ProposalKey, ProposalState
from pnyx_policies.entitlement import OPEN_STATES
from pnyx_policies.verify.verdict import About, Step, Tier, Verdict


@dataclass(frozen=True, slots=True)
class Ballot:
    """A vote event that names the writer."""

    key: ProposalKey
    support: int
    block_number: int
    log_index: int
    transaction_hash: bytes
    in_scope: bool
    """Cast in a governor of the configuration that was in force."""
    is_genuine: bool = True
    """In a governor that the writer ever declared, or sent by the writer itself. Anybody can emit such an event."""

    @property
    def place(self) -> tuple[int, int]:
        return self.block_number, self.log_index


@dataclass(frozen=True, slots=True)
class Duty:
    """A proposal in scope, as it stands at the block that the check reaches to."""

    key: ProposalKey
    state: ProposalState
    deadline: int
    """Timepoint of the governor's clock: the last block, or second, in which votes count."""
    has_voted: bool
    """The governor's own answer about the writer."""
    times: Mapping[int, int | None] = field(default_factory=dict)
    """The governor's clock in the blocks of the entries about it; None where the node cannot tell."""


@dataclass(slots=True)
class _Case:
    """Everything about one proposal."""

    entries: list[Entry] = field(default_factory=list)
    ballots: list[Ballot] = field(default_factory=list)

    def announcements_before(self, ballot: Ballot, earlier_ballots: int) -> list[Entry]:
        """VOTE entries that stood when the ballot was cast: earlier in the chain, not voided, not used up by then."""
        before = [e for e in self.entries if (e.block_number, e.log_index) < ballot.place]
        voided = {e.record_root for e in before if e.kind is EntryKind.VOID}
        standing = [e for e in before if e.kind is EntryKind.VOTE and e.record_root not in voided]
        return standing[earlier_ballots:]


class Docket:
    """Entries, votes and proposals of one writer, sorted by subject."""

    def __init__(
        self, writer: str, entries: Sequence[Entry], ballots: Sequence[Ballot], duties: Sequence[Duty]
    ) -> None:
        self._writer = writer
        self._cases: defaultdict[bytes, _Case] = defaultdict(_Case)
        self._duties = {subject(duty.key): duty for duty in duties}
        self._ballots: list[tuple[Ballot, list[Entry]]] = []
        """Each vote with the VOTE entries that stood for it."""
        self._names = {about: str(duty.key) for about, duty in self._duties.items()}
        for entry in entries:
            if entry.kind.is_terminal or entry.kind in {EntryKind.VOID, EntryKind.CORRECTION}:
                self._cases[entry.subject].entries.append(entry)
        for ballot in ballots:
            about = subject(ballot.key)
            self._names[about] = str(ballot.key)
            case = self._cases[about]
            self._ballots.append((ballot, case.announcements_before(ballot, len(case.ballots))))
            case.ballots.append(ballot)

    def about(self, entry: Entry) -> About:
        return About(self._writer, entry.seq, self._names.get(entry.subject, ""))

    # 6. Votes

    def check_votes(self, tier: Tier) -> Iterator[Verdict]:
        strangers: defaultdict[str, int] = defaultdict(int)
        for ballot, announced in self._ballots:
            if not announced and not ballot.is_genuine:
                strangers[ballot.key.governor] += 1
            else:
                yield self._vote(ballot, announced, tier)
        for contract, count in strangers.items():
            yield About(self._writer).not_checkable(
                Step.VOTES,
                f"{contract}, out of scope, says {count} time(s) that this writer voted; anybody can emit that",
            )

    def _vote(self, ballot: Ballot, announced: list[Entry], tier: Tier) -> Verdict:
        about = About(self._writer, proposal=str(ballot.key))
        if not announced:
            late = any(e.kind is EntryKind.VOTE for e in self._cases[subject(ballot.key)].entries)
            return about.missing(Step.VOTES, f"a vote without an entry{' before it' if late else ''}{_in(ballot)}")
        entry = announced[-1]
        about = About(self._writer, entry.seq, str(ballot.key))
        if len(announced) > 1:
            numbers = ", ".join(str(e.seq) for e in announced)
            return about.differs(
                Step.VOTES, "entries", expected=1, seen=numbers, reason="several VOTE entries for one vote"
            )
        if not 0 <= ballot.support < 256 or entry.action != vote_action(ballot.support):
            return about.differs(
                Step.VOTES, "action", expected=ballot.support, seen=int.from_bytes(entry.action, "big"),
                reason=f"the vote that was cast is not the one in its entry{_in(ballot)}",
            )  # fmt: skip
        if tier is Tier.ENFORCED and entry.transaction_hash != ballot.transaction_hash:
            return about.differs(Step.VOTES, "transaction", reason="a gate's entry and vote come in one transaction")
        if not ballot.in_scope:
            reason = "a vote in a governor that the configuration in force does not name"
            return about.differs(Step.VOTES, "scope", seen=ballot.key.governor, reason=reason)
        return about.matches(Step.VOTES)

    # 7. Announced votes

    def check_announced_votes(self) -> Iterator[Verdict]:
        for about, case in self._cases.items():
            voided = {e.record_root: e for e in case.entries if e.kind is EntryKind.VOID}
            announced = {e.record_root for e in case.entries if e.kind is EntryKind.VOTE}
            for entry in case.entries:
                if entry.kind is EntryKind.VOTE:
                    yield self._announced(entry, case, voided.get(entry.record_root), self._duties.get(about))
                elif entry.kind is EntryKind.VOID and entry.record_root not in announced:
                    yield self.about(entry).missing(
                        Step.ANNOUNCED_VOTES, "the VOTE entry that this VOID entry takes back"
                    )

    def _announced(self, entry: Entry, case: _Case, voided: Entry | None, duty: Duty | None) -> Verdict:
        about = self.about(entry)
        place = entry.block_number, entry.log_index
        cast = any(b.place > place for b in case.ballots)
        if voided is not None and voided.seq > entry.seq:
            if cast:
                return about.differs(
                    Step.ANNOUNCED_VOTES, "vote", reason=f"entry {voided.seq} takes it back, but it was cast"
                )
            return self._taken_back(about, voided, duty)
        if cast:
            return about.matches(Step.ANNOUNCED_VOTES)
        if duty is None:
            return about.missing(
                Step.ANNOUNCED_VOTES, "the announced vote, and the proposal too: none in scope has this subject"
            )
        if duty.state in OPEN_STATES and not duty.has_voted:
            return about.pending(Step.ANNOUNCED_VOTES, "the vote is still open")
        hidden = "the node does not show its event" if duty.has_voted else "never cast, and not taken back"
        return about.missing(Step.ANNOUNCED_VOTES, f"the announced vote: {hidden}")

    def _taken_back(self, about: About, voided: Entry, duty: Duty | None) -> Verdict:
        """A decided vote is taken back only where it cannot land any more."""
        if duty is None:
            because = (
                f"entry {voided.seq} takes the vote back, and no proposal in scope shows whether it could still land"
            )
            return about.not_proven(Step.ANNOUNCED_VOTES, because)
        time = duty.times.get(voided.block_number)
        if duty.state is ProposalState.CANCELED:
            return about.matches(Step.ANNOUNCED_VOTES, reason=f"taken back by entry {voided.seq}: it was canceled")
        if time is None:
            why = (
                f"the node does not tell the governor's time at entry {voided.seq}; the vote closes at {duty.deadline}"
            )
            return about.not_checkable(Step.ANNOUNCED_VOTES, why)
        if time <= duty.deadline:
            return about.differs(
                Step.ANNOUNCED_VOTES, "vote", expected=f"after {duty.deadline}", seen=time,
                reason=f"entry {voided.seq} takes it back while it could still be cast",
            )  # fmt: skip
        return about.matches(Step.ANNOUNCED_VOTES, reason=f"taken back by entry {voided.seq}: it could not land")

    # 8. Completeness

    def check_completeness(self) -> Iterator[Verdict]:
        for about, duty in self._duties.items():
            case = self._cases.get(about, _Case())
            if duty.has_voted and not case.ballots:
                yield About(self._writer, proposal=str(duty.key)).missing(
                    Step.VOTES, "the governor says that this writer voted, the node does not show the vote's event"
                )
            yield self._answered(duty, [e for e in case.entries if e.kind.is_terminal])

    def _answered(self, duty: Duty, entries: list[Entry]) -> Verdict:
        about = About(self._writer, entries[-1].seq if entries else None, str(duty.key))
        times = [duty.times.get(e.block_number) for e in entries if e.kind is not EntryKind.MISSED]
        if any(time is not None and time <= duty.deadline for time in times):
            return about.matches(Step.COMPLETENESS)
        if any(e.kind is EntryKind.MISSED for e in entries):
            return about.matches(Step.COMPLETENESS, reason="missed, and the log says so")
        if duty.state is ProposalState.CANCELED:
            return about.matches(Step.COMPLETENESS, reason="canceled: nothing was left to decide")
        if None in times:
            why = f"the node does not tell the governor's time at the entry; the vote closes at {duty.deadline}"
            return about.not_checkable(Step.COMPLETENESS, why)
        if entries:
            return about.differs(
                Step.COMPLETENESS, "time", expected=f"at most {duty.deadline}", seen=times[0],
                reason="the entry was made after the vote had closed",
            )  # fmt: skip
        if duty.state in OPEN_STATES:
            return about.pending(Step.COMPLETENESS, f"no decision yet; the vote closes at {duty.deadline}")
        return about.missing(Step.COMPLETENESS, "a decision: the vote closed and the writer made no entry")

    def tier_of_account(self) -> Tier:
        """For an EIP-7702 account: atomic when it voted, and every vote came in one transaction with its entry."""
        together = [
            any(entry.transaction_hash == ballot.transaction_hash for entry in announced)
            for ballot, announced in self._ballots
            if ballot.in_scope
        ]
        return Tier.ATOMIC if together and all(together) else Tier.DECLARED


def _in(ballot: Ballot) -> str:
    return f" (transaction 0x{ballot.transaction_hash.hex()})"
