"""The judgement: what this signer is willing to sign, given its settings, a bundle, and what it saw itself. Pure.

`claims` judged the bundle by itself (steps 1 to 5). Here it is held against the chain:

6.  The proposal is the one that the governor announced, and the reviewed block is on the chain. (Or neither is there
    any more, and what was written about it is taken back.)
7.  The code behind it is the code that was reviewed.
8.  The decision follows once more, from facts that the signer gathered itself; nothing that it found was hidden.
9.  A person approved it, where one must, and the word of a person counts.
10. It is possible now: open for voting, not voted, the next sequence number, the next nonce, no earlier entry for it,
    the configuration still in force, the writer not succeeded, an atomic account still one.
11. It is the same vote as ever: a subject gets one vote from this signer.
12. It is affordable: see `limits`.

The result is a call that the signer built. Nothing in it comes from the daemon but its sequence number, nonce and fees,
each of which was checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from pnyx_contracts.decision_log import vote_action
from pnyx_contracts.entry import Entry, EntryKind
from pnyx_contracts.errors import RefusedError
from pnyx_contracts.governors import TransactionCall
from pnyx_contracts.safe import SafeTx
from pnyx_contracts.types import ProposalState, Vote
from pnyx_policies.approval import require_counts
from pnyx_policies.entitlement import OPEN_STATES, entitlement
from pnyx_policies.ruleset import Ruleset
from pnyx_tools.atomic import UndelegatedError
from pnyx_tools.signer import payload
from pnyx_tools.signer.claims import Evidence, must_equal
from pnyx_tools.signer.judged_again import own_facts, require_same_judgement, require_same_world
from pnyx_tools.signer.memory import Remembered, VoteGiven
from pnyx_tools.signer.protocol import BundleRequest, NotYetError, SignBallot, SignEntry, SignSafeTx, SignVote
from pnyx_tools.signer.seen import Seen
from pnyx_tools.signer.settings import SignerSettings, WriterKind


@dataclass(frozen=True, slots=True)
class Judged:
    """The call to sign, and what memory must know before it is signed."""

    call: TransactionCall
    vote: VoteGiven | None = None
    """The subject's one vote, when this entry or ballot carries it."""
    gives_up: bool = False
    """True for a VOID entry: the subject's vote is not signed again."""


@dataclass(frozen=True, slots=True)
class Bench:
    """The signer's own standing rules."""

    settings: SignerSettings
    ruleset: Ruleset

    @property
    def desk(self) -> payload.Desk:
        settings = self.settings
        return payload.Desk(settings.writer_kind, settings.writer, settings.log, settings.configuration.safe)


def judge(
    bench: Bench, evidence: Evidence, request: BundleRequest, seen: Seen, remembered: Remembered, now: int
) -> Judged:
    """Steps 6 to 11. `now` in seconds since the epoch. Raises `RefusedError` with the reason."""
    _require_open(seen)
    if not _takes_back_what_is_gone(request, seen):
        _require_announced(evidence, seen)
    _require_nonce(request.ticket.nonce, seen.nonce)
    match request:
        case SignVote():
            return _judge_vote(bench, evidence, request, seen, remembered, now)
        case SignBallot():
            return _judge_ballot(bench, evidence, request, seen, remembered, now)
        case SignEntry():
            return _judge_entry(bench, evidence, request, seen, remembered, now)


def _judge_vote(
    bench: Bench, evidence: Evidence, request: SignVote, seen: Seen, remembered: Remembered, now: int
) -> Judged:
    kind = bench.settings.writer_kind
    if not kind.votes_at_once:
        _refuse("a plain key cannot vote and write in one transaction", "ask for the VOTE entry, then for the ballot")
    if kind is WriterKind.ATOMIC:
        _require_delegated(bench.settings, seen)
    _require_seq(request.expected_seq, seen)
    _require_in_force(seen)
    vote, given = _the_vote(bench, evidence, seen, remembered, now)
    key = evidence.dossier.proposal.key
    support = seen.adapter.support_of(seen.profile, vote)
    call = payload.vote_with_entry(bench.desk, request.expected_seq, key, support, evidence.roots, given.reason)
    return Judged(call, given)


def _judge_ballot(
    bench: Bench, evidence: Evidence, request: SignBallot, seen: Seen, remembered: Remembered, now: int
) -> Judged:
    if bench.settings.writer_kind.votes_at_once:
        _refuse("this writer votes only together with its entry", "ask for the vote with its entry")
    if bench.desk.safe is not None:
        _refuse(f"the owners of the Safe {bench.desk.safe} vote, not this key", "propose the vote to them")
    vote, given = _the_vote(bench, evidence, seen, remembered, now)
    _require_own_announcement(evidence, request.entry_transaction, seen, given)
    key = evidence.dossier.proposal.key
    return Judged(payload.ballot(seen.adapter, seen.profile, key, vote, given.reason), given)


def judge_safe_tx(
    bench: Bench, evidence: Evidence, request: SignSafeTx, seen: Seen, remembered: Remembered, now: int
) -> tuple[SafeTx, VoteGiven]:
    """Steps 6 to 11 for what a Safe's owners are asked to sign. The key can never be one of them."""
    safe = bench.desk.safe
    if safe is None:
        _refuse("no Safe votes for this writer", "declare it: [safe] address")
    if seen.owns_safe:
        _refuse(f"this key is an owner of the Safe {safe}: its signature would be a vote", "take it out of the owners")
    _require_open(seen)
    _require_announced(evidence, seen)
    vote, given = _the_vote(bench, evidence, seen, remembered, now)
    _require_own_announcement(evidence, request.entry_transaction, seen, given)
    call = payload.ballot(seen.adapter, seen.profile, evidence.dossier.proposal.key, vote, given.reason)
    return payload.safe_tx(bench.settings.chain_id, safe, call, request.safe_nonce), given


def _judge_entry(
    bench: Bench, evidence: Evidence, request: SignEntry, seen: Seen, remembered: Remembered, now: int
) -> Judged:
    _require_seq(request.expected_seq, seen)
    if request.kind is not EntryKind.VOID:
        _require_in_force(seen)
    if any(e.kind is request.kind and e.record_root == evidence.roots.record_root for e in seen.entries):
        _refuse(f"this {request.kind.name} entry is on chain already")
    given: VoteGiven | None = None
    match request.kind:
        case EntryKind.VOTE:
            given = _the_announcement(bench, evidence, seen, remembered, now)
        case EntryKind.VOID:
            _require_voidable(evidence, seen)
        case EntryKind.CORRECTION:
            if not seen.entries:
                _refuse("there is no entry about this proposal to correct")
        case _:
            require_counts(evidence.dossier, bench.settings.configuration, now)  # step 9: rejections too
            _require_entitled(bench, evidence, request.kind, seen)
    key = evidence.dossier.proposal.key
    action = payload.entry_action(request.kind, given.support if given else None)
    call = payload.entry(bench.desk, request.expected_seq, request.kind, key, action, evidence.roots)
    return Judged(call, given, gives_up=request.kind is EntryKind.VOID)


# --- the vote --------------------------------------------------------------------------------------------------------


def _the_vote(bench: Bench, evidence: Evidence, seen: Seen, remembered: Remembered, now: int) -> tuple[Vote, VoteGiven]:
    """The one vote that this bundle entitles to, after steps 7 to 11."""
    vote = evidence.entitled.vote
    if vote is None:
        _refuse(
            f"the rules give no vote here: outcome {evidence.dossier.decision.outcome.value!r} in mode "
            f"{evidence.dossier.header.mode.value!r} entitles to a {evidence.entitled.kind.name} entry"
        )
    require_counts(evidence.dossier, bench.settings.configuration, now)  # step 9
    _require_possible(evidence, seen)
    require_same_world(evidence, seen)
    given = VoteGiven(
        support=seen.adapter.support_of(seen.profile, vote),
        prompt_hash=evidence.roots.prompt_hash,
        record_root=evidence.roots.record_root,
        reason=evidence.dossier.decision.reason,
    )
    _require_same_vote(given, remembered)
    require_same_judgement(bench.ruleset, evidence, seen, is_signed=remembered.vote is not None)
    return vote, given


def _the_announcement(bench: Bench, evidence: Evidence, seen: Seen, remembered: Remembered, now: int) -> VoteGiven:
    if bench.settings.writer_kind.votes_at_once:
        _refuse("this writer makes no VOTE entry without its vote", "ask for the vote with its entry")
    _require_unannounced(evidence, seen)
    return _the_vote(bench, evidence, seen, remembered, now)[1]


def _require_possible(evidence: Evidence, seen: Seen) -> None:
    if seen.state is not ProposalState.ACTIVE:
        _refuse(f"the proposal is {seen.state.name if seen.state else 'unknown to the governor'}, not ACTIVE")
    if seen.has_voted:
        _refuse("the writer has voted on this proposal")
    if any(e.kind is EntryKind.VOID and e.record_root == evidence.roots.record_root for e in seen.entries):
        _refuse("a VOID entry says that this vote will not be cast")


def _require_same_vote(given: VoteGiven, remembered: Remembered) -> None:
    """Step 11. Another nonce, other fees, another sequence number: fine. Another vote or another record: never."""
    if remembered.given_up:
        _refuse("this vote was given up by a VOID entry")
    if remembered.vote is not None and remembered.vote != given:
        _refuse(
            f"another vote was signed for this proposal: support {remembered.vote.support}, "
            f"record root 0x{remembered.vote.record_root.hex()}; now it is support {given.support}, "
            f"record root 0x{given.record_root.hex()}",
            "send the bundle of the first vote; people decide when that is no longer right",
        )


# --- entries ---------------------------------------------------------------------------------------------------------


def needs_facts(kind: EntryKind) -> bool:
    """Whether an entry is signed only when the signer's own facts lead there too.

    So it is for votes, and for "no vote is possible": that stays so once it is true, and said wrongly it would silence
    a vote. A hold may come from something that only the daemon does not know.
    """
    return kind in {EntryKind.VOTE, EntryKind.SKIP, EntryKind.MISSED}


def _require_entitled(bench: Bench, evidence: Evidence, kind: EntryKind, seen: Seen) -> None:
    if kind is not evidence.entitled.kind:
        _refuse(f"the bundle entitles to a {evidence.entitled.kind.name} entry, not to {kind.name}")
    if any(e.kind is EntryKind.VOTE for e in seen.entries):
        _refuse(f"a VOTE entry about this proposal is on chain; {kind.name} would contradict it", "use CORRECTION")
    if needs_facts(kind):
        require_same_judgement(bench.ruleset, evidence, seen, is_signed=False)
        _require_same_kind(evidence, kind, seen)


def _require_same_kind(evidence: Evidence, kind: EntryKind, seen: Seen) -> None:
    """A vote that is not over is skipped, never missed: SKIP and MISSED come from the same outcome."""
    dossier, own = evidence.dossier, own_facts(evidence, seen)
    state = dossier.state.model_copy(update={"governor": own.governor, "voter": own.voter})
    due = entitlement(dossier.model_copy(update={"state": state})).kind
    if due is not kind:
        _refuse(f"from what the signer sees now a {due.name} entry is due, not {kind.name}", "review it again")


def _require_voidable(evidence: Evidence, seen: Seen) -> None:
    """An announced vote that did not land, which a gate has none of; or anything about a proposal that is gone."""
    own = [e for e in seen.entries if e.kind.is_terminal and e.record_root == evidence.roots.record_root]
    if seen.state is None and own:
        _require_final(own[-1], seen)
        return
    if not any(e.kind is EntryKind.VOTE for e in own):
        _refuse("no VOTE entry with this record root is on chain: there is nothing to void")
    if seen.has_voted:
        _refuse("the vote was cast: it cannot be voided")
    if seen.state is not None and seen.state in OPEN_STATES:
        _refuse(f"the proposal is {seen.state.name}: the announced vote can still be cast", "ask for the ballot")


def _takes_back_what_is_gone(request: BundleRequest, seen: Seen) -> bool:
    """A reorganisation took the proposal away after its entry was written. The signer believes its own endpoints only:
    the governor announced no such proposal, and knows none.
    """
    is_void = isinstance(request, SignEntry) and request.kind is EntryKind.VOID
    return is_void and seen.proposal is None and seen.state is None


def _require_final(entry: Entry, seen: Seen) -> None:
    """While the chain can still take another way, the proposal can come back with it."""
    if entry.block_number > seen.final_block:
        raise NotYetError(
            f"the governor does not know the proposal of entry {entry.seq}; nothing is taken back before the entry's "
            f"block {entry.block_number} is final (now {seen.final_block})"
        )


def _require_unannounced(evidence: Evidence, seen: Seen) -> None:
    for entry in seen.entries:
        if entry.kind is EntryKind.VOTE:
            same = "this" if entry.record_root == evidence.roots.record_root else "another"
            _refuse(f"{same} VOTE entry about this proposal is on chain already, as number {entry.seq}")


def _require_own_announcement(evidence: Evidence, transaction: bytes, seen: Seen, given: VoteGiven) -> None:
    """A plain key votes only after the successful receipt of its entry: events exist in no other receipt."""
    entry = next((e for e in seen.entries if e.kind is EntryKind.VOTE and e.transaction_hash == transaction), None)
    if entry is None:
        raise NotYetError(f"transaction 0x{transaction.hex()} holds no VOTE entry about this proposal, seen from here")
    must_equal("the entry's record root", evidence.roots.record_root, entry.record_root)
    must_equal("the entry's prompt hash", evidence.roots.prompt_hash, entry.prompt_hash)
    must_equal("the entry's action", vote_action(given.support), entry.action)


# --- place in the chain ----------------------------------------------------------------------------------------------


def _require_open(seen: Seen) -> None:
    if seen.is_closed:
        raise closed()


def _require_delegated(settings: SignerSettings, seen: Seen) -> None:
    """Without its code, a call of the account to itself succeeds and does nothing: no entry, and no vote."""
    if seen.account_log != settings.log:
        raise UndelegatedError(settings.writer, settings.log)


def closed() -> RefusedError:
    return RefusedError(
        "another writer succeeded this one: the log takes no entry from it any more",
        hint="stop this agent, and run the one of the new writer",
    )


def _require_announced(evidence: Evidence, seen: Seen) -> None:
    """Step 6."""
    if seen.proposal is None:
        _refuse("the governor announced no such proposal in the block and transaction that the bundle names")
    must_equal("the proposal", evidence.dossier.proposal, seen.proposal)
    must_equal("the pinned block's hash", evidence.dossier.state.block.hash, seen.pinned_block_hash)


def _require_seq(expected: int, seen: Seen) -> None:
    if expected != seen.next_seq:
        raise NotYetError(f"the log's next number for this writer is {seen.next_seq}, not {expected}")


def _require_in_force(seen: Seen) -> None:
    """The record names the configuration that this signer was started with. The number that the entry expects makes
    the transaction revert when another one comes into force before it lands.
    """
    if not seen.is_declaration_of_start:
        _refuse(
            "another configuration came into force since this signer started",
            "restart agent and signer with the configuration that is in force",
        )


def _require_nonce(nonce: int, next_nonce: int) -> None:
    """One transaction at a time: a replacement takes the nonce of what it replaces, so one of the two never lands."""
    if nonce != next_nonce:
        raise NotYetError(f"the key's next nonce on chain is {next_nonce}, not {nonce}")


def judge_cancel(key_address: str, nonce: int, next_nonce: int, *, was_signed: bool) -> TransactionCall:
    """Nothing, from the key to itself: it takes the place of what this signer signed, which is then never mined; or the
    place before it, where another program's transaction was and is gone, so that what was signed can land.

    It says nothing, moves nothing and votes for nobody. An account with code of its own (`AtomicAccount`) takes it by
    `receive`; should its code refuse it, the nonce is taken all the same.
    """
    _require_nonce(nonce, next_nonce)
    if not was_signed:
        _refuse(f"nothing was signed here for nonce {nonce}, nor for a later one: there is nothing to cancel")
    return TransactionCall(key_address, b"")


def _refuse(reason: str, hint: str = "") -> NoReturn:
    raise RefusedError(reason, hint=hint)
