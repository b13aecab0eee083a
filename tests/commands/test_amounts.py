"""Money in the configuration: exact, comfortable, and one clear error for what is neither."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnyx_agents.amounts import ETHER_DECIMALS, smallest_units
from pnyx_agents.settings import Settings, parse_settings
from pnyx_contracts.errors import UsageError

BASE = """
[agent]
name = "tester"
[chain]
rpc = "http://localhost:8545"
chain_id = 1
[[governor]]
address = "0x1111111111111111111111111111111111111111"
start_block = 1
[log]
address = "0x1111111111111111111111111111111111111111"
[signer]
keystore = "key.json"
"""


def settings(lines: str) -> Settings:
    return parse_settings(BASE + lines, Path("pnyx.toml"))


def test_amounts_become_the_limits_of_signer_and_sender() -> None:
    own = settings('max_fee_gwei = "0.5"\nmax_spend_per_vote_ether = "0.02"\nmax_spend_per_day_ether = 1').signer
    assert own is not None
    limits = own.limits
    assert (limits.max_fee_per_gas, limits.max_spend_wei, limits.daily_wei) == (5 * 10**8, 2 * 10**16, 10**18)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            "max_spend_per_day_ether = 0.1",
            'a number with a decimal point is not exact: write it in quotes, as in "0.1"',
        ),
        ('max_spend_per_day_ether = "-1"', "expected an amount such as 200"),
        ('max_spend_per_day_ether = "1e3"', "expected an amount such as 200"),
        ('max_spend_per_day_ether = "nan"', "expected an amount such as 200"),
        ('max_spend_per_day_ether = "0.1 ether"', "expected an amount such as 200"),
        ('max_spend_per_day_ether = "0.0000000000000000001"', "expected an amount such as 200"),
        ("max_spend_per_day_ether = true", "expected an amount such as 200"),
        ("max_spend_per_day_ether = 10000000000", "expected an amount such as 200"),
        ("max_spend_per_day_ether = []", "expected an amount such as 200"),
        ('daily_spend_wei = "1"', "there is no such setting"),
    ],
)
def test_a_wrong_amount_is_told_at_its_place(wrong: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        settings(wrong)
    assert said in caught.value.message
    assert f"signer.{wrong.split(' ')[0]}" in caught.value.message
    assert "1 problem(s)" in caught.value.message


@given(wei=st.integers(0, 10**27 - 1))
def test_every_amount_is_exact_to_the_wei(wei: int) -> None:
    whole, part = divmod(wei, 10**18)
    assert smallest_units(Decimal(f"{whole}.{part:018d}"), ETHER_DECIMALS) == wei


def test_relays_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAY", "https://relay.example/some-long-secret")
    sending = settings('[sending]\nrelays = ["${RELAY}"]\n').sending
    assert sending.relays == ("https://relay.example/some-long-secret",)
