"""Evidence that the workers of one agent share through their database: any of them may go on with a decision that
another one sealed.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from pnyx_policies.bundle import Bundle
from pnyx_policies.configuration import Configuration
from pnyx_tools.database import Database
from pnyx_tools.evidence.folder import FolderStore
from pnyx_tools.evidence.store import CheckedStore, file_name
from pnyx_tools.evidence.vault import Vault


class DatabaseStore(CheckedStore):
    """Whole bundles and configurations, in the agent's database."""

    def __init__(self, database: Database) -> None:
        import sqlalchemy as sa

        self._database = database
        digest, content = sa.Column("digest", sa.Text, primary_key=True), sa.Column("content", sa.LargeBinary)
        self._table = sa.Table("evidence", sa.MetaData(), digest, content)

    def keep(self, digest: bytes, data: bytes) -> None:
        with self._database.begin() as connection:
            self._database.upsert(connection, self._table, {"digest": digest.hex(), "content": data})

    def read(self, digest: bytes) -> bytes | None:
        query = self._table.select().where(self._table.c.digest == digest.hex())
        with self._database.begin() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else bytes(row.content)

    def digests(self) -> list[bytes]:
        query = self._table.select().with_only_columns(self._table.c.digest)
        with self._database.begin() as connection:
            return [bytes.fromhex(digest) for digest in connection.execute(query).scalars()]


class SharedVault(Vault):
    """The folders of this machine, and behind them what other workers sealed."""

    def __init__(
        self, private: FolderStore, published: FolderStore, shared: DatabaseStore, sealed: Collection[str] = ()
    ) -> None:
        super().__init__(private, published, sealed)
        self.shared = shared

    def put_bundle(self, bundle: Bundle) -> Path:
        self.shared.keep(bundle.record_root, bundle.to_bytes())
        return super().put_bundle(bundle)

    def put_configuration(self, configuration: Configuration) -> Path:
        self.shared.keep(configuration.hash, configuration.to_bytes())
        return super().put_configuration(configuration)

    def get_bundle(self, root: bytes) -> bytes | None:
        return super().get_bundle(root) or self.shared.get_bundle(root)

    def publish_again(self) -> list[Path]:
        """Also what other workers sealed."""
        here = self.private.sizes()
        for digest in self.shared.digests():
            data = None if file_name(digest) in here else self.shared.read(digest)
            if data is not None:
                self.private.copy_in(digest, data)
        return super().publish_again()
