"""Endpoints of other chains, as people name them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pnyx_agents.settings import parse_settings
from pnyx_contracts.chains import ARBITRUM
from pnyx_contracts.errors import UsageError
from pnyx_contracts.messages import alias
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance, deploy, deploy_governance, encode_call

from .conftest import Pnyx
from .test_wrong_input import CONFIG

INBOX = "0x4Dbd4fc535Ac27206064B68FfCf827b0A60BAB3f"
TICKET = "createRetryableTicket(address,uint256,uint256,address,address,uint256,uint256,bytes)"
STRANGER = "0x00000000000000000000000000000000000B0b5E"


@pytest.fixture(scope="module")
def dao() -> Iterator[Governance]:
    with Anvil(chain_id=1) as node:
        node.set_code(INBOX, b"\0")
        yield deploy_governance(node)


@pytest.fixture(scope="module")
def arbitrum() -> Iterator[Anvil]:
    with Anvil(chain_id=ARBITRUM) as node:
        yield node


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ('[[chain.other]]\nchain_id = 10\nrpc = "http://a"\n' * 2, "other names a chain twice"),
        ('[[chain.other]]\nchain_id = 1\nrpc = "http://a"\n', "other names chain 1, which is this one"),
        ("[[chain.other]]\nchain_id = 10\nrpc = []\n", "chain.other"),
        ("[signer]\n" + '[[signer.other]]\nchain_id = 10\nrpc = "http://a"\n' * 2, "other names a chain twice"),
    ],
)
def test_settings_that_name_a_chain_wrongly(lines: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=complaint):
        parse_settings(CONFIG + lines, tmp_path / "pnyx.toml")


def test_several_endpoints_of_one_chain(tmp_path: Path) -> None:
    lines = '[[chain.other]]\nchain_id = 10\nrpc = ["http://a", "http://b"]\n'
    (other,) = parse_settings(CONFIG + lines, tmp_path / "pnyx.toml").chain.other
    assert (other.chain_id, other.rpc) == (10, ("http://a", "http://b"))


def test_a_look_at_both_chains(pnyx: Pnyx, dao: Governance, arbitrum: Anvil, tmp_path: Path) -> None:
    """What it says of the other chain without an endpoint, and with one."""
    pool = deploy(arbitrum, "Pool", alias(dao.timelock))
    gift = encode_call("tidyUp(address)", STRANGER)
    data = encode_call(TICKET, pool, 0, 0, STRANGER, STRANGER, 1, 0, gift)
    proposal = dao.propose([INBOX], [0], [data], "Tidy up the pool on Arbitrum.")
    look = ["review", dao.governor, proposal, "--rpc", dao.node.url, "-c", tmp_path / "none.toml"]
    for form in ("text", "markdown", "html"):
        blind = " ".join(pnyx(*look, "--format", form).out.split())
        seeing = " ".join(pnyx(*look, "--format", form, "--other-rpc", arbitrum.url).out.split())
        assert "On chain 42161 (Arbitrum One), it was not simulated what calls 0.0 do" in blind
        assert "it was not looked at there, because no endpoint of chain 42161" in blind
        assert "at its block 1, called by" in seeing
        assert "Gives ownership over" in seeing
        assert "it was not looked at there" not in seeing


def test_two_endpoints_of_one_chain_are_one_too_many(
    pnyx: Pnyx, dao: Governance, arbitrum: Anvil, tmp_path: Path
) -> None:
    twice = ["--other-rpc", arbitrum.url] * 2
    ended = pnyx("review", dao.governor, 1, "--rpc", dao.node.url, "-c", tmp_path / "none.toml", *twice)
    assert ended.code == 2
    assert f"two endpoints of chain {ARBITRUM} are given" in ended.err
