"""The operator's own evidence: whole bundles in a private folder, what is published in another one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from eth_hash.auto import keccak

from pnyx_contracts.errors import DecodingError
from pnyx_policies.bundle import Bundle, withhold
from pnyx_policies.configuration import Configuration
from pnyx_tools.evidence.folder import FolderStore
from pnyx_tools.evidence.store import digest_in


class Vault:
    """Keeps every bundle whole in `private`, and without the `sealed` fields in `published`.

    The private file is there first: what is published, and what stands on chain, can always be opened again.
    """

    def __init__(self, private: FolderStore, published: FolderStore, sealed: Collection[str] = ()) -> None:
        self.private = private
        self.published = published
        self._sealed = sealed

    def put_bundle(self, bundle: Bundle) -> Path:
        """Returns the published file. Raises `DiffersError` when a file is there with another content."""
        self.private.put_bundle(bundle)
        return self.published.put_bundle(withhold(bundle, self._sealed))

    def put_configuration(self, configuration: Configuration) -> Path:
        """Returns the published file."""
        self.private.put_configuration(configuration)
        return self.published.put_configuration(configuration)

    def get_bundle(self, root: bytes) -> bytes | None:
        """The whole one."""
        return self.private.get_bundle(root)

    def unchecked(self, root: bytes) -> bytes | None:
        """What lies there under this root, whatever it is: another release may have written it."""
        return self.private.read(root)

    def bundle(self, root: bytes) -> Bundle | None:
        """The same, read. Raises `DecodingError` when what lies there is none."""
        data = self.get_bundle(root)
        return None if data is None else Bundle.parse(data)

    def get_configuration(self, configuration_hash: bytes) -> bytes | None:
        """As members find it."""
        return self.published.get_configuration(configuration_hash)

    def publish_again(self) -> list[Path]:
        """Makes published files that are gone from the private ones. Returns them."""
        there = self.published.sizes()
        return [path for name in sorted(self.private.sizes()) if name not in there for path in self._published(name)]

    def _published(self, name: str) -> Iterator[Path]:
        digest = digest_in(name)
        data = self.private.read(digest) if digest is not None else None
        if data is None:
            return
        if keccak(data) == digest:
            yield self.published.put_configuration(Configuration.parse(data))
            return
        bundle = Bundle.parse(data)
        yield self.published.put_bundle(withhold(bundle, self._sealed_in(bundle)))

    def _sealed_in(self, bundle: Bundle) -> tuple[str, ...]:
        """What the configuration seals that this record was made under."""
        config_hash = bundle.dossier.header.config_hash
        document = self.private.get_configuration(config_hash)
        if document is None:
            raise DecodingError(
                f"the configuration {config_hash.hex()} is gone from {self.private.path}, so what it seals is unknown",
                hint="bring it back from a backup",
            )
        return Configuration.parse(document).sealed
