"""People with keys, and the wallets that some of them keep elsewhere."""

from __future__ import annotations

import subprocess
from pathlib import Path

from pnyx_tools.keystore import create_keystore
from pnyx_tools.testing.settling import PASSWORD

CAST = str(Path(__file__).parents[2] / "contracts" / "node_modules" / ".bin" / "cast")


def key_of_an_approver(folder: Path, name: str = "approver") -> tuple[tuple[object, ...], str]:
    """How a command is given it, and its address."""
    keystore, password = folder / f"{name}.json", folder / f"{name}.password"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    address = create_keystore(keystore, PASSWORD, scrypt_work=2**12)
    return ("--keystore", keystore, "--password-file", password), address


def wallet_signs(file: Path, key: str) -> str:
    """By a program of other people, which reads the file as wallets do."""
    command = [CAST, "wallet", "sign", "--private-key", key, "--data", "--from-file", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()
