"""The run-book of the threat model, played: each command is taken from the page, in its order, while a thief acts.

On a real node, with a real gate; `pnyx` and `cast` are the programs that people run.
"""

from __future__ import annotations

import json
import re

import pytest

from pnyx_contracts.entry import RemarkVerdict
from pnyx_tools.testing.deploy import DAY, TOKEN, encode_call

from .conftest import ROOT, Scene, commands_under

PARTS = {
    "The key of a gate's signer": 12,
    "A plain key, or the key of an atomic account": 5,
    "The operator's key": 6,
    "The guardian's key": 3,
    "The machine of the daemon": 4,
}
"""And how many commands each has."""


def problems_in(verified: str) -> dict[int | None, set[str]]:
    """What does not hold, by the entry that it is about."""
    found: dict[int | None, set[str]] = {}
    (writer,) = json.loads(verified)["writers"]
    for verdict in writer["verdicts"]:
        if verdict["status"] in {"differs", "missing"}:
            found.setdefault(verdict["entry"], set()).add(verdict["status"])
    return found


def test_the_parts_are_those_that_are_played() -> None:
    page = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    book = page[page.index("## Run-book") :]
    assert re.findall(r"^### (.*)$", book, re.MULTILINE) == list(PARTS)
    assert {part: len(commands_under(part)) for part in PARTS} == PARTS
    everywhere = re.findall(r"\b(?:pnyx|cast) [a-z]+ ", book)
    assert len(everywhere) == sum(PARTS.values()), "no command stands elsewhere"


def test_the_key_of_a_gates_signer(scene: Scene) -> None:
    scene.open("The key of a gate's signer")
    gate, thief = scene.values["GATE"], scene.addresses["signer"]
    stolen, second = scene.propose(), scene.propose()
    assert scene.thief_votes(thief, gate, stolen)

    scene.play("cast send GATE 'pauseVotes()'")
    assert not scene.thief_votes(thief, gate, second)
    assert scene.thief_notes(thief, gate, second)

    scene.values["FOLDER"] = "new"
    new = scene.values["NEW"] = json.loads(scene.play("pnyx init", "--json"))["key_address"]
    scene.play("cast send GATE 'announceSigner(address)'")
    scene.node.increase_time(DAY + 1)
    scene.play("cast send GATE 'activateSigner()'")
    assert not scene.thief_notes(thief, gate, second)

    scene.finalize()
    problems = problems_in(scene.play("pnyx verify", "--json", code=1))
    assert set(problems) == {2, 4}, "the thief's, and not the agent's own entry, the pause and the new key"
    (scene.folder / "report.txt").write_text("Entry 2 is a thief's.")
    scene.values |= {"N": "2", "FILE": "report.txt", "PLACE": "https://example.org/report.txt"}
    scene.play("pnyx remark")
    listed = scene.run("pnyx", "log", "--rpc", scene.node.url, "--log", scene.values["LOG"], "--json").stdout
    assert [(r["seq"], r["verdict"]) for r in json.loads(listed)["remarks"]] == [(2, RemarkVerdict.DIFFERS)]

    config = scene.folder / "pnyx.toml"
    config.write_text(config.read_text().replace('keystore = "signer.json"', 'keystore = "new/keys/signer.json"'))
    scene.node.set_balance(new, TOKEN)
    scene.play("cast send GATE 'unpauseVotes()'")
    scene.play("pnyx doctor")
    third = scene.propose()
    scene.start("pnyx run")
    scene.until_voted(third, gate)
    scene.stop()
    assert not scene.thief_votes(thief, gate, second)

    scene.configure("next.toml", keystore="newsigner")
    scene.values["NEWGATE"] = json.loads(scene.play("pnyx deploy", "--json"))["writer"]
    scene.play("pnyx succeed")
    assert not scene.thief_notes(new, gate, second), "whoever has that key, too"
    scene.play("cast send TOKEN 'delegate(address)'")
    assert (scene.power_of(gate), scene.power_of(scene.values["NEWGATE"])) == (0, 10_000)


@pytest.mark.parametrize("kind", ["--plain-key", "--atomic"])
def test_a_plain_key_or_an_atomic_accounts(scene: Scene, kind: str) -> None:
    scene.open("A plain key, or the key of an atomic account")
    account = thief = scene.addresses["signer"]
    scene.configure("plain.toml", keystore="signer")
    registered = scene.run(
        "pnyx", "deploy", "-c", "plain.toml", kind, "--operator", scene.addresses["operator"], "--keystore",
        "signer.json", "--evidence-uri", scene.values["EVIDENCE"],
    )  # fmt: skip
    assert registered.returncode == 0, registered.stderr
    scene.sends(scene.addresses["member"], scene.dao.token, "delegate(address)", account)
    first, second, third = scene.propose(), scene.propose(), scene.propose()
    scene.thief_votes_plainly(thief, first)
    assert scene.thief_records(thief, second)

    scene.values["ACCOUNT"] = account
    scene.configure("next.toml", keystore="newsigner")
    scene.values["WRITER"] = json.loads(scene.play("pnyx deploy", "--json"))["writer"]
    scene.play("pnyx succeed")
    assert not scene.thief_records(thief, second), "its chain is closed"
    scene.thief_votes_plainly(thief, third)
    scene.play("cast send TOKEN 'delegate(address)'")
    assert (scene.power_of(account), scene.power_of(scene.values["WRITER"])) == (0, 10_000)

    scene.finalize()
    verified = scene.play("pnyx verify", "--json", code=1)
    assert 1 in problems_in(verified), "an entry without evidence"
    (writer,) = json.loads(verified)["writers"]
    alone = {v["proposal"].rpartition(":")[2] for v in writer["verdicts"] if v["status"] == "missing" and v["proposal"]}
    assert {str(first), str(third)} <= alone, "votes without entries"

    scene.values |= {"SAFE": scene.node.accounts[8], "AMOUNT": "1ether"}
    before = scene.node.rpc.balance(scene.node.accounts[8])
    scene.play("cast send SAFE")
    assert scene.node.rpc.balance(scene.node.accounts[8]) == before + TOKEN


def test_the_operators_key(scene: Scene) -> None:
    scene.open("The operator's key")
    gate, thief, accomplice = scene.values["GATE"], scene.addresses["operator"], scene.node.accounts[9]
    assert scene.sends(thief, gate, "announceSigner(address)", accomplice)

    scene.play("cast send GATE 'pauseVotes()'")
    pending = scene.play("cast call GATE 'pendingSigner()(address,uint48)'").split()
    assert pending[0] == accomplice
    assert int(pending[1]) == pytest.approx(scene.node.rpc.block().timestamp + DAY, abs=60)
    scene.values["MYSELF"] = scene.addresses["member"]
    scene.play("cast send TOKEN 'delegate(address)' MYSELF")
    assert (scene.power_of(gate), scene.power_of(scene.addresses["member"])) == (0, 10_000)
    scene.node.increase_time(DAY + 1)
    assert scene.sends(thief, gate, "activateSigner()")
    assert not scene.thief_votes(accomplice, gate, scene.propose()), "the guardian's pause holds"
    assert not scene.sends(thief, gate, "unpauseVotes()")

    scene.configure("next.toml", keystore="newsigner")
    scene.values["NEWGATE"] = json.loads(scene.play("pnyx deploy", "--json"))["writer"]
    (scene.folder / "report.txt").write_text(f"Our gate is {scene.values['NEWGATE']}.")
    scene.values |= {"N": "1", "FILE": "report.txt", "PLACE": "https://example.org/report.txt"}
    scene.play("pnyx remark")
    scene.play("cast send TOKEN 'delegate(address)' NEWGATE")
    assert scene.power_of(scene.values["NEWGATE"]) == 10_000
    operator = scene.node.rpc.call(scene.values["NEWGATE"], encode_call("operator()"))
    assert operator[12:].hex() == scene.addresses["newoperator"][2:].lower()


def test_the_guardians_key(scene: Scene) -> None:
    scene.open("The guardian's key")
    gate, thief = scene.values["GATE"], scene.addresses["guardian"]
    proposal = scene.propose()
    assert scene.sends(thief, gate, "pauseVotes()")

    scene.configure("next.toml", keystore="newsigner")
    scene.values["NEWGUARDIAN"] = scene.addresses["public"]
    deployed = scene.play("pnyx deploy", "--json")
    scene.values["NEWGATE"] = scene.record_in("next.toml", deployed)
    scene.play("pnyx succeed")
    scene.play("cast send TOKEN 'delegate(address)'")
    assert not scene.sends(thief, scene.values["NEWGATE"], "pauseVotes()")
    scene.node.mine()
    proposal = scene.propose()
    assert scene.thief_votes(scene.addresses["newsigner"], scene.values["NEWGATE"], proposal), "its own key can"


def test_the_machine_of_the_daemon(scene: Scene) -> None:
    scene.open("The machine of the daemon")
    backup = scene.folder / "backup.tar.gz"
    made = scene.run("pnyx", "backup", str(backup), "-c", "pnyx.toml")
    assert made.returncode == 0, made.stderr
    scene.values |= {"BACKUP": str(backup), "FOLDER": str(scene.folder / "again"), "CONFIG": "again/pnyx.toml"}
    assert "password" in scene.play("pnyx restore"), "it names what the backup does not hold"
    (scene.folder / "password").rename(scene.folder / "again" / "password")
    scene.play("pnyx doctor")
    proposal = scene.propose()
    scene.start("pnyx run")
    scene.until_voted(proposal, scene.values["GATE"])
    scene.stop()
    for file in (scene.folder / "again" / "evidence").iterdir():
        (scene.folder / "evidence" / file.name).write_bytes(file.read_bytes())
    scene.finalize()
    scene.play("pnyx verify")
