"""What the process that talks to models keeps of its environment."""

from __future__ import annotations

import os

import pytest

from pnyx_agents.running import scrub_environment


def test_only_the_models_own_keys_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"MODEL_KEY": "a", "AWS_SECRET_ACCESS_KEY": "b", "KEYSTORE_PASSWORD": "c", "GITHUB_TOKEN": "d", "LANG": "C"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    scrub_environment({"MODEL_KEY"})
    assert {name for name in given if name in os.environ} == {"MODEL_KEY", "LANG"}
