"""Deeply nested JSON from strangers is an error, even where a key library has raised the recursion limit."""

from __future__ import annotations

import subprocess
import sys

import pytest

PARSERS = {
    "bundles": "from pnyx_contracts.canonical import parse_json as parse",
    "answers of models": "from pnyx_policies.answer import strict_json as parse",
}


@pytest.mark.parametrize("parser", PARSERS.values(), ids=PARSERS)
@pytest.mark.parametrize("opening", ["[", '{"a":', '["]",'])
def test_deep_json_does_not_kill_the_process(parser: str, opening: str):
    script = f"""
import eth_account
{parser}
try:
    parse({opening!r}.encode() * 99_000)
except Exception as error:
    print(type(error).__name__)
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "DecodingError\n"), ended.stderr[-500:]
