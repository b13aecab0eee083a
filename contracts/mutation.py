# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = ["slither-analyzer==0.11.6"]
# ///
"""Break the contracts on purpose and see whether the tests notice: ``uv run contracts/mutation.py [CONTRACT ...]``.

The mutants are those of slither-mutate. It would compile the whole project twice for each of them; here a compiler
that stays loaded makes the code of a mutant, and forge runs the tests against that code, so that the tests are compiled
once. The tests are those without OpenZeppelin code and without invariants. Prints each mutant that no test noticed,
with VERBOSE=1 in the environment all of them; docs/mutation.md answers them. Takes some seconds a mutant.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slither import Slither
from slither.tools.mutator.mutators import all_mutators
from slither.tools.mutator.mutators.abstract_mutator import AbstractMutator

from prove import ROOT, copy_project, environment

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
FUZZ_RUNS = "64"  # what only one try in hundreds finds should be found by a test of its own
STANDARD = ROOT / "pnyx_contracts" / "abi" / "standard"

# Compiles one standard JSON input per line, and answers in one line: null when it does not compile.
COMPILER = """
const solc = require("solc");
const lines = require("node:readline").createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const { contracts, errors = [] } = JSON.parse(solc.compile(line));
  const failed = errors.some(({ severity }) => severity === "error");
  process.stdout.write(JSON.stringify(failed ? null : contracts) + "\\n");
});
"""


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    kind: str
    path: str
    line: int
    old: str
    new: str
    source: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} [{self.kind}] {_one_line(self.old)!r} -> {_one_line(self.new)!r}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def mutants_of(contract: str, folder: Path) -> Iterator[Mutant]:
    """What slither-mutate would try on a contract, each change once."""
    with chdir(folder):  # slither names files by the folder that it runs in
        slither = Slither(".")
    seen = set()
    for unit in slither.compilation_units:
        for found in unit.get_contract_from_name(contract):
            for mutator in _mutators():
                for mutant in _patches(mutator(unit, 0, "", "", found, None, False, folder, []), folder):
                    if mutant.source not in seen:
                        seen.add(mutant.source)
                        yield mutant


def _mutators() -> list[type[AbstractMutator]]:
    classes = (value for value in vars(all_mutators).values() if isinstance(value, type))
    return [value for value in classes if issubclass(value, AbstractMutator) and value is not AbstractMutator]


def _patches(mutator: AbstractMutator, folder: Path) -> Iterator[Mutant]:
    try:
        files = mutator._mutate().get("patches", {})  # noqa: SLF001 - its public way tests each one at once
    except Exception as error:  # noqa: BLE001 - one of its generators fails on some code; the others go on
        sys.stderr.write(f"{mutator.NAME} gave up: {error}\n")
        return
    for file, patches in files.items():
        original = Path(file).read_bytes()
        for patch in patches:
            old, new = patch["old_string"], patch["new_string"]
            start = _start_of(old.encode(), original, patch["start"])
            source = original[:start] + new.encode() + original[start + len(old.encode()) :]
            path = Path(file).resolve().relative_to(folder.resolve()).as_posix()
            yield Mutant(mutator.NAME, path, patch["line_number"], old, new, source.decode())


def _start_of(old: bytes, text: bytes, position: int) -> int:
    """Some generators give the place of a part of what they replace; it is the last one that begins before."""
    return text.rfind(old, 0, position + len(old))


class Workshop:
    """A project whose tests are compiled, and a compiler that stays loaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {"FOUNDRY_FUZZ_RUNS": FUZZ_RUNS, "FOUNDRY_DYNAMIC_TEST_LINKING": "true"}
        if not self.tests_pass():
            raise SystemExit("the tests do not pass without a mutant; nothing was tried")
        self.compiler = subprocess.Popen(
            ["node", "-e", COMPILER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.inputs = {name: (STANDARD / f"{name}.json").read_text(encoding="utf-8") for name in CONTRACTS}
        self.plain: dict[str, Any] = {name: self.compile(json.loads(text), name) for name, text in self.inputs.items()}

    def tests_pass(self) -> bool:
        command = ["forge", "test", "--fail-fast"]
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, check=False)
        return done.returncode == 0

    def compile(self, standard: dict[str, Any], name: str) -> dict[str, Any] | None:
        """Creation and runtime code of a contract; None when it does not compile."""
        assert self.compiler.stdin is not None
        assert self.compiler.stdout is not None
        self.compiler.stdin.write(json.dumps(standard) + "\n")
        self.compiler.stdin.flush()
        contracts = json.loads(self.compiler.stdout.readline())
        if contracts is None:
            return None
        found: dict[str, Any] = contracts[f"src/{name}.sol"][name]["evm"]
        return found

    def compile_mutant(self, mutant: Mutant) -> dict[str, Any]:
        """The contracts that the changed file is part of."""
        codes = {}
        for name, text in self.inputs.items():
            standard = json.loads(text)
            if mutant.path in standard["sources"]:
                standard["sources"][mutant.path]["content"] = mutant.source
                codes[name] = self.compile(standard, name)
        return codes

    def judge(self, mutant: Mutant) -> str:
        """caught, SURVIVED, same code, or does not compile."""
        codes = self.compile_mutant(mutant)
        if None in codes.values():
            return "does not compile"
        if all(code["bytecode"]["object"] == self.plain[name]["bytecode"]["object"] for name, code in codes.items()):
            return "same code"
        self.install(codes)
        caught = not self.tests_pass()
        self.install(self.plain)
        return "caught" if caught else "SURVIVED"

    def install(self, codes: dict[str, Any]) -> None:
        """Put compiled code where forge keeps it: it compiles nothing while the sources are unchanged."""
        for name, code in codes.items():
            path = self.folder / "out" / f"{name}.sol" / f"{name}.json"
            artifact = json.loads(path.read_text(encoding="utf-8"))
            artifact["bytecode"]["object"] = "0x" + code["bytecode"]["object"]
            artifact["deployedBytecode"]["object"] = "0x" + code["deployedBytecode"]["object"]
            artifact["deployedBytecode"]["immutableReferences"] = code["deployedBytecode"]["immutableReferences"]
            path.write_text(json.dumps(artifact), encoding="utf-8")

    def close(self) -> None:
        assert self.compiler.stdin is not None
        self.compiler.stdin.close()
        self.compiler.wait()


def main(arguments: list[str]) -> int:
    """Try everything; 0, since a survivor is a question and not an error."""
    unknown = set(arguments) - set(CONTRACTS)
    if unknown:
        sys.exit(f"there is no contract {', '.join(sorted(unknown))}; expected some of {', '.join(CONTRACTS)}")
    os.environ.update(environment())  # slither looks for forge on the path
    with tempfile.TemporaryDirectory() as name:
        drawing, bench = Path(name) / "drawing", Path(name) / "bench"
        copy_project(drawing, ())
        copy_project(bench, TESTS)
        workshop = Workshop(bench)
        for contract in arguments or CONTRACTS:
            counts: Counter[str] = Counter()
            for mutant in mutants_of(contract, drawing):
                verdict = workshop.judge(mutant)
                counts[verdict] += 1
                if verdict == "SURVIVED" or os.environ.get("VERBOSE"):
                    print(f"{verdict}: {mutant}", flush=True)
            print(f"{contract}: {', '.join(f'{count} {verdict}' for verdict, count in sorted(counts.items()))}")
        workshop.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
