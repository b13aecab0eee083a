"""docs/incidents.md is what the command finds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
REAL = "## Real proposals"


def test_the_table_is_what_the_command_prints() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "incidents.py")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    written = (ROOT / "docs" / "incidents.md").read_text(encoding="utf-8")
    if os.environ.get("PNYX_PROPOSALS"):
        assert ended.stdout == written
    else:  # what is real is not here
        assert ended.stdout.partition(REAL)[0] == written.partition(REAL)[0]
    assert "critical" not in written.partition(REAL)[2].partition("|---")[2]
