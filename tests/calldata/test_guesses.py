"""The table of guesses: it holds what the packages say, it is quick to search, and no check hears of it."""

from __future__ import annotations

import gzip
import importlib.util
from importlib.resources import files
from pathlib import Path
from types import ModuleType

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from pnyx_contracts import guesses as guessing
from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.guesses import guesses, signatures_of
from pnyx_contracts.selectors import parse_function, selector_of
from pnyx_contracts.types import Call

ROOT = Path(__file__).resolve().parents[2]
TEXT = gzip.decompress(files("pnyx_contracts").joinpath("data/guesses.txt.gz").read_bytes()).decode()
HEADING = [line[2:] for line in TEXT.splitlines() if line.startswith("# ")]
LINES = [line for line in TEXT.splitlines() if not line.startswith("#")]
UNKNOWN = "borrow(address,uint256,uint256,uint16,address)"  # Aave's
TOKEN = "0x00000000000000000000000000000000000000A1"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("collect_guesses", ROOT / "contracts" / "guesses.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_line_is_a_function_and_its_selector() -> None:
    assert len(LINES) > 4000
    assert sorted(set(LINES)) == LINES
    for line in LINES:
        selector, _, signature = line.partition(" ")
        assert parse_function(signature).signature == signature
        assert selector_of(signature).hex() == selector


def test_the_table_names_the_packages_of_the_script(script: ModuleType) -> None:
    assert tuple(HEADING) == script.PACKAGES


def test_the_table_holds_what_the_packages_at_hand_say(script: ModuleType) -> None:
    folders = {package: script.installed(package) for package in script.PACKAGES}
    here = {package: folder for package, folder in folders.items() if folder is not None}
    if not here:
        pytest.skip("needs contracts/node_modules (npm ci in contracts/)")
    signatures = {line.partition(" ")[2] for line in LINES}
    for package, folder in here.items():
        said = script.functions_in(folder)
        assert said, package
        assert said <= signatures, package


def test_a_guess_leaves_the_call_unknown() -> None:
    types = [parameter.kind.canonical for parameter in parse_function(UNKNOWN).parameters]
    data = selector_of(UNKNOWN) + encode(types, [TOKEN, 1, 2, 0, TOKEN])
    (call,) = decode_calls((Call(target=TOKEN, value_wei=0, calldata=data),), 1)
    assert (call.signature, call.arguments) == (None, ())
    assert "borrow" not in call.model_dump_json()
    (guess,) = guesses(data)
    assert guess.signature == UNKNOWN
    assert guess.arguments is not None
    assert [a.value for a in guess.arguments] == [TOKEN, "1", "2", "0", TOKEN]


@pytest.mark.parametrize("rest", [b"", bytes(31), b"\xff" * 160, bytes(161)])
def test_bytes_that_do_not_fit_give_no_arguments(rest: bytes) -> None:
    assert [(g.signature, g.arguments) for g in guesses(selector_of(UNKNOWN) + rest)] == [(UNKNOWN, None)]


def test_functions_that_share_a_selector_are_all_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    burn, twin = "burn(uint256)", "collate_propagate_storage(bytes16)"  # a real collision
    selector = selector_of(burn)
    assert selector == selector_of(twin)
    lines = f"# x\n{selector.hex()} {burn}\n{selector.hex()} {twin}\nffffffff last()\n"
    monkeypatch.setattr(guessing, "_table", lambda: lines.encode())
    assert signatures_of(selector) == (burn, twin)
    both = guesses(selector + encode(["bytes16"], [b"\x01" * 16]))
    assert [(g.signature, g.arguments) for g in both] == [(burn, None), (twin, None)]
    one = guesses(selector + encode(["uint256"], [5]))
    assert [g.arguments is not None for g in one] == [True, False]
    assert signatures_of(b"\xff" * 4) == ("last()",)


def test_the_first_and_the_last_line_are_found() -> None:
    for line in (LINES[0], LINES[-1]):
        selector, _, signature = line.partition(" ")
        assert signature in signatures_of(bytes.fromhex(selector))


@given(st.binary(max_size=400), st.sampled_from(LINES))
def test_no_calldata_raises(rest: bytes, line: str) -> None:
    assert guesses(bytes.fromhex(line[:8]) + rest)
    guesses(rest)
