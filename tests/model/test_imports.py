"""Reading, verifying and signing must not load a language-model library."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "langchain",
    "langchain_core",
    "langchain_openai",
    "openai",
    "langsmith",
    "httpx2",
    "web3",
    "dbos",
    "eth_account",
}


@pytest.mark.parametrize(
    "module",
    [
        "pnyx_tools.model",
        "pnyx_tools.testing.openai_server",
        "pnyx_agents.analyst",
        "pnyx_agents.outline",
        "pnyx_policies.prompt",
        "pnyx_policies.request",
        "pnyx_policies.answer",
    ],
)
def test_importing_is_cheap(module):
    code = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())


def test_describing_a_model_needs_neither_key_nor_library():
    code = (
        "import sys; from pnyx_tools.model import ModelSettings; "
        "print(ModelSettings(model='gpt').describe().base_url_host, 'openai' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={})
    assert done.stdout.split() == ["api.openai.com", "False"]
