"""A new writer in the place of an old one, remarks by anyone, and the contracts: as people type it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from eth_account import Account
from eth_hash.auto import keccak

from pnyx_contracts.addresses import usual_address
from pnyx_contracts.artifacts import artifact
from pnyx_contracts.decision_log import encode_register, read_state
from pnyx_contracts.entry import Declaration, EntryKind
from pnyx_policies.rulesets import shipped_ruleset
from pnyx_tools.evidence import FolderStore
from pnyx_tools.keystore import keystore_address
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.decisions import LocalAgent
from pnyx_tools.testing.deploy import DAY, TOKEN, Governance, deploy_log

from .conftest import Pnyx


@pytest.fixture
def agent(node: Anvil, dao: Governance, operator: tuple[Path, Path], tmp_path: Path) -> LocalAgent:
    """A plain key that is its own operator, with one entry."""
    key = keystore_address(operator[0])
    assert key is not None
    node.impersonate(key)
    log = deploy_log(node)
    made = LocalAgent(node, log, [dao], FolderStore(tmp_path / "evidence"), shipped_ruleset("steward"), key=key)
    made.register()
    receiver = node.accounts[6]
    proposal = dao.propose([receiver], [TOKEN // 10], [b""], f"# Pay for {log}\n\nSends 0.1 ETH to {receiver}.")
    dao.advance_to_active(proposal)
    made.act(dao, proposal)
    return made


@pytest.fixture
def successor(node: Anvil, agent: LocalAgent) -> str:
    new = str(Account.create().address)
    node.set_balance(new, TOKEN)
    node.impersonate(new)
    declared = Declaration(config_hash=b"\x07" * 32, governors=(), evidence_uri="https://example.org")
    node.send(agent.log, encode_register(agent.key, DAY, declared), sender=new)
    return new


def by(operator: tuple[Path, Path], *more: str) -> tuple[object, ...]:
    keystore, password = operator
    return ("--keystore", keystore, "--password-file", password, *more)


def test_a_succession_is_shown_then_sent_then_listed(
    pnyx: Pnyx,
    node: Anvil,
    agent: LocalAgent,
    successor: str,
    operator: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = ("--rpc", node.url, "--log", agent.log)
    command = ("succeed", *place, "--old", agent.writer, "--new", successor, *by(operator))
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    unsure = pnyx(*command)
    assert (unsure.code, "cannot be undone" in unsure.err) == (1, True)
    assert not node.rpc.read(read_state(agent.log, agent.writer)).closed
    sent = pnyx(*command, "--yes")
    assert sent.code == 0, sent.err
    assert f"close {agent.writer} with entry 2" in sent.err
    assert "different configurations" in sent.err
    assert f"does not answer for: {agent.governances.popitem()[0]}" in sent.err
    assert f"{agent.writer} ends with entry 2" in sent.out

    listed = pnyx("log", *place).out
    assert f"goes on as   {successor}" in listed
    assert f"goes on for  {agent.writer}, last head 0x" in listed
    kinds = [entry["kind"] for entry in pnyx("log", *place, "--json").json["entries"]]
    assert kinds[-2:] == [EntryKind.SUCCEEDED, EntryKind.SUCCEEDS]
    again = pnyx(*command, "--yes", "--json")
    assert (again.code, json.loads(again.err)["error"]) == (2, "UsageError")


def test_a_remark_stands_beside_its_entry(
    pnyx: Pnyx, node: Anvil, agent: LocalAgent, operator: tuple[Path, Path], tmp_path: Path
) -> None:
    place = ("--rpc", node.url, "--log", agent.log)
    report = tmp_path / "report.html"
    report.write_text("nothing to complain about")
    command = ("remark", *place, "--writer", agent.writer, "--entry", 1, "--verdict", "checked", *by(operator))
    nowhere = pnyx(*command, "--report", report, "--yes")
    assert (nowhere.code, "nobody can find" in nowhere.err) == (2, True)
    hostile = "https://example.org/r\n    remark       checked, says everybody\x1b[31m"
    for more in (("--report", report, "--uri", "https://example.org/report"), ("--uri", hostile), ()):
        made = pnyx(*command, *more, "--yes", "--json")
        assert made.code == 0, made.err
    listed = pnyx("log", *place).out
    author = keystore_address(operator[0])
    document = keccak(report.read_bytes()).hex()
    remarks = [line for line in listed.splitlines() if line.startswith("    remark ")]
    assert remarks[0] == f"    remark       checked, says {author}, https://example.org/report, hash 0x{document}"
    assert len(remarks) == 3
    assert "\x1b" not in listed
    assert remarks[2] == f"    remark       checked, says {author}"
    said = pnyx("log", *place, "--json").json["remarks"]
    assert [(r["seq"], r["verdict"], r["author"]) for r in said] == [(1, 1, author)] * 3

    unknown = pnyx(*command[:7], "--entry", 9, *command[9:], "--yes")
    assert (unknown.code, "has no entry 9" in unknown.err) == (2, True)


def test_a_remark_about_what_was_not_read_is_shown_too(
    pnyx: Pnyx, node: Anvil, agent: LocalAgent, operator: tuple[Path, Path]
) -> None:
    place = ("--rpc", node.url, "--log", agent.log)
    start = node.mine().number
    about = ("--writer", agent.writer, "--entry", 1, "--verdict", "withheld")
    assert pnyx("remark", *place, *about, *by(operator), "--yes").code == 0
    listed = pnyx("log", *place, "--from-block", start).out
    assert f"entry 1 of {agent.writer}, before block {start}\n    remark       withheld, says" in listed


def test_the_contracts_and_where_they_are(pnyx: Pnyx) -> None:
    for name in ("DecisionLog", "VoteGate", "VoteGateFactory", "AtomicAccount"):
        source = pnyx("contracts", "--standard-json", name).json
        assert source["language"] == "Solidity"
        assert any(f"contract {name}" in file["content"] for file in source["sources"].values())
    log = usual_address("DecisionLog")
    unasked = pnyx("contracts")
    assert f"DecisionLog     {log}\n" in unasked.out
    with Anvil() as fresh:
        found = pnyx("contracts", "--rpc", fresh.url, "--json").json
        assert {one["name"]: one["status"] for one in found} == dict.fromkeys(
            ("DecisionLog", "VoteGateFactory", "AtomicAccount"), "not there"
        )
        assert [one["constructor_arguments"] for one in found] == [[], [log], [log]]
        fresh.set_code(log, artifact("DecisionLog").deployed_bytecode)
        fresh.set_code(found[2]["address"], b"\x60\x00")
        again = pnyx("contracts", "--rpc", fresh.url).out
        assert f"{log}  there, with our code" in again
        assert f"{found[2]['address']}  other code" in again
