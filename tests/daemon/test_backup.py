"""`pnyx backup` beside a running agent, `pnyx restore` elsewhere, and files that are no backups."""

from __future__ import annotations

import gzip
import io
import json
import re
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from threading import Event, Semaphore, Thread

import pytest

from pnyx_agents.archive import database_copy, make_backup
from pnyx_agents.settings import load_settings
from pnyx_policies.rulesets import shipped_ruleset
from pnyx_tools.journal import Stage
from pnyx_tools.testing.faults.forks import run_fork

from .conftest import Agent, MakeAgent, pay, pnyx


def run_with_config(agent: Agent, config: Path, command: str, *arguments: object) -> str:
    there = Agent(agent.node, agent.dao, config.parent, agent.log, agent.writer)
    ended = pnyx(there, command, *arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_backup_of_a_running_agent_is_whole(make_agent: MakeAgent, tmp_path: Path) -> None:
    agent = make_agent()
    agent.start()
    proposal = pay(agent)
    agent.until_stage(proposal, Stage.DONE)
    file, elsewhere = tmp_path / "agent.backup", tmp_path / "elsewhere"
    assert pnyx(agent, "backup", file).returncode == 0
    assert pnyx(agent, "backup", file).returncode == 2, "never overwrites"
    with tarfile.open(file) as archive:
        names = set(archive.getnames())
    assert {"pnyx.toml", "signer.json", "data/salt.key", "data/journal.sqlite", "data/signer.sqlite"} <= names
    assert "password" not in names

    assert restore(agent, file, elsewhere) == 0
    before, after = (
        json.loads(run_with_config(agent, c, "status", "--json")) for c in (agent.config, elsewhere / "pnyx.toml")
    )
    assert before == after
    shown = run_with_config(agent, elsewhere / "pnyx.toml", "show", proposal)
    assert "One vote for: " in shown
    assert restore(agent, file, elsewhere) == 1, "not into a folder with something in it"


def test_what_a_running_agent_takes_away_meanwhile_stops_no_backup(
    make_agent: MakeAgent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = make_agent(mode="observe", signer=False)
    data = agent.folder / "data"
    data.mkdir(exist_ok=True)
    with closing(sqlite3.connect(data / "journal.sqlite")) as made:
        made.execute("CREATE TABLE t (x)")
    for name in ("workflows.sqlite-journal", "report.partial"):
        (data / name).write_text("for a moment")

    def copied(path: Path) -> bytes:
        (data / "report.partial").unlink()
        return database_copy(path)

    monkeypatch.setattr("pnyx_agents.archive.database_copy", copied)
    listing = make_backup(load_settings(agent.config), agent.config, tmp_path / "agent.backup")
    assert "data/journal.sqlite" in listing.files
    assert not {"data/workflows.sqlite-journal", "data/report.partial"} & set(listing.files)


def test_a_database_is_copied_between_two_transactions(tmp_path: Path) -> None:
    path, is_over, writes = tmp_path / "journal.sqlite", Event(), Semaphore(0)
    with closing(sqlite3.connect(path)) as maker:
        maker.executescript("PRAGMA page_size=16384; PRAGMA journal_mode=WAL; CREATE TABLE t (x, y)")
        maker.execute("INSERT INTO t VALUES (0, zeroblob(100000)), (0, zeroblob(100000))")
        maker.commit()

    def write() -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as writer:
            while not is_over.is_set():
                writer.execute("UPDATE t SET x = x + 1, y = randomblob(100000)")
                writes.release()

    thread = Thread(target=write)
    thread.start()
    try:
        copies = [database_copy(path) for _ in range(50) if writes.acquire(timeout=60)]
    finally:
        is_over.set()
        thread.join()
    seen = []
    for copy in copies:
        (tmp_path / "copy").write_bytes(copy)
        with closing(sqlite3.connect(tmp_path / "copy")) as restored:
            assert restored.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            (one,), (two,) = restored.execute("SELECT x FROM t").fetchall()
        assert one == two
        seen.append(one)
    assert len(seen) == 50
    assert seen == sorted(seen)
    assert seen[-1] >= 50, "it was written to before every copy"


def test_a_ruleset_of_ones_own_is_in_it_and_evidence_stays_readable(make_agent: MakeAgent, tmp_path: Path) -> None:
    agent = make_agent(mode="observe", signer=False)
    mine = 'name = "mine"\nversion = "1"\nextends = "shared-rules.toml"\n'
    (agent.folder / "my-rules.toml").write_text(mine)
    (agent.folder / "shared-rules.toml").write_text(shipped_ruleset("steward"))
    agent.config.write_text(re.sub('ruleset = ".*"', 'ruleset = "my-rules.toml"', agent.config.read_text()))
    (agent.folder / "evidence").mkdir(exist_ok=True)
    (agent.folder / "evidence" / "ab.json").write_text("{}")
    file, elsewhere = tmp_path / "agent.backup", tmp_path / "elsewhere"
    assert pnyx(agent, "backup", file).returncode == 0
    assert restore(agent, file, elsewhere) == 0
    assert (elsewhere / "my-rules.toml").read_text() == mine
    assert (elsewhere / "shared-rules.toml").read_text() == shipped_ruleset("steward")
    modes = {name: (elsewhere / name).stat().st_mode & 0o777 for name in ("pnyx.toml", "evidence/ab.json")}
    assert modes == {"pnyx.toml": 0o600, "evidence/ab.json": 0o644}


def test_what_lies_elsewhere_is_left_out_and_named(make_agent: MakeAgent, tmp_path: Path) -> None:
    """Secrets that are mounted, a ruleset that agents share; also by a link in the data folder."""
    agent, secrets = make_agent(), tmp_path / "secrets"
    secrets.mkdir()
    keystore, password, rules = secrets / "signer.json", secrets / "password", secrets / "rules.toml"
    (agent.folder / "signer.json").rename(keystore)
    (agent.folder / "password").rename(password)
    rules.write_text(shipped_ruleset("steward"))
    (agent.folder / "data").mkdir(exist_ok=True)
    (agent.folder / "data" / "salt.key").write_text("00" * 32)
    (agent.folder / "data" / "password").symlink_to(password)
    (agent.folder / "data" / "signer.json").symlink_to(keystore)
    text = re.sub('ruleset = ".*"', f'ruleset = "{rules}"', agent.config.read_text())
    text = text.replace('"signer.json"', '"data/signer.json"').replace('"password"', f'"{password}"')
    agent.config.write_text(text)
    file, elsewhere = tmp_path / "agent.backup", tmp_path / "elsewhere"

    apart = sorted(map(str, (keystore, password, rules)))
    listing = json.loads(run_with_config(agent, agent.config, "backup", file, "--json"))
    assert listing["kept_apart"] == apart
    assert listing["files"].keys() == {"pnyx.toml", "data/salt.key"}
    said = run_with_config(agent, agent.config, "backup", tmp_path / "again")
    restored = run_fork(["restore", str(file), str(elsewhere)], timeout=60)
    assert restored.returncode == 0, restored.stderr
    for text in (said, restored.stdout):
        assert [line.strip() for line in text.splitlines()[2:]] == apart
    assert sorted(p.name for p in elsewhere.rglob("*") if p.is_file()) == ["pnyx.toml", "salt.key"]


def test_data_and_evidence_elsewhere_are_no_backup(make_agent: MakeAgent, tmp_path: Path) -> None:
    for lines in ("data = ", "[evidence]\nfolder = "):
        agent = make_agent(mode="observe", signer=False, agent_lines=f'{lines}"{tmp_path / "elsewhere"}"')
        ended = pnyx(agent, "backup", tmp_path / "agent.backup")
        assert (ended.returncode, f"{tmp_path / 'elsewhere'} lies outside of" in ended.stderr) == (2, True)
        assert not (tmp_path / "agent.backup").exists()


def test_a_changed_backup_is_not_restored(make_agent: MakeAgent, tmp_path: Path) -> None:
    agent = make_agent(mode="observe", signer=False)
    (agent.folder / "data").mkdir()
    (agent.folder / "data" / "salt.key").write_text("00" * 32)
    file = tmp_path / "agent.backup"
    assert pnyx(agent, "backup", file).returncode == 0
    raw = gzip.decompress(file.read_bytes())
    changed, junk, short = tmp_path / "changed", tmp_path / "junk", tmp_path / "short"
    changed.write_bytes(gzip.compress(raw.replace(b"00" * 32, b"11" * 32)))
    junk.write_bytes(b"this is no backup")
    short.write_bytes(file.read_bytes()[: len(file.read_bytes()) // 2])
    for bad in (changed, junk, short):
        assert restore(agent, bad, tmp_path / "nowhere") == 1
        assert not (tmp_path / "nowhere").exists()


def test_a_backup_cannot_write_outside_of_its_folder(make_agent: MakeAgent, tmp_path: Path) -> None:
    agent = make_agent(mode="observe", signer=False)
    evil = tmp_path / "evil"
    with tarfile.open(evil, "w:gz") as archive:
        info = tarfile.TarInfo("../escaped")
        info.size = 4
        archive.addfile(info, io.BytesIO(b"boom"))
    assert restore(agent, evil, tmp_path / "there") == 1
    assert not (tmp_path / "escaped").exists()


def restore(agent: Agent, file: Path, folder: Path) -> int:
    ended = run_fork(["restore", str(file), str(folder)], timeout=60, folder=agent.folder)
    assert "Traceback" not in ended.stderr
    return ended.returncode
