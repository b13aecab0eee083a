"""A real gate that a real Safe guards and operates: what its owners sign is what the commands of docs/safe.md print."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pnyx_agents.assembly import declared_configuration
from pnyx_agents.cli.safe import ACTS as KNOWN_ACTS
from pnyx_agents.settings import load_settings
from pnyx_contracts.decision_log import read_gate_account, read_governor_allowed, read_state, read_votes_paused
from pnyx_contracts.gate import GateAct
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import DAY, Gate, Governance, deploy_gate, encode_call
from pnyx_tools.testing.safe import VERSIONS, LocalSafe, deploy_safe

from .conftest import Ended, Pnyx

PAGE = Path(__file__).parents[2] / "docs" / "safe.md"
_COMMANDS = re.findall(r"^    pnyx safe gate (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
ACTS = {words[0]: words for words in map(str.split, _COMMANDS)}
"""The commands of the page, by the act."""


@pytest.fixture(params=VERSIONS)
def safe(request: pytest.FixtureRequest, node: Anvil) -> LocalSafe:
    return deploy_safe(node, request.param)


@pytest.fixture
def gate(node: Anvil, dao: Governance, safe: LocalSafe) -> Gate:
    return deploy_gate(
        node, signer=node.accounts[1], governors=[dao.governor], config_hash=bytes(31) + b"1", operator=safe.address,
        guardian=safe.address,
    )  # fmt: skip


@pytest.fixture
def play(pnyx: Pnyx, node: Anvil, safe: LocalSafe, gate: Gate) -> Callable[..., Ended]:
    """One command of the page; by default two of three owners sign and execute what it prints."""

    def run(act: str, *, sign: bool = True, **values: str) -> Ended:
        known = {"URL": node.url, "SAFE": safe.address, "GATE": gate.address, **values}
        typed = [known.get(word, word) for word in ACTS[act]]
        ended = pnyx("safe", "gate", *typed)
        if sign:
            assert ended.code == 0, ended.err
            imported(safe, ended.json)
        return ended

    return run


def imported(safe: LocalSafe, file: Any) -> None:
    """As the app "Transaction Builder" reads the file, and its owners sign it."""
    assert (file["version"], file["chainId"]) == ("1.0", str(safe.node.rpc.chain_id()))
    assert file["meta"]["createdFromSafeAddress"] == safe.address
    for call in file["transactions"]:
        assert (call["value"], call["contractMethod"]) == ("0", None)
        safe.execute(safe.transaction(call["to"], bytes.fromhex(call["data"][2:])), safe.owners[1:])


def test_the_page_has_every_act() -> None:
    assert set(ACTS) == {act.value for act in GateAct} == set(KNOWN_ACTS)


def test_the_owners_pause_and_let_go_on(play: Callable[..., Ended], node: Anvil, gate: Gate) -> None:
    play("pause")
    assert node.rpc.read(read_votes_paused(gate.address))
    again = play("pause", sign=False)
    assert again.code == 2, "an act that would revert is not handed to anybody"
    assert "would not take it now" in again.err
    play("resume")
    assert not node.rpc.read(read_votes_paused(gate.address))


def test_the_owners_change_signer_and_governors(
    play: Callable[..., Ended], node: Anvil, dao: Governance, gate: Gate
) -> None:
    signer, other = node.accounts[4], node.accounts[5]
    play("announce-signer", SIGNER=signer)
    play("announce-governor", GOVERNOR=other)
    play("forbid-governor", GOVERNOR=dao.governor)
    node.increase_time(DAY + 1)
    play("activate-signer")
    for governor in (other, dao.governor):
        play("activate-governor", GOVERNOR=governor)
    assert node.rpc.read(read_gate_account(gate.address, "signer")) == signer
    allowed = [node.rpc.read(read_governor_allowed(gate.address, each)) for each in (other, dao.governor)]
    assert allowed == [True, False]


def test_what_another_safe_guards_is_refused(pnyx: Pnyx, node: Anvil, gate: Gate, safe: LocalSafe) -> None:
    other = deploy_safe(node, seed="others")
    told = pnyx("safe", "gate", "pause", "--rpc", node.url, "--safe", other.address, "--gate", gate.address)
    assert told.code == 2
    assert f"which is {safe.address}" in told.err
    told = pnyx(
        "safe", "gate", "pause", gate.address, "--rpc", node.url, "--safe", other.address, "--gate", gate.address
    )
    assert (told.code, "takes no address" in told.err) == (2, True)


def test_a_safe_is_looked_at(pnyx: Pnyx, node: Anvil, safe: LocalSafe) -> None:
    found = pnyx("safe", "look", "--rpc", node.url, "--safe", safe.address, "--json").json
    assert (found["threshold"], len(found["owners"]), found["modules"]) == (2, 3, [])
    told = pnyx("safe", "look", "--rpc", node.url, "--safe", safe.address)
    assert all(owner.address in told.out for owner in safe.owners)
    assert pnyx("safe", "look", "--rpc", node.url, "--safe", node.accounts[3]).code == 2


# The operator's changes


@pytest.fixture
def config(node: Anvil, dao: Governance, gate: Gate, tmp_path: Path) -> Path:
    file = tmp_path / "pnyx.toml"
    file.write_text(
        f"""
[agent]
name = "tester"
[chain]
rpc = "{node.url}"
chain_id = {node.rpc.chain_id()}
[[governor]]
address = "{dao.governor}"
start_block = 0
[log]
address = "{gate.log}"
writer = "{gate.address}"
"""
    )
    return file


def test_the_owners_announce_and_activate_a_configuration(
    pnyx: Pnyx, node: Anvil, safe: LocalSafe, gate: Gate, config: Path
) -> None:
    deploy = ("deploy", "-c", config, "--safe", safe.address, "--evidence-uri", "https://example.org/evidence")
    imported(safe, pnyx(*deploy).json)
    told = pnyx(*deploy)
    assert (told.code, "the notice ends at" in told.err) == (2, True)
    node.increase_time(DAY + 1)
    imported(safe, pnyx(*deploy).json)
    state = node.rpc.read(read_state(gate.log, gate.address))
    assert (state.seq, state.epoch) == (2, 1)
    stored = config.parent / "evidence" / f"{declared_configuration(load_settings(config)).hash.hex()}.json"
    assert stored.is_file()


def test_the_owners_let_another_writer_take_over(
    pnyx: Pnyx, node: Anvil, dao: Governance, safe: LocalSafe, gate: Gate
) -> None:
    new = deploy_gate(
        node, signer=node.accounts[2], governors=[dao.governor], config_hash=bytes(31) + b"2", operator=safe.address,
        log=gate.log, factory=gate.factory,
    )  # fmt: skip
    words = f"succeed --rpc {node.url} --log {gate.log} --old {gate.address} --new {new.address} --safe {safe.address}"
    imported(safe, pnyx(*shlex.split(words)).json)
    assert node.rpc.read(read_state(gate.log, gate.address)).closed


@pytest.mark.parametrize("who", [[], ["--safe", "SAFE", "--keystore", "operator.json"]])
def test_one_operator_is_named(pnyx: Pnyx, safe: LocalSafe, config: Path, who: list[str]) -> None:
    named = [word.replace("SAFE", safe.address) for word in who]
    told = pnyx("deploy", "-c", config, "--evidence-uri", "https://example.org/evidence", *named)
    assert (told.code, "name the operator" in told.err) == (2, True)


# Settings


@pytest.mark.parametrize(
    ("mode", "writer", "why"),
    [
        ("autonomous", "", "its owners approve each vote"),
        ("propose", 'writer = "GATE"', "exclude each other"),
        ("propose", "atomic = true", "exclude each other"),
    ],
)
def test_what_contradicts_a_safe_is_refused(
    pnyx: Pnyx, config: Path, safe: LocalSafe, gate: Gate, mode: str, writer: str, why: str
) -> None:
    text = config.read_text().replace('name = "tester"', f'name = "tester"\nmode = "{mode}"')
    text = text.replace(f'writer = "{gate.address}"', writer.replace("GATE", gate.address))
    config.write_text(f'{text}\n[safe]\naddress = "{safe.address}"\n')
    told = pnyx("status", "-c", config)
    assert (told.code, why in told.err) == (2, True), told.err


def test_the_doctor_looks_at_the_safe(pnyx: Pnyx, node: Anvil, config: Path, safe: LocalSafe, gate: Gate) -> None:
    text = config.read_text().replace(f'writer = "{gate.address}"', "")
    safe.act(safe.address, encode_call("enableModule(address)", node.accounts[6]))
    config.write_text(f'{text}\n[safe]\naddress = "{safe.address}"\n')
    found = [result for result in pnyx("doctor", "-c", config, "--json").json if result["name"] == "safe"]
    assert [result["status"] for result in found] == ["ok", "warning"]
    assert "2 of 3 owners sign" in found[0]["found"]
    assert node.accounts[6] in found[1]["found"]
