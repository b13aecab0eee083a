"""A person's word on one decision: what is signed (EIP-712), who signed it, and whether it counts. Pure.

The signer asks before it signs, the agent before it tries, the verifier afterwards. All of them ask here.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from pnyx_contracts.errors import RefusedError
from pnyx_contracts.types import Address, Bytes32, Uint, Value, Vote
from pnyx_policies.configuration import Configuration
from pnyx_policies.dossier import Approval, Dossier, People
from pnyx_policies.typed_data import TypedData, signer_of

NO_VOTE: Final = "none"
"""What a rejection wants."""

_ANSWER: Final = (
    ("verdict", "string"),
    ("vote", "string"),
    ("decision", "string"),
    ("governor", "address"),
    ("proposalId", "uint256"),
    ("writer", "address"),
    ("expiresAt", "uint256"),
    ("comment", "string"),
    ("reviewDigest", "bytes32"),
    ("rulesetHash", "bytes32"),
    ("configHash", "bytes32"),
)


class Answer(Value):
    """All that a person says by a signature, and for what it is said."""

    chain_id: int
    log: Address
    writer: Address
    governor: Address
    proposal_id: Uint
    verdict: str
    vote: str
    """The vote that is wanted, also when it is the one decided; `NO_VOTE` with a rejection."""
    decision: str
    """The outcome that the person saw."""
    expires_at: int
    comment: str
    review_digest: Bytes32
    ruleset_hash: Bytes32
    config_hash: Bytes32

    @property
    def digest(self) -> bytes:
        """What is signed."""
        return self._message.digest

    @property
    def typed_data(self) -> dict[str, Any]:
        """What wallets take, and show."""
        return self._message.for_wallets

    @property
    def _message(self) -> TypedData:
        return TypedData("Answer", _ANSWER, self._words, self.chain_id, self.log)

    @property
    def _words(self) -> tuple[object, ...]:
        return (
            self.verdict,
            self.vote,
            self.decision,
            self.governor,
            self.proposal_id,
            self.writer,
            self.expires_at,
            self.comment,
            self.review_digest,
            self.ruleset_hash,
            self.config_hash,
        )


def answer_in(dossier: Dossier, approval: Approval) -> Answer:
    """What `approval` says about the decision in `dossier`. Raises `RefusedError` when that is not said clearly."""
    header, decision, key = dossier.header, dossier.decision, dossier.proposal.key
    if header.log is None or header.writer is None:
        raise RefusedError("a review without a log leads to no vote, whoever approves", hint="pnyx deploy")
    vote = NO_VOTE
    if approval.verdict == "approve":
        wanted = wanted_vote(dossier, approval)
        if wanted is None:
            raise RefusedError(
                f"the decision is {decision.outcome.value!r}: an approval must say which vote",
                hint="pnyx approve ID --vote for",
            )
        vote = wanted.value
    return Answer(
        chain_id=header.chain_id,
        log=header.log,
        writer=header.writer,
        governor=key.governor,
        proposal_id=key.proposal_id,
        verdict=approval.verdict,
        vote=vote,
        decision=decision.outcome.value,
        expires_at=approval.expires_at,
        comment=approval.comment,
        review_digest=decision.review_digest,
        ruleset_hash=decision.ruleset_hash,
        config_hash=header.config_hash,
    )


def speaks_of(approval: Approval, dossier: Dossier) -> bool:
    """Whether the word is about the decision in `dossier`: also where it was given for an earlier record of it."""
    try:
        return answer_in(dossier, approval).digest == approval.decision_digest
    except RefusedError:
        return False


def answered(
    dossier: Dossier, *, person: str, verdict: str, expires_at: int, vote: str | None = None, comment: str = ""
) -> Approval:
    """A person's word, not signed yet, bound to the decision in `dossier`. Raises as `answer_in`."""
    unbound = Approval(
        person=person, verdict=verdict, vote=vote, comment=comment, expires_at=expires_at, decision_digest=bytes(32)
    )
    return unbound.model_copy(update={"decision_digest": answer_in(dossier, unbound).digest})


def wanted_vote(dossier: Dossier, approval: Approval) -> Vote | None:
    """The vote that an approval asks for: the one named, else the one decided."""
    return Vote(approval.vote) if approval.vote else dossier.decision.outcome.vote


def signed_by(approval: Approval) -> str | None:
    """Whose signature over the decision digest this is; None for no signature, or one that is none."""
    return signer_of(approval.decision_digest, approval.signature)


def vouched_by(dossier: Dossier, approval: Approval, configuration: Configuration) -> str | None:
    """The declared approver who signed; None for the operator's unsigned word, where that is enough.

    Raises `RefusedError` where it does not count. That it speaks of this decision is what `entitlement` establishes.
    """
    if configuration.approvers or approval.signature:
        return _declared_approver(approval, configuration)
    decided = dossier.decision.outcome
    wanted = wanted_vote(dossier, approval)
    changes_vote = approval.verdict == "approve" and wanted is not decided.vote
    if changes_vote and not configuration.unsafe_unsigned_approvals:
        raise RefusedError(
            f"the rules give {decided.value!r}, and nobody signed for {wanted and wanted.value!r} instead",
            hint="declare approvers in [signer] and let one of them sign: pnyx approve ID --keystore FILE",
        )
    return None


def require_word(dossier: Dossier, word: Approval, configuration: Configuration, now: int) -> None:
    """Raises `RefusedError` when this word alone does not count for the decision in `dossier`. `now` in seconds since
    the epoch.

    An approval expires. A rejection does not: what it holds back must not be cast because time went by.
    """
    if word.verdict == "approve" and word.expires_at <= now:
        raise RefusedError(
            f"the approval by {word.person} expired at {word.expires_at}, it is {now}", hint="approve again"
        )
    vouched_by(dossier, word, configuration)


def require_counts(dossier: Dossier, configuration: Configuration, now: int) -> None:
    """Raises `RefusedError` when what people said in `dossier` does not lead where it leads. `now` in seconds since the
    epoch. What ended without a vote stays so, also when the approvals in it expire.
    """
    vouchers(dossier, configuration)
    if dossier.people.give_vote:
        for word in dossier.people.words:
            require_word(dossier, word, configuration, now)


def vouchers(dossier: Dossier, configuration: Configuration) -> tuple[str, ...]:
    """The declared approvers who signed, in the order of their words; none where the operator's unsigned word suffices.

    Raises `RefusedError` where a word does not count, somebody is heard twice, too few approved, or enough did where
    the wait is said to have ended without them.
    """
    people, voices = dossier.people, dict[str | None, None]()
    for word in people.words:
        voice = vouched_by(dossier, word, configuration)
        if voice in voices:  # at once: a stranger's record may have any number of words, and each signature takes time
            raise RefusedError(f"{voice or 'the operator'} is heard twice: a person counts once")
        voices[voice] = None
    required, most = configuration.approvals, most_for_one_vote(dossier, people.words)
    if people.expired is not None and most >= required:
        raise RefusedError(f"the wait for people did not end without them: {counted(most, required)}")
    if people.give_vote and most < required:
        raise RefusedError(
            f"{counted(most, required)}: the declared configuration asks for more people",
            hint="wait for the others: pnyx approve ID --keystore FILE",
        )
    return tuple(voice for voice in voices if voice is not None)


def counted(approvals: int, required: int) -> str:
    """``1 of 2 approvals``."""
    return f"{approvals} of {required} approval{'' if required == 1 else 's'}"


def joined(words: tuple[Approval, ...], word: Approval) -> tuple[Approval, ...]:
    """A person's later word takes the place of the earlier one."""
    return (*(each for each in words if each.person != word.person), word)


def decisive(dossier: Dossier, words: tuple[Approval, ...], required: int) -> tuple[Approval, ...] | None:
    """Those of `words` that decide: all, once somebody rejects; else the approvals of the vote that `required` people
    want. None while more people are waited for.
    """
    if People(words=words, expired=None).rejection is not None:
        return words
    for wanted, count in _wanted(dossier, words).items():
        if count >= required:
            return tuple(word for word in words if wanted_vote(dossier, word) is wanted)
    return None


def most_for_one_vote(dossier: Dossier, words: tuple[Approval, ...]) -> int:
    """How many approve the vote that most of them want."""
    return max(_wanted(dossier, words).values(), default=0)


def _wanted(dossier: Dossier, words: tuple[Approval, ...]) -> Counter[Vote | None]:
    return Counter(wanted_vote(dossier, word) for word in words if word.verdict == "approve")


def _declared_approver(approval: Approval, configuration: Configuration) -> str:
    signer = signed_by(approval)
    if signer is None or signer not in configuration.approvers:
        raise RefusedError(
            f"the {approval.verdict} is {_whose(approval, signer)}; the declared approvers are "
            f"{', '.join(configuration.approvers) or 'none'}",
            hint="pnyx approve or reject ID --keystore FILE, with the key of an address in [signer] approvers",
        )
    if approval.person != signer:
        raise RefusedError(f"the {approval.verdict} speaks for {approval.person!r} and is signed by {signer}")
    return signer


def _whose(approval: Approval, signer: str | None) -> str:
    if signer is not None:
        return f"signed by {signer}, which is not declared"
    return "signed by nobody: the signature is none" if approval.signature else "not signed"
