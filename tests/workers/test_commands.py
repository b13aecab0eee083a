"""`pnyx worker` and `pnyx migrate`, as people type them."""

from __future__ import annotations

import fcntl
import json
import sqlite3
from pathlib import Path

import pytest

from pnyx_agents.assembly import declared_configuration, evidence, paths
from pnyx_agents.cli import main
from pnyx_agents.engine_tables import bring_up_to_date, is_up_to_date
from pnyx_agents.settings import load_settings
from pnyx_contracts.errors import UsageError
from pnyx_tools import schema
from pnyx_tools.database import Database
from pnyx_tools.journal import Journal
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import deploy_gate
from pnyx_tools.testing.postgres import Postgres
from pnyx_tools.workers import Roll

from .test_schema import at_version, first_version

BASE = """
[agent]
name = "ada"
[chain]
rpc = "http://127.0.0.1:1"
chain_id = 1
[[governor]]
address = "0x323A76393544d5ecca80cd6ef2A560C6a395b7E3"
start_block = 0
"""


def configured(folder: Path, lines: str = "") -> Path:
    config = folder / "pnyx.toml"
    config.write_text(BASE + lines)
    return config


def ended(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    assert isinstance(end.value.code, int)
    return end.value.code


def migrated(config: Path, capfd: pytest.CaptureFixture[str]) -> dict[str, object]:
    capfd.readouterr()
    main(["migrate", "--config", str(config), "--json"])
    done: dict[str, object] = json.loads(capfd.readouterr().out)
    return done


def test_a_worker_needs_a_database_that_it_can_share(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert ended("worker", "--config", configured(tmp_path)) == 2
    assert "PostgreSQL database, and this configuration names none" in capfd.readouterr().err


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ada:p@ss:Sesame@host/db",
        "postgresql://ada:Sesame@Open@host/db",
        "postgresql://ada:Sesame/open@host/db",
        "postgresql://ada:Sesame#open@host/db",
        "postgresql://ada:x@host:Sesame/db",
        "postgresql://ada@host/db?password=Sesame",
        "postgresql://ada@host/db?host=/run&sslpassword=Sesame",
    ],
)
def test_no_piece_of_a_databases_password_shows_when_its_url_is_wrong(
    tmp_path: Path, url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert ended("status", "--config", configured(tmp_path, f'[database]\nurl = "{url}"')) == 2
    said = capfd.readouterr()
    assert "database.url: " in said.err
    assert "Sesame" not in said.out + said.err


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('[database]\nurl = "mysql://x"', "database.url: expected postgresql://"),
        ('[database]\nurl = "sqlite:///x"', "without .database. the agent uses SQLite"),
        ('[database]\nurl = "postgresql:///x"\n[signer]\nkeystore = "k"', "share one signer, a process of its own"),
        ("[work]\ntasks_per_minute = 3", "several workers, which need .database."),
        ("[work]\nlease_seconds = 1", "greater than or equal to 2"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, lines: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load_settings(configured(tmp_path, lines))


def test_a_database_of_before_is_migrated_once_after_a_backup(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = configured(tmp_path)
    where = paths(load_settings(config))
    first_version(where.journal).close()
    assert ended("status", "--config", config) == 2
    assert "pnyx migrate" in capfd.readouterr().err
    done = migrated(config, capfd)
    assert (done["before"], done["after"]) == (schema.FIRST, schema.NEWEST)
    (copy,) = done["backups"]
    assert Journal(Database(f"sqlite:///{copy}", must_be_current=False)).load("a purpose") == "signed"
    assert Journal(where.journal).load("a purpose") == "signed"
    main(["status", "--config", str(config)])
    again = migrated(config, capfd)
    assert again == {"before": schema.NEWEST, "after": schema.NEWEST, "backups": []}
    main(["migrate", "--config", str(config)])
    assert "up to date (version " in capfd.readouterr().out
    assert [f"{file}" for file in (where.data / "backups").glob("*.sqlite")] == [copy], "no second backup"


def test_tables_of_the_engine_alone_can_be_of_before(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config = configured(tmp_path)
    where = paths(load_settings(config))
    Database(where.journal).close()
    bring_up_to_date(where.workflows)
    assert migrated(config, capfd)["backups"] == []
    with sqlite3.connect(where.data / "workflows.sqlite") as connection:
        connection.execute("UPDATE dbos_migrations SET version = 0")
    assert not is_up_to_date(where.workflows)


def test_a_running_agent_is_not_migrated(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config = configured(tmp_path)
    where = paths(load_settings(config))
    first_version(where.journal).close()
    with where.lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert ended("migrate", "--config", config) == 1
    assert "another daemon" in capfd.readouterr().err
    assert not (where.data / "backups").exists()


def test_nothing_is_migrated_that_neither_release_could_run_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A new release is often another configuration, which takes notice; the old release has to run until then."""
    with Anvil() as node:
        gate = deploy_gate(node, signer=node.accounts[1], governors=[node.accounts[2]], config_hash=b"\1" * 32)
        lines = f'[log]\naddress = "{gate.log}"\nwriter = "{gate.address}"\n'
        config = configured(tmp_path, lines)
        config.write_text(
            config.read_text().replace("http://127.0.0.1:1", node.url).replace("chain_id = 1\n", "chain_id = 31337\n")
        )
        where = paths(load_settings(config))
        first_version(where.journal).close()
        assert ended("migrate", "--config", config) == 1
        said = capfd.readouterr().err
        assert "this release could not run" in said
        assert "pnyx deploy" in said
        assert not (where.data / "backups").exists()
    assert ended("migrate", "--config", config) == 3, "the chain cannot be asked"
    assert "--anyway" in capfd.readouterr().err
    main(["migrate", "--config", str(config), "--anyway"])
    assert (where.data / "backups").exists()


def test_workers_are_not_migrated_while_they_work(
    tmp_path: Path, postgres: Postgres, capfd: pytest.CaptureFixture[str]
) -> None:
    url = postgres.new_database()
    config = configured(tmp_path, f'[database]\nurl = "{url}"')
    database = at_version(url, "0002")
    roll = Roll(database, "somebody", 30)
    roll.join("5:x", {})
    assert ended("migrate", "--config", config) == 1
    assert "somebody works on this database" in capfd.readouterr().err
    roll.leave()
    done = migrated(config, capfd)
    assert [str(name).startswith("backup_") for name in done["backups"]] == [True]


def test_evidence_that_another_worker_sealed_is_read_and_published(tmp_path: Path, postgres: Postgres) -> None:
    url = postgres.new_database()
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    first, second = (
        evidence(load_settings(configured(tmp_path / name, f'[database]\nurl = "{url}"')))
        for name in ("first", "second")
    )
    sealed = declared_configuration(load_settings(tmp_path / "first" / "pnyx.toml"))
    first.put_configuration(sealed)
    assert second.published.sizes() == {}
    second.publish_again()
    assert second.get_configuration(sealed.hash) == sealed.to_bytes()
