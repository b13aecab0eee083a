"""The check runs on the base install: nothing heavy is imported on the way of a whole check."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("web3", "eth_account", "langchain", "langchain_core", "langchain_openai", "openai", "dbos", "sqlalchemy")

PROGRAM = """
import sys
from pnyx_tools.rpc import Rpc
from pnyx_tools.verifier import render, verify
from rich.console import Console

url, log, folder = sys.argv[1:]
report = verify(Rpc(url), log, evidence=folder, upto="latest")
render(report, Console())
loaded = {name.partition(".")[0] for name in sys.modules}
print("loaded:", sorted(loaded & set(%r)))
raise SystemExit(report.exit_code)
"""


def test_a_whole_check_in_a_fresh_process(world):
    agent = world.model()
    agent.act(world.blocks, world.open_proposal())
    command = [sys.executable, "-c", PROGRAM % (HEAVY,), world.node.url, world.log, str(world.folder)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.startswith("HOLDS: ")
    assert "loaded: []" in result.stdout
