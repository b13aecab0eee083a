"""Where keys are: encrypted keystore files (Web3 Secret Storage, version 3) with the files that hold their passwords,
and services that keep a key to themselves.

Errors name the file, never what is in it.
"""

from __future__ import annotations

import getpass
import json
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from eth_utils.address import is_address, to_checksum_address
from pydantic import SecretStr

from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import Address, Value
from pnyx_tools.environment import take_variable
from pnyx_tools.files import require_private, write_secret
from pnyx_tools.shallow import shallow
from pnyx_tools.signer.keys import Key, LocalKey
from pnyx_tools.signer.tls import TlsFiles

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount


class EncryptedKey(Value):
    """A keystore file and its password."""

    keystore: Path
    password: SecretStr


class UnsafeEnvironmentKey(Value):
    """The name of an environment variable with a raw key. Unsafe: see `unsafe_key_from_environment`."""

    variable: str


class AwsKmsKey(Value):
    """A key in AWS KMS, by id, ARN or alias."""

    key_id: str
    region: str | None = None
    """None leaves it to boto3's own settings."""
    endpoint_url: str | None = None


class RemoteKey(Value):
    """A key in Web3Signer."""

    url: str
    address: Address
    tls: TlsFiles | None = None
    """For mutual TLS."""


KeySource = EncryptedKey | UnsafeEnvironmentKey | AwsKmsKey | RemoteKey
"""Where a signer finds its key."""

SCRYPT_WORK: Final = 2**18
"""The usual cost of guessing one password (scrypt N, with r = 8 and p = 1): about a second and 256 MB."""

MIN_PASSWORD_CHARACTERS: Final = 12


def create_keystore(path: Path, password: str, *, scrypt_work: int = SCRYPT_WORK) -> str:
    """A new key in a new file with mode 0600; returns its address. Raises `UsageError`, never overwrites a key."""
    with shallow():
        from eth_account import Account

    if len(password) < MIN_PASSWORD_CHARACTERS:
        raise UsageError(f"the keystore's password is too short: at least {MIN_PASSWORD_CHARACTERS} characters")
    account = Account.create()
    content = json.dumps(Account.encrypt(account.key, password, kdf="scrypt", iterations=scrypt_work))
    try:
        write_secret(path, content)
    except FileExistsError:
        raise UsageError(
            f"the keystore {path} exists: a key is never overwritten",
            hint="choose another file, or move the old one away",
        ) from None
    return str(account.address)


def keystore_address(path: Path) -> str:
    """The address that a keystore file names, without its password. It is a claim until the key is loaded."""
    address = _read_keystore(path).get("address")
    prefixed = f"0x{str(address).removeprefix('0x')}"
    if not is_address(prefixed):
        raise UsageError(f"the keystore {path} names no address", hint="load it with its password instead")
    return str(to_checksum_address(prefixed))


def load_key(path: Path, password: str) -> LocalKey:
    """Raises `UsageError` for a file that is none, or a password that is wrong."""
    return LocalKey(_decrypt(path, password))


def load_account(path: Path, password: str) -> LocalAccount:
    """A person's own key, for what a person does at a terminal: deploying, signing an approval. Raises as
    `load_key`.
    """
    with shallow():
        from eth_account import Account

    account: LocalAccount = Account.from_key(_decrypt(path, password))
    return account


def address_of(source: KeySource) -> str:
    """The address of a signer's key, which an encrypted keystore tells without its password."""
    match source:
        case EncryptedKey():
            return keystore_address(source.keystore)
        case UnsafeEnvironmentKey():
            return _key_from(source.variable, os.environ.get(source.variable, "")).address
        case AwsKmsKey():
            return open_key(source).address
        case RemoteKey():
            return source.address


def _decrypt(path: Path, password: str) -> bytes:
    with shallow():
        from eth_account import Account

    content = _read_keystore(path)
    try:
        secret = bytes(Account.decrypt(content, password))
    except Exception as error:  # noqa: BLE001 - decoders of hostile files raise anything, and some quote what they read
        wrong_password = isinstance(error, ValueError) and "MAC" in str(error)
        what = "the password is wrong" if wrong_password else "it is no keystore of version 3"
        raise UsageError(
            f"the keystore {path} cannot be opened: {what}", hint="check the file and its password"
        ) from None
    return secret


def open_key(source: KeySource) -> Key:
    """Raises `UsageError`, and `UnreachableError` for a key that is elsewhere."""
    match source:
        case EncryptedKey():
            return load_key(source.keystore, source.password.get_secret_value())
        case UnsafeEnvironmentKey():
            return unsafe_key_from_environment(source.variable)
        case AwsKmsKey():
            from pnyx_tools.signer.kms import KmsKey

            return KmsKey(source.key_id, source.region, source.endpoint_url)
        case RemoteKey():
            from pnyx_tools.signer.web3signer import Web3SignerKey

            return Web3SignerKey(source.url, source.address, source.tls)


def read_password(path: Path) -> str:
    """The first line of a file that only its owner can read. Raises `UsageError`."""
    require_private(path, "password file")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the password file {path} cannot be read: {type(error).__name__}") from None
    if not lines or not lines[0]:
        raise UsageError(f"the password file {path} is empty")
    return lines[0]


def ask_password(path: Path, *, new: bool = False) -> str:
    """Asks the person at the terminal, twice for a new keystore; nothing is echoed. Raises `UsageError` without a
    terminal: a password that would be shown is not asked for.
    """
    if not new:
        require_private(path, "keystore")
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            password = getpass.getpass(f"Password for {path}: ")
            if new and getpass.getpass("Again: ") != password:
                raise UsageError("the two passwords differ")
        except getpass.GetPassWarning:
            raise UsageError(
                f"there is no terminal to ask for the password of {path}",
                hint="name a file that holds it: --password-file, or password_file in [signer]",
            ) from None
    return password


def unsafe_key_from_environment(name: str) -> LocalKey:
    """A raw key from an environment variable, which is taken out of the environment. For tests and throw-away keys.

    Unsafe: other processes of the same user, crash reports and orchestrators see environments.
    """
    return _key_from(name, take_variable(name))


def _key_from(name: str, text: str) -> LocalKey:
    if not text:
        raise UsageError(
            f"the environment has no variable {name}", hint="set it, or use a keystore file, which is the safe way"
        )
    try:
        return LocalKey(bytes.fromhex(text.strip().removeprefix("0x")))
    except (ValueError, UsageError):
        raise UsageError(f"the variable {name} does not hold a private key: expected 32 bytes in hex") from None


def _read_keystore(path: Path) -> dict[str, Any]:
    require_private(path, "keystore")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"the keystore {path} cannot be read: {error.strerror}") from None
    except ValueError:
        content = None
    if not isinstance(content, dict) or content.get("version") != 3:
        raise UsageError(f"the file {path} is no keystore of version 3", hint="pnyx init --keystore makes one")
    return content
