"""Casts the vote that a decision entitles to, and reads it back. No vote without a record.

Through a gate: entry and vote are one transaction; the chain sees to it.

With an account that runs `AtomicAccount` (EIP-7702): the same, as long as it runs that code. Without it, the
transaction would succeed and do nothing; so it counts as landed only when the log says that it made an entry.

With a plain key (members see DECLARED):
1. the VOTE entry, when the caps and the key's money allow the vote as well;
2. its successful receipt, in a block that is settled: a reorganisation could put another entry first, so that this one
   reverts and its vote, which is on its way already, does not;
3. only then the vote is signed and sent;
4. when the vote can no longer land, a VOID entry says so.

Where a Safe votes, its owners are asked in step 3, and sign and send the vote themselves, or do not.

Either way the receipt's `VoteCast` is compared with the decision: voter, proposal, vote, number, reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pnyx_contracts.decision_log import vote_action
from pnyx_contracts.entry import Entry, EntryKind
from pnyx_contracts.errors import DiffersError, UsageError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile, TransactionCall
from pnyx_contracts.types import Log, Vote, VoteCast, to_hex
from pnyx_policies.entitlement import OPEN_STATES, entitlement
from pnyx_tools.atomic import require_atomic
from pnyx_tools.clock import clock_at, read_clock, seconds_per_tick
from pnyx_tools.pinned import PinnedReader, reads_of
from pnyx_tools.reader import RevertedError, RpcError, Topics
from pnyx_tools.recorder import Case, Writer, find_entry, read_back_entry, receipt_logs, record, record_note
from pnyx_tools.safe.owners import TO_OWNERS, Owners
from pnyx_tools.sender import Errand, FailedTransactionError, GivenUpError
from pnyx_tools.signer import payload
from pnyx_tools.signer.protocol import NotYetError, SignBallot, SignRequest, SignVote, Ticket
from pnyx_tools.signer.settings import WriterKind

LEAST_BLOCKS_ABOVE = 1
"""On the entry of a plain key, before its vote is signed; however little time is left."""


@dataclass(frozen=True, slots=True)
class Booth:
    """The governor that votes are cast in."""

    adapter: GovernorAdapter
    profile: GovernorProfile


@dataclass(frozen=True, slots=True)
class Voted:
    """What became of a vote: `cast`, or, for a plain key whose vote could not land, `void`."""

    entry: Entry
    cast: VoteCast | None = None
    void: Entry | None = None


def vote(writer: Writer, booth: Booth, case: Case) -> Voted:
    """The way that fits the writer. Safe to run again at any time: what landed is found, not repeated.

    Raises what `Sender.send` raises; where entry and vote are one, nothing has happened then. Raises `DiffersError`
    when what landed is not what was decided.
    """
    if writer.desk.writer_kind.votes_at_once:
        return vote_with_entry(writer, booth, case)
    if writer.owners is not None:
        return vote_with_safe(writer, writer.owners, booth, case)
    return vote_with_plain_key(writer, booth, case)


def vote_with_entry(writer: Writer, booth: Booth, case: Case) -> Voted:
    """Entry and vote in one transaction."""
    decided = _decided(case)
    support = booth.adapter.support_of(booth.profile, decided)
    reason = case.dossier.decision.reason

    def prepare() -> tuple[TransactionCall, Callable[[Ticket], SignRequest]]:
        _require_delegated(writer)
        seq = writer.next_seq()
        call = payload.vote_with_entry(writer.desk, seq, case.key, support, case.roots, reason)
        return call, lambda ticket: SignVote(bundle=case.text, expected_seq=seq, ticket=ticket)

    known = find_entry(writer, case, EntryKind.VOTE)
    if known is not None:
        receipt = writer.chain.receipt(known.transaction_hash)
        if receipt is None:
            raise RpcError(
                f"the node shows entry {known.seq}, but not its transaction",
                hint="a reorganisation took it away, or the node lags: it is looked at again",
            )
    else:
        receipt = writer.sender.send(
            Errand(
                case.purpose("vote"),
                prepare,
                _is_open(writer, booth, case),
                is_urgent=True,
                heard_from=writer.desk.log,
                seconds_left=_seconds_left(writer, booth, case),
                charged_to=str(case.key),
            )
        )
    entry = read_back_entry(writer, case, EntryKind.VOTE, vote_action(support), receipt)
    return Voted(entry, cast=read_back_vote(writer, booth, case, receipt))


def _require_delegated(writer: Writer) -> None:
    """The signer refuses by what it sees itself; asked here too, other code would only show as a revert."""
    desk = writer.desk
    if desk.writer_kind is WriterKind.ATOMIC:
        require_atomic(writer.chain, desk.writer, desk.log)


def vote_with_plain_key(writer: Writer, booth: Booth, case: Case) -> Voted:
    """Steps 1 to 4. Raises what `Sender.send` raises while the vote can still land, and `NotYetError` while the entry
    is not settled: run it again then.
    """
    entry = _announce(writer, booth, case)
    void = find_entry(writer, case, EntryKind.VOID)
    if void is not None:
        return Voted(entry, void=void)
    landed = _find_vote(writer, booth, case, entry)
    is_open = _is_open(writer, booth, case)
    if landed is None and is_open():
        _require_settled(writer, booth, case, entry)  # also before a ballot of an earlier call is sent again
    if landed is None:
        try:
            receipt = writer.sender.send(_ballot(writer, booth, case, entry))
            landed = read_back_vote(writer, booth, case, receipt)
        except (GivenUpError, FailedTransactionError, RevertedError):
            if is_open():
                raise
            landed = _find_vote(writer, booth, case, entry)
    if landed is None:
        return Voted(entry, void=record_note(writer, case, EntryKind.VOID))
    return Voted(entry, cast=landed)


def vote_with_safe(writer: Writer, owners: Owners, booth: Booth, case: Case) -> Voted:
    """Steps 1 to 4. Raises `WaitsForOwnersError` while the owners have not cast the vote and still can, and
    `DiffersError` when they cast another one.
    """
    entry = _announce(writer, booth, case)
    void = find_entry(writer, case, EntryKind.VOID)
    if void is not None:
        return Voted(entry, void=void)
    is_over = not _is_open(writer, booth, case)()  # asked first: what is cast until then is found
    landed = _find_vote(writer, booth, case, entry)
    if landed is not None:
        return Voted(entry, cast=landed)
    if is_over:
        return Voted(entry, void=record_note(writer, case, EntryKind.VOID))
    _require_settled(writer, booth, case, entry)
    call = payload.ballot(booth.adapter, booth.profile, case.key, _decided(case), case.dossier.decision.reason)
    raise owners.ask(writer.chain, case.purpose(TO_OWNERS), call, case.text, entry)


def _announce(writer: Writer, booth: Booth, case: Case) -> Entry:
    """Step 1."""

    def ballot() -> TransactionCall:
        return payload.ballot(booth.adapter, booth.profile, case.key, _decided(case), case.dossier.decision.reason)

    return record(
        writer,
        case,
        EntryKind.VOTE,
        vote_action(booth.adapter.support_of(booth.profile, _decided(case))),
        is_wanted=_is_open(writer, booth, case),
        seconds_left=_seconds_left(writer, booth, case),
        follows=ballot if writer.owners is None else None,
    )


def is_settled(blocks_above: int, left_after_entry: int, left: int, *, is_final: bool) -> bool:
    """Whether a vote may follow its entry. Times are those left to vote, in units of the governor's clock.

    Finality can take longer than the vote has. Then half of the time is given to waiting: a deep reorganisation is
    rare, a vote after its deadline is lost for certain.
    """
    return blocks_above >= LEAST_BLOCKS_ABOVE and (is_final or 2 * left < left_after_entry)


def read_back_vote(writer: Writer, booth: Booth, case: Case, receipt: dict[str, Any]) -> VoteCast:
    """The one vote in a receipt. Raises `DiffersError` with both sides when it is not the one decided."""
    where = f"transaction {receipt['transactionHash']}"
    votes = _votes(booth, case, receipt_logs(receipt))
    if len(votes) != 1:
        raise DiffersError(f"{where}: expected one vote on proposal {case.key}, found {len(votes)}")
    return _compare(writer, booth, case, votes[0])


def _ballot(writer: Writer, booth: Booth, case: Case, entry: Entry) -> Errand:
    decided, reason = _decided(case), case.dossier.decision.reason

    def prepare() -> tuple[TransactionCall, Callable[[Ticket], SignRequest]]:
        _require_settled(writer, booth, case, entry)
        call = payload.ballot(booth.adapter, booth.profile, case.key, decided, reason)
        return call, lambda ticket: SignBallot(
            bundle=case.text, entry_transaction=entry.transaction_hash, ticket=ticket
        )

    return Errand(
        case.purpose("ballot"),
        prepare,
        _is_open(writer, booth, case),
        is_urgent=True,
        seconds_left=_seconds_left(writer, booth, case),
        charged_to=str(case.key),
        is_followed=True,  # by the VOID entry
    )


def _require_settled(writer: Writer, booth: Booth, case: Case, entry: Entry) -> None:
    """Step 2, looked at anew before each signature. Raises `NotYetError`."""
    chain, where = writer.chain, f"entry {entry.seq}, which announces the vote on {case.key},"
    receipt = chain.receipt(entry.transaction_hash)
    if receipt is None or receipt["status"] != "0x1":
        raise NotYetError(f"{where} is not on chain any more", hint="a reorganisation: it is written again")
    block, head = chain.block(int(receipt["blockNumber"], 16)), chain.block()
    deadline = chain.read(booth.adapter.read_deadline(booth.profile, case.key.proposal_id))
    then, now = (clock_at(chain, booth.profile, at) for at in (block, head))
    above = head.number - block.number
    if not is_settled(above, deadline - then, deadline - now, is_final=writer.is_final(block.number)):
        raise NotYetError(f"{where} has {above} blocks above it and is not settled; its vote is signed after that")


def _find_vote(writer: Writer, booth: Booth, case: Case, entry: Entry) -> VoteCast | None:
    """The writer's vote after its entry, if it is on chain. Raises `DiffersError` when it is not the one decided."""
    cast = find_vote(writer, booth, case, entry.block_number)
    return _compare(writer, booth, case, cast) if cast else None


def find_vote(writer: Writer, booth: Booth, case: Case, from_block: int) -> VoteCast | None:
    """Whatever vote the writer, or its Safe, cast on the proposal."""
    head, voter = writer.chain.block("latest").number, writer.desk.voter
    topics: Topics = booth.adapter.voter_topics(voter) or [booth.adapter.vote_topics()]
    logs = writer.chain.logs(from_block, head, topics, [case.key.governor])
    return next((cast for cast in _votes(booth, case, logs) if cast.voter == voter), None)


def _votes(booth: Booth, case: Case, logs: list[Log]) -> list[VoteCast]:
    topics = set(booth.adapter.vote_topics())
    votes = [
        booth.adapter.decode_vote(booth.profile, log)
        for log in logs
        if log.address == case.key.governor and log.topics and log.topics[0] in topics
    ]
    return [cast for cast in votes if cast.key == case.key]


def _compare(writer: Writer, booth: Booth, case: Case, cast: VoteCast) -> VoteCast:
    """The owners of a Safe may give their vote another reason, or none."""
    decided, reason = _decided(case), case.dossier.decision.reason
    support = booth.adapter.support_of(booth.profile, decided)
    for what, landed, meant in (
        ("voter", cast.voter, writer.desk.voter),
        ("vote", cast.vote, decided),
        ("support number", cast.support, support),
        ("reason", cast.reason, reason if writer.desk.safe is None else cast.reason),
    ):
        if landed != meant:
            raise DiffersError(
                f"the vote on {case.key} is not the one decided: its {what} is {landed!r}, it should be {meant!r}",
                hint="tell the members; stop the agent until it is understood",
            )
    return cast


def _decided(case: Case) -> Vote:
    entitled = entitlement(case.dossier)
    if entitled.vote is None:
        raise UsageError(f"the decision on {case.key} entitles to a {entitled.kind.name} entry, not to a vote")
    return entitled.vote


def _seconds_left(writer: Writer, booth: Booth, case: Case) -> Callable[[], float]:
    """Until the vote closes. Governors that count blocks: at the pace of the last ones."""
    profile, end = booth.profile, booth.adapter.read_deadline(booth.profile, case.key.proposal_id)

    def seconds() -> float:
        look = PinnedReader(writer.chain)
        head = look.block()
        at = to_hex(head.hash)
        look.ask_ahead(reads_of([end, read_clock(profile)], at))
        left = look.read(end, at) - clock_at(look, profile, head)
        return left * seconds_per_tick(look, profile, head, case.dossier.proposal.created_block)

    return seconds


def _is_open(writer: Writer, booth: Booth, case: Case) -> Callable[[], bool]:
    """Whether the vote can be cast, now or later: a reorganisation can put it before its time again."""
    read = booth.adapter.read_state(booth.profile, case.key.proposal_id)
    return lambda: writer.chain.read(read) in OPEN_STATES
