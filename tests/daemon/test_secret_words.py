"""No log line shows a secret, whatever the URL is for that holds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pnyx_agents.logs import MASK, MaskSecrets
from pnyx_agents.secret_words import secrets_of
from pnyx_agents.settings import parse_settings
from pnyx_tools.secret_parts import secret_parts

KEY = "a1b2c3d4e5f6a7b8"

SETTINGS = f"""
[agent]
name = "test"
[chain]
chain_id = 1
rpc = ["https://node.example/v3/{KEY}0"]
websocket = "wss://node.example/{KEY}1"
fork = "http://anvil:8546/{KEY}2"
[[chain.other]]
chain_id = 10
rpc = ["https://other.example/v3/{KEY}3"]
[[governor]]
address = "0x1111111111111111111111111111111111111111"
start_block = 0
[[model]]
model = "some"
base_url = "https://models.example/{KEY}4/v1"
[evidence]
mirrors = ["sftp://somebody:{KEY}5@example.org/x"]
[sending]
relays = ["https://relay.example/?key={KEY}6"]
"""


def test_no_url_of_the_settings_shows_its_key(tmp_path: Path) -> None:
    mask = MaskSecrets(secrets_of(parse_settings(SETTINGS, tmp_path / "pnyx.toml")))
    for number in range(7):
        assert mask(None, "", f"asked with {KEY}{number} just now") == f"asked with {MASK} just now", number
    said = "http://anvil:8546 and https://node.example/v3 answer; so does models.example"
    assert mask(None, "", said) == said


@pytest.mark.parametrize(
    ("url", "secret", "open_"),
    [
        ("json://user:word@127.0.0.1:80/abcd", {"user", "word", "abcd"}, {"127.0.0.1", "127.0.0.1:80"}),
        ("tgram://123456789:AAbb/chat1", {"123456789:AAbb", "123456789:aabb", "chat1"}, set()),
        ("https://anvil:8545/v3/a%2Fkey?token=%C3%A9clair", {"a%2Fkey", "a/key", "éclair"}, {"anvil:8545", "token"}),
        ("https://[half", {"https://[half"}, set()),
    ],
)
def test_which_parts_of_a_url_may_be_secret(url: str, secret: set[str], open_: set[str]) -> None:
    found = set(secret_parts(url, 4))
    assert secret <= found
    assert not open_ & found
