"""Evidence behind an http(s) URL, which may be a stranger's and hostile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from pnyx_contracts.errors import UnreachableError
from pnyx_tools.evidence import store
from pnyx_tools.evidence.store import ANOTHER_PLACE, CheckedStore, file_name

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

MAX_REDIRECTS = 5

_SILENCE_SECONDS = 30.0
"""For connecting, and for each piece of the answer."""
_FETCH_SECONDS = 120.0
"""For one file, redirects and headers included."""
_GONE = frozenset({404, 410})


class HttpStore(CheckedStore):
    """Evidence behind an http(s) URL, read-only."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def read(self, digest: bytes) -> bytes | None:
        import httpx

        url = f"{self.url}/{file_name(digest)}"
        try:
            return _run_apart(_fetch(url))
        except TimeoutError:
            raise UnreachableError(
                f"{url}: not there after {_FETCH_SECONDS:g} seconds, given up", hint=ANOTHER_PLACE
            ) from None
        except httpx.TransportError as error:
            raise UnreachableError(
                f"{url}: cannot be reached ({type(error).__name__}: {error})",
                hint=f"is that server up, and the URL right? Else {ANOTHER_PLACE}",
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, ExceptionGroup) as error:
            # a ValueError: host names beyond IDNA; a group: ports beyond 65535
            raise UnreachableError(f"{url}: {error}", hint=ANOTHER_PLACE) from error


async def _fetch(url: str) -> bytes | None:
    """The file behind `url`, None when it is gone. A hostile place may drip, redirect, or send for ever: all of it has
    one deadline. Raises `UnreachableError`, `TimeoutError`, and what httpx raises.
    """
    import httpx

    # Uncompressed: a small answer must not unpack into a large one.
    client = httpx.AsyncClient(timeout=_SILENCE_SECONDS, headers={"accept-encoding": "identity"})
    async with asyncio.timeout(_FETCH_SECONDS), client:
        request = client.build_request("GET", url)
        for _ in range(MAX_REDIRECTS + 1):
            response = await client.send(request, stream=True)
            try:
                # By hand: httpx would read, and unpack, whatever comes with a redirect.
                if response.next_request is None:
                    return await _body(response, url)
                request = response.next_request
            finally:
                await response.aclose()
    raise UnreachableError(f"{url}: more than {MAX_REDIRECTS} redirects, given up")


async def _body(response: httpx.Response, url: str) -> bytes | None:
    if response.status_code in _GONE:
        return None
    response.raise_for_status()
    if (encoding := response.headers.get("content-encoding", "identity")) != "identity":
        raise UnreachableError(f"{url}: packed ({encoding[:40]!r}), though it was asked for as it is; not read")
    data = bytearray()
    async for chunk in response.aiter_raw():
        data += chunk
        if len(data) > store.MAX_FILE_BYTES:
            raise UnreachableError(f"{url}: larger than {store.MAX_FILE_BYTES} bytes, given up")
    return bytes(data)


def _run_apart(work: Coroutine[Any, Any, T]) -> T:
    """In a loop and a thread of its own: the caller may be inside a loop. Ctrl-C does not wait for it."""
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(asyncio.run(work))
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            result.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return result.result()
