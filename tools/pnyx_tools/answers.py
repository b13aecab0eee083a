"""Answers of models, kept in a folder: what was asked and paid for once is not asked again.

    FOLDER/HOST/REQUEST-NUMBER.json     the body of a response, as it came (without an API key that it echoed)

REQUEST is the keccak-256 of the request's exact bytes. Who asks the same several times, because an answer was of no use
or because several opinions are asked for in the same words, gets the answers in the order in which they came. Only
answers are kept: a time-out or an error of the server is none.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from urllib.parse import quote

from eth_hash.auto import keccak

from pnyx_contracts.errors import UsageError
from pnyx_policies.analysis import Analyst


class AnswerFolder:
    """For one run: it counts how often each request was answered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._answered: Counter[Path] = Counter()

    def next(self, asked: Analyst, request: bytes) -> bytes | None:
        """The next answer to this request, None when no other one is kept. Raises `UsageError` for what cannot be
        read.
        """
        path = self._path(asked, request)
        file = self._numbered(path)
        try:
            answer = file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UsageError(f"the stored answer {file} cannot be read: {error.strerror}") from None
        self._answered[path] += 1
        return answer

    def keep(self, asked: Analyst, request: bytes, answer: bytes) -> None:
        """Appears whole or not at all."""
        path = self._path(asked, request)
        file = self._numbered(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}.tmp")
        partial.write_bytes(answer)
        partial.replace(file)
        self._answered[path] += 1

    def _path(self, asked: Analyst, request: bytes) -> Path:
        host = asked.base_url_host or asked.provider
        return self._folder / quote(host, safe="") / keccak(request).hex()

    def _numbered(self, path: Path) -> Path:
        return path.with_name(f"{path.name}-{self._answered[path]}.json")
