"""Tables by versions: made whole, brought up with what is in them, never touched when they are of a newer release."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from msgspec import structs

from pnyx_agents.engine_tables import bring_up_to_date, is_there, is_up_to_date
from pnyx_contracts.errors import UnreachableError, UsageError
from pnyx_tools import costs, journal, schema, workers
from pnyx_tools.database import Database
from pnyx_tools.follow import from_kept
from pnyx_tools.journal import Found, Journal, Stage
from pnyx_tools.notify import ledger
from pnyx_tools.schema import backup
from pnyx_tools.testing.facts import TOKEN, call_of, proposal_of
from pnyx_tools.testing.postgres import Postgres

PROPOSAL = proposal_of([call_of(TOKEN, "mint(address,uint256)", TOKEN, 2**255)], text=b"# A title\n\n\0 and \xff")
KEY = str(PROPOSAL.key)
AS_IT_WAS = Found(proposal=KEY, content=PROPOSAL.model_dump_json(), title="A title", deadline="9", created_block=3)


def at_version(url: str, version: str) -> Database:
    """An empty one, as an older release made it."""
    database = Database(url)
    with schema.alone(database.engine) as connection:
        for table in reversed(sa.inspect(connection).get_table_names()):
            connection.exec_driver_sql(f"DROP TABLE {table}")
        command.upgrade(schema._config(connection), version)
    return database


def first_version(url: str) -> Database:
    """As it was before there were workers, with a proposal and a signed transaction in it."""
    database = at_version(url, schema.FIRST)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")  # versions were not noted then
    old = Journal(database)
    old.follow("a position", [AS_IT_WAS])
    old.advance(KEY, Stage.HELD, tries=2)
    old.save("a purpose", "signed")
    database.close()
    return Database(url, must_be_current=False)


def test_the_code_and_the_tables_speak_of_the_same(database_url: str) -> None:
    database = Database(database_url)
    metadata = sa.MetaData()
    for module in (costs, journal, ledger, workers):
        module._tables(sa, metadata)
    sa.Table("evidence", metadata, sa.Column("digest", sa.Text, primary_key=True), sa.Column("content", sa.LargeBinary))
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
    assert [d for d in differences if "content" not in str(d)] == []


def test_several_processes_may_make_a_new_database_at_once(database_url: str) -> None:
    errors: list[Exception] = []
    start = threading.Barrier(6)

    def open_it() -> None:
        start.wait()
        try:
            Database(database_url).close()
        except Exception as error:  # noqa: BLE001 - whatever it is, it counts
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert schema.version_of(Database(database_url).engine) == schema.NEWEST


def test_a_new_file_that_another_process_is_about_to_change_is_waited_for(tmp_path: Path) -> None:
    """SQLite itself does not wait when it is told to keep a write-ahead log while another writes."""
    file = tmp_path / "journal.sqlite"
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE somebodys (n INTEGER)")
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO somebodys VALUES (1)")
    until = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    until.start()
    database = Database(f"sqlite:///{file}")
    assert schema.version_of(database.engine) == schema.NEWEST
    database.close()
    until.join()
    other.close()


def test_an_older_database_is_refused_until_it_was_migrated_with_all_that_is_in_it(database_url: str) -> None:
    database = first_version(database_url)
    with pytest.raises(
        UsageError, match=rf"version {schema.FIRST}, this Pnyx works with {schema.NEWEST}.*\n.*pnyx migrate"
    ):
        Database(database_url)
    assert schema.migrate(database.engine) == (schema.FIRST, schema.NEWEST)
    assert schema.migrate(database.engine) == (schema.NEWEST, schema.NEWEST), "once more does no harm"
    after = Journal(database_url)
    case, content = after.case(KEY), after.proposal_content(KEY)
    assert case is not None
    assert content is not None
    assert from_kept(KEY, content) == PROPOSAL
    assert (after.position(), case.stage, case.tries, after.load("a purpose")) == (
        "a position", Stage.HELD, 2, "signed",
    )  # fmt: skip


def test_a_migration_that_fails_leaves_the_database_as_it_was(database_url: str) -> None:
    database = first_version(database_url)
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE model_request (x INTEGER)"
        )  # in the way of the last table that is made
    with pytest.raises(sa.exc.DatabaseError):
        schema.migrate(database.engine)
    assert schema.version_of(database.engine) == schema.FIRST
    assert not sa.inspect(database.engine).has_table("worker")


def test_a_newer_database_is_not_touched(database_url: str) -> None:
    database = Database(database_url)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0999'")
    for attempt in (lambda: Database(database_url), lambda: schema.migrate(database.engine)):
        with pytest.raises(UsageError, match="0999, which this Pnyx does not know"):
            attempt()


def test_a_copy_of_a_file_is_whole_and_private(tmp_path: Path) -> None:
    first_version(f"sqlite:///{tmp_path / 'journal.sqlite'}").close()
    copy = backup.copy_file(tmp_path / "journal.sqlite", tmp_path / "backups", "now")
    assert (copy.name, copy.stat().st_mode & 0o777) == ("journal_now.sqlite", 0o600)
    old = Journal(Database(f"sqlite:///{copy}", must_be_current=False))
    assert old.load("a purpose") == "signed"
    with pytest.raises(UnreachableError, match="nothing was changed"):
        backup.copy_file(tmp_path / "journal.sqlite", tmp_path / "backups", "now")


def test_copied_tables_keep_what_was_in_them(postgres: Postgres) -> None:
    url = postgres.new_database()
    database = first_version(url)
    assert backup.copy_tables(database.engine, ("public", "dbos"), "now") == ("backup_now_public",)
    schema.migrate(database.engine)
    Journal(url).save("a purpose", "another")
    with database.engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT content FROM backup_now_public.outbox").scalars().all()
    assert kept == ["signed"]


def test_copied_tables_can_take_the_place_of_the_migrated_ones(postgres: Postgres) -> None:
    """As `docs/scaling.md` says. What has to be there once is there once, as before."""
    url = postgres.new_database()
    first_version(url).close()
    bring_up_to_date(url)
    database = Database(url, must_be_current=False)
    copies = backup.copy_tables(database.engine, ("public", "dbos"), "now")
    schema.migrate(database.engine)
    with database.engine.begin() as connection:
        keys = {copy: sa.inspect(connection).get_pk_constraint("workflow_status", copy) for copy in ("dbos", copies[1])}
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("DROP SCHEMA dbos CASCADE")
        connection.exec_driver_sql("ALTER SCHEMA backup_now_public RENAME TO public")
    assert keys[copies[1]]["constrained_columns"] == keys["dbos"]["constrained_columns"] == ["workflow_uuid"]
    assert schema.version_of(database.engine) == schema.FIRST
    old = Journal(database)
    old.save("a purpose", "signed again")
    old.follow("the next position", [AS_IT_WAS], since="a position")
    assert (old.load("a purpose"), len(old.cases())) == ("signed again", 1)
    schema.migrate(database.engine)
    assert [case.tries for case in Journal(url).cases()] == [2]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:////nowhere/journal.sqlite", "cannot be opened.*\n.*writable"),
        ("postgresql://ada:secret@127.0.0.1:1/pnyx", "cannot be opened.*\n.*server runs"),
    ],
)
def test_a_database_that_cannot_be_opened_is_one_clear_error_without_the_password(url: str, words: str) -> None:
    with pytest.raises(UnreachableError, match=r"(?s)" + words) as caught:
        Database(url)
    assert "secret" not in str(caught.value)


def test_workers_that_start_together_make_the_tables_of_the_engine_once(postgres: Postgres) -> None:
    """In processes of their own, as they would be: an index that waits for all other transactions is among them."""
    url = postgres.new_database()
    code = f"""
from pnyx_agents.engine_tables import is_there
from pnyx_agents.migration import make_workflow_tables
from pnyx_tools.journal import Journal
make_workflow_tables(Journal({url!r}), {url!r})
assert is_there({url!r})
"""
    processes = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(3)]
    ended = [process.communicate(timeout=120)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], ended


def test_text_of_strangers_cannot_stop_a_database(database_url: str) -> None:
    """PostgreSQL takes no NUL and no half of a surrogate pair: a title with one must not keep a proposal out."""
    kept = Journal(database_url)
    kept.follow("1", [structs.replace(AS_IT_WAS, title="a\0b\ud800c")])
    kept.advance(KEY, Stage.FAILED, detail="reverted: \0\udfff")
    case = kept.case(KEY)
    assert case is not None
    assert (case.title, case.detail) == ("a\ufffdb\ufffdc", "reverted: \ufffd\ufffd")


def test_a_disk_without_room_for_the_engines_tables_is_one_error_and_no_obstacle_later(tmp_path: Path) -> None:
    """A full disk is a limit on files here."""
    url = f"sqlite:///{tmp_path / 'workflows.sqlite'}"
    code = f"""
from pnyx_agents.engine_tables import bring_up_to_date
from pnyx_contracts.errors import UnreachableError
try:
    bring_up_to_date({url!r})
except UnreachableError as error:
    print(error.message)
"""
    limited = ["sh", "-c", 'ulimit -f 100; exec "$@"', "sh", sys.executable, "-c", code]
    ended = subprocess.run(limited, capture_output=True, text=True, check=False, timeout=120)
    assert "the tables of the workflows cannot be made" in ended.stdout, ended.stderr
    bring_up_to_date(url)
    assert is_there(url)
    assert is_up_to_date(url)
