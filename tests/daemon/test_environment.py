"""What the process that talks to models keeps of its environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from eth_account import Account

from pnyx_agents.secret_words import scrub_environment
from pnyx_contracts.types import to_hex
from pnyx_tools.environment import take_variable
from pnyx_tools.journal import Stage
from pnyx_tools.testing.openai_server import OpenAIServer
from pnyx_tools.testing.settling import PASSWORD

from .conftest import MakeAgent, children, pay
from .test_whole_job import ADVICE, answer, model_lines


def test_only_the_models_own_keys_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"MODEL_KEY": "a", "AWS_SECRET_ACCESS_KEY": "b", "KEYSTORE_PASSWORD": "c", "GITHUB_TOKEN": "d", "LANG": "C"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    scrub_environment({"MODEL_KEY"})
    assert {name for name in given if name in os.environ} == {"MODEL_KEY", "LANG"}


def test_a_variable_can_be_taken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "a value")
    assert take_variable("SOME_KEY") == "a value"
    assert take_variable("SOME_KEY") == ""
    assert os.getenv("SOME_KEY") is None


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_running_daemon_shows_no_secret_that_it_does_not_need(make_agent: MakeAgent) -> None:
    """Not even the block that it was started with, which others read; nor does its signer."""
    with OpenAIServer([answer(ADVICE)], api_key="sk-needed-by-the-model") as server:
        agent = make_agent(lines=model_lines(server), signer_lines='unsafe_key_from_environment = "AGENT_KEY"')
        agent.fresh = True
        raw_key = to_hex(bytes(Account.decrypt((agent.folder / "signer.json").read_text(), PASSWORD)))
        agent.environment = {
            "AGENT_KEY": raw_key, "GITHUB_TOKEN": "ghp-of-somebody", "DB_PASSWORD": "correct horse", "COLOUR": "blue",
            "MODEL_KEY": "sk-needed-by-the-model",
        }  # fmt: skip
        agent.start()
        agent.until_stage(pay(agent), Stage.DONE)
    shown = environment_of(agent.pid)
    assert b"COLOUR=blue" in shown
    assert b"MODEL_KEY=sk-needed-by-the-model" in shown
    (signer,) = children(agent.pid)
    try:
        shown += environment_of(signer)
    except PermissionError:
        assert os.getuid() != 0  # hardened: not even its own user may look
    for secret in (raw_key, "ghp-of-somebody", "correct horse"):
        assert secret.encode() not in shown


def environment_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()
