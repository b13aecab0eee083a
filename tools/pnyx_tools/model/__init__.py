"""Asking a language model, through LangChain. One `ask` is one HTTP request, whose bytes are kept.

Nothing here judges an answer and nothing retries: `pnyx_agents.analyst` does, so that every attempt is seen and
recorded. LangChain and the OpenAI client are imported when a model is opened, never with this module.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from pnyx_contracts.errors import UsageError
from pnyx_policies.conversation import Conversation
from pnyx_policies.request import OPENAI
from pnyx_tools.model.exchange import (
    CONNECTION,
    HTTP_ERROR,
    KEY_REMOVED,
    NOT_SENT,
    RATE_LIMIT,
    REMOVED,
    TIMEOUT,
    Chat,
    Exchange,
    NotSentError,
    Recall,
    recall_nothing,
)
from pnyx_tools.model.settings import OPENAI_BASE_URL, ModelSettings


class LangChainModel:
    """A model behind LangChain. Raises `UsageError` when it cannot be opened: no key, no package, no such provider."""

    def __init__(self, settings: ModelSettings, environ: Mapping[str, str] = os.environ) -> None:
        self.settings = settings
        self._key = _key(settings, environ)
        self._chat = _open(settings, self._key)

    def ask(self, conversation: Conversation, recall: Recall = recall_nothing) -> Exchange:
        """Say all of `conversation` once, or take the answer that is recalled. Never raises for what a server or a
        network does: that is an `Exchange.failure`.
        """
        from langsmith import tracing_context

        with tracing_context(enabled=self.settings.tracing):
            return _without_key(self._chat.ask(conversation, recall), self._key)


def _key(settings: ModelSettings, environ: Mapping[str, str]) -> str:
    if not settings.key_variable:
        return ""
    key = environ.get(settings.key_variable, "").strip()
    if not key:
        raise UsageError(
            f"no API key for {settings.describe().name}: the environment variable {settings.key_variable} is not set",
            hint=f'export {settings.key_variable}=..., or api_key_env = "" for a server that wants no key',
        )
    return key


def _open(settings: ModelSettings, key: str) -> Chat:
    try:
        if settings.provider == OPENAI:
            from pnyx_tools.model.openai import OpenAIChat

            return OpenAIChat(settings, key)
        from pnyx_tools.model.others import OtherChat

        return OtherChat(settings, key)
    except ImportError as error:
        raise UsageError(
            f"cannot open {settings.describe().name}: {error}", hint="pip install 'pnyx[agent]'"
        ) from error


def _without_key(exchange: Exchange, key: str) -> Exchange:
    """A server may echo the key, in an error for example; a record must not, and says where it was changed."""
    if not key:
        return exchange
    response = exchange.response and exchange.response.replace(key.encode(), REMOVED.encode())
    return replace(
        exchange,
        response=response,
        captured="; ".join(filter(None, (exchange.captured, "" if response == exchange.response else KEY_REMOVED))),
        detail=exchange.detail.replace(key, REMOVED),
        request_id=exchange.request_id.replace(key, REMOVED),
    )


__all__ = [
    "CONNECTION", "HTTP_ERROR", "KEY_REMOVED", "NOT_SENT", "OPENAI_BASE_URL", "RATE_LIMIT", "TIMEOUT", "Exchange",
    "LangChainModel", "ModelSettings", "NotSentError",
]  # fmt: skip
