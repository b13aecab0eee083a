"""The OpenAI protocol through LangChain's `ChatOpenAI`, with the exact bytes of each request and response.

Imported only when such a model is opened: LangChain takes seconds to load.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import httpx2
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable
from langchain_openai import ChatOpenAI
from openai import APIConnectionError, APITimeoutError
from pydantic import SecretStr

from pnyx_policies.conversation import Conversation
from pnyx_policies.request import response_format
from pnyx_tools.context.langchain_tool import as_langchain_tool
from pnyx_tools.model.exchange import (
    CONNECTION,
    HTTP_ERROR,
    NOT_SENT,
    RATE_LIMIT,
    TIMEOUT,
    Exchange,
    NotSentError,
    Recall,
)
from pnyx_tools.model.settings import ModelSettings

MAX_RESPONSE_BYTES = 2**20
"""Every attempt is recorded, and a reader takes no more than `evidence.MAX_FILE_BYTES` for one record."""
_HEADER_CHARACTERS = 200


class OpenAIChat:
    """Any server with ``/chat/completions``: OpenAI, vLLM, llama.cpp, Ollama ..."""

    def __init__(self, settings: ModelSettings, key: str) -> None:
        self._settings = settings
        self._key = SecretStr(key or "none")

    def ask(self, conversation: Conversation, recall: Recall) -> Exchange:
        """One request. A new client each time: nothing is shared between threads, and nothing stays open."""
        wire = _Wire(self._settings.timeout_seconds, recall)
        with wire.client() as client:
            try:
                _with_tools(self._model(client), conversation).invoke([m.wire for m in conversation.messages])
            except NotSentError as reason:
                return wire.exchange(NOT_SENT, str(reason))
            except APITimeoutError:
                return wire.exchange(TIMEOUT, f"no whole answer within {self._settings.timeout_seconds:g} seconds")
            except APIConnectionError as error:
                return wire.exchange() if wire.is_recalled else wire.exchange(CONNECTION, _cause(error))
            except Exception:
                if wire.response is None:
                    raise
                # What the library thinks of a body does not matter: the recorded bytes are judged.
        return wire.exchange()

    def _model(self, client: httpx2.Client) -> ChatOpenAI:
        """All that the environment or the model's name would decide otherwise is said here: the request is ours."""
        settings = self._settings
        return ChatOpenAI(
            model=settings.model,
            base_url=settings.url,
            api_key=self._key,
            openai_proxy=None,
            temperature=settings.temperature,
            seed=settings.seed,
            max_completion_tokens=settings.max_output_tokens,
            timeout=settings.timeout_seconds,
            max_retries=0,
            cache=False,
            streaming=False,
            use_responses_api=False,
            # Once more, as declared: for some names of models the library would leave parameters out.
            extra_body={"response_format": response_format(), **settings.parameters},
            http_client=client,
        )


def _with_tools(model: ChatOpenAI, conversation: Conversation) -> Runnable[LanguageModelInput, AIMessage]:
    """The model with the context tools that it may call; what it calls is read from the recorded bytes."""
    tools = [as_langchain_tool(name, conversation) for name in conversation.tools]
    return model.bind_tools(tools, tool_choice=conversation.tool_choice) if tools else model


class _RecalledError(Exception):
    """Ends a request before it is sent."""


class _Wire:
    """Keeps what passes: the request's body, and the response's body within limits of size and time."""

    def __init__(self, timeout_seconds: float, recall: Recall) -> None:
        self._timeout_seconds = timeout_seconds
        self._recall = recall
        self._request: bytes | None = None
        self._headers = httpx2.Headers()
        self.response: bytes | None = None
        self.status: int | None = None
        self.is_recalled = False

    def client(self) -> httpx2.Client:
        """Without redirects (a second request would be one that nobody recorded) and without compression."""
        return httpx2.Client(
            timeout=self._timeout_seconds,
            follow_redirects=False,
            headers={"Accept-Encoding": "identity"},
            event_hooks={"request": [self._on_request], "response": [self._on_response]},
        )

    def _on_request(self, request: httpx2.Request) -> None:
        self._request = request.read()
        self.response = self._recall(self._request)
        if self.response is not None:
            self.status, self.is_recalled = 200, True
            raise _RecalledError  # there is nothing to send

    def _on_response(self, response: httpx2.Response) -> None:
        self.status, self._headers = response.status_code, response.headers
        if isinstance(response.stream, httpx2.SyncByteStream):
            response.stream = _Bounded(response.stream, time.monotonic() + self._timeout_seconds)
        self.response = response.read()

    def exchange(self, failure: str = "", detail: str = "") -> Exchange:
        if self._request is None:
            raise RuntimeError("the client sent nothing")
        if not failure and self.status != 200:
            failure, detail = (RATE_LIMIT if self.status == 429 else HTTP_ERROR), f"the server answered {self.status}"
        return Exchange(
            request=self._request,
            response=self.response,
            http_status=self.status,
            failure=failure,
            detail=detail,
            retry_after_seconds=_retry_after(self._headers.get("retry-after", "")),
            request_id=_printable(self._headers.get("x-request-id", "")),
            reused=self.is_recalled,
        )


class _Bounded(httpx2.SyncByteStream):
    """A response body that may neither grow nor drip for ever."""

    def __init__(self, stream: httpx2.SyncByteStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._stream:
            size += len(chunk)
            if size > MAX_RESPONSE_BYTES:
                raise httpx2.ReadError(f"the response is larger than {MAX_RESPONSE_BYTES} bytes")
            if time.monotonic() > self._deadline:
                raise httpx2.ReadTimeout("the response takes too long")
            yield chunk

    def close(self) -> None:
        self._stream.close()


def _cause(error: BaseException) -> str:
    """What lies under the layers of "connection error"."""
    while error.__cause__ is not None:
        error = error.__cause__
    return _printable(f"{type(error).__name__}: {error}")


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isascii() and c.isprintable())[:_HEADER_CHARACTERS]


def _retry_after(value: str) -> float | None:
    """Seconds, or an HTTP date (RFC 9110, 10.2.3)."""
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None
