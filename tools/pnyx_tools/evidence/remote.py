"""Evidence wherever fsspec reaches: S3 and what speaks its protocol, and others by URL. For places that the operator or
the member named: what a stranger wrote on chain opens http(s) only.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pnyx_contracts.errors import PnyxError, UnreachableError, UsageError
from pnyx_tools.evidence import store
from pnyx_tools.evidence.store import ANOTHER_PLACE, CheckedStore, digest_in, file_name


class RemoteStore(CheckedStore):
    """Evidence behind a URL of fsspec, for reading and writing. `options` are the file system's: keys, endpoints.

    Nothing is opened before it is needed: many file systems connect at once.
    """

    def __init__(self, url: str, options: Mapping[str, Any] | None = None) -> None:
        self.url = url.rstrip("/")
        self._options = dict(options or {})
        require_known_scheme(self.url)

    def read(self, digest: bytes) -> bytes | None:
        name = file_name(digest)
        try:
            data: bytes = self._files.cat_file(f"{self._root}/{name}", start=0, end=store.MAX_FILE_BYTES + 1)
        except FileNotFoundError:
            return None
        except Exception as error:
            raise self._unreachable(error, name) from error
        if len(data) > store.MAX_FILE_BYTES:
            raise UnreachableError(f"{self.url}/{name}: larger than {store.MAX_FILE_BYTES} bytes, given up")
        return data

    def sizes(self) -> dict[str, int]:
        """Size by name, of every file here that is named as evidence. Empty for a place that is not there yet."""
        try:
            self._files.invalidate_cache()
            found = self._files.ls(self._root, detail=True)
        except FileNotFoundError:
            return {}
        except Exception as error:
            raise self._unreachable(error) from error
        sizes = {str(entry["name"]).rpartition("/")[2]: int(entry["size"] or 0) for entry in found}
        return {name: size for name, size in sizes.items() if digest_in(name) is not None}

    def is_there(self) -> bool:
        """Whether there is anything at this place. Object stores have no empty folders."""
        try:
            return bool(self._files.exists(self._root))
        except Exception as error:
            raise self._unreachable(error) from error

    def copy_in(self, digest: bytes, data: bytes) -> None:
        """Writes a file of another place here, also over one that differs: the other place is the original."""
        name = file_name(digest)
        try:
            self._files.pipe_file(f"{self._root}/{name}", data)
        except Exception as error:
            raise self._unreachable(error, name) from error

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        from fsspec.core import url_to_fs

        files, root = url_to_fs(self.url, **self._options)
        return files, str(root).rstrip("/")

    @property
    def _files(self) -> Any:  # noqa: ANN401 - fsspec has no types
        return self._opened[0]

    @property
    def _root(self) -> str:
        return self._opened[1]

    def _unreachable(self, error: Exception, name: str = "") -> PnyxError:
        """File systems raise whatever their libraries do."""
        if isinstance(error, ImportError):
            scheme = self.url.partition("://")[0]
            hint = "pip install 'pnyx[s3]'" if scheme == "s3" else "install the package that it names"
            return UsageError(f"{self.url}: {error}", hint=hint)
        place = f"{self.url}/{name}" if name else self.url
        return UnreachableError(f"{place}: {type(error).__name__}: {error}", hint=ANOTHER_PLACE)


def require_known_scheme(url: str) -> None:
    """Raises `UsageError` for a URL that no file system is known for."""
    from fsspec.registry import known_implementations, registry

    scheme = url.partition("://")[0].lower()
    if scheme not in known_implementations and scheme not in registry:
        raise UsageError(
            f"{url}: evidence lies in folders and behind URLs: file, http, https, and what fsspec knows (s3, gs, abfs, "
            f"sftp, ...), not {scheme!r}",
            hint="copy it into a folder and name that",
        )
