"""Prove properties of the contracts for all inputs: ``python contracts/prove.py [NAME]``, NAME a part of their names.

Runs halmos, which is fetched into an environment of its own by uv, over the sources and test/Proofs.t.sol. Exits 1 when
something is not proven. All of them take some minutes.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
HALMOS = "halmos==0.3.3"


def copy_project(folder: Path, tests: tuple[str, ...]) -> None:
    """A project of the sources and some tests, which compiles in seconds; the packages stay where they are."""
    shutil.copytree(ROOT / "src", folder / "src")
    (folder / "test").mkdir(exist_ok=True)
    for name in tests:
        shutil.copy(ROOT / "test" / name, folder / "test")
    for name in ("foundry.toml", "solc-shim.mjs", "package.json"):
        shutil.copy(ROOT / name, folder)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")


def environment() -> dict[str, str]:
    """This environment with forge from npm first."""
    [forge] = ROOT.glob("node_modules/@foundry-rs/forge-*/bin/forge")
    return os.environ | {"PATH": os.pathsep.join([str(forge.parent), os.environ.get("PATH", "")])}


def main(arguments: list[str]) -> int:
    """Run halmos; its exit code."""
    if len(arguments) > 1:
        sys.stderr.write("usage: python contracts/prove.py [NAME]\n")
        return 2
    with tempfile.TemporaryDirectory() as name:
        copy_project(Path(name), ("Harness.sol", "Proofs.t.sol"))
        command = ["uvx", "--from", HALMOS, "halmos", "--contract", "ProofsTest"]
        command += ["--function", f"check_.*{arguments[0] if arguments else ''}"]
        return subprocess.run(command, cwd=name, env=environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
