"""A real Safe on a local node, with owners whose keys are here.

The contracts are Safe's own, as npm has them; they are under other licences (LGPL-3.0, GPL-3.0) and do not ship with
Pnyx. In a source tree `python dev.py setup` brings them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from eth_abi.abi import encode
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_contracts.errors import UsageError
from pnyx_contracts.safe import SafeTx, encode_execution, read_nonce
from pnyx_contracts.types import ZERO_ADDRESS
from pnyx_tools.shallow import shallow
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import encode_call

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

_CONTRACTS: Final = {
    "1.3.0": ("@gnosis.pm/safe-contracts", "GnosisSafe", "GnosisSafeProxy"),
    "1.4.1": ("@safe-global/safe-contracts", "Safe", "SafeProxy"),
}
VERSIONS: Final = tuple(_CONTRACTS)


@dataclass(frozen=True, slots=True)
class LocalSafe:
    """A Safe and its owners."""

    node: Anvil
    address: str
    owners: tuple[LocalAccount, ...]
    threshold: int

    def transaction(self, to: str, data: bytes, *, nonce: int | None = None, value_wei: int = 0) -> SafeTx:
        """By default with the nonce that the Safe executes next."""
        number = self.node.rpc.read(read_nonce(self.address)) if nonce is None else nonce
        chain_id = self.node.rpc.chain_id()
        return SafeTx(chain_id=chain_id, safe=self.address, to=to, data=data, nonce=number, value_wei=value_wei)

    def execute(
        self, transaction: SafeTx, signers: Iterable[LocalAccount] | None = None, *, sender: str | None = None
    ) -> dict[str, Any]:
        """The receipt, after as many owners signed as have to, or those that are named. `sender` pays."""
        chosen = self.owners[: self.threshold] if signers is None else signers
        data = encode_execution(transaction, signatures(transaction, chosen))
        return self.node.send(self.address, data, sender=sender)

    def act(self, to: str, data: bytes) -> dict[str, Any]:
        """One call by the Safe, signed and executed."""
        return self.execute(self.transaction(to, data))


def signatures(transaction: SafeTx, signers: Iterable[LocalAccount]) -> bytes:
    """As wallets sign the typed data, in the order that the Safe wants."""
    ordered = sorted(signers, key=lambda owner: int(owner.address, 16))
    typed = transaction.typed_data
    return b"".join(bytes(owner.sign_typed_data(full_message=typed).signature) for owner in ordered)


def deploy_safe(
    node: Anvil, version: str = "1.4.1", *, owners: int = 3, threshold: int = 2, seed: str = ""
) -> LocalSafe:
    """A proxy of the real contract. Owners' keys follow from `seed`."""
    with shallow():
        from eth_account import Account

    people = tuple(Account.from_key(keccak(f"owner {number} {seed}".encode())) for number in range(owners))
    package, singleton, proxy = _CONTRACTS[version]
    code = _bytecode(package, f"proxies/{proxy}") + encode(["address"], [_create(node, _bytecode(package, singleton))])
    safe = _create(node, code)
    setup = "setup(address[],uint256,address,bytes,address,address,uint256,address)"
    addresses = [person.address for person in people]
    nobody = ZERO_ADDRESS
    node.send(safe, encode_call(setup, addresses, threshold, nobody, b"", nobody, nobody, 0, nobody))
    return LocalSafe(node, safe, people, threshold)


def _create(node: Anvil, code: bytes) -> str:
    return str(to_checksum_address(node.send(None, code)["contractAddress"]))


def _bytecode(package: str, contract: str) -> bytes:
    name = contract.rpartition("/")[2]
    file = _package(package) / "build" / "artifacts" / "contracts" / f"{contract}.sol" / f"{name}.json"
    return bytes.fromhex(json.loads(file.read_text(encoding="utf-8"))["bytecode"].removeprefix("0x"))


def _package(name: str) -> Path:
    places: Sequence[Path] = [
        folder / kept / name
        for folder in Path(__file__).resolve().parents
        for kept in ("contracts/node_modules", "node_modules")
    ]
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        raise UsageError(f"no npm package {name}", hint=f"npm install {name}, in a folder above this one")
    return found
