"""Which entry a dossier stands for, when no person has spoken."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import RefusedError
from pnyx_contracts.types import ProposalState
from pnyx_policies.decision import Mode, Outcome
from pnyx_policies.dossier import NOBODY, Dossier
from pnyx_policies.entitlement import OPEN_STATES, entitlement

SNAPSHOT, DEADLINE = 100, 200

situations = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(Mode),
        "outcome": st.sampled_from(Outcome),
        "state": st.sampled_from(ProposalState),
        "now": st.sampled_from([SNAPSHOT - 1, SNAPSHOT, SNAPSHOT + 1, DEADLINE - 1, DEADLINE, DEADLINE + 1]),
        "has_voted": st.booleans(),
        "voting_power": st.sampled_from([None, 0, 1]),
        "can_vote": st.booleans(),
    }
)


def situated(dossier: Dossier, **given: Any) -> Dossier:
    """`dossier` without a person's word, in another mode, with another outcome, at another time."""
    state = dossier.state
    assert state.voter is not None
    governor = state.governor.model_copy(
        update={
            "state": given["state"],
            "now": given["now"],
            "snapshot": SNAPSHOT,
            "deadline": DEADLINE,
            "profile": state.governor.profile.model_copy(update={"can_vote": given["can_vote"]}),
        }
    )
    voter = state.voter.model_copy(update={name: given[name] for name in ("has_voted", "voting_power")})
    return dossier.model_copy(
        update={
            "header": dossier.header.model_copy(update={"mode": given["mode"]}),
            "decision": dossier.decision.model_copy(update={"outcome": given["outcome"]}),
            "state": state.model_copy(update={"governor": governor, "voter": voter}),
            "people": NOBODY,
        }
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given=situations)
def test_a_vote_takes_a_mode_rules_and_a_standing(dossier: Dossier, given: dict[str, Any]) -> None:
    decided = given["mode"] is Mode.AUTONOMOUS and given["outcome"].vote is not None
    able = (
        given["state"] is ProposalState.ACTIVE
        and given["now"] > SNAPSHOT
        and given["can_vote"]
        and not given["has_voted"]
        and bool(given["voting_power"])
    )
    try:
        what = entitlement(situated(dossier, **given))
    except RefusedError:
        assert decided
        assert not able
    else:
        assert (what.kind is EntryKind.VOTE) == (decided and able)
        assert what.vote is (given["outcome"].vote if decided else None)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given=situations)
def test_missed_is_what_closed_before_anything_was_decided(dossier: Dossier, given: dict[str, Any]) -> None:
    what = entitlement(situated(dossier, **{**given, "outcome": Outcome.SKIP}))
    closed = given["state"] not in OPEN_STATES | {ProposalState.CANCELED} and given["now"] >= DEADLINE
    assert what.kind is (EntryKind.MISSED if closed and not given["has_voted"] else EntryKind.SKIP)


@pytest.mark.parametrize(
    ("mode", "outcome", "kind"),
    [
        (Mode.OBSERVE, Outcome.FOR, EntryKind.DECISION),
        (Mode.OBSERVE, Outcome.HOLD, EntryKind.HOLD),
        (Mode.PROPOSE, Outcome.AGAINST, EntryKind.HOLD),
        (Mode.PROPOSE, Outcome.HOLD, EntryKind.HOLD),
        (Mode.AUTONOMOUS, Outcome.HOLD, EntryKind.HOLD),
        (Mode.AUTONOMOUS, Outcome.ABSTAIN, EntryKind.VOTE),
    ],
)
def test_each_mode_in_a_word(dossier: Dossier, mode: Mode, outcome: Outcome, kind: EntryKind) -> None:
    now = {"state": ProposalState.ACTIVE, "now": SNAPSHOT + 1, "has_voted": False, "voting_power": 1, "can_vote": True}
    assert entitlement(situated(dossier, mode=mode, outcome=outcome, **now)).kind is kind
