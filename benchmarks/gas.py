"""What an entry and a vote cost, and what others cost: ``python benchmarks/gas.py [--json | --write]``.

Runs real transactions on a local chain: the compiled contracts that ship, an OpenZeppelin 5.7 governor, and EAS from
its npm package. The numbers are those of the steady state at its dearest: an agent that has written before, hashes
without a zero byte, sequence numbers of five bytes. Nothing is random, so each run gives the same numbers. ``--write``
puts the tables into docs/gas.md. Exits 1 when a goal is missed.
"""

import argparse
import json
import random
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from eth_abi.abi import encode
from eth_hash.auto import keccak
from rich.console import Console
from rich.table import Table

from pnyx_contracts.selectors import selector_of
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance, deploy, deploy_gate, deploy_governance, deploy_log, encode_call

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "gas.md"
EAS_ARTIFACTS = ROOT / "contracts/node_modules/@ethereum-attestation-service/eas-contracts/artifacts/contracts"

DAY = 86_400
FOR = 1
VOTE, SKIP = 1, 2
WITHHELD = 3
LONG_LIVED = 0xFEFEFEFEFE  # the number of an entry whose five bytes all cost what a byte can cost
MANY = 10  # attestations in one multiAttest
NOBODY = "0x" + "11" * 20
REASON = "Record 0x" + "ab" * 28
EVIDENCE = "https://example.org/evidence"

RECORD = "record(uint40,uint8,bytes32,bytes32,bytes32,bytes32)"
NOTE = "note(uint40,uint8,bytes32,bytes32,bytes32,bytes32)"
GATE_VOTE = "vote(uint40,address,uint256,uint8,bytes32,bytes32,string)"
SUCCEED = "succeed(address,uint40,address)"
REMARK = "remark(address,uint40,uint8,bytes32,string)"
ATTESTATION = "(address,uint64,bool,bytes32,bytes,uint256)"

# CALLDATASIZE PUSH0 PUSH0 CALLDATACOPY CALLDATASIZE PUSH0 LOG0: emits what it is given, and nothing else.
EMITTER = bytes.fromhex("365f5f37365fa000")

_random = random.Random(0x706E7978)  # same numbers in each run


@dataclass(frozen=True)
class Row:
    """What something costs."""

    what: str
    gas: int


@dataclass(frozen=True)
class Goal:
    """What is wanted of the numbers."""

    what: str
    seen: int | float
    relation: Literal["at most", "at least"]
    wanted: int

    @property
    def shown(self) -> str:
        return f"{self.seen:,.1f}" if isinstance(self.seen, float) else f"{self.seen:,}"

    @property
    def met(self) -> bool:
        return self.seen <= self.wanted if self.relation == "at most" else self.seen >= self.wanted


@dataclass(frozen=True)
class Costs:
    """One run: our transactions, and what the same five words cost elsewhere."""

    ours: dict[str, int]
    elsewhere: dict[str, int]

    def goals(self) -> tuple[Goal, ...]:
        record = self.ours["record"]
        above = self.ours["gate vote"] - self.ours["bare vote"]
        attest, many = self.elsewhere["attest"], self.elsewhere["multiAttest"]
        return (
            Goal("`record`", record, "at most", 34_000),
            Goal("a vote through a gate, above the bare vote", above, "at most", 22_000),
            Goal("EAS `attest` over `record`", attest / record, "at least", 5),
            Goal("EAS `multiAttest` over `record`, per attestation", many / record, "at least", 5),
        )

    def our_rows(self) -> tuple[Row, ...]:
        ours = self.ours
        return (
            Row("`record`, plain key", ours["record"]),
            Row("`note` through a gate", ours["note"]),
            Row("bare `castVote`, OpenZeppelin 5.7", ours["bare vote"]),
            Row("`vote` through a gate", ours["gate vote"]),
            Row("... above the bare vote", ours["gate vote"] - ours["bare vote"]),
            Row("`vote` of an atomic account", ours["atomic vote"]),
            Row("... above the bare vote", ours["atomic vote"] - ours["bare vote"]),
            Row("entry and vote of a plain key, two transactions", ours["record"] + ours["bare vote"]),
            Row("... above the bare vote", ours["record"]),
            Row(f"bare `castVoteWithReason`, {len(REASON)} characters", ours["bare vote, reason"]),
            Row("`vote` through a gate, same reason", ours["gate vote, reason"]),
            Row("... above the bare vote", ours["gate vote, reason"] - ours["bare vote, reason"]),
            Row("`succeed`, once per change of key", ours["succeed"]),
            Row(f"`remark`, link of {len(EVIDENCE)} characters", ours["remark"]),
            Row("`register`, once", ours["register"]),
            Row("`create` of a gate, once", ours["create"]),
        )

    def other_rows(self) -> tuple[Row, ...]:
        other = self.elsewhere
        return (
            Row("the protocol's floor for the transaction (EIP-7623)", other["floor"]),
            Row("a bare event: no writer, no order, nothing in state", other["event"]),
            Row("`record`: also number, kind, epoch, time and the head of the writer's chain", self.ours["record"]),
            Row("EAS `timestamp` of one word: no writer, no order", other["timestamp"]),
            Row(f"EAS `multiAttest`, each of {MANY}", other["multiAttest"]),
            Row("EAS `attest`", other["attest"]),
        )


# --- the chain


def spent(node: Anvil, sender: str, to: str, signature: str, *arguments: object) -> int:
    """Gas of one transaction."""
    return spent_by_bytes(node, sender, to, encode_call(signature, *arguments))


def spent_by_bytes(node: Anvil, sender: str, to: str, data: bytes) -> int:
    return int(node.send(to, data, sender=sender)["gasUsed"], 16)


def word() -> bytes:
    """A hash without a zero byte: the dearest there is."""
    return bytes(_random.randrange(255) + 1 for _ in range(32))


def grow_old(node: Anvil, log: str, writer: str) -> None:
    """Give a registered writer a long history: its next entry has the number `LONG_LIVED`."""
    slot = keccak(encode(["address", "uint256"], [writer, 0]))
    head, epoch, registered = word()[:24], b"\1\1", b"\1"
    state = head + (LONG_LIVED - 1).to_bytes(5, "big") + epoch + registered
    node.request("anvil_setStorageAt", log, "0x" + slot.hex(), "0x" + state.hex())


def register(node: Anvil, log: str, writer: str, operator: str, governors: Sequence[str]) -> int:
    """A plain key joins the log; the gas."""
    signature = "register(address,uint32,(bytes32,address[],string))"
    kinds = ["address", "uint32", "(bytes32,address[],string)"]
    arguments = encode(kinds, [operator, DAY, (word(), list(governors), EVIDENCE)])
    return spent_by_bytes(node, writer, log, selector_of(signature) + arguments)


def open_proposal(governance: Governance, early_voter: str, title: str) -> int:
    """A proposal on which somebody voted already, so that nobody who is measured pays for the first tally."""
    identity = governance.propose([NOBODY], [0], [b""], title)
    governance.advance_to_active(identity)
    spent(governance.node, early_voter, governance.governor, "castVote(uint256,uint8)", identity, FOR)
    return identity


# --- measuring


def measure(node: Anvil) -> Costs:
    """Take part in one governor as a plain voter, an atomic account and through a gate, and count."""
    return Costs(ours=measure_ours(node), elsewhere=measure_elsewhere(node))


def measure_ours(node: Anvil) -> dict[str, int]:
    writer, early, voter, signer, atomic, operator, successor = node.accounts[1:8]
    powers = {early: 100_000, voter: 100_000, atomic: 100_000}
    governance = deploy_governance(node, 5, "block", powers=powers)
    governor = governance.governor
    log = deploy_log(node)
    registration = register(node, log, writer, operator, [governor])
    register(node, log, atomic, operator, [governor])
    register(node, log, successor, operator, [governor])
    gate, creation = make_gate(node, log, signer, governor)
    governance.give_power(gate, 100_000)
    delegate_code(node, atomic, deploy(node, "AtomicAccount", log))

    def vote_by(voter: str, sender: str, identity: int, reason: str) -> int:
        grow_old(node, log, voter)
        arguments = (LONG_LIVED, governor, identity, FOR, word(), word(), reason)
        return spent(node, sender, voter, GATE_VOTE, *arguments)

    grow_old(node, log, writer)
    record = spent(node, writer, log, RECORD, LONG_LIVED, VOTE, word(), word(), word(), word())
    grow_old(node, log, gate)
    note = spent(node, signer, gate, NOTE, LONG_LIVED, SKIP, word(), word(), word(), word())

    plain = open_proposal(governance, early, "Nothing")
    bare = spent(node, voter, governor, "castVote(uint256,uint8)", plain, FOR)
    gate_vote = vote_by(gate, signer, plain, "")
    atomic_vote = vote_by(atomic, atomic, plain, "")

    reasoned = open_proposal(governance, early, "Nothing again")
    with_reason = "castVoteWithReason(uint256,uint8,string)"
    return {
        "record": record,
        "note": note,
        "bare vote": bare,
        "gate vote": gate_vote,
        "atomic vote": atomic_vote,
        "bare vote, reason": spent(node, voter, governor, with_reason, reasoned, FOR, REASON),
        "gate vote, reason": vote_by(gate, signer, reasoned, REASON),
        "remark": spent(node, voter, log, REMARK, writer, LONG_LIVED, WITHHELD, word(), EVIDENCE),
        "succeed": spent(node, operator, log, SUCCEED, writer, LONG_LIVED + 1, successor),
        "register": registration,
        "create": creation,
    }


def make_gate(node: Anvil, log: str, signer: str, governor: str) -> tuple[str, int]:
    """A gate, and the gas that its creation took."""
    made = deploy_gate(node, signer=signer, governors=[governor], config_hash=word(), evidence_uri=EVIDENCE, log=log)
    [creation] = node.request("eth_getBlockByNumber", "latest", True)["transactions"]
    receipt = node.request("eth_getTransactionReceipt", creation["hash"])
    return made.address, int(receipt["gasUsed"], 16)


def delegate_code(node: Anvil, account: str, code: str) -> None:
    """What a transaction of EIP-7702 leaves behind."""
    node.request("anvil_setCode", account, "0xef0100" + code[2:].lower())


def measure_elsewhere(node: Anvil) -> dict[str, int]:
    """The same five words in an event, and in EAS."""
    sender = node.accounts[1]
    node.request("anvil_setCode", NOBODY, "0x" + EMITTER.hex())
    words = five_words()
    return {
        "floor": floor_of(words),
        "event": spent_by_bytes(node, sender, NOBODY, words),
        **measure_eas(node, sender),
    }


def five_words() -> bytes:
    """An entry has five words: number and kind together, subject, prompt hash, record root, action."""
    return b"".join(word() for _ in range(5))


def floor_of(data: bytes) -> int:
    """The least that a transaction with this calldata costs: EIP-7623, 10 gas per token."""
    zeros = data.count(0)
    return 21_000 + 10 * (zeros + 4 * (len(data) - zeros))


def measure_eas(node: Anvil, sender: str) -> dict[str, int]:
    """EAS without a resolver, attestations that cannot be revoked: its cheapest way. The second of each is measured."""
    registry = deploy_eas(node, "SchemaRegistry")
    eas = deploy_eas(node, "EAS", encode(["address"], [registry]))
    fields = "bytes32 entry,bytes32 subject,bytes32 promptHash,bytes32 recordRoot,bytes32 action"
    nowhere = "0x" + "00" * 20
    spent(node, sender, registry, "register(string,address,bool)", fields, nowhere, False)
    schema = keccak(fields.encode() + bytes(20) + b"\0")

    def one() -> tuple[object, ...]:
        return (nowhere, 0, False, bytes(32), five_words(), 0)

    def attest() -> int:
        kinds = f"(bytes32,{ATTESTATION})"
        return spent_by_bytes(node, sender, eas, selector_of(f"attest({kinds})") + encode([kinds], [(schema, one())]))

    def multi_attest() -> int:
        kinds = f"(bytes32,{ATTESTATION}[])[]"
        requests = [(schema, [one() for _ in range(MANY)])]
        data = selector_of(f"multiAttest({kinds})") + encode([kinds], [requests])
        return spent_by_bytes(node, sender, eas, data) // MANY

    def timestamp() -> int:
        return spent(node, sender, eas, "timestamp(bytes32)", word())

    return {
        "attest": second_of(attest(), attest()),
        "multiAttest": second_of(multi_attest(), multi_attest()),
        "timestamp": second_of(timestamp(), timestamp()),
    }


def second_of(_first: int, second: int) -> int:
    return second


def deploy_eas(node: Anvil, name: str, arguments: bytes = b"") -> str:
    compiled = json.loads((EAS_ARTIFACTS / f"{name}.sol" / f"{name}.json").read_text(encoding="utf-8"))
    receipt = node.send(None, bytes.fromhex(compiled["bytecode"][2:]) + arguments)
    return str(receipt["contractAddress"])


# --- telling


def show(costs: Costs) -> None:
    """Print the tables."""
    console = Console()
    for title, rows in (("Ours", costs.our_rows()), ("Five words, elsewhere", costs.other_rows())):
        table = Table(title, "Gas")
        table.columns[1].justify = "right"
        for row in rows:
            table.add_row(row.what.replace("`", ""), f"{row.gas:,}")
        console.print(table)
    for goal in costs.goals():
        verdict = "met" if goal.met else "MISSED"
        console.print(f"{verdict}: {goal.what.replace('`', '')} {goal.shown}, {goal.relation} {goal.wanted:,}")


def as_markdown(costs: Costs) -> str:
    """The tables of docs/gas.md."""
    record = costs.ours["record"]
    ours = table_of(("transaction", "gas"), ((row.what, f"{row.gas:,}") for row in costs.our_rows()))
    rows = ((row.what, f"{row.gas:,}", f"{row.gas / record:.1f}") for row in costs.other_rows())
    others = table_of(("the same five words", "gas", "times `record`"), rows)
    goals = table_of(
        ("goal", "seen", "wanted"),
        ((goal.what, goal.shown, f"{goal.relation} {goal.wanted:,}") for goal in costs.goals()),
    )
    return f"{ours}\n{others}\n{goals}"


def table_of(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    rule = ("---", *("---:" for _ in heads[1:]))
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (heads, rule, *rows))


def write(costs: Costs) -> None:
    """Put the tables where docs/gas.md has them."""
    page = PAGE.read_text(encoding="utf-8")
    between = re.compile(r"(<!-- tables -->\n).*?(<!-- end -->)", re.DOTALL)
    PAGE.write_text(between.sub(lambda m: m[1] + as_markdown(costs) + m[2], page), encoding="utf-8")


def as_json(costs: Costs) -> str:
    goals = [asdict(goal) | {"met": goal.met} for goal in costs.goals()]
    return json.dumps(asdict(costs) | {"goals": goals}, indent=2)


def main() -> int:
    """Measure, tell, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="print the numbers as JSON")
    how.add_argument("--write", action="store_true", help="put the tables into docs/gas.md")
    wanted = parser.parse_args()
    if not EAS_ARTIFACTS.is_dir():
        sys.exit("EAS is not installed: run `npm ci --ignore-scripts` in contracts/")
    with Anvil(hardfork="prague") as node:
        costs = measure(node)
    if wanted.json:
        print(as_json(costs))
    else:
        show(costs)
    if wanted.write:
        write(costs)
    return int(not all(goal.met for goal in costs.goals()))


if __name__ == "__main__":
    sys.exit(main())
