"""Keys at rest."""

from __future__ import annotations

import json
import pickle
import stat
from pathlib import Path

import pytest
from eth_account import Account
from pydantic import SecretStr

from pnyx_contracts.errors import UsageError
from pnyx_tools.files import write_secret
from pnyx_tools.keystore import (
    EncryptedKey,
    UnsafeEnvironmentKey,
    create_keystore,
    keystore_address,
    load_key,
    open_key,
    read_password,
    unsafe_key_from_environment,
)
from pnyx_tools.signer.keys import LocalKey, UnsignedTransaction

PASSWORD = "correct horse battery"
QUICK = 2
"""scrypt work for tests: the file format is the same."""


@pytest.fixture
def keystore(tmp_path: Path) -> Path:
    path = tmp_path / "keys" / "agent.json"
    create_keystore(path, PASSWORD, scrypt_work=QUICK)
    return path


def test_a_new_keystore_is_private_encrypted_and_opens_again(keystore: Path) -> None:
    assert stat.S_IMODE(keystore.stat().st_mode) == 0o600
    content = json.loads(keystore.read_text())
    assert content["version"] == 3
    assert content["crypto"]["kdf"] == "scrypt"

    key = load_key(keystore, PASSWORD)

    assert key.address == keystore_address(keystore)
    secret = Account.decrypt(content, PASSWORD)
    assert Account.from_key(secret).address == key.address
    assert bytes(secret).hex() not in keystore.read_text()


def test_the_default_work_factor_is_the_usual_one(tmp_path: Path) -> None:
    create_keystore(tmp_path / "k.json", PASSWORD)
    assert json.loads((tmp_path / "k.json").read_text())["crypto"]["kdfparams"]["n"] == 2**18


def test_a_key_is_never_overwritten(keystore: Path) -> None:
    before = keystore.read_bytes()
    with pytest.raises(UsageError, match=r"agent\.json exists"):
        create_keystore(keystore, PASSWORD, scrypt_work=QUICK)
    assert keystore.read_bytes() == before


def test_a_short_password_makes_no_keystore(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="too short"):
        create_keystore(tmp_path / "k.json", "hunter2", scrypt_work=QUICK)
    assert not (tmp_path / "k.json").exists()


def test_a_wrong_password_names_the_file_and_nothing_else(keystore: Path) -> None:
    with pytest.raises(UsageError, match="the password is wrong") as caught:
        load_key(keystore, "wrong horse battery")
    _shows_nothing(caught.value, "wrong horse battery", keystore)
    assert str(keystore) in str(caught.value)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 2}', '{"version": 3}', '{"version": 3, "crypto": 7}'])
def test_what_is_no_keystore_is_told_by_name_only(tmp_path: Path, content: str) -> None:
    path = tmp_path / "agent.json"
    write_secret(path, content)
    with pytest.raises(UsageError, match=r"agent\.json") as caught:
        load_key(path, PASSWORD)
    _shows_nothing(caught.value, PASSWORD, path, content_too=len(content) > 2)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_keystore_that_others_can_read_is_refused(keystore: Path, mode: int) -> None:
    keystore.chmod(mode)
    with pytest.raises(UsageError, match=f"mode {mode:04o}.*\n.*chmod 600"):
        load_key(keystore, PASSWORD)


def test_the_password_is_the_first_line_of_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "password"
    write_secret(path, f"{PASSWORD}\nsecond line\n")
    assert read_password(path) == PASSWORD


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_a_password_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "password"
    write_secret(path, PASSWORD)
    path.chmod(mode)
    with pytest.raises(UsageError, match="can be read by others") as caught:
        read_password(path)
    assert PASSWORD not in str(caught.value)


def test_a_missing_or_empty_password_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_password(tmp_path / "nothing")
    write_secret(tmp_path / "empty", "")
    with pytest.raises(UsageError, match="is empty"):
        read_password(tmp_path / "empty")
    with pytest.raises(UsageError, match="is not a file"):
        read_password(tmp_path)


def test_a_key_from_the_environment_is_taken_out_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account.create()
    monkeypatch.setenv("AGENT_KEY", account.key.hex())
    assert open_key(UnsafeEnvironmentKey(variable="AGENT_KEY")).address == account.address
    with pytest.raises(UsageError, match="no variable AGENT_KEY"):
        unsafe_key_from_environment("AGENT_KEY")


def test_a_wrong_key_in_the_environment_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("0xdeadbeef", "not hex at all", "f" * 64):
        monkeypatch.setenv("AGENT_KEY", wrong)
        with pytest.raises(UsageError, match="AGENT_KEY") as caught:
            unsafe_key_from_environment("AGENT_KEY")
        assert wrong not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_a_source_shows_no_password(keystore: Path) -> None:
    source = EncryptedKey(keystore=keystore, password=SecretStr(PASSWORD))
    assert PASSWORD not in f"{source!r} {source} {source.model_dump_json()}"
    assert open_key(source).address == keystore_address(keystore)


def test_a_key_shows_its_address_only_and_does_not_pickle() -> None:
    account = Account.create()
    key = LocalKey(bytes(account.key))
    assert account.key.hex() not in repr(key)
    assert key.address in repr(key)
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_a_signature_is_by_the_key_over_exactly_these_fields() -> None:
    account = Account.create()
    transaction = UnsignedTransaction(
        chain_id=1,
        nonce=7,
        to="0x00000000219ab540356cBB839Cbe05303d7705Fa",
        data=b"\x01\x02",
        gas_limit=100_000,
        max_fee_per_gas=30 * 10**9,
        max_priority_fee_per_gas=10**9,
    )

    signed = LocalKey(bytes(account.key)).sign(transaction)

    assert Account.recover_transaction(signed.raw) == account.address
    from eth_account.typed_transactions import TypedTransaction
    from hexbytes import HexBytes

    fields = TypedTransaction.from_bytes(HexBytes(signed.raw)).as_dict()
    assert (fields["type"], fields["chainId"], fields["nonce"], fields["value"]) == (2, 1, 7, 0)
    assert (bytes(fields["data"]), fields["gas"]) == (b"\x01\x02", 100_000)
    assert (fields["maxFeePerGas"], fields["maxPriorityFeePerGas"]) == (30 * 10**9, 10**9)
    assert HexBytes(fields["to"]).hex() == transaction.to[2:].lower()


def _shows_nothing(error: UsageError, password: str, path: Path, *, content_too: bool = True) -> None:
    """Neither the message nor its causes quote the password or the file."""
    shown = f"{error!r} {error} {error.__cause__!r}"
    assert error.__cause__ is None
    assert password not in shown
    assert not content_too or path.read_text() not in shown
