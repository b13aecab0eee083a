"""A key in Consensys Web3Signer (``web3signer eth1``), asked by its JSON-RPC interface.

It fills in the chain id of its own settings, and could sign anything else: what comes back is held against what was
asked (`envelope.require_as_asked`), as with every key.
"""

from __future__ import annotations

from typing import Any, Final

import httpx
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_contracts.errors import UnreachableError, UsageError
from pnyx_contracts.types import to_hex
from pnyx_tools.signer.keys import SignedTransaction, UnsignedTransaction
from pnyx_tools.signer.tls import TlsFiles, client_context

ANSWER_SECONDS: Final = 10.0
MAX_ANSWER_BYTES: Final = 2**20


class Web3SignerKey:
    """Implements `keys.Key`."""

    def __init__(self, url: str, address: str, files: TlsFiles | None = None) -> None:
        """`files`: for mutual TLS. Raises `UsageError` when it does not hold the key of `address`."""
        self.address = address
        self._url = url
        verify = client_context(files) if files is not None else True
        # No proxy of the environment: a key is asked directly.
        self._client = httpx.Client(timeout=ANSWER_SECONDS, verify=verify, trust_env=False)
        self._require_held()

    def sign(self, transaction: UnsignedTransaction) -> SignedTransaction:
        asked = {
            "from": self.address,
            "to": transaction.to,
            "nonce": hex(transaction.nonce),
            "gas": hex(transaction.gas_limit),
            "maxFeePerGas": hex(transaction.max_fee_per_gas),
            "maxPriorityFeePerGas": hex(transaction.max_priority_fee_per_gas),
            "value": "0x0",
            "data": to_hex(transaction.data),
        }
        raw = self._ask("eth_signTransaction", asked)
        try:
            data = bytes.fromhex(raw.removeprefix("0x"))
        except (AttributeError, ValueError):
            raise UnreachableError("Web3Signer answers eth_signTransaction with something that is no hex") from None
        return SignedTransaction(raw=data, hash=keccak(data))

    def sign_digest(self, digest: bytes) -> bytes:  # noqa: ARG002 - as `keys.Key`
        raise UsageError(
            "Web3Signer signs transactions, and no transaction of a Safe",
            hint="leave [safe] service out, and hand the owners what `pnyx safe show` gives; or keep the key elsewhere",
        )

    def _require_held(self) -> None:
        accounts = self._ask("eth_accounts")
        held = [str(a).lower() for a in accounts] if isinstance(accounts, list) else []
        if self.address.lower() not in held:
            raise UsageError(
                f"Web3Signer holds no key of {to_checksum_address(self.address)}; it has {len(held)} accounts",
                hint="correct `address`, or give Web3Signer the key",
            )

    def _ask(self, method: str, *parameters: object) -> Any:  # noqa: ANN401 - JSON as it came
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        try:
            with self._client.stream("POST", self._url, json=question) as response:
                body = b""
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > MAX_ANSWER_BYTES:
                        raise UnreachableError(f"Web3Signer answers {method} with more than {MAX_ANSWER_BYTES} bytes")
            answer = httpx.Response(response.status_code, content=body).json()
        except httpx.HTTPError as error:
            raise UnreachableError(
                f"Web3Signer cannot be asked: {type(error).__name__}", hint="check its url, and its certificates"
            ) from None
        except ValueError:
            status = response.status_code
            raise UnreachableError(f"Web3Signer answers {method} with HTTP {status} and no JSON") from None
        if not isinstance(answer, dict) or answer.get("error") or "result" not in answer:
            told = answer.get("error") if isinstance(answer, dict) else None
            why = told.get("message") if isinstance(told, dict) else f"HTTP {response.status_code}"
            raise UnreachableError(f"Web3Signer does not answer {method}: {str(why)[:200]}")
        return answer["result"]

    def __repr__(self) -> str:
        return f"Web3SignerKey({self.address})"
