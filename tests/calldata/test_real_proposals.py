"""Honest proposals as they were put on chain: every call is named, at every depth."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.types import Call

ENDOWMENT_SAFE = "0x4F2083f5fBede34C2714aFfb3105539775f7FE64"


def _decoded(file: Path) -> tuple[DecodedCall, ...]:
    content = json.loads(file.read_text(encoding="utf-8"))
    rows = zip(content["targets"], content["values"], content["calldatas"], strict=True)
    return decode_calls(tuple(Call(target=t, value_wei=v, calldata=d) for t, v, d in rows), 1)


@pytest.fixture
def ens(real_proposals: list[Path]) -> dict[str, tuple[DecodedCall, ...]]:
    return {file.stem: _decoded(file) for file in real_proposals if file.parent.name == "ens"}


def test_every_call_is_named_or_a_plain_transfer(ens: dict[str, tuple[DecodedCall, ...]]) -> None:
    assert ens
    for name, calls in ens.items():
        for call in (inner for outer in calls for inner in outer.walk()):
            assert call.signature is not None or not call.calldata, (name, call.path, call.selector, call.note)


@pytest.mark.parametrize(("name", "amount"), [("ep-6-32", 2_500_000_000_000), ("ep-6-37", 900_000_000_000)])
def test_a_transfer_inside_a_safe_is_seen(ens: dict[str, tuple[DecodedCall, ...]], name: str, amount: int) -> None:
    (outer,) = ens[name]
    (inner,) = outer.inner
    assert (outer.name, outer.target) == ("execTransaction", ENDOWMENT_SAFE)
    assert (inner.name, inner.caller, inner.delegatecall) == ("transfer", ENDOWMENT_SAFE, False)
    assert inner.argument("amount") == str(amount)


def test_a_multisend_inside_a_safe_is_seen_call_by_call(ens: dict[str, tuple[DecodedCall, ...]]) -> None:
    (outer,) = ens["ep-6-38"]
    (multi_send,) = outer.inner
    assert (multi_send.name, multi_send.delegatecall, multi_send.caller) == ("multiSend", True, ENDOWMENT_SAFE)
    assert len(multi_send.inner) == 18
    assert {call.caller for call in multi_send.inner} == {ENDOWMENT_SAFE}
    names = [call.name for call in multi_send.inner]
    assert names[0] == "disableModule"
    assert names.count("scopeFunction") == 4
    assert names.count("post") == 2


def test_cast_reads_the_same_arguments(ens: dict[str, tuple[DecodedCall, ...]], cast: str) -> None:
    seen: set[str] = set()
    for call in (inner for calls in ens.values() for outer in calls for inner in outer.walk()):
        if call.signature is None or call.signature in seen or "[" in call.signature or "string" in call.signature:
            continue
        seen.add(call.signature)
        command = [cast, "decode-calldata", "--json", call.signature, "0x" + call.calldata.hex()]
        printed = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        assert [str(v).lower() for v in printed] == [a.value.lower() for a in call.arguments], call.signature
    assert len(seen) > 10
