"""The Solidity side: forge's own tests, artifacts that are current, gas goals, and what the compiled code cannot do."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from eth_abi.abi import decode

from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Gate, artifact, deploy_gate, deploy_log, encode_call

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"


def load_build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("contracts_build", CONTRACTS / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build = load_build()
OWN = [name for name in build.SOURCES if build.is_own(name)]
SAMPLES = [name for name in build.SOURCES if name not in OWN]

needs_packages = pytest.mark.skipif(
    not (CONTRACTS / "node_modules").is_dir(),
    reason="contracts/node_modules is absent: run `npm ci --ignore-scripts` in contracts/",
)


# --- the contracts and their artifacts


PROFILE = "ci" if os.environ.get("CI") == "true" else "default"
"""Continuous integration tries more inputs and longer stories."""


@needs_packages
def test_forge_tests_pass() -> None:
    result = build.forge("test", profile=PROFILE)
    assert result.returncode == 0, result.stdout[-8000:] + result.stderr[-2000:]
    assert " 0 failed, 0 skipped" in result.stdout


@needs_packages
def test_sources_are_formatted() -> None:
    result = build.forge("fmt", "--check", "src", "test", "legacy")
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("name", OWN)
def test_artifacts_are_of_these_sources(name: str) -> None:
    assert artifact(name)["source_hash"] == build.source_hash(name), "run `python contracts/build.py`"


@needs_packages
@pytest.mark.parametrize("name", SAMPLES)
def test_sample_artifacts_are_of_these_sources(name: str) -> None:
    assert artifact(name)["source_hash"] == build.source_hash(name), "run `python contracts/build.py`"


@needs_packages
def test_artifacts_are_what_the_compiler_makes() -> None:
    assert build.stale() == [], "run `python contracts/build.py`"


def test_slither_has_seen_these_sources() -> None:
    sources = b"".join(file.read_bytes() for file in sorted((CONTRACTS / "src").glob("*.sol")))
    page = (ROOT / "docs" / "slither.md").read_text(encoding="utf-8")
    assert hashlib.sha256(sources).hexdigest() in page, "run slither again, answer its findings, then write the hash"


def test_no_artifact_is_left_over() -> None:
    shipped = {path.stem for folder in (build.OWN, build.TESTING) for path in folder.glob("*.json")}
    assert shipped == set(build.SOURCES)
    assert sorted(path.stem for path in build.STANDARD.glob("*.json")) == sorted(OWN)


COMPILE = """
const solc = require("solc");
const { contracts } = JSON.parse(solc.compile(require("node:fs").readFileSync(0, "utf8")));
const { evm } = contracts[process.argv[1]][process.argv[2]];
process.stdout.write(JSON.stringify([evm.bytecode.object, evm.deployedBytecode.object]));
"""


@needs_packages
@pytest.mark.parametrize("name", OWN)
def test_strangers_make_the_same_code_from_the_standard_input(name: str) -> None:
    """What a block explorer does: the compiler alone, without our tools and our folder layout."""
    standard = (build.STANDARD / f"{name}.json").read_bytes()
    command = ["node", "-e", COMPILE, build.SOURCES[name], name]
    path = f"{build.node_folder()}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        command, input=standard, cwd=CONTRACTS, env=os.environ | {"PATH": path}, capture_output=True, check=True
    )
    creation, runtime = json.loads(result.stdout)
    assert ["0x" + creation, "0x" + runtime] == [artifact(name)["bytecode"], artifact(name)["deployedBytecode"]]


@needs_packages
def test_tests_reach_all_of_the_code() -> None:
    """Every line, statement, branch and function of our contracts."""
    result = build.forge(
        "coverage",
        "--report",
        "summary",
        "--no-match-coverage",
        "test|legacy",
        "--no-match-contract",
        COVERED_ELSEWHERE,
    )
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]
    rows = [line.split("|")[1:-1] for line in result.stdout.splitlines() if line.startswith("| src/")]
    assert {row[0].strip().removeprefix("src/").removesuffix(".sol") for row in rows} == set(OWN)
    short = [row for row in rows if any(not cell.strip().startswith("100.00%") for cell in row[1:])]
    assert short == []


COVERED_ELSEWHERE = "Invariants|Proofs|Vectors"
"""Tests that take long, or reach nothing that others do not reach."""


@pytest.mark.parametrize("name", OWN)
def test_a_changed_source_is_noticed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(CONTRACTS / "src", tmp_path / "src")
    shutil.copy(CONTRACTS / "foundry.toml", tmp_path)
    monkeypatch.setattr(build, "ROOT", tmp_path)
    before = build.source_hash(name)
    interface = tmp_path / "src" / "IDecisionLog.sol"
    interface.write_bytes(interface.read_bytes() + b"\n")
    assert build.source_hash(name) != before == artifact(name)["source_hash"]


def test_the_lock_file_names_no_registry_and_every_platform() -> None:
    """`npm ci` refuses a lock file that lacks an optional package, even one for another platform."""
    lock = json.loads((CONTRACTS / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert [path for path, package in lock.items() if "resolved" in package] == []
    optional = {name for package in lock.values() for name in package.get("optionalDependencies", {})}
    assert {f"node_modules/{name}" for name in optional} <= lock.keys()


# --- what the code cannot do

FORBIDDEN = {0xF2: "CALLCODE", 0xF4: "DELEGATECALL", 0xF0: "CREATE", 0xF5: "CREATE2", 0xFF: "SELFDESTRUCT"}
CALL = 0xF1


def opcodes(code: bytes) -> Iterator[int]:
    """The instructions, without the data that PUSH1 to PUSH32 carry."""
    position = 0
    while position < len(code):
        yield code[position]
        position += 1 + max(0, code[position] - 0x5F if code[position] <= 0x7F else 0)


def runtime_opcodes(name: str) -> set[int]:
    return set(opcodes(bytes.fromhex(artifact(name)["deployedBytecode"][2:])))


@pytest.mark.parametrize("name", ["AtomicAccount", "VoteGate"])
def test_no_instruction_could_lend_the_power(name: str) -> None:
    assert [FORBIDDEN[code] for code in runtime_opcodes(name) & FORBIDDEN.keys()] == []


def test_an_atomic_account_keeps_nothing() -> None:
    """The storage of the account belongs to whatever code it had before, and to whatever comes after."""
    assert runtime_opcodes("AtomicAccount") & {0x54, 0x55, 0x5C, 0x5D} == set()  # SLOAD, SSTORE, TLOAD, TSTORE


def test_an_atomic_account_votes_and_nothing_else() -> None:
    acts = [entry["name"] for entry in artifact("AtomicAccount")["abi"] if entry["type"] == "function"]
    assert sorted(acts) == ["log", "vote"]


def test_the_log_calls_nobody() -> None:
    assert runtime_opcodes("DecisionLog") & (FORBIDDEN.keys() | {CALL, 0xFA}) == set()


def test_a_gate_can_be_told_to_do_this_and_nothing_else() -> None:
    acts = {
        entry["name"]
        for entry in artifact("VoteGate")["abi"]
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    }
    assert acts == {
        "vote",
        "note",
        "announceSigner",
        "activateSigner",
        "announceGovernor",
        "activateGovernor",
        "pauseVotes",
        "unpauseVotes",
    }


@pytest.mark.parametrize("name", OWN)
def test_nothing_takes_ether_or_unknown_calls_but_an_account(name: str) -> None:
    """The account of a key needs money for gas: it takes what comes with no call, and nothing else."""
    abi = artifact(name)["abi"]
    payable = [entry["type"] for entry in abi if entry.get("stateMutability") == "payable"]
    assert payable == (["receive"] if name == "AtomicAccount" else [])
    assert not [entry for entry in abi if entry["type"] == "fallback"]


def test_a_gate_does_not_sign_for_anybody() -> None:
    names = {entry.get("name") for entry in artifact("VoteGate")["abi"]}
    assert not names & {"isValidSignature", "execute", "multicall", "supportsInterface", "propose", "delegate"}


# --- on a node


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with Anvil() as running:
        yield running


@pytest.fixture(scope="module")
def gate(node: Anvil) -> Gate:
    operator, guardian, signer = node.accounts[1:4]
    return deploy_gate(
        node,
        signer=signer,
        governors=["0x" + "66" * 20],
        config_hash=b"\x01" * 32,
        operator=operator,
        guardian=guardian,
        delay_seconds=2 * 86_400,
    )


def test_deployed_code_is_the_artifact_with_its_immutables(node: Anvil, gate: Gate) -> None:
    described = artifact("VoteGate")
    expected = bytearray.fromhex(described["deployedBytecode"][2:])
    values = {
        "log": int(gate.log, 16),
        "factory": int(gate.factory, 16),
        "operator": int(node.accounts[1], 16),
        "guardian": int(node.accounts[2], 16),
        "delaySeconds": 2 * 86_400,
    }
    assert described["immutables"].keys() == values.keys()
    for name, value in values.items():
        for place in described["immutables"][name]:
            start, end = place["start"], place["start"] + place["length"]
            assert expected[start:end] == bytes(place["length"])
            expected[start:end] = value.to_bytes(place["length"], "big")
    assert node.rpc.code(gate.address) == bytes(expected)


def test_the_log_has_no_immutables_so_that_its_code_is_the_same_everywhere(node: Anvil, gate: Gate) -> None:
    described = artifact("DecisionLog")
    assert described["immutables"] == {}
    assert node.rpc.code(gate.log).hex() == described["deployedBytecode"][2:]


@needs_packages
def test_heads_agree_with_cast(node: Anvil) -> None:
    """The formula of docs/contracts.md, computed by a program that we did not write."""
    log, writer = deploy_log(node), node.accounts[5]
    register = "register(address,uint32,(bytes32,address[],string))"
    config = f"(0x{'01' * 32},[{log},{writer}],https://example.org)"
    node.send(log, bytes.fromhex(cast("calldata", register, writer, "86400", config)[2:]), sender=writer)

    head = cast_genesis(node, log, writer, config)
    assert state_of(node, log, writer) == (head, 0, 0, 1)
    for seq in range(1, 4):
        words = ["0x" + bytes([seq * 16 + i] * 32).hex() for i in range(4)]
        record = encode_call(
            "record(uint40,uint8,bytes32,bytes32,bytes32,bytes32)",
            seq,
            2,
            *(bytes.fromhex(word[2:]) for word in words),
        )
        receipt = node.send(log, record, sender=writer)
        time = node.rpc.block(int(receipt["blockNumber"], 16)).timestamp
        types = "f(bytes24,uint40,uint16,uint8,uint48,bytes32,bytes32,bytes32,bytes32)"
        encoded = cast("abi-encode", types, head, str(seq), "0", "2", str(time), *words)
        head = cast("keccak", encoded)[:50]
        assert state_of(node, log, writer) == (head, seq, 0, 1)


def cast(*arguments: str) -> str:
    [program] = CONTRACTS.glob("node_modules/@foundry-rs/cast-*/bin/cast*")
    result = subprocess.run([str(program), *arguments], capture_output=True, text=True, check=True)
    return result.stdout.strip()


def cast_genesis(node: Anvil, log: str, writer: str, config: str) -> str:
    tag = cast("keccak", "pnyx.DecisionLog.genesis.v1")
    chain_id = str(node.rpc.chain_id())
    declared = cast("keccak", cast("abi-encode", "f((bytes32,address[],string))", config))
    types = "f(bytes32,uint256,address,address,address,uint32,bytes32)"
    return cast("keccak", cast("abi-encode", types, tag, chain_id, log, writer, writer, "86400", declared))[:50]


def state_of(node: Anvil, log: str, writer: str) -> tuple[str, int, int, int]:
    answer = node.rpc.call(log, encode_call("stateOf(address)", writer))
    head, seq, epoch, flags = decode(["bytes24", "uint40", "uint16", "uint8"], answer)
    return "0x" + head.hex(), seq, epoch, flags


@needs_packages
def test_gas_goals_are_met_and_the_page_says_what_was_measured() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "gas.py"), "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    measured = json.loads(result.stdout)
    assert [goal["met"] for goal in measured["goals"]] == [True] * 4
    page = (ROOT / "docs" / "gas.md").read_text(encoding="utf-8")
    numbers = [*measured["ours"].values(), *measured["elsewhere"].values()]
    assert [gas for gas in numbers if f"| {gas:,} |" not in page] == [], "run `python benchmarks/gas.py --write`"
