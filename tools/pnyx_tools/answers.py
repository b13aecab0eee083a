"""Answers of models, kept in a folder: what was asked and paid for once is not asked again.

    FOLDER/HOST/REQUEST-NUMBER.json     the body of a response, as it came (without an API key that it echoed)

REQUEST is the keccak-256 of the request's exact bytes. Who asks the same several times, because an answer was of no use
or because several models of a committee are one and the same, gets the answers in the order in which they came. Only
answers are kept: a time-out or an error of the server is none.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Final
from urllib.parse import quote

from eth_hash.auto import keccak

from pnyx_contracts.errors import UsageError
from pnyx_policies.analysis import Analyst
from pnyx_policies.conversation import Conversation
from pnyx_tools.model import NOT_STORED, Exchange, LangChainModel, ModelSettings

_NO_KEY: Final = "nobody-is-asked"


class AnswerFolder:
    """For one run: it counts how often each request was answered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._answered: Counter[Path] = Counter()

    def next(self, host: str, request: bytes) -> bytes | None:
        """The next answer to this request, None when no other one is kept. Raises `UsageError` for what cannot be
        read.
        """
        path = self._path(host, request)
        try:
            answer = self._numbered(path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UsageError(f"the stored answer {self._numbered(path)} cannot be read: {error.strerror}") from None
        self._answered[path] += 1
        return answer

    def keep(self, host: str, request: bytes, answer: bytes) -> None:
        """Appears whole or not at all."""
        path = self._path(host, request)
        file = self._numbered(path)
        self._answered[path] += 1
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}.tmp")
        partial.write_bytes(answer)
        partial.replace(file)

    def _path(self, host: str, request: bytes) -> Path:
        return self._folder / (quote(host, safe="") or "no-host") / keccak(request).hex()

    def _numbered(self, path: Path) -> Path:
        return path.with_name(f"{path.name}-{self._answered[path]}.json")


class StoredModel:
    """Implements `model.Model`: answers from a folder. What is not there is asked of the model, and kept; without
    `live`, nobody is asked, no key is needed, and it is a failure.
    """

    def __init__(self, settings: ModelSettings, answers: AnswerFolder, *, live: bool) -> None:
        """Raises as `LangChainModel` does."""
        self.settings = settings
        self._answers = answers
        self._live = live
        self._model = LangChainModel(settings) if live else LangChainModel(settings, {settings.key_variable: _NO_KEY})

    def describe(self) -> Analyst:
        return self.settings.describe()

    def ask(self, conversation: Conversation) -> Exchange:
        request, host = self._model.request(conversation), self._host
        found = self._answers.next(host, request)
        if found is not None:
            return Exchange(request=request, response=found, is_stored=True)
        if not self._live:
            return Exchange(request=request, failure=NOT_STORED, detail="no answer to this request is stored")
        exchange = self._model.ask(conversation)
        if exchange.response is not None and not exchange.failure:
            self._answers.keep(host, exchange.request, exchange.response)
        return exchange

    @property
    def _host(self) -> str:
        analyst = self.describe()
        return analyst.base_url_host or analyst.provider
