"""The table of known functions: no entry is taken on trust."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest
from eth_hash.auto import keccak

from pnyx_contracts.selectors import Function, known_functions, parse_function
from pnyx_contracts.strict_abi import Array, Kind, Tuple
from pnyx_contracts.wrappers import WRAPPERS

ROOT = Path(__file__).resolve().parents[2]
LINES = [
    line
    for line in files("pnyx_contracts").joinpath("data/selectors.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
FUNCTIONS = [function for functions in known_functions().values() for function in functions]

OPENZEPPELIN = {
    "contracts": (
        "GovernorTimelockControl", "GovernorStorage", "GovernorSettings", "GovernorProposalGuardian",
        "GovernorPreventLateQuorum", "GovernorVotesSuperQuorumFraction", "GovernorVotesQuorumFraction",
        "TimelockController", "AccessControlDefaultAdminRules", "AccessManager", "Ownable2Step", "UpgradeableBeacon",
        "ProxyAdmin",
        "ITransparentUpgradeableProxy", "ERC721", "ERC1155", "ERC20Permit",
    ),
    "contracts-v4": (
        "GovernorTimelockControl", "GovernorSettings", "GovernorCompatibilityBravo", "GovernorPreventLateQuorum",
        "TimelockController", "ProxyAdmin", "Ownable2Step", "ITransparentUpgradeableProxy", "ERC20PresetMinterPauser",
    ),
}  # fmt: skip
NOT_FOR_PROPOSALS = {
    # callbacks, and functions whose absence only means "unknown"
    "onERC721Received", "onERC1155Received", "onERC1155BatchReceived", "castVoteWithReasonAndParamsBySig",
    "castOverrideVoteBySig", "labelRole", "consumeScheduledOp", "cancel(address,address,bytes)", "propose",
}  # fmt: skip
CARRIES_NO_CALL = {
    # bytes that are handed on, voted with, signed or stored, but not executed as a call that calldata alone tells
    "castVoteWithReasonAndParams", "castVoteBySig", "cancel", "cancelTransaction", "safeTransferFrom",
    "safeBatchTransferFrom", "mint", "mintBatch", "upgradeTo", "send", "operatorSend", "createProxyWithNonce",
    "scopeFunction", "signMessage",
    "enableNode", "setABI", "setAddr", "setContenthash", "wrap", "upgrade", "createFlow", "updateFlow", "deleteFlow",
    "_setImplementation", "addPublicSuffixes", "claim", "proveAndClaim", "proveAndClaimWithResolver", "setDNSRecords",
    "setZonehash", "reconfigure", "depositERC20To", "depositETHTo", "bridgeERC20To", "bridgeETHTo",
}  # fmt: skip


def _canonical(line: str) -> str:
    """Types only, by plain text surgery: another way than the parser under test."""
    name, _, rest = line.partition("(")
    return name + re.sub(r"(?<=[\w\])]) \w+(?=[,)])", "", "(" + rest).replace(" ", "")


@pytest.mark.parametrize("line", LINES)
def test_every_selector_is_the_hash_of_its_signature(line: str) -> None:
    selector, _, signature = line.partition(" ")
    assert keccak(_canonical(signature).encode())[:4].hex() == selector
    parsed = parse_function(signature)
    assert parsed.signature == _canonical(signature)
    assert parsed.selector.hex() == selector


def test_cast_computes_the_same_selectors(cast: str) -> None:
    for line in LINES[::25]:
        selector, _, signature = line.partition(" ")
        printed = subprocess.run(
            [cast, "sig", _canonical(signature)], capture_output=True, text=True, check=True
        ).stdout
        assert printed.strip() == "0x" + selector


def test_no_function_stands_in_the_table_twice() -> None:
    assert [s for s, count in Counter(f.signature for f in FUNCTIONS).items() if count > 1] == []


def test_every_argument_has_a_name_of_its_own() -> None:
    def check(parameters: tuple[object, ...], where: str) -> None:
        names = [p.name for p in parameters]
        assert all(names), where
        assert len(set(names)) == len(names), where
        for parameter in parameters:
            kind: Kind = parameter.kind
            while isinstance(kind, Array):
                kind = kind.item
            if isinstance(kind, Tuple):
                check(kind.fields, where)

    for function in FUNCTIONS:
        check(function.parameters, function.signature)


def test_every_function_that_may_carry_calls_is_unwrapped_or_listed() -> None:
    carriers = [f for f in FUNCTIONS if any(p.kind.canonical in {"bytes", "bytes[]"} for p in f.parameters)]
    forgotten = [f.signature for f in carriers if f.signature not in WRAPPERS and f.name not in CARRIES_NO_CALL]
    assert forgotten == []


def test_every_wrapper_is_in_the_table() -> None:
    assert set(WRAPPERS) <= {f.signature for f in FUNCTIONS}


@pytest.mark.parametrize(("package", "contract"), [(p, c) for p, cs in OPENZEPPELIN.items() for c in cs])
def test_the_table_knows_openzeppelins_functions_by_their_argument_names(package: str, contract: str) -> None:
    file = ROOT / f"contracts/node_modules/@openzeppelin/{package}/build/contracts/{contract}.json"
    if not file.is_file():
        pytest.skip("needs contracts/node_modules (npm ci in contracts/)")
    by_signature = {f.signature: f for f in FUNCTIONS}
    abi = json.loads(file.read_text())["abi"]
    functions = [item for item in abi if item["type"] == "function" and item["stateMutability"] not in {"view", "pure"}]
    assert functions
    for item in functions:
        signature = f"{item['name']}({','.join(_abi_type(i) for i in item['inputs'])})"
        if item["name"] in NOT_FOR_PROPOSALS or signature in NOT_FOR_PROPOSALS:
            continue
        assert signature in by_signature, signature
        _check_names(by_signature[signature], [i["name"] for i in item["inputs"]])


def _abi_type(item: dict[str, object]) -> str:
    kind = str(item["type"])
    if not kind.startswith("tuple"):
        return kind
    return "(" + ",".join(_abi_type(c) for c in item["components"]) + ")" + kind.removeprefix("tuple")


SHARED_SELECTORS = {"approve", "transferFrom", "transfer", "renounceRole"}
"""Standards that share a selector, or versions that renamed an argument."""


def _check_names(function: Function, names: list[str]) -> None:
    if function.name not in SHARED_SELECTORS:
        ours = [p.name for p in function.parameters]
        assert all(o == n or not n for o, n in zip(ours, names, strict=True)), (function.signature, ours, names)
