"""Evidence of a running agent: sealed, mirrored, disclosed, with a salt key that was changed, out of a backup."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pnyx_agents.assembly import mirrors
from pnyx_agents.secret_words import secrets_of
from pnyx_agents.settings import parse_settings
from pnyx_policies.bundle import Bundle
from pnyx_tools.journal import Stage
from pnyx_tools.testing.faults.forks import run_fork

from .conftest import Agent, MakeAgent, pay, pnyx

SEALED = ["checks", "rules", "ruleset"]


def evidence_lines(mirrors: list[Path]) -> str:
    return f"[evidence]\nsealed = {json.dumps(SEALED)}\nmirrors = {json.dumps([str(m) for m in mirrors])}\n"


def told(agent: Agent, command: str, *arguments: object) -> Any:
    ended = pnyx(agent, command, *arguments, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def verify(agent: Agent, evidence: Path, *more: object) -> tuple[int, Any]:
    ended = run_fork(
        ["verify", "--rpc", agent.node.url, "--log", agent.log, "--writer", agent.writer, "--evidence", str(evidence),
         "--upto", "latest", "--json", *map(str, more)],
        timeout=120,
    )  # fmt: skip
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout)


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.glob("*.json")}


def test_sealed_mirrored_disclosed(make_agent: MakeAgent, tmp_path: Path) -> None:
    mirror, blocked = tmp_path / "mirror", tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    agent = make_agent(agent_lines=evidence_lines([blocked, mirror]))
    agent.start()
    first = pay(agent)
    case = agent.until_stage(first, Stage.DONE)
    assert len(agent.votes(first)) == 1, "a mirror that fails holds up no vote"
    root = case.record_root.removeprefix("0x")
    published, private = agent.folder / "evidence", agent.folder / "data" / "bundles"
    assert Bundle.parse((published / f"{root}.json").read_bytes()).withheld == ("checks", "ruleset", "rules")
    assert Bundle.parse((private / f"{root}.json").read_bytes()).withheld == ()
    agent.until("the mirror to follow", lambda: names(mirror) == names(published))

    checked = {r["name"]: r for r in json.loads(pnyx(agent, "doctor", "--json").stdout)}
    assert checked[f"mirror {mirror}"]["status"] == "ok"
    assert checked[f"mirror {blocked}"]["status"] == "failed"
    refused = pnyx(agent, "publish", "--json")
    assert refused.returncode == 3
    assert json.loads(refused.stdout)["mirrors"][0]["error"]
    blocked.unlink()
    (published / f"{root}.json").unlink()
    done = told(agent, "publish")
    assert done["made_again"] == [f"{root}.json"]
    assert [mirror["error"] for mirror in done["mirrors"]] == [None, None]
    assert names(blocked) == names(published)

    # A new salt key, as docs/evidence.md says: what was sealed before is disclosed as before.
    assert agent.stop() == 0
    key = agent.folder / "data" / "salt.key"
    old = key.read_text()
    key.rename(agent.folder / "data" / "salt-old.key")
    agent.start()
    second = pay(agent)
    second_root = agent.until_stage(second, Stage.DONE).record_root
    assert key.read_text() != old

    file = tmp_path / "opened.json"
    opened = told(agent, "disclose", 1, "--fields", "checks,rules[0],ruleset", "--out", file)
    assert (opened["record_root"], opened["opens"]) == (case.record_root, ["checks", "ruleset", "rules[0]"])
    again = pnyx(agent, "disclose", 1, "--fields", "rules", "--out", file)
    assert (again.returncode, "exists already" in again.stderr) == (2, True)
    by_proposal = tmp_path / "second.json"
    told(agent, "disclose", second, "--fields", "checks,rules,ruleset", "--out", by_proposal)
    shown = pnyx(agent, "show", by_proposal)
    assert second_root in shown.stdout

    code, report = verify(agent, mirror)
    assert code == 0
    assert report["counts"]["not checkable"] > 0
    code, disclosed = verify(agent, mirror, "--disclosure", file, "--disclosure", by_proposal)
    assert code == 0
    assert disclosed["counts"]["not checkable"] < report["counts"]["not checkable"]
    shown = pnyx(agent, "show", published / f"{root}.json")
    assert "Withheld from this record: rules." in shown.stdout

    backup, elsewhere = tmp_path / "agent.backup", tmp_path / "elsewhere"
    assert pnyx(agent, "backup", backup).returncode == 0
    restored = run_fork(["restore", str(backup), str(elsewhere)], timeout=60)
    assert restored.returncode == 0, restored.stderr
    assert names(elsewhere / "data" / "bundles") == names(private)
    assert (elsewhere / "data" / "bundles" / f"{root}.json").stat().st_mode & 0o777 == 0o600
    assert (elsewhere / "data" / "salt.key").read_text() == key.read_text()


def test_what_is_no_disclosure_is_told(make_agent: MakeAgent, tmp_path: Path) -> None:
    agent = make_agent(mode="observe", signer=False)
    for words, says in (
        (("1", "--fields", "rules"), "so no entry has a number"),
        (("0x12", "--fields", "rules"), "is no record root"),
        (("0x" + "12" * 32, "--fields", "rules"), "is not in the agent's data folder"),
        (("nothing", "--fields", "rules"), "no proposal 'nothing'"),
        (("1", "--fields", "reserved"), "'reserved' is no field of a record"),
    ):
        ended = pnyx(agent, "disclose", *words)
        assert (ended.returncode, says in ended.stderr) == (2, True), ended.stderr
    nonsense = tmp_path / "nonsense.json"
    nonsense.write_text("{}")
    ended = pnyx(agent, "show", nonsense)
    assert (ended.returncode, "is no bundle and no disclosure" in ended.stderr) == (2, True)


def test_seals_that_hide_nothing_are_refused(make_agent: MakeAgent) -> None:
    agent = make_agent(mode="observe", signer=False)
    text = agent.config.read_text()
    for sealed, says in (
        (["opinions"], "'opinions' is no secret while 'attempts' is public"),
        (["decision"], "'decision' cannot be sealed"),
    ):
        agent.config.write_text(f"{text}\n[evidence]\nsealed = {json.dumps(sealed)}\n")
        ended = pnyx(agent, "status")
        assert (ended.returncode, says in ended.stderr) == (2, True), ended.stderr


SETTINGS = """
[agent]
name = "tester"
[chain]
rpc = "http://127.0.0.1:8545"
chain_id = 1
[[governor]]
address = "0x1111111111111111111111111111111111111111"
start_block = 1
[evidence]
mirrors = ["sftp://somebody:a-long-password@example.org/x", "s3://bucket/x", "beside"]
[evidence.options.s3]
key = "${PNYX_TEST_S3_ID}"
secret = "${PNYX_TEST_S3_WORD}"
endpoint_url = "https://objects.example.net"
client_kwargs = { aws_session_token = "a-long-session-token" }
"""


def test_keys_of_mirrors_are_known_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no log line shows them."""
    monkeypatch.setenv("PNYX_TEST_S3_ID", "id-of-a-long-key")
    monkeypatch.setenv("PNYX_TEST_S3_WORD", "a-very-long-secret")
    settings = parse_settings(SETTINGS, tmp_path / "pnyx.toml")
    known = secrets_of(settings)
    assert {"id-of-a-long-key", "a-very-long-secret", "a-long-password", "a-long-session-token"} <= set(known)
    assert "https://objects.example.net" not in known
    assert [mirror.name for mirror in mirrors(settings)][2] == str(tmp_path / "beside")
