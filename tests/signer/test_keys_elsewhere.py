"""Keys that stay in a service: AWS KMS (moto's server over HTTP) and Web3Signer (a stand-in that speaks its protocol).

Whatever holds the key, what it signs is checked before anybody else sees it.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rlp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from eth_account import Account
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pnyx_agents.keys import key_source
from pnyx_agents.settings import parse_settings
from pnyx_contracts.errors import RefusedError, UnreachableError, UsageError
from pnyx_tools.keystore import AwsKmsKey, RemoteKey, address_of, open_key
from pnyx_tools.rpc import Rpc
from pnyx_tools.signer.certificates import make_certificates
from pnyx_tools.signer.envelope import CURVE_ORDER, complete, digest_of, require_as_asked, require_signature
from pnyx_tools.signer.keys import Key, LocalKey, SignedTransaction, UnsignedTransaction
from pnyx_tools.signer.memory import Memory
from pnyx_tools.signer.notary import Notary
from pnyx_tools.signer.process import spawn
from pnyx_tools.signer.tls import TlsFiles
from pnyx_tools.testing.web3signer import FakeWeb3Signer
from pnyx_tools.voter import vote

from .parliament import GWEI, STRANGER, Parliament

SECRET = bytes(range(1, 33))
LOCAL = LocalKey(SECRET)
CHAIN = 31337
TRANSACTION = UnsignedTransaction(
    chain_id=CHAIN, nonce=7, to="0x00000000219ab540356cBB839Cbe05303d7705Fa", data=b"\x01\x02" * 40, gas_limit=300_000,
    max_fee_per_gas=20 * 10**9, max_priority_fee_per_gas=10**9,
)  # fmt: skip

transactions = st.builds(
    UnsignedTransaction,
    chain_id=st.integers(1, 2**53),
    nonce=st.integers(0, 2**53),
    to=st.just(TRANSACTION.to),
    data=st.binary(max_size=300),
    gas_limit=st.integers(1, 2**40),
    max_fee_per_gas=st.integers(0, 2**100),
    max_priority_fee_per_gas=st.integers(0, 2**100),
)


def parts_of(signed: SignedTransaction) -> list[Any]:
    return rlp.decode(signed.raw[1:])


def remade(parts: list[Any], prefix: bytes = b"\x02") -> SignedTransaction:
    raw = prefix + rlp.encode(parts)
    return SignedTransaction(raw=raw, hash=keccak(raw))


# --- the envelope ----------------------------------------------------------------------------------------------------


@settings(max_examples=25)  # recovering a key takes its time
@given(transaction=transactions)
def test_our_bytes_are_those_of_the_wallet_library(transaction: UnsignedTransaction) -> None:
    signed = LOCAL.sign(transaction)
    *_, r, s = (int.from_bytes(part, "big") for part in parts_of(signed)[-3:])
    require_as_asked(transaction, signed, LOCAL.address)
    assert complete(transaction, r, s, LOCAL.address) == signed
    assert complete(transaction, r, CURVE_ORDER - s, LOCAL.address) == signed, "the high half is made the low one"
    assert Account.recover_transaction(signed.raw) == LOCAL.address


FIELDS = {
    "chain_id": 1, "nonce": 8, "to": "0x" + "11" * 20, "data": b"", "gas_limit": 299_999, "max_fee_per_gas": 2,
    "max_priority_fee_per_gas": 2,
}  # fmt: skip
NAMES = {"to": "receiver", "max_fee_per_gas": "maximum fee", "max_priority_fee_per_gas": "priority fee"}


@pytest.mark.parametrize("field", FIELDS)
def test_another_transaction_than_the_one_asked_for_is_refused_by_field(field: str) -> None:
    other = LOCAL.sign(TRANSACTION.model_copy(update={field: FIELDS[field]}))
    with pytest.raises(RefusedError, match=f"signed another {NAMES.get(field, field.replace('_', ' '))} than"):
        require_as_asked(TRANSACTION, other, LOCAL.address)


def mutations() -> Iterator[Any]:
    parts = parts_of(LOCAL.sign(TRANSACTION))
    *rest, recovery, r, s = parts
    high = (CURVE_ORDER - int.from_bytes(s, "big")).to_bytes(32, "big")
    flipped = b"" if recovery else b"\x01"
    yield pytest.param(remade([*rest, flipped, r, high]), "the one form", id="high s")
    yield pytest.param(remade([*rest, flipped, r, s]), "the one form", id="wrong recovery id")
    yield pytest.param(remade([*rest, recovery, r, r]), "not signed by", id="no signature")
    yield pytest.param(remade([*rest, recovery, b"", b""]), "not signed by", id="empty signature")
    yield pytest.param(remade([*rest, recovery, [r], s]), "not signed by", id="list in place of a number")
    yield pytest.param(remade(rest), "no transaction of type 2", id="unsigned")
    yield pytest.param(remade([*parts, b""]), "no transaction of type 2", id="one field more")
    yield pytest.param(remade([*rest[:6], b"\x01", *parts[7:]]), "another value", id="value")
    yield pytest.param(remade([*rest[:8], [[b"\x11" * 20, []]], *parts[9:]]), "another access list", id="access list")
    yield pytest.param(remade(parts, b"\x01"), "no transaction of type 2", id="another type")
    raw = LOCAL.sign(TRANSACTION).raw
    yield pytest.param(SignedTransaction(raw=raw + b"\0", hash=keccak(raw)), "no transaction", id="a byte more")
    yield pytest.param(SignedTransaction(raw=raw, hash=b"\x11" * 32), "the one form", id="another hash")
    yield pytest.param(SignedTransaction(raw=b"", hash=keccak(b"")), "no transaction of type 2", id="nothing")


@pytest.mark.parametrize(("signed", "why"), list(mutations()))
def test_what_is_not_exactly_it_is_refused(signed: SignedTransaction, why: str) -> None:
    with pytest.raises(RefusedError, match=why):
        require_as_asked(TRANSACTION, signed, LOCAL.address)


def test_a_signature_of_another_key_is_refused() -> None:
    with pytest.raises(RefusedError, match=f"not signed by {LOCAL.address}"):
        require_as_asked(TRANSACTION, LocalKey(b"\x09" * 32).sign(TRANSACTION), LOCAL.address)


# --- AWS KMS ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """moto's server, on a real port."""
    server_module = pytest.importorskip("moto.server")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials, where boto3 looks first."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-access-key-of-ours")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-access-key-of-ours")


@pytest.fixture
def digests(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto hashes a message also when it is said to be a digest. KMS does not, and so does moto here."""
    from moto.kms.utils import ECDSAPrivateKey

    def sign(self: Any, message: bytes, _algorithm: str) -> bytes:
        signed: bytes = self.private_key.sign(message, ec.ECDSA(Prehashed(hashes.SHA256())))
        return signed

    monkeypatch.setattr(ECDSAPrivateKey, "sign", sign)


def made_in(aws: str, *, spec: str = "ECC_SECG_P256K1", secret: bytes | None = None) -> AwsKmsKey:
    """A new key in KMS, with our secret when one is given."""
    import boto3
    from moto.kms.models import kms_backends

    client = boto3.client("kms", region_name="eu-central-1", endpoint_url=aws)
    key_id = client.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    if secret is not None:
        kept = kms_backends["123456789012"]["eu-central-1"].keys[key_id].private_key
        kept.private_key = ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256K1())
    return AwsKmsKey(key_id=key_id, region="eu-central-1", endpoint_url=aws)


@pytest.mark.usefixtures("account", "digests")
def test_kms_signs_what_chains_take(aws: str) -> None:
    """KMS answers with either half for `s`, at random, and without a recovery id."""
    source = made_in(aws)
    key = open_key(source)
    for nonce in range(16):
        transaction = TRANSACTION.model_copy(update={"nonce": nonce})
        signed = key.sign(transaction)
        require_as_asked(transaction, signed, key.address)
        assert Account.recover_transaction(signed.raw) == key.address
    assert address_of(source) == key.address


@pytest.mark.usefixtures("account", "digests")
def test_kms_signs_what_a_safes_owners_are_asked(aws: str) -> None:
    key = open_key(made_in(aws))
    for number in range(8):
        digest = keccak(bytes([number]))
        require_signature(digest, key.sign_digest(digest), key.address)
    with pytest.raises(RefusedError, match="not signed by"):
        require_signature(digest, key.sign_digest(digest), STRANGER)


@pytest.mark.usefixtures("account", "digests")
def test_a_child_with_a_key_in_kms_votes(gate: Parliament, aws: str, capfd: pytest.CaptureFixture[str]) -> None:
    source = made_in(aws, secret=gate.secret)
    assert address_of(source) == gate.key.address
    with spawn(gate.settings, source) as child:
        case = gate.case(gate.dossier(gate.open()))
        assert vote(gate.writer(child.client), gate.booth, case).cast is not None
    said = capfd.readouterr().err
    assert '"event": "signed"' in said
    assert "an-access-key-of-ours" not in said
    assert "a-secret-access-key-of-ours" not in said


@pytest.mark.usefixtures("account")
def test_a_kms_that_signs_something_else_is_refused(aws: str) -> None:
    """As moto does by itself: it signs the hash of the digest."""
    with pytest.raises(RefusedError, match="is not signed by 0x"):
        open_key(made_in(aws)).sign(TRANSACTION)


@pytest.mark.usefixtures("account")
def test_a_kms_key_of_another_kind_is_refused(aws: str) -> None:
    with pytest.raises(UsageError, match="is none of an account's curve, secp256k1"):
        open_key(made_in(aws, spec="ECC_NIST_P256"))


@pytest.mark.usefixtures("account")
def test_a_kms_that_does_not_give_the_key_is_told_without_secrets(
    aws: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known = made_in(aws)
    with pytest.raises(UnreachableError, match="AWS KMS answers get_public_key with NotFoundException"):
        open_key(known.model_copy(update={"key_id": "00000000-0000-0000-0000-000000000000"}))
    with pytest.raises(UnreachableError, match="cannot be asked to get_public_key: EndpointConnectionError"):
        open_key(known.model_copy(update={"endpoint_url": "http://127.0.0.1:9"}))
    with pytest.raises(UsageError, match=r"AWS KMS: .*region"):
        open_key(known.model_copy(update={"region": None, "endpoint_url": None}))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(UnreachableError, match="NoCredentialsError") as caught:
        open_key(known)
    assert "secret" not in str(caught.value)


# --- Web3Signer ------------------------------------------------------------------------------------------------------


def test_a_child_with_a_key_in_web3signer_votes(gate: Parliament) -> None:
    with FakeWeb3Signer(gate.secret, gate.settings.chain_id) as service:
        source = RemoteKey(url=service.url, address=gate.key.address)
        with spawn(gate.settings, source) as child:
            case = gate.case(gate.dossier(gate.open()))
            assert vote(gate.writer(child.client), gate.booth, case).cast is not None


def test_web3signer_signs_nothing_for_a_safe(gate: Parliament) -> None:
    with FakeWeb3Signer(gate.secret, gate.settings.chain_id) as service:
        key = open_key(RemoteKey(url=service.url, address=gate.key.address))
        with pytest.raises(UsageError, match="no transaction of a Safe"):
            key.sign_digest(bytes(32))


def test_web3signer_over_mutual_tls(tmp_path: Path) -> None:
    make_certificates(tmp_path / "tls", ["127.0.0.1"], days=90)
    files = {
        side: TlsFiles(
            ca=tmp_path / "tls" / "ca.pem",
            certificate=tmp_path / "tls" / f"{side}.pem",
            key=tmp_path / "tls" / f"{side}.key",
        )
        for side in ("signer", "daemon")
    }
    from pnyx_tools.signer.tls import server_context

    context: ssl.SSLContext = server_context(files["signer"])
    with FakeWeb3Signer(SECRET, CHAIN, context=context) as service:
        source = RemoteKey(url=service.url, address=LOCAL.address, tls=files["daemon"])
        assert open_key(source).sign(TRANSACTION) == LOCAL.sign(TRANSACTION)
        with pytest.raises(UnreachableError, match="Web3Signer cannot be asked"):
            open_key(source.model_copy(update={"tls": None}))


OTHERWISE: dict[str, Any] = {
    "nonce": 99, "to": "0x" + "11" * 20, "data": "0x", "gas": 21_000, "value": 1, "chainId": 1,
    "maxFeePerGas": 3 * GWEI,
}  # fmt: skip


@pytest.mark.parametrize("field", OTHERWISE)
def test_a_web3signer_that_signs_something_else_is_refused_by_the_notary(gate: Parliament, field: str) -> None:
    """The vote is asked for in order; whoever holds the key signs another one."""
    fake = FakeWeb3Signer(
        gate.secret, gate.settings.chain_id, instead=lambda transaction: {**transaction, field: OTHERWISE[field]}
    )
    memory = Memory(gate.settings.memory)
    with fake as service:
        key: Key = open_key(RemoteKey(url=service.url, address=gate.key.address))
        notary = Notary(gate.settings, key, Rpc(gate.node.url), memory, gate.clock.now)
        notary.check_place()
        with pytest.raises(RefusedError, match="the key's holder signed another"):
            notary.answer(gate.ask_vote(gate.dossier(gate.open())))
    memory.close()


def test_a_web3signer_that_answers_nonsense_is_told() -> None:
    with FakeWeb3Signer(SECRET, CHAIN) as service:
        key = open_key(RemoteKey(url=service.url, address=LOCAL.address))
        for nonsense in (None, 5, "no hex", ["0x00"]):
            service.answers["eth_signTransaction"] = nonsense
            with pytest.raises(UnreachableError, match="no hex"):
                key.sign(TRANSACTION)
        service.answers["eth_accounts"] = ["0x" + "11" * 20]
        with pytest.raises(UsageError, match=f"holds no key of {LOCAL.address}; it has 1 accounts"):
            open_key(RemoteKey(url=service.url, address=LOCAL.address))
        url = service.url
    with pytest.raises(UnreachableError, match="Web3Signer cannot be asked: ConnectError"):
        open_key(RemoteKey(url=url, address=LOCAL.address))


# --- settings --------------------------------------------------------------------------------------------------------

MINIMAL = f"""
agent = {{ name = "a" }}
chain = {{ rpc = "http://127.0.0.1:1", chain_id = 1 }}
governor = [{{ address = "{TRANSACTION.to}", start_block = 0 }}]
log = {{ address = "{TRANSACTION.to}" }}
"""


TLS = 'tls = { ca = "a", certificate = "b", key = "c" }'


def test_the_configuration_names_a_key_elsewhere(tmp_path: Path) -> None:
    def source(key: str) -> object:
        return key_source(parse_settings(f"{MINIMAL}\n[signer]\nkey = {key}", tmp_path / "pnyx.toml"))

    assert source('{ kind = "aws-kms", key_id = "alias/votes", region = "eu-central-1" }') == AwsKmsKey(
        key_id="alias/votes", region="eu-central-1"
    )
    address = TRANSACTION.to
    tls = 'tls = { ca = "ca.pem", certificate = "c.pem", key = "k.pem" }'
    files = TlsFiles(ca=tmp_path / "ca.pem", certificate=tmp_path / "c.pem", key=tmp_path / "k.pem")
    found = source(f'{{ kind = "web3signer", url = "https://host:9000", address = "{address}", {tls} }}')
    assert found == RemoteKey(url="https://host:9000", address=address, tls=files)


@pytest.mark.parametrize(
    ("signer", "complaint"),
    [
        ('keystore = "k"\nkey = { kind = "aws-kms", key_id = "a" }', "key and keystore exclude each other"),
        ('key = { kind = "vault" }', "signer.key"),
        ('key = { kind = "aws-kms" }', "key_id: is missing"),
        ('listen = "tls://0.0.0.0:7443"', "tls:// needs certificates"),
        ('listen = "tcp://0.0.0.0:7443"', "expected tls://host:port"),
        (
            'connect = "tls://a:1"\ntls = { ca = "a", certificate = "b", key = "c" }\nkeystore = "k"',
            "exclude each other",
        ),
        ('listen = "tls://a:1"\ntls = { ca = "a", certificate = "b", key = "c" }', "listen needs tls.peers"),
        ('listen = "tls://a:1"\nconnect = "tls://a:1"', "listen and connect exclude each other"),
    ],
)
def test_contradictions_are_told(tmp_path: Path, signer: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        parse_settings(f"{MINIMAL}\n[signer]\n{signer}", tmp_path / "pnyx.toml")


def test_an_unsigned_transaction_has_no_field_that_is_not_checked() -> None:
    assert set(UnsignedTransaction.model_fields) == set(FIELDS)
    with pytest.raises(ValidationError):
        UnsignedTransaction.model_validate({**TRANSACTION.model_dump(), "value": 1})
    assert digest_of(TRANSACTION) != digest_of(TRANSACTION.model_copy(update={"nonce": 8}))
