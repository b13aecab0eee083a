"""A local Ethereum node for tests, the demo and plugin authors: Foundry's `anvil`, started and surely stopped."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from eth_utils.address import to_checksum_address

from pnyx_contracts.errors import PnyxError, UsageError
from pnyx_contracts.types import BlockRef, to_hex
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.door import Door

START_SECONDS: Final = 20.0
STOP_SECONDS: Final = 120.0
"""What a long chain has left on disk is removed meanwhile."""
BLOCKS_AT_ONCE: Final = 500
"""How many are mined in one request: a busy machine needs up to ten milliseconds for each."""

_THERE_FROM_THE_START: Final = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
"""The deterministic deployment proxy, a contract that anvil puts on each chain."""

# The node lives as long as standard input stays open, and that closes however this process ends. What it keeps on disk
# of older blocks (gigabytes, for long chains) goes with it.
_LEASH: Final = """
exec 3<&0
kept=$(mktemp -d)
"$@" --cache-path "$kept" </dev/null 3<&- & node=$!
{ read -r _ <&3; kill "$node"; } 2>/dev/null & leash=$!
wait "$node"; code=$?
kill "$leash" 2>/dev/null
rm -rf "$kept"
exit "$code"
"""


def find_anvil() -> str:
    """Path of the `anvil` binary: from PNYX_ANVIL, from PATH, or from the Node packages of a source tree."""
    named = os.environ.get("PNYX_ANVIL")
    if named:
        if not os.access(named, os.X_OK):
            raise UsageError(f"PNYX_ANVIL names {named}, which is not a program that can be run")
        return named
    on_path = shutil.which("anvil")
    if on_path:
        return on_path
    for folder in Path(__file__).resolve().parents:
        for packages in (folder / "contracts" / "node_modules", folder / "node_modules"):
            for binary in sorted(packages.glob("@foundry-rs/anvil-*/bin/anvil*")):
                if os.access(binary, os.X_OK):
                    return str(binary)
    raise UsageError(
        "no `anvil` found: not in PNYX_ANVIL, not on PATH, not in contracts/node_modules",
        hint="npm install @foundry-rs/anvil, then set PNYX_ANVIL to its binary or put it on PATH",
    )


class Anvil:
    """A running node: ``with Anvil() as node: node.url``. Its ten accounts are funded and unlocked.

    `block_time` in seconds mines at that pace; without it every transaction mines its own block. `states`: of how many
    of the last blocks the state is kept, all of them in memory; without it older ones are kept too, but on disk, from
    where `reorg` cannot bring them back. `calm`: nothing is read while it mines (see `Door`), for those who mine under
    an agent that reads. The node ends with this process, even when that is killed.
    """

    def __init__(
        self,
        *,
        hardfork: str | None = None,
        block_time: int | None = None,
        chain_id: int = 31337,
        timestamp: int | None = None,
        states: int | None = None,
        calm: bool = False,
        silent: bool = True,
        port: int | None = None,
        extra_arguments: tuple[str, ...] = (),
    ) -> None:
        self._arguments = ["--host", "127.0.0.1", "--chain-id", str(chain_id), *extra_arguments]
        if hardfork is not None:
            self._arguments += ["--hardfork", hardfork]
        if block_time is not None:
            self._arguments += ["--block-time", str(block_time)]
        if timestamp is not None:
            self._arguments += ["--timestamp", str(timestamp)]
        if states is not None:
            self._arguments += ["--prune-history", str(states)]
        if calm:
            self._arguments += ["--no-mining"]
        self._calm = calm
        self._silent = silent
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._rpc: Rpc | None = None
        self._door: Door | None = None
        self.accounts: tuple[str, ...] = ()
        """Checksummed addresses of the unlocked accounts."""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- life --------------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        if self._process is not None:
            raise UsageError("this node runs already")
        binary = find_anvil()
        self._port = _free_port(self._port or 0)
        self._rpc = Rpc(self.url)
        with tempfile.TemporaryFile() as complaints:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _LEASH, "anvil", binary, "--port", str(self._port), *self._arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL if self._silent else None,
                stderr=complaints if self._silent else None,
                env={**os.environ, "NO_COLOR": "1"},
                start_new_session=True,  # Ctrl-C is for us: a daemon that stops cleanly still needs its node
            )
            try:
                self._wait_until_it_answers(complaints)
            except BaseException:
                self.stop()
                raise
        if self._calm:
            self._door = Door(self.url).__enter__()
            self._rpc.close()
            self._rpc = Rpc(self.url)
        self.accounts = tuple(to_checksum_address(account) for account in self.rpc.request("eth_accounts", []))
        return self

    def stop(self) -> None:
        if self._rpc is not None:
            self._rpc.close()
            self._rpc = None
        if self._door is not None:
            self._door.__exit__(None, None, None)
            self._door = None
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _wait_until_it_answers(self, complaints: IO[bytes]) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port or 0)) == 0:
                    self.rpc.chain_id()
                    return
            time.sleep(0.02)
        complaints.seek(0)
        said = complaints.read()[-500:].decode(errors="replace").strip()
        raise PnyxError(f"anvil did not start on port {self._port}: {said or 'no answer'}")

    # --- use ---------------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}" if self._door is None else self._door.url

    @property
    def websocket_url(self) -> str:
        """Of the node itself, past its door."""
        return f"ws://127.0.0.1:{self._port}"

    @property
    def rpc(self) -> Rpc:
        """A reader of this node."""
        if self._rpc is None:
            raise UsageError("this node does not run: use `with Anvil() as node:`")
        return self._rpc

    def request(self, method: str, *params: Any) -> Any:  # noqa: ANN401 - JSON as the node gave it
        return self.rpc.request(method, params)

    def mine(self, blocks: int = 1, interval_seconds: int | None = None) -> BlockRef:
        """Mines `blocks` blocks, `interval_seconds` apart when given; returns the new head."""
        interval = [] if interval_seconds is None else [hex(interval_seconds)]
        for start in range(0, blocks, BLOCKS_AT_ONCE):
            self.request("anvil_mine", hex(min(BLOCKS_AT_ONCE, blocks - start)), *interval)
        return self.rpc.block()

    def increase_time(self, seconds: int) -> BlockRef:
        """Moves the clock forward and mines one block at the new time; returns it."""
        self.request("evm_increaseTime", hex(seconds))
        return self.mine()

    def set_balance(self, address: str, wei: int) -> None:
        self.request("anvil_setBalance", address, hex(wei))

    def set_code(self, address: str, code: bytes) -> None:
        self.request("anvil_setCode", address, "0x" + code.hex())

    def impersonate(self, address: str) -> None:
        """From now on `send` works for `address`, also for a contract."""
        self.request("anvil_impersonateAccount", address)

    def snapshot(self) -> str:
        return str(self.request("evm_snapshot"))

    def revert(self, snapshot: str) -> None:
        """Back to a snapshot; like a reorganisation, blocks after it are gone."""
        if self.request("evm_revert", snapshot) is not True:
            raise PnyxError(f"anvil does not know the snapshot {snapshot}")

    def reorg(self, depth: int, placed: Sequence[tuple[str, int]] = ()) -> BlockRef:
        """Replaces the last `depth` blocks; returns the new head. They are empty but for the raw transactions that are
        `placed`, each in one of them, counted from zero.

        Raises `PnyxError` when the node lost its contracts with them. Anvil 1.7 does so where the state below the
        blocks is on disk: on chains of up to 500 blocks none is, on those of 1,000 all but the last ten.
        """
        # Empty blocks of the same moment have the same hash, unless somebody else makes them.
        self.request("anvil_setCoinbase", to_hex(self.rpc.block().hash[:20]))
        self.request("anvil_reorg", depth, list(placed))
        head = self.rpc.block()
        if not self.rpc.code(_THERE_FROM_THE_START):
            raise PnyxError(
                f"anvil lost all contracts when it replaced the last {depth} of {head.number} blocks",
                hint="start the node with more `states` than the chain will have blocks",
            )
        return head

    def send(
        self, to: str | None, data: bytes = b"", *, value_wei: int = 0, sender: str | None = None
    ) -> dict[str, Any]:
        """The receipt of a mined transaction from an unlocked account (the first one by default).

        Raises `RevertedError` when it would fail.
        """
        transaction = {"from": sender or self.accounts[0], "data": "0x" + data.hex(), "value": hex(value_wei)}
        if to is not None:
            transaction["to"] = to
        # A second later another path may be taken (a checkpoint that is in the past then): leave room for it.
        gas = int(self.request("eth_estimateGas", transaction), 16) * 3 // 2
        sent = self.request("eth_sendTransaction", transaction | {"gas": hex(gas)})
        receipt = self._receipt(bytes.fromhex(sent[2:]))
        if receipt.get("status") != "0x1":
            raise PnyxError(f"the transaction {sent} to {to} reverted")
        return receipt

    def _receipt(self, transaction_hash: bytes) -> dict[str, Any]:
        for _ in range(200):
            receipt = self.rpc.receipt(transaction_hash)
            if receipt is not None:
                return receipt
            time.sleep(0.05)
        raise PnyxError(f"the transaction 0x{transaction_hash.hex()} was not mined within 10 seconds")


def _free_port(wanted: int) -> int:
    """`wanted` if nobody listens there, any free port for 0."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise UsageError(f"anvil cannot listen on port {wanted}: {error.strerror}", hint="give no port") from None
        return int(probe.getsockname()[1])
