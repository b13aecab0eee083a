"""How soon a vote is on its way: ``python benchmarks/reaction.py [--proposals N] [--json]``.

From the block with ``ProposalCreated`` to the vote in the node's mempool, on a chain with a block every second where
voting is open from the next block on, in blocks: of an agent (review without a model, simulation, rules, the signer's
own judgement, entry and vote through the gate), and of a bare web3.py loop that votes blindly. The
agent polls five times a second and hears of new blocks by WebSocket, the loop polls ten times a second. Both see
each proposal, the loop with a key and voting power of its own. Exits 1 when the agent needs more than one block more
than the loop.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import requests
from eth_account import Account
from rich.console import Console
from rich.table import Table
from web3 import HTTPProvider, Web3
from web3.types import TxParams, Wei

from pnyx_agents import assembly
from pnyx_agents.settings import load_settings
from pnyx_tools.journal import Stage
from pnyx_tools.testing.deploy import TOKEN, Governance
from pnyx_tools.testing.faults.killing import Trouble
from pnyx_tools.testing.faults.launching import as_process
from pnyx_tools.testing.faults.plays import local_node
from pnyx_tools.testing.faults.world import World, make_world
from pnyx_tools.testing.settling import Plan

LOOK_SECONDS = 0.01
"""How often the mempool is looked at."""
LOOP_POLL_SECONDS = 0.1
GOAL_BLOCKS = 1
PATIENCE_SECONDS = 120
ABI = [
    {
        "type": "event", "name": "ProposalCreated", "anonymous": False,
        "inputs": [
            {"name": name, "type": kind, "indexed": False}
            for name, kind in [
                ("proposalId", "uint256"), ("proposer", "address"), ("targets", "address[]"), ("values", "uint256[]"),
                ("signatures", "string[]"), ("calldatas", "bytes[]"), ("voteStart", "uint256"), ("voteEnd", "uint256"),
                ("description", "string"),
            ]
        ],
    },
    {
        "type": "function", "name": "castVote", "stateMutability": "nonpayable",
        "inputs": [{"name": "proposalId", "type": "uint256"}, {"name": "support", "type": "uint8"}],
        "outputs": [{"name": "", "type": "uint256"}],
    },
]  # fmt: skip


@dataclass(frozen=True)
class Reaction:
    """Of one proposal: how many blocks after its own the vote was in the mempool, and after how many seconds."""

    agent_blocks: int
    agent_seconds: float
    loop_blocks: int
    loop_seconds: float


def declared(config: Path) -> bytes:
    return assembly.declared_configuration(load_settings(config)).hash


class BlindLoop(threading.Thread):
    """Votes for whatever is proposed, as soon as it sees it."""

    def __init__(self, url: str, governor: str, key: str) -> None:
        super().__init__(daemon=True)
        self._web3 = Web3(HTTPProvider(url))
        self._contract = self._web3.eth.contract(Web3.to_checksum_address(governor), abi=ABI)
        self._account = Account.from_key(key)
        self.address = self._account.address
        self.stopped = threading.Event()

    def run(self) -> None:
        seen = self._web3.eth.block_number
        while not self.stopped.wait(LOOP_POLL_SECONDS):
            with suppress(requests.ConnectionError):  # a connection that the node closed meanwhile
                head = self._web3.eth.block_number
                if head > seen:
                    for event in self._contract.events.ProposalCreated.get_logs(from_block=seen + 1, to_block=head):
                        self._vote(event["args"]["proposalId"])
                    seen = head

    def _vote(self, proposal: int) -> None:
        nonce = self._web3.eth.get_transaction_count(self.address)
        terms: TxParams = {"from": self.address, "nonce": nonce, "gas": 300_000, "gasPrice": Wei(10**10)}
        call = self._contract.functions.castVote(proposal, 1).build_transaction(terms)
        self._web3.eth.send_raw_transaction(self._account.sign_transaction(call).raw_transaction)


class Mempool(threading.Thread):
    """Notes at which head, and when, the first transaction of each nonce of each sender came."""

    def __init__(self, world: World, senders: tuple[str, ...]) -> None:
        super().__init__(daemon=True)
        self._node = world.node
        self.came: dict[str, list[tuple[int, float]]] = {sender.lower(): [] for sender in senders}
        self._seen = {sender: self._node.rpc.nonce(sender) for sender in self.came}
        """Transactions of each, those before this began included."""
        self.stopped = threading.Event()

    def run(self) -> None:
        head = self._node.rpc.block().number
        while not self.stopped.wait(LOOK_SECONDS):
            # What was mined since the last look came before that block.
            self._note({sender: self._node.rpc.nonce(sender) for sender in self.came}, head)
            head = self._node.rpc.block().number
            waiting = {who.lower(): nonces for who, nonces in self._node.request("txpool_content")["pending"].items()}
            self._note({who: max(map(int, waiting.get(who) or ["-1"])) + 1 for who in self.came}, head)

    def _note(self, sent: dict[str, int], head: int) -> None:
        for sender, number in sent.items():
            if number > self._seen[sender]:
                self._seen[sender] = number
                self.came[sender].append((head, time.monotonic()))


def reactions(proposals: int) -> list[Reaction]:
    with tempfile.TemporaryDirectory() as folder, local_node() as node:
        hints = f'websocket = "{node.websocket_url}"'
        plan = Plan(declared, confirmations=0, poll_seconds=0.2, chain_lines=hints)
        world = make_world(node, Path(folder) / "agent", plan, voting_delay=0)
        dao = world.governances[0]
        loop = BlindLoop(node.url, dao.governor, "0x" + "11" * 32)
        node.set_balance(loop.address, TOKEN)
        dao.give_power(loop.address, 10)
        agent = as_process(world.folder, Trouble())
        try:
            while '"following"' not in world.words():
                time.sleep(0.2)
            node.request("evm_setAutomine", False)
            node.request("evm_setIntervalMining", 1)
            mempool = Mempool(world, (world.key, loop.address))
            mempool.start()
            loop.start()
            found = [_reaction(world, dao, mempool, loop) for _ in range(proposals)]
            for thread in (loop, mempool):
                thread.stopped.set()
                thread.join()
            return found
        finally:
            agent.kill()


def _reaction(world: World, dao: Governance, mempool: Mempool, loop: BlindLoop) -> Reaction:
    """One proposal, until both voted and the agent came to rest."""
    before = {who: len(times) for who, times in mempool.came.items()}
    time.sleep(random.random())  # anywhere between two blocks
    number, receiver = len(dao.proposals), world.node.accounts[7]
    wei = TOKEN // 1000 + number * TOKEN // 10**6  # what an earlier one does already would be held
    text = f"# Payment {number}\n\nSends {wei / TOKEN} ETH to {receiver} for the documentation."
    proposal = dao.propose([receiver], [wei], [b""], text)
    created = dao.proposals[proposal].created_block
    began = time.monotonic()
    deadline = began + PATIENCE_SECONDS
    while not _is_done(world, proposal) or any(len(mempool.came[who]) == count for who, count in before.items()):
        if time.monotonic() > deadline:
            sys.exit(f"no vote within {PATIENCE_SECONDS} seconds\n{world.words()}")
        time.sleep(0.2)
    (agent_head, agent_at), (loop_head, loop_at) = (
        mempool.came[who.lower()][before[who.lower()]] for who in (world.key, loop.address)
    )
    return Reaction(agent_head - created, agent_at - began, loop_head - created, loop_at - began)


def _is_done(world: World, proposal: int) -> bool:
    return any(case.stage is Stage.DONE and case.proposal.endswith(f":{proposal}") for case in world.cases())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proposals", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = reactions(given.proposals)
    table = Table(title="Blocks from ProposalCreated to the vote in the mempool", title_justify="left")
    for column in ("who", "median", "worst"):
        table.add_column(column, justify="left" if column == "who" else "right")
    for who, blocks in (("agent", [r.agent_blocks for r in found]), ("blind loop", [r.loop_blocks for r in found])):
        table.add_row(who, f"{statistics.median(blocks):g}", str(max(blocks)))
    Console(stderr=given.json).print(table)
    if given.json:
        print(json.dumps([asdict(each) for each in found], indent=1))
    seconds = statistics.median(each.agent_seconds - each.loop_seconds for each in found)
    more = statistics.median(each.agent_blocks - each.loop_blocks for each in found)
    Console(stderr=True).print(
        f"the agent comes {more:g} blocks and {seconds:.1f} s later (medians; goal: at most {GOAL_BLOCKS} block)"
    )
    sys.exit(0 if more <= GOAL_BLOCKS else 1)


if __name__ == "__main__":
    main()
