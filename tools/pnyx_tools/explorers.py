"""ABIs from explorers over HTTP: Sourcify (API v2) and what speaks Etherscan's API v2.

Their answer is their word. It goes into a file for the operator to look at and to declare; no review asks an explorer.
Sources: docs.sourcify.dev (``GET /v2/contract/{chainId}/{address}``), docs.etherscan.io (``module=contract``,
``action=getabi``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from pnyx_contracts.errors import DecodingError, UnreachableError

ANSWER_SECONDS: Final = 20.0
MAX_ANSWER_BYTES: Final = 16 * 2**20


def ask_sourcify(url: str, chain_id: int, address: str) -> list[Any] | None:
    """The ABI of a contract whose sources it verified; None when it has none. Raises `UnreachableError`."""
    status, answer = _get(f"{url.rstrip('/')}/v2/contract/{chain_id}/{address}", {"fields": "abi"})
    if status == httpx.codes.NOT_FOUND:
        return None
    abi = answer.get("abi") if isinstance(answer, dict) else None
    if status != httpx.codes.OK or not isinstance(abi, list):
        raise UnreachableError(f"{_host(url)} gives no ABI in Sourcify's way: HTTP {status}")
    return abi


def ask_etherscan(url: str, key: str, chain_id: int, address: str) -> list[Any] | None:
    """As `ask_sourcify`. `url` is the whole endpoint, ``https://api.etherscan.io/v2/api``."""
    what = {"chainid": str(chain_id), "module": "contract", "action": "getabi", "address": address, "apikey": key}
    status, answer = _get(url, what)
    result = answer.get("result") if isinstance(answer, dict) else None
    if status != httpx.codes.OK or not isinstance(answer, dict) or not isinstance(result, str):
        raise UnreachableError(f"{_host(url)} gives no ABI in Etherscan's way: HTTP {status}")
    if answer.get("status") != "1":
        if "not verified" in result:
            return None
        raise UnreachableError(f"{_host(url)} refuses: {json.dumps(result.replace(key, '***'))[:200]}")
    return _list(result, url)


def _list(text: str, url: str) -> list[Any]:
    try:
        abi = json.loads(text)
    except (ValueError, RecursionError):
        abi = None
    if not isinstance(abi, list):
        raise DecodingError(f"what {_host(url)} calls an ABI is no list")
    return abi


def _get(url: str, params: Mapping[str, str]) -> tuple[int, Any]:
    """Status and JSON, None where it is no JSON. No redirects: a key goes where it was meant to go."""
    data = b""
    try:
        with httpx.stream("GET", url, params=dict(params), timeout=ANSWER_SECONDS) as response:
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > MAX_ANSWER_BYTES:
                    raise UnreachableError(f"{_host(url)} answers with more than {MAX_ANSWER_BYTES} bytes")
    except httpx.HTTPError as error:
        raise UnreachableError(f"{_host(url)} does not answer: {type(error).__name__}") from None
    try:
        return response.status_code, json.loads(data)
    except (ValueError, RecursionError):
        return response.status_code, None


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the explorer"
