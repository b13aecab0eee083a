"""A person's word on one decision: what is signed (EIP-712), who signed it, and whether it counts. Pure.

The signer asks before it signs, the agent before it tries, the verifier afterwards. All of them ask here.
"""

from __future__ import annotations

import re
from typing import Any, Final

from eth_abi.abi import encode
from eth_hash.auto import keccak
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from pnyx_contracts.errors import RefusedError
from pnyx_contracts.types import Address, Bytes32, Uint, Value, Vote
from pnyx_policies.configuration import Configuration
from pnyx_policies.dossier import Approval, Dossier

NO_VOTE: Final = "none"
"""What a rejection wants."""

_DOMAIN_NAME, _DOMAIN_VERSION = "Pnyx", "1"
_DOMAIN: Final = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
)
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

_SIGNATURE = re.compile("0x[0-9a-f]{130}")
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
"""Of secp256k1: a signature whose s is larger is a second spelling of another one (EIP-2)."""


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
        """The EIP-712 digest: what is signed."""
        domain = (_DOMAIN_NAME, _DOMAIN_VERSION, self.chain_id, self.log)
        return keccak(
            b"\x19\x01" + _struct_hash("EIP712Domain", _DOMAIN, domain) + _struct_hash("Answer", _ANSWER, self._words)
        )

    @property
    def typed_data(self) -> dict[str, Any]:
        """The same in the form that wallets take (``eth_signTypedData_v4``) and show."""
        words = (f"0x{word.hex()}" if isinstance(word, bytes) else word for word in self._words)
        return {
            "types": {
                name: [{"name": field, "type": kind} for field, kind in fields]
                for name, fields in (("EIP712Domain", _DOMAIN), ("Answer", _ANSWER))
            },
            "primaryType": "Answer",
            "domain": {
                "name": _DOMAIN_NAME,
                "version": _DOMAIN_VERSION,
                "chainId": self.chain_id,
                "verifyingContract": self.log,
            },
            "message": {field: word for (field, _), word in zip(_ANSWER, words, strict=True)},
        }

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
    if not _SIGNATURE.fullmatch(approval.signature):
        return None
    raw = bytes.fromhex(approval.signature[2:])
    r, s, v = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"), raw[64] - 27
    if v not in {0, 1} or s > _HALF_ORDER:
        return None
    try:
        key = Signature(vrs=(v, r, s)).recover_public_key_from_msg_hash(approval.decision_digest)
    except (BadSignature, ValidationError):
        return None
    return str(key.to_checksum_address())


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


def require_counts(dossier: Dossier, configuration: Configuration, now: int) -> None:
    """Raises `RefusedError` when the person's word in `dossier`, if there is one, does not count. `now` in seconds
    since the epoch.

    An approval expires. A rejection does not: what it holds back must not be cast because time went by.
    """
    approval = dossier.approval
    if approval is None:
        return
    if approval.verdict == "approve" and approval.expires_at <= now:
        raise RefusedError(
            f"the approval by {approval.person} expired at {approval.expires_at}, it is {now}", hint="approve again"
        )
    vouched_by(dossier, approval, configuration)


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


def _struct_hash(name: str, fields: tuple[tuple[str, str], ...], values: tuple[object, ...]) -> bytes:
    """``hashStruct`` of EIP-712: strings are hashed, everything else is a word."""
    signature = f"{name}({','.join(f'{kind} {field}' for field, kind in fields)})"
    types = ["bytes32" if kind == "string" else kind for _, kind in fields]
    words = [keccak(value.encode()) if isinstance(value, str) and kind == "string" else value
             for (_, kind), value in zip(fields, values, strict=True)]  # fmt: skip
    return keccak(encode(["bytes32", *types], [keccak(signature.encode()), *words]))
