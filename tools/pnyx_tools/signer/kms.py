"""A key that never leaves AWS KMS. It signs digests, whatever they stand for: what is signed is judged here before.

Credentials are found by boto3's own chain (instance role, files, environment) and seen by nothing here.
"""

from __future__ import annotations

from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256K1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_contracts.errors import UnreachableError, UsageError
from pnyx_tools.signer.envelope import complete, digest_of, signature_by
from pnyx_tools.signer.keys import SignedTransaction, UnsignedTransaction

KEY_SPEC: Final = "ECC_SECG_P256K1"
CONNECT_SECONDS: Final = 5
ANSWER_SECONDS: Final = 10
ATTEMPTS: Final = 3


class KmsKey:
    """Implements `keys.Key`."""

    def __init__(self, key_id: str, region: str | None = None, endpoint_url: str | None = None) -> None:
        """Asks KMS for the public key. Raises `UsageError` for a key of another kind, `UnreachableError`."""
        self._key_id = key_id
        self._client = _client(region, endpoint_url)
        self.address = self._address()

    def sign(self, transaction: UnsignedTransaction) -> SignedTransaction:
        return complete(transaction, *self._sign(digest_of(transaction)), self.address)

    def sign_digest(self, digest: bytes) -> bytes:
        return signature_by(self.address, digest, *self._sign(digest))

    def _sign(self, digest: bytes) -> tuple[int, int]:
        answer = self._ask("sign", Message=digest, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256")
        return decode_dss_signature(answer["Signature"])

    def _address(self) -> str:
        answer = self._ask("get_public_key")
        try:
            public = load_der_public_key(answer["PublicKey"])
        except (ValueError, UnsupportedAlgorithm):
            public = None
        if not isinstance(public, EllipticCurvePublicKey) or not isinstance(public.curve, SECP256K1):
            raise UsageError(
                f"the KMS key {self._key_id} is none of an account's curve, secp256k1",
                hint=f"an account needs a key of spec {KEY_SPEC} and usage SIGN_VERIFY",
            )
        point = public.public_numbers()
        return str(to_checksum_address(keccak(point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big"))[-20:]))

    def _ask(self, operation: str, **parameters: object) -> dict[str, Any]:
        """Only the kind of an error is shown: boto3's own words may quote a request."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer: dict[str, Any] = getattr(self._client, operation)(KeyId=self._key_id, **parameters)
        except ClientError as error:
            why = error.response.get("Error", {}).get("Code", "an error without a code")
            raise UnreachableError(
                f"AWS KMS answers {operation} with {why}",
                hint=f"check that the key {self._key_id} is there, and that we may use it",
            ) from None
        except BotoCoreError as error:
            raise UnreachableError(
                f"AWS KMS cannot be asked to {operation}: {type(error).__name__}",
                hint="check region, endpoint and credentials; boto3 looks for them in its usual places",
            ) from None
        return answer

    def __repr__(self) -> str:
        return f"KmsKey({self.address})"


def _client(region: str | None, endpoint_url: str | None) -> Any:  # noqa: ANN401 - boto3 makes its classes at run time
    try:
        import boto3
    except ModuleNotFoundError:
        raise UsageError("a key in AWS KMS needs boto3", hint="pip install 'pnyx[kms]'") from None
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    patience = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=ANSWER_SECONDS,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
    )
    try:
        return boto3.session.Session().client("kms", region_name=region, endpoint_url=endpoint_url, config=patience)
    except (BotoCoreError, ValueError) as error:
        raise UsageError(f"AWS KMS: {error}", hint='[signer] key = { kind = "aws-kms", key_id, region }') from None
