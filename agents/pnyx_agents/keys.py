"""Where the signer's key comes from, as ``[signer]`` says."""

from __future__ import annotations

from pydantic import SecretStr

from pnyx_agents.settings import KmsSettings, Settings, SignerSettings, Web3SignerSettings
from pnyx_contracts.errors import UsageError
from pnyx_tools.keystore import (
    AwsKmsKey,
    EncryptedKey,
    KeySource,
    RemoteKey,
    UnsafeEnvironmentKey,
    ask_password,
    read_password,
)


def require_key(settings: Settings) -> SignerSettings:
    """The section that says where the key is. Raises `UsageError`."""
    own = settings.signer
    if own is None or not own.has_key:
        raise UsageError(
            "[signer] names no keystore, and no other key",
            hint='pnyx init --keystore makes one; then keystore = "keys/signer.json"',
        )
    return own


def key_source(settings: Settings) -> KeySource:
    """The keystore, a service, or, where the configuration says so in as many words, unsafely the environment."""
    own = require_key(settings)
    if own.unsafe_key_from_environment is not None:
        return UnsafeEnvironmentKey(variable=own.unsafe_key_from_environment)
    match own.key:
        case KmsSettings():
            return AwsKmsKey(key_id=own.key.key_id, region=own.key.region, endpoint_url=own.key.endpoint_url)
        case Web3SignerSettings():
            tls = settings.tls_files(own.key.tls) if own.key.tls else None
            return RemoteKey(url=own.key.url, address=own.key.address, tls=tls)
    assert own.keystore is not None
    keystore = settings.path(own.keystore)
    if own.password_file is not None:
        password = read_password(settings.path(own.password_file))
    else:
        password = ask_password(keystore)
    return EncryptedKey(keystore=keystore, password=SecretStr(password))
