"""Declared interfaces: which files are read, what they name, and what they cannot change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.errors import DecodingError, UsageError
from pnyx_contracts.interfaces import Interfaces, functions_of, used
from pnyx_contracts.selectors import selector_of
from pnyx_contracts.types import Call
from pnyx_tools import interfaces as reading
from pnyx_tools.interfaces import read_interfaces

VAULT = "0x00000000000000000000000000000000000000A1"
OTHER = "0x00000000000000000000000000000000000000b2"
HARVEST = "harvestAll(address,uint256)"
ABI: list[dict[str, Any]] = [
    {"type": "event", "name": "Harvested", "inputs": []},
    {"type": "constructor", "inputs": []},
    {
        "type": "function",
        "name": "harvestAll",
        "inputs": [{"type": "address", "name": "keeper"}, {"type": "uint256", "name": ""}],
    },
]
HARVEST_SELECTOR = f"0x{selector_of(HARVEST).hex()}"
DECLARED: Interfaces = {VAULT: {HARVEST_SELECTOR: "harvestAll(address keeper, uint256 arg1)"}}


def harvest() -> bytes:
    return selector_of(HARVEST) + encode(["address", "uint256"], [OTHER, 5])


def decode(data: bytes, target: str = VAULT, interfaces: Interfaces = DECLARED) -> DecodedCall:
    (decoded,) = decode_calls((Call(target=target, value_wei=0, calldata=data),), 1, interfaces)
    return decoded


# --- what a declared function names ----------------------------------------------------------------------------------


def test_a_declared_function_names_a_call_to_its_address() -> None:
    decoded = decode(harvest())
    assert decoded.signature == HARVEST
    assert [(a.name, a.value) for a in decoded.arguments] == [("keeper", OTHER), ("arg1", "5")]
    assert "declares" in decoded.note


@pytest.mark.parametrize("interfaces", [{}, {OTHER: DECLARED[VAULT]}])
def test_it_names_no_other_call(interfaces: Interfaces) -> None:
    assert decode(harvest(), interfaces=interfaces).signature is None


def test_a_call_on_another_chain_is_not_named_by_it() -> None:
    message = selector_of("sendTxToL1(address,bytes)") + encode(["address", "bytes"], [VAULT, harvest()])
    decoded = decode(message, OTHER)
    assert decoded.inner[0].signature is None
    assert used(DECLARED, (decoded,)) == {}


def test_a_call_inside_a_wrapper_is_named_and_counts_as_used() -> None:
    relay = selector_of("relay(address,uint256,bytes)") + encode(["address", "uint256", "bytes"], [VAULT, 0, harvest()])
    decoded = decode(relay, OTHER)
    assert decoded.inner[0].signature == HARVEST
    assert used({**DECLARED, OTHER: {"0x00000001": "never()"}}, (decoded,)) == DECLARED


def test_bytes_that_do_not_fit_stay_unknown_and_still_count_as_used() -> None:
    decoded = decode(harvest()[:-1])
    assert decoded.signature is None
    assert HARVEST in decoded.note
    assert used(DECLARED, (decoded,)) == DECLARED


def test_a_declared_function_cannot_rename_one_of_the_table() -> None:
    """The argument names of the table are what checks look for."""
    text = "transfer(address amount, uint256 to)"
    interfaces = {VAULT: {"0xa9059cbb": text}}
    data = bytes.fromhex("a9059cbb") + encode(["address", "uint256"], [OTHER, 5])
    decoded = decode(data, interfaces=interfaces)
    assert [a.name for a in decoded.arguments] == ["to", "amount"]
    assert decoded.note == ""


def test_a_declared_function_that_collides_with_the_table_is_ambiguous() -> None:
    burn, twin = "burn(uint256)", "collate_propagate_storage(bytes16 x)"  # a real collision
    interfaces = {VAULT: {f"0x{selector_of(burn).hex()}": twin}}
    data = selector_of(burn) + encode(["bytes16"], [b"\x01" * 16])
    assert decode(data, interfaces={}).signature == burn
    decoded = decode(data, interfaces=interfaces)
    assert decoded.signature is None
    assert decoded.note.startswith("ambiguous")


@pytest.mark.parametrize(
    "text",
    [
        "plantAll(address keeper, uint256 arg1)",
        "harvestAll(uint c)",
        "",
        "(",
        "\ud800",
        "f" + "(" * 4_000,
        "f(" + "a," * 9_000,
    ],
)
def test_a_text_that_is_not_the_selectors_function_names_nothing(text: str) -> None:
    assert decode(harvest(), interfaces={VAULT: {HARVEST_SELECTOR: text}}).signature is None


def test_tuples_and_shared_names_are_written_out() -> None:
    parts = [{"type": "tuple[]", "name": "a", "components": [{"type": "uint8", "name": "x"}, {"type": "bytes"}]}]
    item = {"type": "function", "name": "f", "inputs": [*parts, {"type": "bool", "name": "a"}]}
    assert list(functions_of([item]).values()) == ["f((uint8 x, bytes arg1)[] arg0, bool arg1)"]


@pytest.mark.parametrize(
    "item",
    [
        "f()",
        {"type": "function"},
        {"type": "function", "name": "f x", "inputs": []},
        {"type": "function", "name": "f", "inputs": [{}]},
        {"type": "function", "name": "f", "inputs": [{"type": "uint"}]},
        {"type": "function", "name": "f", "inputs": [{"type": "tuple"}]},
        {"type": "function", "name": "f", "inputs": [{"type": "uint8 a, uint8"}]},
    ],
)
def test_what_is_no_abi_says_so(item: object) -> None:
    with pytest.raises(DecodingError):
        functions_of([item])


# --- the folder ------------------------------------------------------------------------------------------------------


def write(file: Path, content: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.mark.parametrize(
    ("place", "content"),
    [
        (f"{VAULT}.json", ABI),
        (f"{VAULT.lower()}.json", {"abi": ABI, "bytecode": "0x"}),
        (f"1/{VAULT}.json", ABI),
        (f"contracts/full_match/1/{VAULT}/metadata.json", {"output": {"abi": ABI}}),
        (f"contracts/partial_match/1/{VAULT}/metadata.json", {"output": {"abi": ABI}}),
    ],
)
def test_every_layout_is_read(tmp_path: Path, place: str, content: object) -> None:
    write(tmp_path / place, content)
    write(tmp_path / "5" / f"{OTHER}.json", ABI)
    assert read_interfaces(tmp_path, 1) == DECLARED


@pytest.mark.parametrize(
    ("place", "content", "words"),
    [
        ("vault.json", ABI, "no address"),
        ("0x00000000000000000000000000000000000000B2.json", ABI, "wrong checksum"),
        ("contracts/full_match/1/0x00000000000000000000000000000000000000B2/metadata.json", {}, "wrong checksum"),
        (f"{VAULT}.json", "{", "no JSON"),
        (f"{VAULT}.json", {"x": 1}, "expected a list"),
        (f"{VAULT}.json", [{"type": "function", "name": "f", "inputs": [{"type": "uint"}]}], "holds no ABI"),
        (f"{VAULT}.json", "[" * 100_000, "no JSON"),
        ("contracts/full_match/1/vault/metadata.json", {}, "no address"),
    ],
)
def test_a_file_that_declares_nothing_is_an_error(tmp_path: Path, place: str, content: object, words: str) -> None:
    write(tmp_path / place, content)
    with pytest.raises(UsageError, match=words) as error:
        read_interfaces(tmp_path, 1)
    assert place.rpartition("/")[2] in error.value.message or "vault" in error.value.message


def test_two_files_of_one_contract_are_an_error(tmp_path: Path) -> None:
    write(tmp_path / f"{VAULT}.json", ABI)
    write(tmp_path / "1" / f"{VAULT}.json", ABI)
    with pytest.raises(UsageError, match="another file"):
        read_interfaces(tmp_path, 1)


def test_more_than_can_be_declared_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_FUNCTIONS", 1)
    write(tmp_path / f"{VAULT}.json", [{**ABI[2], "name": name} for name in ("f", "g")])
    with pytest.raises(UsageError, match="2 functions, at most 1"):
        read_interfaces(tmp_path, 1)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        read_interfaces(tmp_path / "abis", 1)
