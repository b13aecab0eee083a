"""What a signer remembers over restarts, and the money in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pnyx_contracts.errors import RefusedError, UnreachableError, UsageError
from pnyx_contracts.governors import TransactionCall
from pnyx_contracts.types import DAY_SECONDS
from pnyx_tools.signer.limits import within_limits
from pnyx_tools.signer.memory import Memory, Remembered, VoteGiven
from pnyx_tools.signer.protocol import Ticket
from pnyx_tools.signer.settings import Limits

KEY = "0x00000000219ab540356cBB839Cbe05303d7705Fa"
SUBJECT = b"\x11" * 32
VOTE = VoteGiven(support=1, prompt_hash=b"\x22" * 32, record_root=b"\x33" * 32, reason="Because. [rule]")
NOW = 1_800_000_000
GWEI = 10**9


def test_a_vote_is_remembered_over_a_restart(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "m" / "memory.db")
    assert memory.recall(SUBJECT, KEY, 0, NOW).vote is None
    memory.remember_vote(SUBJECT, VOTE)
    memory.close()

    again = Memory(tmp_path / "m" / "memory.db")

    assert again.recall(SUBJECT, KEY, 0, NOW).vote == VOTE
    assert again.recall(b"\x12" * 32, KEY, 0, NOW).vote is None
    again.close()


def test_the_first_vote_stays(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory.db")
    memory.remember_vote(SUBJECT, VOTE)
    memory.remember_vote(SUBJECT, VOTE.model_copy(update={"support": 0}))
    assert memory.recall(SUBJECT, KEY, 0, NOW).vote == VOTE
    memory.close()


def test_a_vote_that_was_given_up_is_remembered_as_such(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory.db")
    memory.remember_vote(SUBJECT, VOTE)
    memory.give_up(SUBJECT)
    assert memory.recall(SUBJECT, KEY, 0, NOW).given_up
    memory.close()


def test_two_signers_cannot_share_a_memory(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory.db")
    with pytest.raises(UnreachableError, match="one signer per memory"):
        Memory(tmp_path / "memory.db")
    memory.close()
    Memory(tmp_path / "memory.db").close()


def test_a_damaged_memory_is_told(tmp_path: Path) -> None:
    (tmp_path / "memory.db").write_bytes(b"this is no database, but long enough to look like one" * 50)
    with pytest.raises(UsageError, match="restore it from the backup"):
        Memory(tmp_path / "memory.db")


def test_spending_counts_for_a_day_and_a_replacement_counts_once(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory.db")
    memory.remember_spending(KEY, 0, is_vote=True, wei=2**70, now=NOW - DAY_SECONDS)
    memory.remember_spending(KEY, 1, is_vote=True, wei=100, now=NOW - DAY_SECONDS + 1)
    memory.remember_spending(KEY, 2, is_vote=False, wei=10, now=NOW - 5)
    memory.remember_spending(KEY, 2, is_vote=False, wei=12, now=NOW)

    replacing = memory.recall(SUBJECT, KEY, 2, NOW)
    assert (replacing.spent_wei, replacing.spent_on_entries_wei, replacing.at_this_nonce_wei) == (100, 0, 12)
    fresh = memory.recall(SUBJECT, KEY, 3, NOW)
    assert (fresh.spent_wei, fresh.spent_on_entries_wei, fresh.at_this_nonce_wei) == (112, 12, 0)
    assert memory.recall(SUBJECT, "0x" + "12" * 20, 3, NOW).spent_wei == 0
    memory.close()


LIMITS = Limits(max_gas=300_000, max_fee_per_gas=100 * GWEI, max_spend_wei=10**17, daily_wei=10**17)
CALL = TransactionCall(KEY, b"\x01")


def ticket(gas_limit: int = 200_000, max_fee: int = 50 * GWEI, priority: int = GWEI) -> Ticket:
    return Ticket(nonce=3, gas_limit=gas_limit, max_fee_per_gas=max_fee, max_priority_fee_per_gas=priority)


def test_a_transaction_within_the_limits_has_the_tickets_fields() -> None:
    made = within_limits(LIMITS, 5, CALL, ticket(), Remembered(), is_vote=True).transaction
    assert (made.chain_id, made.nonce, made.to, made.data) == (5, 3, KEY, b"\x01")
    assert made.gas_wei == 200_000 * 50 * GWEI


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (ticket(gas_limit=300_001), r"the gas limit \(max_gas\) would be 300001 gas; this signer's limit is 300000"),
        (ticket(max_fee=100 * GWEI + 1), r"the maximum fee \(max_fee_gwei\) would be 100000000001"),
        (ticket(max_fee=GWEI, priority=GWEI + 1), "the priority fee would be"),
    ],
)
def test_absurd_fees_are_refused(wrong: Ticket, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        within_limits(LIMITS, 5, CALL, wrong, Remembered(), is_vote=True)


def test_a_call_with_value_is_refused() -> None:
    with pytest.raises(RefusedError, match="carries no value"):
        within_limits(LIMITS, 5, TransactionCall(KEY, b"", 1), ticket(), Remembered(), is_vote=True)


def test_entries_may_take_half_of_the_day_only() -> None:
    cost = 200_000 * 50 * GWEI
    spent = Remembered(spent_wei=LIMITS.daily_wei // 2, spent_on_entries_wei=LIMITS.daily_wei // 2 - cost + 1)
    within_limits(LIMITS, 5, CALL, ticket(), spent, is_vote=True)
    with pytest.raises(RefusedError, match="entries without a vote"):
        within_limits(LIMITS, 5, CALL, ticket(), spent, is_vote=False)


gas_limits, fees, data_fees = st.integers(1, 300_000), st.integers(1, 120 * GWEI), st.integers(0, 10**17)


@settings(max_examples=50)
@given(wishes=st.lists(st.tuples(st.integers(0, 5), gas_limits, fees, data_fees, st.sampled_from([b"", b"a", b"b"]))))
def test_whatever_is_asked_the_worst_case_of_a_day_and_of_a_vote_stays_below_its_cap(
    wishes: list[tuple[int, int, int, int, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Also when nonces are used again and again: the dearest transaction at each nonce is the one that counts."""
    limits = LIMITS.model_copy(update={"max_spend_wei": 3 * 10**16})
    memory = Memory(tmp_path_factory.mktemp("m") / "memory.db")
    dearest: dict[int, int] = {}
    charged: dict[bytes, dict[int, int]] = {}
    for nonce, gas, fee, beside, subject in wishes:
        asked = Ticket(nonce=nonce, gas_limit=gas, max_fee_per_gas=fee, max_priority_fee_per_gas=0)
        remembered = memory.recall(subject, KEY, nonce, NOW)
        is_vote = subject != b""
        try:
            made = within_limits(limits, 5, CALL, asked, remembered, is_vote=is_vote, data_fee_wei=beside)
        except RefusedError:
            continue
        if is_vote:
            memory.charge(subject, KEY, nonce, made.own_wei)
        memory.remember_spending(KEY, nonce, is_vote=is_vote, wei=made.cost_wei, now=NOW)
        dearest[nonce] = max(dearest.get(nonce, 0), gas * fee + beside)
        of_vote = charged.setdefault(subject if is_vote else bytes([nonce]), {})
        of_vote[nonce] = max(of_vote.get(nonce, 0), gas * fee + beside)
    memory.close()
    assert sum(dearest.values()) <= limits.daily_wei
    assert all(sum(costs.values()) <= limits.max_spend_wei for costs in charged.values())
