"""What the page knows of tokens, coins and chains is what Python knows."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from eth_abi.abi import encode
from tests.verify.javascript import find_node

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.chains import NAMES
from pnyx_contracts.selectors import Function, known_functions
from pnyx_contracts.types import Call
from pnyx_policies.coins import COINS
from pnyx_policies.money import MOST_DECIMALS, token_amount
from pnyx_policies.reading.amounts import coin

PAGE = Path(__file__).parents[3] / "explorer" / "page"
ASKED = """
const { COINS, CHAINS, MOST_DECIMALS, coins, tokenAmount } = await import("./money.js");
const { readFileSync } = await import("node:fs");
const [calls, sums] = JSON.parse(readFileSync(0, "utf8"));
const told = { COINS, CHAINS, MOST_DECIMALS, counted: calls.map(tokenAmount), sums: sums.map((sum) => coins(...sum)) };
console.log(JSON.stringify(told));
"""
SUMS = [(10**18, 1), (5 * 10**17, 137), (10**18, 7), (3, 7), (0, 31337)]


def _zeros(function: Function) -> bytes:
    """A call of it with numbers that are all zero, and lists that are all empty."""
    values = [_zero(parameter.kind.canonical) for parameter in function.parameters]
    return function.selector + encode([p.kind.canonical for p in function.parameters], values)


def _zero(kind: str) -> object:
    if kind.endswith("]"):
        return []
    if kind.startswith("bytes"):
        return bytes(int(kind.removeprefix("bytes") or 0))
    return {"address": "0x" + "11" * 20, "bool": False, "string": ""}.get(kind, 7)


def test_the_page_counts_as_python_does() -> None:
    functions = [f for known in known_functions().values() for f in known]
    plain = [f for f in functions if "((" not in f.signature and ",(" not in f.signature]
    called = [Call(target="0x" + "22" * 20, value_wei=0, calldata=_zeros(f)) for f in plain]
    decoded = [decode_calls((call,), 1)[0] for call in called]
    question = json.dumps([[d.model_dump(mode="json") for d in decoded], [(str(wei), chain) for wei, chain in SUMS]])
    command = [find_node(), "--input-type=module", "-e", ASKED]
    told = json.loads(
        subprocess.run(command, cwd=PAGE, input=question, capture_output=True, text=True, check=True).stdout
    )
    expected = [token_amount(call) for call in decoded]
    assert len([e for e in expected if e]) > 15
    assert [t and (t["asset"], t["place"], int(t["amount"])) for t in told["counted"]] == [
        e and (e.asset, e.place, e.amount) for e in expected
    ]
    assert told["COINS"] == {str(chain): name for chain, name in COINS.items()}
    assert told["MOST_DECIMALS"] == MOST_DECIMALS
    assert told["CHAINS"] == {str(chain): name for chain, name in NAMES.items()}
    assert [sum_of.partition(" (")[0] for sum_of in told["sums"]] == [coin(wei, chain) for wei, chain in SUMS]
