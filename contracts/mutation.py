"""Break the contracts on purpose and see whether the tests notice: ``python contracts/mutation.py [CONTRACT ...]``.

Runs slither-mutate, which is fetched into an environment of its own by uv, over a copy of the sources and of the tests
that need no OpenZeppelin code (those would be compiled again for each mutant). Prints the mutants that no test noticed;
docs/mutation.md answers them. Takes about an hour on two cores.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
SLITHER = "slither-analyzer==0.11.6"
CONTRACTS = ("AtomicAccount", "DecisionLog", "VoteGate", "VoteGateFactory")
TESTS = (
    "Harness.sol",
    "Governors.sol",
    "AtomicAccount.t.sol",
    "DecisionLog.t.sol",
    "Remarks.t.sol",
    "Succession.t.sol",
    "VoteGate.t.sol",
)
TEST_COMMAND = "forge test --fail-fast"
FUZZ_RUNS = "64"  # a mutant that only one try in hundreds finds is found by a test of its own, or not at all
TIMEOUT_SECONDS = "300"


def copy_project(folder: Path) -> None:
    """A project that compiles in seconds; the packages stay where they are."""
    shutil.copytree(ROOT / "src", folder / "src")
    (folder / "test").mkdir()
    for name in TESTS:
        shutil.copy(ROOT / "test" / name, folder / "test")
    for name in ("foundry.toml", "solc-shim.mjs", "package.json"):
        shutil.copy(ROOT / name, folder)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")


def mutate(folder: Path, contracts: list[str]) -> str:
    """Run the tool; what it says."""
    [forge] = ROOT.glob("node_modules/@foundry-rs/forge-*/bin/forge")
    path = os.pathsep.join([str(forge.parent), os.environ.get("PATH", "")])
    command = ["uvx", "--from", SLITHER, "slither-mutate", ".", "--ignore-dirs", "test,node_modules"]
    command += ["--test-cmd", TEST_COMMAND, "--test-dir", "test", "--timeout", TIMEOUT_SECONDS]
    command += ["--contract-names", ",".join(contracts), "--comprehensive"]
    environment = os.environ | {"PATH": path, "FOUNDRY_FUZZ_RUNS": FUZZ_RUNS}
    done = subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True, check=False)
    return done.stdout + done.stderr


def main(arguments: list[str]) -> int:
    """Run, and print survivors and counts."""
    unknown = set(arguments) - set(CONTRACTS)
    if unknown:
        sys.exit(f"there is no contract {', '.join(sorted(unknown))}; expected some of {', '.join(CONTRACTS)}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_project(folder)
        said = re.sub(r"\x1b\[[0-9;]*m", "", mutate(folder, arguments or list(CONTRACTS)))
    print(said)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
