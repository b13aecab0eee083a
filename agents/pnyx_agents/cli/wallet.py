"""What somebody signs elsewhere, with a wallet that this machine never sees: typed data in a file, a signature back."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

from pnyx_contracts.errors import UsageError
from pnyx_policies.typed_data import signer_of

MOST_BYTES: Final = 100_000
_SIGNATURE: Final = re.compile("(0x)?[0-9a-fA-F]{130}")
_LOWEST_V: Final = 27


def write(typed_data: dict[str, Any], path: Path) -> None:
    """As wallets take it (``eth_signTypedData_v4``). Numbers of a message become texts: programs in JavaScript would
    round large ones. Nothing is overwritten. Raises `UsageError`.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(json.dumps(_spelled(typed_data), indent=1, ensure_ascii=False) + "\n")
    except FileExistsError:
        raise UsageError(f"{path} exists already", hint="choose another file; or add --signature") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None


def what_next(path: Path, command: str) -> str:
    """Once `write` wrote it. `command` takes the signature."""
    return (
        f"What an approver's wallet signs (EIP-712) is in {path}; nothing is handed over yet.\n"
        f"  sign:      cast wallet sign --data --from-file {path} --ledger   (or any wallet: eth_signTypedData_v4)\n"
        f"  hand over: {command} --typed-data {path} --signature 0x..."
    )


def read(path: Path) -> dict[str, Any]:
    """The message of what `write` wrote. Raises `UsageError`."""
    try:
        with path.open("rb") as file:
            message = json.loads(file.read(MOST_BYTES))["message"]
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise UsageError(f"{path} holds no typed data", hint="--typed-data FILE without --signature writes it")
    return message


def differs_at(typed_data: dict[str, Any], message: dict[str, Any]) -> str | None:
    """The first member of the message in which what was signed is something else than `typed_data`."""
    expected = _spelled(typed_data)["message"]
    return next((name for name, value in expected.items() if message.get(name) != value), None)


def signature_over(digest: bytes, text: str) -> tuple[str, str]:
    """Whose it is, and the one spelling that records have. Some wallets count v from 0. Raises `UsageError`."""
    if not _SIGNATURE.fullmatch(text.strip()):
        raise UsageError("the signature is not 65 bytes in hex", hint="0x and 130 digits, as the wallet gave it")
    raw = bytes.fromhex(text.strip().removeprefix("0x"))
    spelled = f"0x{raw[:64].hex()}{raw[64] + _LOWEST_V if raw[64] < _LOWEST_V else raw[64]:02x}"
    person = signer_of(digest, spelled)
    if person is None:
        raise UsageError("the signature is none that a key gives", hint="sign the file again; contracts cannot approve")
    return person, spelled


def _spelled(typed_data: dict[str, Any]) -> dict[str, Any]:
    message = {name: str(value) if isinstance(value, int) else value for name, value in typed_data["message"].items()}
    return {**typed_data, "message": message}
