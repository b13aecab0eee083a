"""What an entry and a vote cost: ``python benchmarks/gas.py [--json]``.

Runs real transactions on a local chain, with the compiled contracts that ship and an OpenZeppelin 5.7 governor. The
numbers are those of the steady state at its dearest: an agent that has written before, hashes without a zero byte,
sequence numbers of five bytes. Exits 1 when a goal is missed.
"""

import argparse
import json
import secrets
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from eth_abi.abi import encode
from eth_hash.auto import keccak
from rich.console import Console
from rich.table import Table

from pnyx_contracts.selectors import selector_of
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance, deploy_gate, deploy_governance, deploy_log, encode_call

RECORD_GOAL = 34_000
VOTE_GOAL = 22_000  # above a bare castVote

DAY = 86_400
FOR = 1
VOTE, SKIP = 1, 2
LONG_LIVED = 0xFEFEFEFEFE  # the number of an entry whose five bytes all cost what a byte can cost
NOBODY = "0x" + "11" * 20
REASON = "Record 0x" + "ab" * 28
EVIDENCE = "https://example.org/evidence"
RECORD = "record(uint40,uint8,bytes32,bytes32,bytes32,bytes32)"
NOTE = "note(uint40,uint8,bytes32,bytes32,bytes32,bytes32)"
GATE_VOTE = "vote(uint40,address,uint256,uint8,bytes32,bytes32,string)"


@dataclass(frozen=True)
class Row:
    """One line of the table; `goal` is the most gas that `gas` may be."""

    what: str
    gas: int
    goal: int | None = None

    @property
    def verdict(self) -> str:
        if self.goal is None:
            return ""
        return "met" if self.gas <= self.goal else "MISSED"


def spent(node: Anvil, sender: str, to: str, signature: str, *arguments: object) -> int:
    """Gas of one transaction."""
    receipt = node.send(to, encode_call(signature, *arguments), sender=sender)
    return int(receipt["gasUsed"], 16)


def word() -> bytes:
    """A random hash without a zero byte: the dearest there is."""
    return bytes(secrets.randbelow(255) + 1 for _ in range(32))


def grow_old(node: Anvil, log: str, writer: str) -> None:
    """Give a registered writer a long history: its next entry has the number `LONG_LIVED`."""
    slot = keccak(encode(["address", "uint256"], [writer, 0]))
    head, epoch, registered = word()[:24], b"\1\1", b"\1"
    state = head + (LONG_LIVED - 1).to_bytes(5, "big") + epoch + registered
    node.request("anvil_setStorageAt", log, "0x" + slot.hex(), "0x" + state.hex())


def register(node: Anvil, log: str, writer: str, governors: Sequence[str]) -> int:
    """A plain key joins the log; the gas."""
    signature = "register(address,uint32,(bytes32,address[],string))"
    kinds = ["address", "uint32", "(bytes32,address[],string)"]
    arguments = encode(kinds, [writer, DAY, (word(), list(governors), EVIDENCE)])
    return int(node.send(log, selector_of(signature) + arguments, sender=writer)["gasUsed"], 16)


def open_proposal(governance: Governance, early_voter: str) -> int:
    """A proposal on which somebody voted already, so that nobody who is measured pays for the first tally."""
    identity = governance.propose([NOBODY], [0], [b""], f"Nothing {secrets.token_hex(8)}")
    governance.advance_to_active(identity)
    spent(governance.node, early_voter, governance.governor, "castVote(uint256,uint8)", identity, FOR)
    return identity


def measure(node: Anvil) -> list[Row]:
    """Take part in one governor as a plain voter and through a gate, and count."""
    writer, early, voter, signer = node.accounts[1:5]
    governance = deploy_governance(node, 5, "block", powers={early: 100_000, voter: 100_000})
    governor = governance.governor
    log = deploy_log(node)
    registration = register(node, log, writer, [governor])
    gate = deploy_gate(
        node, signer=signer, governors=[governor], config_hash=word(), evidence_uri=EVIDENCE, log=log
    ).address
    governance.give_power(gate, 100_000)

    def through_gate(identity: int, reason: str) -> int:
        grow_old(node, log, gate)
        arguments = (LONG_LIVED, governor, identity, FOR, word(), word(), reason)
        return spent(node, signer, gate, GATE_VOTE, *arguments)

    grow_old(node, log, writer)
    record = spent(node, writer, log, RECORD, LONG_LIVED, VOTE, word(), word(), word(), word())
    grow_old(node, log, gate)
    note = spent(node, signer, gate, NOTE, LONG_LIVED, SKIP, word(), word(), word(), word())

    identity = open_proposal(governance, early)
    bare = spent(node, voter, governor, "castVote(uint256,uint8)", identity, FOR)
    vote = through_gate(identity, "")

    identity = open_proposal(governance, early)
    with_reason = "castVoteWithReason(uint256,uint8,string)"
    bare_with_reason = spent(node, voter, governor, with_reason, identity, FOR, REASON)
    vote_with_reason = through_gate(identity, REASON)

    return [
        Row("record, plain key", record, RECORD_GOAL),
        Row("note through a gate", note),
        Row("bare castVote, OpenZeppelin 5.7", bare),
        Row("vote through a gate", vote),
        Row("  above the bare castVote", vote - bare, VOTE_GOAL),
        Row(f"bare castVoteWithReason, {len(REASON)} characters", bare_with_reason),
        Row("vote through a gate, same reason", vote_with_reason),
        Row("  above the bare castVoteWithReason", vote_with_reason - bare_with_reason),
        Row("register, once", registration),
    ]


def show(rows: Sequence[Row]) -> None:
    """Print the table."""
    table = Table("Transaction", "Gas", "Goal", "")
    for column in table.columns[1:3]:
        column.justify = "right"
    for row in rows:
        table.add_row(row.what, f"{row.gas:,}", f"{row.goal:,}" if row.goal else "", row.verdict)
    Console().print(table)


def main() -> int:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    as_json = parser.parse_args().json
    with Anvil() as node:
        rows = measure(node)
    if as_json:
        print(json.dumps([asdict(row) | {"verdict": row.verdict} for row in rows], indent=2))
    else:
        show(rows)
    return int(any(row.verdict == "MISSED" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
