"""What a person signs, who signed it, and whose word counts."""

from __future__ import annotations

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pnyx_contracts.errors import RefusedError
from pnyx_contracts.types import to_hex
from pnyx_policies import approval
from pnyx_policies.approval import (
    Answer,
    answer_in,
    answered,
    decisive,
    joined,
    require_counts,
    signed_by,
    vouched_by,
    vouchers,
)
from pnyx_policies.configuration import Configuration
from pnyx_policies.decision import Mode, Outcome
from pnyx_policies.dossier import NOBODY, Approval, Dossier, Expired, People
from pnyx_policies.entitlement import entitlement

ADA, EVE = Account.from_key(b"\x01" * 32), Account.from_key(b"\x02" * 32)
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
OTHER = "0x" + "99" * 20

SAID = Answer(
    chain_id=1, log="0x" + "11" * 20, writer="0x" + "22" * 20, governor="0x" + "33" * 20, proposal_id=2**255,
    verdict="approve", vote="for", decision="hold", expires_at=1_900_000_000, comment="caf\u00e9",
    review_digest=b"\x01" * 32, ruleset_hash=b"\x02" * 32, config_hash=b"\x03" * 32,
)  # fmt: skip
OTHERWISE = {
    "chain_id": 2, "log": OTHER, "writer": OTHER, "governor": OTHER, "proposal_id": 1, "verdict": "reject",
    "vote": "against", "decision": "for", "expires_at": 1_900_000_001, "comment": "cafe", "review_digest": bytes(32),
    "ruleset_hash": bytes(32), "config_hash": bytes(32),
}  # fmt: skip


def test_a_signature_binds_every_field() -> None:
    assert OTHERWISE.keys() == Answer.model_fields.keys()
    digests = {SAID.model_copy(update={name: value}).digest for name, value in OTHERWISE.items()}
    assert len({*digests, SAID.digest}) == len(OTHERWISE) + 1


@given(
    st.integers(1, 2**53), st.integers(0, 2**256 - 1), st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(min_size=32, max_size=32),
)  # fmt: skip
def test_the_digest_is_the_one_that_wallets_sign(chain: int, number: int, comment: str, digest: bytes) -> None:
    changes = {"chain_id": chain, "proposal_id": number, "comment": comment, "review_digest": digest}
    answer = SAID.model_copy(update=changes)
    signed = Account.sign_message(encode_typed_data(full_message=answer.typed_data), ADA.key)
    assert signed.message_hash == answer.digest


def word(dossier: Dossier, by: object = None, **parts: object) -> Approval:
    given = {"person": by.address if by else "Ada", "verdict": "approve", "expires_at": 1_900_000_000, **parts}
    said = answered(dossier, **given)
    return said if by is None else said.model_copy(update={"signature": signature(by, said.decision_digest)})


def heard(*words: Approval, expired: Expired | None = None) -> People:
    return People(words=words, expired=expired)


def signature(by: object, digest: bytes) -> str:
    return to_hex(bytes(by.unsafe_sign_hash(digest).signature))


def test_a_signature_names_its_signer(dossier: Dossier) -> None:
    assert signed_by(word(dossier, ADA)) == ADA.address
    elsewhere = word(dossier, ADA).model_copy(update={"decision_digest": bytes(32)})
    assert signed_by(elsewhere) != ADA.address


def _with_large_s(text: str) -> str:
    r, s, v = text[2:66], int(text[66:130], 16), int(text[130:], 16)
    return f"0x{r}{ORDER - s:064x}{55 - v:02x}"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s[:0], lambda s: s[:2], lambda s: s[:-2], lambda s: s + "00", lambda s: s.upper(), lambda s: s[2:],
        lambda s: s[:-2] + "00", lambda s: s[:-2] + "1d", lambda s: "0x" + "00" * 64 + s[-2:],
        lambda s: "0x" + "ff" * 64 + s[-2:], lambda s: s + "\n", _with_large_s,
    ],
)  # fmt: skip
def test_a_signature_in_another_spelling_is_nobodys(dossier: Dossier, spoil: object) -> None:
    said = word(dossier, ADA)
    assert signed_by(said.model_copy(update={"signature": spoil(said.signature)})) is None


@given(st.binary(min_size=64, max_size=64), st.sampled_from(["1b", "1c"]))
def test_no_bytes_break_the_recovery(raw: bytes, v: str) -> None:
    said = Approval(
        person="x", verdict="approve", expires_at=1, decision_digest=raw[:32], signature=f"0x{raw.hex()}{v}"
    )
    assert signed_by(said) != ADA.address


def test_a_rejection_names_no_vote() -> None:
    with pytest.raises(ValidationError, match="names no vote"):
        Approval(person="x", verdict="reject", vote="for", expires_at=1, decision_digest=bytes(32))


# --- whose word counts -----------------------------------------------------------------------------------------------

HOLD = {"outcome": Outcome.HOLD}


def declared(**parts: object) -> Configuration:
    given = {"agent": "a", "mode": Mode.PROPOSE, "governors": (), "analysts": (), "prompt_hash": bytes(32)}
    rest = {"ruleset_hash": bytes(32), "checks": {}, "tools": {}, "known_addresses": {}, "software": "pnyx"}
    return Configuration(**given, **rest, **parts)


def in_mode(dossier: Dossier, mode: Mode, **decision: object) -> Dossier:
    header = dossier.header.model_copy(update={"mode": mode})
    return dossier.model_copy(
        update={"header": header, "decision": dossier.decision.model_copy(update=decision), "people": NOBODY}
    )


def test_without_approvers_the_operator_confirms_and_rejects_and_changes_nothing(dossier: Dossier) -> None:
    """The sample's rules give "for"."""
    plain, unsafe = declared(), declared(unsafe_unsigned_approvals=True)
    for confirms in (word(dossier), word(dossier, vote="for"), word(dossier, verdict="reject")):
        assert vouched_by(dossier, confirms, plain) is None
    for changes in (word(dossier, vote="against"), word(dossier, vote="abstain")):
        assert vouched_by(dossier, changes, unsafe) is None
        with pytest.raises(RefusedError, match="nobody signed for"):
            vouched_by(dossier, changes, plain)


@pytest.mark.parametrize("unsafe", [False, True])
@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_with_approvers_only_their_signature_counts(dossier: Dossier, verdict: str, unsafe: bool) -> None:
    configuration = declared(approvers=(ADA.address,), unsafe_unsigned_approvals=unsafe)
    assert vouched_by(dossier, word(dossier, ADA, verdict=verdict), configuration) == ADA.address
    for wrong in (word(dossier, verdict=verdict), word(dossier, EVE, verdict=verdict)):
        with pytest.raises(RefusedError, match="the declared approvers are"):
            vouched_by(dossier, wrong, configuration)
    with pytest.raises(RefusedError, match=f"signed by {EVE.address}, which is not declared; .* {ADA.address}"):
        vouched_by(dossier, word(dossier, EVE, verdict=verdict), configuration)


@pytest.mark.parametrize("unsafe", [False, True])
def test_a_signature_of_somebody_undeclared_is_no_operators_word(dossier: Dossier, unsafe: bool) -> None:
    with pytest.raises(RefusedError, match="the declared approvers are none"):
        vouched_by(dossier, word(dossier, ADA), declared(unsafe_unsigned_approvals=unsafe))


def test_approvals_expire_and_rejections_do_not(dossier: Dossier) -> None:
    for verdict in ("approve", "reject"):
        said = dossier.model_copy(update={"people": heard(word(dossier, verdict=verdict, expires_at=100))})
        require_counts(said, declared(), 99)
        if verdict == "reject":
            require_counts(said, declared(), 100)
            continue
        with pytest.raises(RefusedError, match="expired at 100"):
            require_counts(said, declared(), 100)


def test_what_a_word_may_do_in_each_mode(dossier: Dossier) -> None:
    def entitled(mode: Mode, given: Approval | None = None, **decision: object) -> str:
        decided = in_mode(dossier, mode, **decision)
        try:
            what = entitlement(decided.model_copy(update={"people": heard(word(decided, **(given or {})))}))
        except RefusedError:
            return "refused"
        return what.vote.value if what.vote else what.kind.name

    reject, against = {"verdict": "reject"}, {"vote": "against"}
    assert [entitled(Mode.OBSERVE), entitled(Mode.OBSERVE, reject)] == ["refused"] * 2
    assert [entitled(Mode.PROPOSE), entitled(Mode.PROPOSE, against)] == ["for", "against"]
    assert [entitled(Mode.AUTONOMOUS), entitled(Mode.AUTONOMOUS, against)] == ["refused"] * 2
    assert entitled(Mode.AUTONOMOUS, against, **HOLD) == "against"
    assert [entitled(mode, reject) for mode in (Mode.PROPOSE, Mode.AUTONOMOUS)] == ["HOLD"] * 2
    assert entitled(Mode.AUTONOMOUS, reject, **HOLD) == "HOLD"
    assert entitled(Mode.PROPOSE, against, outcome=Outcome.SKIP) == "refused"


def test_a_hold_is_lifted_by_a_named_vote_only(dossier: Dossier) -> None:
    held = in_mode(dossier, Mode.PROPOSE, **HOLD)
    with pytest.raises(RefusedError, match="must say which vote"):
        word(held)
    local = held.model_copy(update={"header": held.header.model_copy(update={"log": None})})
    with pytest.raises(RefusedError, match="without a log"):
        word(local, vote="for")


def test_a_word_is_for_the_decision_that_it_names(dossier: Dossier) -> None:
    decided = in_mode(dossier, Mode.PROPOSE)
    said = word(decided, ADA)
    assert said.decision_digest == answer_in(decided, said).digest
    for part in ({"vote": "against"}, {"verdict": "reject"}, {"expires_at": 5}, {"comment": "!"}):
        with pytest.raises(RefusedError, match="its digest differs"):
            entitlement(decided.model_copy(update={"people": heard(said.model_copy(update=part))}))
    held = in_mode(dossier, Mode.PROPOSE, **HOLD)
    with pytest.raises(RefusedError, match="its digest differs"):
        entitlement(held.model_copy(update={"people": heard(said.model_copy(update={"vote": "for"}))}))


# --- how many people it takes ----------------------------------------------------------------------------------------

BOB = Account.from_key(b"\x03" * 32)
TWO_OF_THREE = declared(approvers=(ADA.address, BOB.address, EVE.address), approvals=2)
ENDED = Expired(now=199, deadline=200)


def told(dossier: Dossier, *words: Approval, expired: Expired | None = None) -> Dossier:
    return dossier.model_copy(update={"people": heard(*words, expired=expired)})


def test_a_vote_takes_as_many_people_as_declared(dossier: Dossier) -> None:
    decided = in_mode(dossier, Mode.PROPOSE)
    ada, bob = word(decided, ADA, comment="Yes."), word(decided, BOB, expires_at=1_900_000_001)
    assert vouchers(told(decided, ada, bob), TWO_OF_THREE) == (ADA.address, BOB.address)
    with pytest.raises(RefusedError, match="1 of 2 approvals: the declared configuration asks for more people"):
        vouchers(told(decided, ada), TWO_OF_THREE)
    assert vouchers(told(decided, ada), declared(approvers=(ADA.address,))) == (ADA.address,)


def test_a_person_who_is_heard_again_and_again_costs_two_signatures(
    dossier: Dossier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger's record may have any number of words."""
    decided = in_mode(dossier, Mode.PROPOSE)
    asked, recover = list[str](), approval.signer_of
    monkeypatch.setattr(
        approval, "signer_of", lambda digest, signature: asked.append(signature) or recover(digest, signature)
    )
    with pytest.raises(RefusedError, match="is heard twice"):
        vouchers(told(decided, *[word(decided, ADA)] * 50), TWO_OF_THREE)
    assert len(asked) == 2


def test_a_person_counts_once_however_often_they_sign(dossier: Dossier) -> None:
    decided = in_mode(dossier, Mode.PROPOSE)
    twice = told(decided, word(decided, ADA), word(decided, ADA, comment="Again, and signed anew."))
    with pytest.raises(RefusedError, match=f"{ADA.address} is heard twice"):
        vouchers(twice, TWO_OF_THREE)
    with pytest.raises(RefusedError, match="the operator is heard twice"):
        vouchers(told(decided, word(decided), word(decided, person="the operator's cat")), declared())


def test_each_of_several_words_must_count(dossier: Dossier) -> None:
    decided = in_mode(dossier, Mode.PROPOSE)
    stranger = Account.from_key(b"\x04" * 32)
    with pytest.raises(RefusedError, match=f"signed by {stranger.address}, which is not declared"):
        vouchers(told(decided, word(decided, ADA), word(decided, stranger)), TWO_OF_THREE)
    old = told(decided, word(decided, ADA), word(decided, BOB, expires_at=100))
    require_counts(old, TWO_OF_THREE, 99)
    with pytest.raises(RefusedError, match="expired at 100"):
        require_counts(old, TWO_OF_THREE, 100)


def test_people_who_want_different_votes_give_none(dossier: Dossier) -> None:
    decided = in_mode(dossier, Mode.PROPOSE)
    with pytest.raises(RefusedError, match="different votes"):
        entitlement(told(decided, word(decided, ADA), word(decided, BOB, vote="against")))


def test_one_person_rejects_whoever_approved(dossier: Dossier) -> None:
    decided = in_mode(dossier, Mode.PROPOSE)
    said = told(decided, word(decided, ADA), word(decided, BOB, verdict="reject"))
    assert vouchers(said, TWO_OF_THREE) == (ADA.address, BOB.address)
    assert entitlement(said).vote is None
    assert said.people.rejection == said.people.words[1]


def test_a_wait_expires_only_where_too_few_spoke(dossier: Dossier) -> None:
    decided = in_mode(dossier, Mode.PROPOSE)
    ada, bob, no = word(decided, ADA), word(decided, BOB), word(decided, EVE, verdict="reject")
    for heard_so_far in ((), (ada,), (ada, word(decided, BOB, vote="against"))):
        ended = told(decided, *heard_so_far, expired=ENDED)
        assert (entitlement(ended).kind.name, entitlement(ended).vote) == ("HOLD", None)
        require_counts(ended, TWO_OF_THREE, 2**40)
    with pytest.raises(RefusedError, match="did not end without them: 2 of 2 approvals"):
        vouchers(told(decided, ada, bob, expired=ENDED), TWO_OF_THREE)
    with pytest.raises(RefusedError, match="when one of them rejected"):
        entitlement(told(decided, no, expired=ENDED))
    with pytest.raises(RefusedError, match="cast by itself"):
        entitlement(told(in_mode(dossier, Mode.AUTONOMOUS), expired=ENDED))
    with pytest.raises(RefusedError, match="observe mode never votes"):
        entitlement(told(in_mode(dossier, Mode.OBSERVE), expired=ENDED))


def test_the_words_that_decide(dossier: Dossier) -> None:
    decided = in_mode(dossier, Mode.PROPOSE)
    ada, bob, against = word(decided, ADA), word(decided, BOB), word(decided, EVE, vote="against")
    no = word(decided, ADA, verdict="reject")
    assert decisive(decided, (ada,), 2) is None
    assert decisive(decided, (ada, against), 2) is None
    assert decisive(decided, (ada, against, bob), 2) == (ada, bob)
    assert decisive(decided, joined((ada, bob), no), 2) == (bob, no), "a later word takes the place of the earlier one"
    assert decisive(decided, joined((ada,), word(decided, ADA, comment="Again.")), 2) is None
