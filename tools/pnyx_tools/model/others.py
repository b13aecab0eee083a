"""Models of other providers than the OpenAI protocol's, through LangChain's `init_chat_model`.

Imported only when such a model is opened.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langchain.chat_models import init_chat_model
from pydantic import JsonValue

from pnyx_contracts.errors import UsageError
from pnyx_policies.conversation import Conversation
from pnyx_policies.request import NOT_AS_SENT
from pnyx_tools.model.exchange import (
    ABOVE_THE_WIRE,
    CONNECTION,
    HTTP_ERROR,
    NOT_SENT,
    RATE_LIMIT,
    REMOVED,
    TIMEOUT,
    Exchange,
    NotSentError,
    Recall,
)
from pnyx_tools.model.settings import ModelSettings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage
    from langchain_core.messages.ai import UsageMetadata

_DETAIL_CHARACTERS = 200


class OtherChat:
    """Any provider that LangChain knows. Its HTTP is its own affair: kept are messages given and message received."""

    def __init__(self, settings: ModelSettings, key: str) -> None:
        given: dict[str, Any] = {
            **settings.extra_body,
            "temperature": settings.temperature,
            "max_tokens": settings.max_output_tokens,
            "timeout": settings.timeout_seconds,
            "base_url": settings.url or None,
            "api_key": key or None,
            "max_retries": 0,
            "cache": False,
        }
        given = {name: value for name, value in given.items() if value is not None}
        self._settings = settings
        try:
            self._model: BaseChatModel = init_chat_model(settings.model, model_provider=settings.provider, **given)
        except ValueError as error:
            message = f"LangChain cannot open {settings.describe().name}: {error}"
            raise UsageError(message.replace(key or "\0", REMOVED)) from None

    def ask(self, conversation: Conversation, recall: Recall) -> Exchange:
        messages = [message.wire for message in conversation.messages]
        asked = Exchange(request=self._request(messages), captured=ABOVE_THE_WIRE)
        try:
            known = recall(asked.request)
        except NotSentError as reason:
            return replace(asked, failure=NOT_SENT, detail=str(reason))
        if known is not None:
            return replace(asked, response=known, reused=True)
        try:
            answer = self._model.invoke(messages)
        except Exception as error:  # noqa: BLE001 - each provider has errors of its own; none of them is an answer
            return _failed(asked, error)
        return replace(asked, response=_as_completion(answer), request_id=str(answer.id or ""))

    def _request(self, messages: list[dict[str, JsonValue]]) -> bytes:
        settings = self._settings
        return _json({**NOT_AS_SENT, "messages": messages, "model": settings.model, **settings.parameters})


def _failed(asked: Exchange, error: Exception) -> Exchange:
    status = getattr(error, "status_code", None)
    name = type(error).__name__
    if isinstance(status, int):
        failure = RATE_LIMIT if status == 429 else HTTP_ERROR
    else:
        failure = TIMEOUT if "timeout" in name.lower() else CONNECTION
    return replace(
        asked,
        failure=failure,
        http_status=status if isinstance(status, int) else None,
        detail=f"{name}: {error}"[:_DETAIL_CHARACTERS],
    )


_FINISH = {
    "stop": ("stop", "end_turn", "stop_sequence", "complete", "eos"),
    "length": ("length", "max_tokens", "model_length"),
    "content_filter": ("content_filter", "safety", "recitation", "prohibited_content", "blocklist", "spii"),
}
"""How providers say that an answer ended, in OpenAI's words."""


def _as_completion(answer: AIMessage) -> bytes:
    """The answer in the form of a chat completion, so that one judge reads all providers; LangChain's own beside it."""
    metadata = answer.response_metadata
    said = next((str(metadata[k]) for k in ("finish_reason", "stop_reason", "done_reason") if metadata.get(k)), "")
    reason = next((ours for ours, theirs in _FINISH.items() if said.lower() in theirs), said)
    return _json(
        {
            "choices": [
                {
                    "finish_reason": reason,
                    "message": {
                        "content": str(answer.text),
                        "refusal": answer.additional_kwargs.get("refusal"),
                        "tool_calls": answer.tool_calls,
                    },
                }
            ],
            "model": metadata.get("model_name") or metadata.get("model") or "",
            "usage": _usage(answer.usage_metadata),
            "langchain": answer.model_dump(mode="json"),
        }
    )


def _usage(said: UsageMetadata | None) -> dict[str, Any] | None:
    if said is None:
        return None
    cached = said.get("input_token_details", {}).get("cache_read")
    return {
        "prompt_tokens": said["input_tokens"],
        "completion_tokens": said["output_tokens"],
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), default=str).encode()
