"""How fast a long log is checked: ``python benchmarks/verify.py [--entries N] [--json]``.

Writes the entries on a local chain, then checks steps 1 to 8, and lets a bare reader have the very same logs from the
same node in the same pieces: an HTTP client and the JSON parser of the standard library, and nothing that looks at what
they read. What is compared is the ratio of the two in one run, taken in turns, the best of each. Beside it stands what
the HTTP client alone takes. Each check runs in a process of its own, so that its peak memory is its own. Exits 1 when a
goal is missed.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
from recorder import Recorder
from rows import Row, tell

from pnyx_contracts.decision_log import ENTRY_TOPIC, decode_entry, fold
from pnyx_contracts.keccak import IMPLEMENTATION
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.bulk import write_bulk
from pnyx_tools.testing.deploy import deploy_log
from pnyx_tools.verifier import verify

ENTRIES = 100_000
RATIO_GOAL = 2.0  # of the bare reader's time
FOLD_GOAL = 150_000  # entries a second, with a C keccak
MEMORY_GOAL = 1.3  # peak with all entries, over the peak with a tenth of them
ROUNDS = 3  # the best of


def check(url: str, log: str, writer: str) -> tuple[float, list[dict[str, Any]]]:
    """Seconds, and the logs that were asked for."""
    rpc = Recorder(url)
    begun = time.perf_counter()
    report = verify(rpc, log, writer, upto="latest", log_only=True)
    seconds = time.perf_counter() - begun
    if report.problems:
        raise SystemExit(f"the log does not hold: {report.problems[0]}")
    return seconds, rpc.asked


def read_bare(
    url: str, asked: Sequence[dict[str, Any]], parse: Callable[[bytes], object] = json.loads
) -> tuple[float, int]:
    """Seconds and bytes of the same logs, read and thrown away."""
    size = 0
    with httpx.Client(timeout=120) as client:
        begun = time.perf_counter()
        for query in asked:
            body = {"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [query]}
            answer = client.post(url, json=body).content
            parse(answer)
            size += len(answer)
        return time.perf_counter() - begun, size


def fold_alone(url: str, log: str) -> float:
    """Entries a second."""
    rpc = Rpc(url)
    entries = [decode_entry(found) for found in rpc.logs(0, rpc.block().number, [ENTRY_TOPIC], [log])[:20_000]]
    best = 0.0
    for _ in range(ROUNDS):
        head, begun = bytes(24), time.process_time()  # of this process alone: nothing is waited for
        for entry in entries:
            head = fold(head, entry)
        best = max(best, len(entries) / (time.process_time() - begun))
    return best


def measure(url: str, log: str, writer: str) -> dict[str, float]:
    """What a process of its own found."""
    command = [sys.executable, str(Path(__file__)), "--measure", url, log, writer]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def measured(url: str, log: str, writer: str) -> dict[str, float]:
    """In that process: the check, then the bare reader, a few times."""
    _, asked = check(url, log, writer)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rounds = [(check(url, log, writer)[0], read_bare(url, asked), read_bare(url, asked, len)) for _ in range(ROUNDS)]
    return {
        "check": min(seconds for seconds, _, _ in rounds),
        "bare": min(seconds for _, (seconds, _), _ in rounds),
        "fetch": min(seconds for _, _, (seconds, _) in rounds),
        "megabytes": rounds[0][1][1] / 1e6,
        "peak": peak,
    }


def rows(entries: int) -> list[Row]:
    with Anvil() as node:
        log = deploy_log(node)
        few, many = (write_bulk(node, log, number) for number in (entries // 10, entries))
        small, large = (measure(node.url, log, writer) for writer in (few, many))
        folds = fold_alone(node.url, log)
        with_votes = measure(node.url, log, write_bulk(node, log, entries // 10, votes=True))
    ratio, growth = large["check"] / large["bare"], large["peak"] / small["peak"]
    return [
        Row(f"bare reader, {entries} entries", f"{large['bare']:.2f} s, {large['megabytes']:.0f} MB"),
        Row("  of it HTTP alone", f"{large['fetch']:.2f} s"),
        Row(f"check, {entries} entries", f"{large['check']:.2f} s, {entries / large['check']:,.0f} a second"),
        Row("  over the bare reader", f"{ratio:.2f}", f"at most {RATIO_GOAL}", ratio <= RATIO_GOAL),
        Row("  over HTTP alone", f"{large['check'] / large['fetch']:.2f}"),
        Row(f"fold alone, {IMPLEMENTATION}", f"{folds:,.0f} a second", f"at least {FOLD_GOAL:,}", folds >= FOLD_GOAL),
        Row(f"peak memory, {entries // 10} entries", f"{small['peak']:.0f} MiB"),
        Row(f"peak memory, {entries} entries", f"{large['peak']:.0f} MiB"),
        Row("  over the other", f"{growth:.2f}", f"at most {MEMORY_GOAL}", growth <= MEMORY_GOAL),
        Row(
            f"check, {entries // 10} entries and as many votes",
            f"{with_votes['check']:.2f} s, bare reader {with_votes['bare']:.2f} s",
        ),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=ENTRIES)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(*options.measure)))
        return 0
    return tell(rows(options.entries), as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
