"""What faults do to an agent: ``python benchmarks/faults.py [--kind KIND]... [--faults N] [--proposals N] [--json]``.

Each world has a node, governors of OpenZeppelin 4 and 5 with both clocks, and an agent that is started as a service
manager would; every second one votes through a gate, the others by a plain key. The faults of a world follow from its
seed alone: ``--seed S --worlds 1`` plays one again. At the end the chain and the bundles are judged. Exits 1 when
anything is wrong anywhere.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pydantic_core import to_json
from rich.console import Console
from rich.table import Table

from pnyx_agents import assembly
from pnyx_agents.settings import load_settings
from pnyx_tools.testing.faults.launching import Forks
from pnyx_tools.testing.faults.oracle import Ruling
from pnyx_tools.testing.faults.play import Report
from pnyx_tools.testing.faults.plays import PLAYS, Amount


def declared(config: Path) -> bytes:
    return assembly.declared_configuration(load_settings(config)).hash


def shares(whole: int, parts: int) -> list[int]:
    """10 in 4 parts: 2, 3, 2, 3."""
    return [whole * (n + 1) // parts - whole * n // parts for n in range(parts)]


def played(kind: str, given: argparse.Namespace) -> Iterator[Report]:
    """One report for each world."""
    launch = Forks()
    play = PLAYS[kind]
    amounts = zip(shares(given.faults or play.faults, given.worlds), shares(given.proposals, given.worlds), strict=True)
    for number, (faults, proposals) in enumerate(amounts):
        seed = given.seed + number
        with tempfile.TemporaryDirectory() as folder:
            amount = Amount(faults=faults, proposals=proposals)
            report = play.run(Path(folder) / "agent", declared, launch, seed, amount)
            if given.keep and not report.ruling.ok:
                kept = Path(given.keep) / f"{kind}-{seed}"
                shutil.rmtree(kept, ignore_errors=True)  # of an earlier run
                shutil.copytree(folder, kept)
        yield report


def table(reports: list[Report]) -> Table:
    shown = Table(title="Faults survived", title_justify="left")
    for column in ("kind", "worlds", "proposals", "faults", "starts", "votes", "minutes", "wrong"):
        shown.add_column(column, justify="left" if column in {"kind", "wrong"} else "right")
    for kind in dict.fromkeys(report.kind for report in reports):
        of = [report for report in reports if report.kind == kind]
        ruling = Ruling()
        for report in of:
            ruling.add(report.ruling)
        wrong = ", ".join(f"{count} {what}" for what, count in ruling.counts.items() if count) or "nothing"
        shown.add_row(
            kind, str(len(of)), str(ruling.proposals), str(sum(sum(r.faults.values()) for r in of)),
            str(sum(r.starts for r in of)), str(ruling.votes), f"{sum(r.seconds for r in of) / 60:.1f}", wrong,
        )  # fmt: skip
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", action="append", choices=list(PLAYS), help="default: all")
    parser.add_argument("--faults", type=int, help="of each kind; default: what the kind is meant to survive")
    parser.add_argument("--proposals", type=int, default=50, help="of each kind")
    parser.add_argument("--worlds", type=int, default=4, help="of each kind")
    parser.add_argument("--seed", type=int, default=1, help="of the first world; each further one has the next")
    parser.add_argument("--keep", metavar="FOLDER", help="where the agents' folders go that something was wrong with")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    console = Console(stderr=True)
    reports = []
    for kind in given.kind or PLAYS:
        for report in played(kind, given):
            reports.append(report)
            console.print(f"{kind} seed {report.seed}: {sum(report.faults.values())} faults, {report.seconds:.0f} s")
            for line in report.ruling.lines():
                console.print(f"  wrong: {line}", markup=False)
    Console(stderr=given.json).print(table(reports))
    if given.json:
        print(to_json(reports, indent=1).decode())
    sys.exit(0 if all(report.ruling.ok for report in reports) else 1)


if __name__ == "__main__":
    main()
