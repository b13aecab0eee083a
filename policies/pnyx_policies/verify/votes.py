"""Steps 6 to 8: votes against entries, entries against votes, proposals against entries. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pnyx_contracts.decision_log import vote_action
from pnyx_contracts.entry import Entry, EntryKind
from pnyx_contracts.types import ProposalKey, ProposalState
from pnyx_policies.entitlement import OPEN_STATES
from pnyx_policies.verify.verdict import About, Step, Tier, Verdict

Place = tuple[int, int]
"""Of an event: its block, and its number among the block's events."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """A vote event that names the writer, or a Safe that votes for it."""

    key: ProposalKey
    support: int
    block_number: int
    log_index: int
    transaction_hash: bytes
    in_scope: bool
    """Cast in a governor of the configuration that was in force."""
    is_genuine: bool = True
    """In a governor that the writer ever declared, or sent by the writer itself. Anybody can emit such an event."""
    counts: bool = True
    """Cast by the account that votes for the writer, by the configuration that was in force: itself, or its Safe."""
    voter: str = ""
    executor: str = ""
    """Of a Safe's vote: who sent the transaction that its owners had signed."""

    @property
    def place(self) -> Place:
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
    created_block: int = 0


@dataclass(frozen=True, slots=True)
class Matter:
    """Everything about one proposal, or whatever else a subject stands for: all that steps 6 to 8 look at together.

    Entries and ballots are in chain order. `end` is where another writer took this one's place, None while it writes.
    """

    writer: str
    entries: Sequence[Entry] = ()
    ballots: Sequence[Ballot] = ()
    duty: Duty | None = None
    end: Place | None = None
    inherited: bool = False
    """The proposal is older than the writer, and was its predecessor's to answer."""
    successor: str = ""
    later: Sequence[Entry] = ()
    """Entries of the successors about it, which answer for what this writer left open."""

    @property
    def name(self) -> str:
        """``chain:governor:id``, where it is known."""
        if self.duty is not None:
            return str(self.duty.key)
        return str(self.ballots[0].key) if self.ballots else ""

    def about(self, entry: Entry | None = None) -> About:
        return About(self.writer, entry.seq if entry else None, self.name)

    # 6. Votes

    def check_votes(self, tier: Tier) -> Iterator[Verdict]:
        for number, ballot in enumerate(self._own_ballots):
            yield self._vote(ballot, self._announcements_before(ballot, number), tier)
        for ballot in self.ballots:
            if not ballot.counts:
                reason = f"a vote by {ballot.voter}, which is not the account that votes for this writer{_in(ballot)}"
                yield self.about().differs(Step.VOTES, "voter", seen=ballot.voter, reason=reason)

    def together(self) -> Iterator[bool]:
        """For each vote in scope: whether it came in one transaction with its entry. See `tier_of_account`."""
        for number, ballot in enumerate(self._own_ballots):
            if ballot.in_scope:
                announced = self._announcements_before(ballot, number)
                yield any(entry.transaction_hash == ballot.transaction_hash for entry in announced)

    @property
    def _own_ballots(self) -> list[Ballot]:
        return [ballot for ballot in self.ballots if ballot.counts]

    def _announcements_before(self, ballot: Ballot, earlier_ballots: int) -> list[Entry]:
        """VOTE entries that stood when the ballot was cast: earlier in the chain, not voided, not used up by then."""
        before = [e for e in self.entries if _place(e) < ballot.place]
        voided = {e.record_root for e in before if e.kind is EntryKind.VOID}
        standing = [e for e in before if e.kind is EntryKind.VOTE and e.record_root not in voided]
        return standing[earlier_ballots:]

    def _vote(self, ballot: Ballot, announced: list[Entry], tier: Tier) -> Verdict:
        about = self.about()
        if not announced:
            late = any(e.kind is EntryKind.VOTE for e in self.entries)
            return about.missing(Step.VOTES, f"a vote without an entry{' before it' if late else ''}{_in(ballot)}")
        entry = announced[-1]
        about = self.about(entry)
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
        if self.end is not None and ballot.place > self.end:
            reason = f"cast after another writer took this one's place{_in(ballot)}"
            return about.differs(Step.VOTES, "end", reason=reason)
        if not ballot.in_scope:
            reason = "a vote in a governor that the configuration in force does not name"
            return about.differs(Step.VOTES, "scope", seen=ballot.key.governor, reason=reason)
        by_safe = f"cast by the Safe {ballot.voter}, executed by {ballot.executor}" if ballot.executor else ""
        return about.matches(Step.VOTES, reason=by_safe)

    # 7. Announced votes

    def check_announced_votes(self) -> Iterator[Verdict]:
        voided = {e.record_root: e for e in self.entries if e.kind is EntryKind.VOID}
        answers = {e.record_root: e for e in self.entries if e.kind.is_terminal}
        for entry in self.entries:
            if entry.kind is EntryKind.VOTE:
                yield self._announced(entry, voided.get(entry.record_root))
            elif entry.kind is EntryKind.VOID:
                yield from self._void(entry, answers.get(entry.record_root))

    def _void(self, void: Entry, answer: Entry | None) -> Iterator[Verdict]:
        """A VOID entry takes back a vote that did not land, which `_announced` judges; or whatever was written about a
        proposal that is gone, which step 12 judges by the record.
        """
        about = self.about(void)
        if answer is None:
            yield about.missing(Step.ANNOUNCED_VOTES, "the entry that this VOID entry takes back")
        elif answer.kind is not EntryKind.VOTE and self.duty is not None and not self._came_again_after(void):
            yield about.differs(
                Step.ANNOUNCED_VOTES, "proposal", reason=f"it takes entry {answer.seq} back, and the proposal is there"
            )

    def _came_again_after(self, void: Entry) -> bool:
        """A reorganisation took the proposal away, and later it was made once more."""
        return self.duty is not None and self.duty.created_block > void.block_number

    def _announced(self, entry: Entry, voided: Entry | None) -> Verdict:
        about, duty = self.about(entry), self.duty
        cast = any(b.place > _place(entry) for b in self._own_ballots)
        if voided is not None and voided.seq > entry.seq:
            if cast:
                return about.differs(
                    Step.ANNOUNCED_VOTES, "vote", reason=f"entry {voided.seq} takes it back, but it was cast"
                )
            return self._taken_back(about, voided)
        if cast:
            return about.matches(Step.ANNOUNCED_VOTES)
        if duty is None:
            return about.missing(
                Step.ANNOUNCED_VOTES, "the announced vote, and the proposal too: none in scope has this subject"
            )
        if duty.state in OPEN_STATES and not duty.has_voted and self.end is None:
            return about.pending(Step.ANNOUNCED_VOTES, "the vote is still open")
        if self.end is not None and self._answered_later(duty):
            return about.matches(
                Step.ANNOUNCED_VOTES, reason=f"not cast, and answered by its successor {self.successor}"
            )
        hidden = "the node does not show its event" if duty.has_voted else "never cast, and not taken back"
        return about.missing(Step.ANNOUNCED_VOTES, f"the announced vote: {hidden}")

    def _taken_back(self, about: About, voided: Entry) -> Verdict:
        """A decided vote is taken back only where it cannot land any more."""
        duty = self.duty
        if duty is None:
            because = f"entry {voided.seq} takes the vote back, and no proposal in scope has this subject; see step 12"
            return about.not_checkable(Step.ANNOUNCED_VOTES, because)
        if self._came_again_after(voided):
            return about.matches(
                Step.ANNOUNCED_VOTES, reason=f"taken back by entry {voided.seq}: the proposal was gone, and came later"
            )
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
        if self.duty is None:
            return
        if self.duty.has_voted and not self.ballots:
            yield self.about().missing(
                Step.VOTES, "the governor says that this writer voted, the node does not show the vote's event"
            )
        if not self.inherited:
            yield self._answered(self.duty)

    def _answered(self, duty: Duty) -> Verdict:
        entries = [e for e in self.entries if e.kind.is_terminal and e.block_number >= duty.created_block]
        about = self.about(entries[-1] if entries else None)
        times = [duty.times.get(e.block_number) for e in entries if e.kind is not EntryKind.MISSED]
        if any(time is not None and time <= duty.deadline for time in times):
            return about.matches(Step.COMPLETENESS)
        if any(e.kind is EntryKind.MISSED for e in entries):
            return about.matches(Step.COMPLETENESS, reason="missed, and the log says so")
        if duty.state is ProposalState.CANCELED:
            return about.matches(Step.COMPLETENESS, reason="canceled: nothing was left to decide")
        if not entries and self._answered_later(duty):
            return about.matches(Step.COMPLETENESS, reason=f"left open, and answered by its successor {self.successor}")
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

    def _answered_later(self, duty: Duty) -> bool:
        """By the writer that took this one's place: in time, or by saying that it was missed."""
        for entry in self.later:
            time = duty.times.get(entry.block_number)
            in_time = time is not None and time <= duty.deadline
            if entry.kind is EntryKind.MISSED or (entry.kind.is_terminal and in_time):
                return True
        return False


def tier_of_account(votes: int, together: int) -> Tier:
    """For an EIP-7702 account: atomic when it voted in scope, and every vote came in one transaction with its entry."""
    return Tier.ATOMIC if votes and votes == together else Tier.DECLARED


def check_strangers(writer: str, strangers: Mapping[str, int]) -> Iterator[Verdict]:
    """Step 6: events of contracts out of scope that name the writer, by contract, where nothing of the writer's own
    says that it voted there.
    """
    for contract, count in strangers.items():
        yield About(writer).not_checkable(
            Step.VOTES, f"{contract}, out of scope, says {count} time(s) that this writer voted; anybody can emit that"
        )


def _place(entry: Entry) -> Place:
    return entry.block_number, entry.log_index


def _in(ballot: Ballot) -> str:
    return f" (transaction 0x{ballot.transaction_hash.hex()})"
