"""Safe's transaction service: where owners find what waits for their signatures, and leave them.

Three requests of its HTTP interface (https://docs.safe.global/core-api/transaction-service-overview), as safe-eth-py
7.27 makes them. Nothing that it says is trusted: a transaction is known by the hash that was computed here.
"""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from pnyx_contracts.errors import RefusedError, UnreachableError
from pnyx_contracts.safe import SafeTx
from pnyx_contracts.types import to_hex

ANSWER_SECONDS: Final = 20.0
MAX_ANSWER_BYTES: Final = 2**20
MAX_QUEUE: Final = 100
"""Transactions of a queue that are looked at."""

ORIGIN: Final = "Pnyx"


class TransactionService:
    """One service, for one chain. `key` is sent as a bearer token."""

    def __init__(self, url: str, key: str | None = None) -> None:
        self._url = url.rstrip("/")
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(timeout=ANSWER_SECONDS, headers=headers)

    def knows(self, safe_tx_hash: bytes) -> bool:
        """Whether somebody proposed this very transaction. Raises `UnreachableError`."""
        status, _ = self._ask("GET", f"multisig-transactions/{to_hex(safe_tx_hash)}/")
        return status == httpx.codes.OK

    def free_nonce(self, safe: str, nonce: int) -> int:
        """The first number from `nonce` on for which nothing waits. Raises `UnreachableError`."""
        place = f"safes/{safe}/multisig-transactions/?executed=false&nonce__gte={nonce}&limit={MAX_QUEUE}"
        status, answer = self._ask("GET", place)
        try:
            taken = {int(waiting["nonce"]) for waiting in answer["results"]} if status == httpx.codes.OK else set()
        except (KeyError, TypeError, ValueError):
            raise UnreachableError(f"{self} does not list what waits: HTTP {status}") from None
        while nonce in taken:
            nonce += 1
        return nonce

    def propose(self, transaction: SafeTx, sender: str, signature: bytes) -> None:
        """Once or again: the same transaction is known by its hash. `sender` is an owner, or a delegate of one, and has
        signed the hash. Raises `RefusedError` with the service's words, `UnreachableError`.
        """
        body = {name: to_hex(v) if isinstance(v, bytes) else _number(v) for name, v in transaction.fields.items()}
        body |= {
            "contractTransactionHash": to_hex(transaction.hash),
            "sender": sender,
            "signature": to_hex(signature),
            "origin": ORIGIN,
        }
        status, answer = self._ask("POST", f"safes/{transaction.safe}/multisig-transactions/", body)
        if not 200 <= status < 300:
            raise RefusedError(
                f"{self} does not take the transaction {to_hex(transaction.hash)}: HTTP {status}, "
                f"{json.dumps(answer)[:300]}",
                hint=f"an owner of the Safe makes {sender} a delegate (proposer); or leave [safe] service out",
            )

    def _ask(self, method: str, place: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        try:
            with self._client.stream(method, f"{self._url}/api/v2/{place}", json=body) as response:
                data = b""
                for chunk in response.iter_bytes():
                    data += chunk
                    if len(data) > MAX_ANSWER_BYTES:
                        raise UnreachableError(f"{self} answers with more than {MAX_ANSWER_BYTES} bytes")
        except httpx.HTTPError as error:
            raise UnreachableError(f"{self} does not answer: {type(error).__name__}") from None
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR or response.status_code in _NOT_NOW:
            raise UnreachableError(f"{self} answers with HTTP {response.status_code}")
        try:
            return response.status_code, json.loads(data) if data.strip() else None
        except ValueError:
            return response.status_code, None

    def __str__(self) -> str:
        return f"the transaction service at {urlsplit(self._url).hostname}"


_NOT_NOW: Final = frozenset({401, 403, 408, 425, 429})


def _number(value: object) -> object:
    """Amounts may pass what JSON's readers take exactly."""
    return str(value) if isinstance(value, int) and value > 2**53 else value
