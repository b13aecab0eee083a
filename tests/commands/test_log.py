"""`pnyx log`: what the chain holds, in words where these are certain, and nothing beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pnyx_agents.cli.log import _support
from pnyx_contracts.decision_log import vote_action
from pnyx_policies.rulesets import shipped_ruleset
from pnyx_tools.evidence import FolderStore
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.decisions import LocalAgent
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy_log

from .conftest import Pnyx


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (vote_action(0), "support 0: against, where"),
        (vote_action(1), "support 1: for, where"),
        (vote_action(2), "support 2: abstain, where"),
        (vote_action(3), "support 3"),
        (b"\x01" + bytes(31), "0x01" + "00" * 31 + ", which is no support"),
    ],
)
def test_a_vote_is_its_number_and_a_word_with_its_condition(action: bytes, words: str) -> None:
    shown = _support(action)
    assert shown.startswith(words)
    assert (shown == words) == ("where" not in words)


def test_what_is_piped_has_no_padding(pnyx: Pnyx, node: Anvil, dao: Governance, tmp_path: Path) -> None:
    log = deploy_log(node)
    agent = LocalAgent(node, log, [dao], FolderStore(tmp_path / "evidence"), shipped_ruleset("steward"))
    agent.register()
    dao.give_power(agent.writer, 10_000)
    receiver = node.accounts[6]
    proposal = dao.propose([receiver], [TOKEN // 10], [b""], f"# Pay\n\nSends 0.1 ETH to {receiver} for the garden.")
    dao.advance_to_active(proposal)
    sealed = agent.act(dao, proposal)
    evidence = ("--evidence", tmp_path / "evidence")
    listed = pnyx("log", "--rpc", node.url, "--log", log)
    assert "\n    vote         support 1: for, where 0 is against, 1 is for, 2 is abstain\n" in listed.out
    assert pnyx("init", tmp_path / "agent", "--rpc", node.url, "--governor", dao.governor).code == 0
    for command in (
        ("verify", "--rpc", node.url, "--log", log, *evidence, "--upto", "latest"),
        ("show", f"0x{sealed.bundle.record_root.hex()}", *evidence),
        ("doctor", "-c", tmp_path / "agent" / "pnyx.toml"),
        ("tools",),
    ):
        ended = pnyx(*command)
        assert ended.code == 0, ended.err
        assert len(ended.out.splitlines()) > 3
        assert [line for line in ended.out.splitlines() if line != line.rstrip()] == []
