"""How fast and how cheaply chains are followed: ``python benchmarks/following.py [--json]``.

Two measurements on a local node:

- History: one governor with many proposals of 2 kB text, read, decoded and kept in the journal by the very code of the
  daemon. Beside it, in the same run, for the same logs in the same pieces: a bare reader (an HTTP client and the JSON
  parser of the standard library, nothing else), and web3.py's ``contract.events.ProposalCreated.get_logs``. The ratios
  are what counts, taken in turns, the best of each.
- Many governors: a real agent (`pnyx run`, observing) follows a thousand governors of one chain through a proxy that
  counts its requests while blocks are mined; some of them hold a proposal, and more and more proposals wait for their
  vote to open. Beside it, following alone, on the same blocks. A request is one of HTTP; of the questions in it, which
  some providers count, there may be many. Peak memory is that of the agent's process.

Exits 1 when a goal is missed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from recorder import Recorder
from rows import Row, tell

from pnyx_agents.metrics import Metrics
from pnyx_agents.watch import Watch
from pnyx_tools.follow import Stream, Watched, Watchlist
from pnyx_tools.journal import Journal, Stage
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance, artifact, deploy_governance, encode_call
from pnyx_tools.testing.provider import Provider

PROPOSALS = 10_000
GOVERNORS = 1_000
BLOCKS = 60
TEXT_BYTES = 2_000
WEB3_GOAL = 15.0  # times as many proposals a second as web3.py
BARE_GOAL = 0.5  # of the bare reader's speed
REQUESTS_GOAL = 2.0  # a block, for all governors together
MEMORY_GOAL = 400  # MB
WAITING = 300  # proposals whose vote opens much later
DELAY_BLOCKS = 100_000
ROUNDS = 4  # the best of
TOGETHER = 10  # proposals in a block


# --- history ---------------------------------------------------------------------------------------------------------


def propose_many(dao: Governance, number: int) -> None:
    """Proposals with texts of their own, several to a block."""
    node = dao.node
    sender = node.accounts[0]
    node.request("anvil_setAutomine", False)
    with httpx.Client(timeout=120) as client:
        for start in range(0, number, TOGETHER):
            batch = [_proposal(dao, sender, n) for n in range(start, min(start + TOGETHER, number))]
            for answer in client.post(node.url, json=batch).json():
                if "error" in answer:
                    raise SystemExit(f"the node took no proposal: {answer['error']}")
            node.mine(1)
    node.request("anvil_setAutomine", True)


def _proposal(dao: Governance, sender: str, number: int) -> dict[str, Any]:
    text = f"# Proposal {number}\n\n".ljust(TEXT_BYTES, "x").encode()
    arguments = encode(
        ["address[]", "uint256[]", "bytes[]", "bytes"],
        [[sender], [number], [encode_call("transfer(address,uint256)", sender, number)], text],
    )
    data = encode_call("propose(address[],uint256[],bytes[],string)", [], [], [], "")[:4] + arguments
    transaction = {"from": sender, "to": dao.governor, "data": "0x" + data.hex(), "gas": hex(1_000_000)}
    return {"jsonrpc": "2.0", "id": number, "method": "eth_sendTransaction", "params": [transaction]}


def watch_over(rpc: Rpc, journal: Journal, governors: dict[str, Watched], finality: int) -> Watch:
    """Following as the daemon does it, alone."""
    watched = Watchlist(governors)
    stream = Stream(rpc, watched.topics, watched.addresses, finality=finality)
    return Watch(rpc, None, watched, stream, journal, Metrics(), tell=partial(print, file=sys.stderr))


@dataclass(frozen=True)
class Took:
    """Seconds on the clock, and of this process's processor time: other work on the machine disturbs that less."""

    clock: float
    processor: float

    @classmethod
    @contextmanager
    def measured(cls, into: list["Took"]) -> Iterator[None]:
        clock, processor = time.perf_counter(), time.process_time()
        yield
        into.append(cls(time.perf_counter() - clock, time.process_time() - processor))

    @staticmethod
    def best(rounds: Sequence["Took"]) -> "Took":
        return Took(min(each.clock for each in rounds), min(each.processor for each in rounds))


def follow(url: str, dao: Governance, folder: Path, took: list[Took]) -> tuple[int, list[dict[str, Any]]]:
    """Proposals kept, and the logs that were asked for."""
    rpc = Recorder(url)
    journal = Journal(f"sqlite:///{folder / f'{time.monotonic_ns()}.sqlite'}")
    watch = watch_over(rpc, journal, {dao.governor: Watched(dao.adapter, dao.profile)}, finality=0)
    with Took.measured(took):
        watch.look()
    kept = len(journal.cases([Stage.SEEN]))
    journal.close()
    return kept, rpc.asked


def read_bare(url: str, asked: Sequence[dict[str, Any]], took: list[Took]) -> None:
    """The same logs, read, parsed and thrown away."""
    with httpx.Client(timeout=120) as client, Took.measured(took):
        for query in asked:
            body = {"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [query]}
            json.loads(client.post(url, json=body).content)


def read_with_web3(url: str, dao: Governance, asked: Sequence[dict[str, Any]], took: list[Took]) -> None:
    """The same logs as web3.py's events."""
    from web3 import HTTPProvider, Web3

    contract = Web3(HTTPProvider(url)).eth.contract(address=dao.governor, abi=artifact("Governor5Block")["abi"])
    with Took.measured(took):
        for query in asked:
            first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
            contract.events.ProposalCreated.get_logs(from_block=first, to_block=last)


def history(proposals: int) -> list[Row]:
    with Anvil(extra_arguments=("--gas-limit", "1000000000")) as node, tempfile.TemporaryDirectory() as folder:
        dao = deploy_governance(node)
        propose_many(dao, proposals)
        kept, asked = follow(node.url, dao, Path(folder), [])
        if kept != proposals:
            raise SystemExit(f"{kept} of {proposals} proposals were kept")
        by_us, by_bare, by_web3 = list[Took](), list[Took](), list[Took]()
        for _ in range(ROUNDS):
            follow(node.url, dao, Path(folder), by_us)
            read_bare(node.url, asked, by_bare)
            read_with_web3(node.url, dao, asked, by_web3)
    best = [Took.best(rounds) for rounds in (by_us, by_bare, by_web3)]
    ours, bare, web3 = (proposals / took.clock for took in best)
    processor = ", ".join(f"{took.processor / proposals * 1e6:.0f}" for took in best)
    return [
        Row(f"bare reader, {proposals} proposals", f"{bare:,.0f} a second"),
        Row("web3.py, get_logs", f"{web3:,.0f} a second"),
        Row("read, decoded and kept", f"{ours:,.0f} a second"),
        Row("  over web3.py", f"{ours / web3:.1f}", f"at least {WEB3_GOAL:g}", ours >= WEB3_GOAL * web3),
        Row("  over the bare reader", f"{ours / bare:.2f}", f"at least {BARE_GOAL:g}", ours >= BARE_GOAL * bare),
        Row("processor time of us, the bare reader and web3.py, a proposal", f"{processor} µs"),
    ]


# --- many governors --------------------------------------------------------------------------------------------------


def deploy_many(node: Anvil, first: Governance, number: int) -> list[str]:
    """Governors with the token and timelock of the first one; votes of the last one open late."""
    compiled = artifact("Governor5Block")
    inputs = next(item["inputs"] for item in compiled["abi"] if item["type"] == "constructor")
    addresses = [first.governor]
    for made in range(1, number):
        delay = DELAY_BLOCKS if made == number - 1 else 1
        arguments = encode([i["type"] for i in inputs], [first.token, first.timelock, delay, 50, 0, 4])
        data = compiled["bytecode"] + arguments.hex()
        transaction = {"from": node.accounts[0], "data": data, "gas": hex(10_000_000)}
        sent = bytes.fromhex(node.request("eth_sendTransaction", transaction)[2:])
        wait_for("a governor", lambda sent=sent: node.rpc.receipt(sent) is not None)
        addresses.append(to_checksum_address((node.rpc.receipt(sent) or {})["contractAddress"]))
    return addresses


@contextmanager
def agent(url: str, chain_id: int, governors: Sequence[str], start_block: int, folder: Path) -> Iterator[int]:
    """An observing `pnyx run`; its process id."""
    tables = "\n".join(f'[[governor]]\naddress = "{address}"\nstart_block = {start_block}' for address in governors)
    (folder / "pnyx.toml").write_text(
        f'[agent]\nname = "many"\n[chain]\nrpc = "{url}"\nchain_id = {chain_id}\nconfirmations = 3\n'
        f"poll_seconds = 0.2\n{tables}\n"
    )
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "pnyx_agents", "run", "--config", str(folder / "pnyx.toml")]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


def position_of(folder: Path) -> int:
    """The last block that the agent looked at; -1 before the first."""
    if not (folder / "data" / "journal.sqlite").exists():
        return -1
    journal = Journal(f"sqlite:///{folder / 'data' / 'journal.sqlite'}")
    kept = journal.position()
    journal.close()
    return json.loads(kept)["head"]["number"] if kept else -1


def wait_for(what: str, holds: Callable[[], bool], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit(f"waited {seconds:g} s for {what}")
        time.sleep(0.02)


@dataclass(frozen=True)
class Cost:
    """Of some blocks."""

    requests: int
    questions: int

    @classmethod
    def so_far(cls, provider: Provider) -> "Cost":
        return cls(provider.requests, len(provider.asked))

    def since(self, before: "Cost", blocks: int) -> str:
        requests, questions = (self.requests - before.requests) / blocks, (self.questions - before.questions) / blocks
        return f"{requests:.2f} requests, {questions:.1f} questions"


@dataclass
class Crowd:
    """A chain with many governors, an agent that follows them, and following alone."""

    node: Anvil
    dao: Governance
    late: Governance
    """Its votes open late."""
    folder: Path
    alone: Watch

    def mine(self, blocks: int) -> None:
        """Both look at each block before the next one comes; every tenth holds a proposal."""
        for number in range(blocks):
            if number % 10 == 5:
                self.dao.propose([self.node.accounts[1]], [number], [b""], f"# Proposal {self.node.rpc.block().number}")
            else:
                self.node.mine(1)
            self.alone.look()
            self.wait_for_agent()

    def wait_for_agent(self) -> None:
        head = self.node.rpc.block().number
        wait_for("the agent", lambda: position_of(self.folder) >= head)


def many(governors: int, blocks: int, waiting: int) -> list[Row]:
    with (
        Anvil() as node, tempfile.TemporaryDirectory() as name, Provider(node.url) as provider,
        Provider(node.url) as apart,
    ):  # fmt: skip
        folder, dao = Path(name), deploy_governance(node)
        addresses = deploy_many(node, dao, governors)
        late = Governance(node, addresses[-1], dao.token, dao.timelock)
        watched = {
            address: Watched(dao.adapter, dao.profile.model_copy(update={"address": address})) for address in addresses
        }
        journal = Journal(f"sqlite:///{folder / 'alone.sqlite'}")
        crowd = Crowd(node, dao, late, folder, watch_over(Rpc(apart.url), journal, watched, finality=3))
        start = node.rpc.block().number
        crowd.alone.look()
        begun = time.perf_counter()
        with agent(provider.url, node.rpc.chain_id(), addresses, start, folder) as pid:
            wait_for("the first look", lambda: position_of(folder) >= start)
            ready = time.perf_counter() - begun
            before, alone_before = Cost.so_far(provider), Cost.so_far(apart)
            crowd.mine(blocks)
            whole, alone = Cost.so_far(provider), Cost.so_far(apart)
            for number in range(waiting):
                late.propose([node.accounts[1]], [number], [b""], f"# Late {number}")
            crowd.mine(20)  # until all is reviewed, and those that wait are known to
            before_waiting = Cost.so_far(provider)
            for _ in range(blocks):
                node.mine(1)
                crowd.wait_for_agent()
            while_waiting = Cost.so_far(provider)
            peak = _peak_megabytes(pid)
        journal.close()
    per_block = (alone.requests - alone_before.requests) / blocks
    return [
        Row(f"{governors} governors: first look after", f"{ready:.1f} s"),
        Row(
            f"following, a block ({blocks} blocks, every tenth with a proposal)", alone.since(alone_before, blocks),
            f"at most {REQUESTS_GOAL:g}", per_block <= REQUESTS_GOAL,
        ),
        Row("the whole agent, which also reviews them", whole.since(before, blocks)),
        Row(
            f"the whole agent while {waiting} proposals wait for their vote",
            while_waiting.since(before_waiting, blocks),
        ),
        Row("the agent's peak memory", f"{peak:.0f} MB", f"at most {MEMORY_GOAL} MB", peak <= MEMORY_GOAL),
    ]  # fmt: skip


def _peak_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))) / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proposals", type=int, default=PROPOSALS)
    parser.add_argument("--governors", type=int, default=GOVERNORS)
    parser.add_argument("--blocks", type=int, default=BLOCKS)
    parser.add_argument("--waiting", type=int, default=WAITING, help="proposals whose vote opens much later")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = history(options.proposals) + many(options.governors, options.blocks, options.waiting)
    return tell(found, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
