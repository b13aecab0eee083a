"""`pnyx backup` beside a running agent, `pnyx restore` elsewhere, and files that are no backups."""

from __future__ import annotations

import gzip
import io
import json
import re
import tarfile
from pathlib import Path

from pnyx_policies.rulesets import shipped_ruleset
from pnyx_tools.journal import Stage

from .conftest import Agent, MakeAgent, pay
from .test_people import pnyx


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
    assert "FOR" in shown
    assert restore(agent, file, elsewhere) == 1, "not into a folder with something in it"


def test_a_ruleset_of_ones_own_is_in_it_and_evidence_stays_readable(make_agent: MakeAgent, tmp_path: Path) -> None:
    agent = make_agent(mode="observe", signer=False)
    (agent.folder / "my-rules.toml").write_text(shipped_ruleset("steward"))
    agent.config.write_text(re.sub('ruleset = ".*"', 'ruleset = "my-rules.toml"', agent.config.read_text()))
    (agent.folder / "evidence").mkdir(exist_ok=True)
    (agent.folder / "evidence" / "ab.json").write_text("{}")
    file, elsewhere = tmp_path / "agent.backup", tmp_path / "elsewhere"
    assert pnyx(agent, "backup", file).returncode == 0
    assert restore(agent, file, elsewhere) == 0
    assert (elsewhere / "my-rules.toml").read_text() == shipped_ruleset("steward")
    modes = {name: (elsewhere / name).stat().st_mode & 0o777 for name in ("pnyx.toml", "evidence/ab.json")}
    assert modes == {"pnyx.toml": 0o600, "evidence/ab.json": 0o644}


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
    import subprocess
    import sys

    command = [sys.executable, "-m", "pnyx_agents", "restore", str(file), str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=agent.folder)
    assert "Traceback" not in ended.stderr
    return ended.returncode
