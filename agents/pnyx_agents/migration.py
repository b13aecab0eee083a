"""From an older release's database to this one's: a backup first, then every table, while no agent works."""

from __future__ import annotations

from contextlib import closing

from pnyx_agents import assembly
from pnyx_agents.engine_tables import SCHEMA, bring_up_to_date, is_there, is_up_to_date
from pnyx_agents.keys import key_source
from pnyx_agents.lock import only_instance
from pnyx_agents.settings import Settings
from pnyx_contracts.errors import RefusedError, UnreachableError
from pnyx_contracts.types import Value
from pnyx_tools import schema
from pnyx_tools.database import Database
from pnyx_tools.endpoints import Pool
from pnyx_tools.journal import Journal
from pnyx_tools.keystore import address_of
from pnyx_tools.schema import backup
from pnyx_tools.workers import Roll

BACKUPS = "backups"
ANYWAY = "`pnyx migrate --anyway` does not ask the chain"


def make_workflow_tables(journal: Journal, workflows: str) -> None:
    """Those of an agent that has nothing to lose yet: a new one, or one that was killed while it made them. Its workers
    may all start at the same moment.
    """
    with schema.one_at_a_time(journal.database.engine):
        if not is_there(workflows) or not journal.cases():
            bring_up_to_date(workflows)


class Migrated(Value):
    """What was done: nothing when both versions are the same and there are no backups."""

    before: str
    after: str
    backups: tuple[str, ...]
    """Files, or schemas of the database."""


def migrate(settings: Settings, *, anyway: bool = False) -> Migrated:
    """Where there is nothing to do, nothing is done. Raises `RefusedError` while an agent works on the database, and,
    unless `anyway`, where this release could not run afterwards.
    """
    where = assembly.paths(settings)
    database = Database(where.journal, must_be_current=False)
    try:
        if schema.version_of(database.engine) == schema.NEWEST and is_up_to_date(where.workflows):
            return Migrated(before=schema.NEWEST, after=schema.NEWEST, backups=())
        if not anyway:
            _require_in_force(settings)
        if database.is_sqlite:
            with only_instance(where.lock):
                return _migrate(settings, database)
        _require_idle(database, settings.work.lease_seconds)
        return _migrate(settings, database)
    finally:
        database.close()


def _require_in_force(settings: Settings) -> None:
    """A new release may be another configuration, which takes notice; until then the old release has to run, and that
    cannot once the tables are new. Only a signer that runs apart knows the account of a writer that is not named.
    """
    writer = settings.log.writer if settings.log else None
    own = settings.signer
    if settings.log is not None and writer is None and own is not None and own.is_child and own.password_file:
        writer = address_of(key_source(settings))
    if writer is None:
        return
    try:
        with closing(Pool.of(settings.chain.rpc, settings.chain.chain_id)) as reader:
            assembly.check_declared(reader, settings, writer)
    except UnreachableError as error:
        raise UnreachableError(f"whether this release could run is not known: {error.message}", hint=ANYWAY) from error
    except RefusedError as error:
        raise RefusedError(
            f"this release could not run, and the old one could not any more: {error.message}",
            hint="let the old release run on, announce this one with `pnyx deploy`, and migrate when the notice is "
            f"over; {ANYWAY}",
        ) from error


def _migrate(settings: Settings, database: Database) -> Migrated:
    where = assembly.paths(settings)
    copies = _back_up(settings, database)
    before, after = schema.migrate(database.engine)
    with schema.one_at_a_time(database.engine):
        bring_up_to_date(where.workflows)
    return Migrated(before=before, after=after, backups=copies)


def _back_up(settings: Settings, database: Database) -> tuple[str, ...]:
    now, where = backup.timestamp(), assembly.paths(settings)
    if not database.is_sqlite:
        return backup.copy_tables(database.engine, ("public", SCHEMA), now)
    files = [where.data / "journal.sqlite"]
    if is_there(where.workflows):
        files.append(where.data / "workflows.sqlite")
    return tuple(str(backup.copy_file(file, where.data / BACKUPS, now)) for file in files)


def _require_idle(database: Database, lease_seconds: float) -> None:
    """A worker that was killed counts for as long as its lease."""
    if schema.version_of(database.engine) == schema.FIRST:
        return  # nobody shares a database of that version
    roll = Roll(database, "", lease_seconds)
    alive = [worker.id for worker in roll.workers() if worker.silent_seconds <= lease_seconds]
    if alive:
        raise RefusedError(f"{', '.join(alive)} works on this database", hint="stop all workers first")
