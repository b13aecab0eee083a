"""Brackets end no process: no library of ours takes away Python's limit on recursion."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from pnyx_tools.shallow import DEEPEST
from pnyx_tools.testing.provider import Provider

ROOT = Path(__file__).parents[2]
RAISE_THE_LIMIT = {"eth_account", "py_ecc", "safe_eth", "web3"}
SOURCES = sorted(
    file for part in ("contracts", "policies", "tools", "agents") for file in (ROOT / part).glob("pnyx_*/**/*.py")
)
BRACKETS = "[" * 90_000


def imported(node: ast.stmt) -> set[str]:
    match node:
        case ast.Import():
            names = [alias.name for alias in node.names]
        case ast.ImportFrom():
            names = [node.module or ""]
        case _:
            names = []
    return {name.partition(".")[0] for name in names}


def is_guard(node: ast.AST) -> bool:
    match node:
        case ast.With():
            return any(ast.unparse(item.context_expr) == "shallow()" for item in node.items)
        case ast.If():
            return ast.unparse(node.test) == "TYPE_CHECKING"
    return False


def unguarded(tree: ast.AST) -> set[int]:
    """Lines that import one of these libraries when the program runs."""
    found: set[int] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.stmt) and imported(node) & RAISE_THE_LIMIT:
            found.add(node.lineno)
        if not is_guard(node):
            found |= unguarded(node)
    return found


def test_who_imports_them_keeps_the_limit() -> None:
    assert {str(file): lines for file in SOURCES if (lines := unguarded(ast.parse(file.read_text())))} == {}


@pytest.mark.parametrize("code", ["import web3", "def f():\n    from eth_account import A", "if x:\n    import py_ecc"])
def test_an_import_without_a_guard_is_seen(code: str) -> None:
    assert unguarded(ast.parse(code))
    assert not unguarded(ast.parse("with shallow():\n    import web3"))


PROGRAM = """
import json, sys
from pathlib import Path
from pnyx_contracts.errors import UsageError
from pnyx_tools.chain import Chain, _web3_over
from pnyx_tools.endpoints import Pool
from pnyx_tools.interfaces import read_interfaces
from pnyx_tools.reader import RpcError
from pnyx_tools.rpc import Rpc
from pnyx_tools.signer.keys import LocalKey

LocalKey(bytes(31) + b"\\1")
_web3_over(Pool.of([sys.argv[1]], 1))
assert "py_ecc" in sys.modules
print(sys.getrecursionlimit())
try:
    Rpc(sys.argv[1], pauses=()).chain_id()
except RpcError as error:
    print("a node:", isinstance(error, RpcError))
try:
    read_interfaces(Path(sys.argv[2]), 1)
except UsageError as error:
    print("a file:", isinstance(error, UsageError))
"""


def test_brackets_end_no_process(tmp_path: Path) -> None:
    (tmp_path / f"0x{'00' * 19}A1.json").write_text(BRACKETS)
    with Provider(rule=lambda _: (200, BRACKETS.encode())) as hostile:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, hostile.url, str(tmp_path)], capture_output=True, text=True, check=False
        )
    assert done.stdout.splitlines() == [str(DEEPEST), "a node: True", "a file: True"], done.stderr
    assert done.returncode == 0
    assert json.loads(BRACKETS[:10] + "]" * 10)
