"""State proven against a block hash that the member trusts, so that no node has to be believed about it.

The header that the node gives must hash to that hash; its state root then binds the code of every account and every
slot of its storage, through the Merkle Patricia tries of the Ethereum Yellow Paper, appendix D; `eth_getProof`
(EIP-1186) brings the nodes on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import rlp
from rlp.exceptions import RLPException

from pnyx_contracts.decision_log import HEAD_BYTES
from pnyx_contracts.entry import WriterState
from pnyx_contracts.errors import PnyxError
from pnyx_contracts.keccak import keccak
from pnyx_contracts.types import to_hex
from pnyx_tools.reader import ChainReader
from pnyx_tools.wire import parse_data, parse_quantity

_FIELDS: Final = (
    "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom", "difficulty",
    "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce",
)  # fmt: skip
_LATER_FIELDS: Final = (
    "baseFeePerGas",  # London
    "withdrawalsRoot",  # Shanghai
    "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot",  # Cancun
    "requestsHash",  # Prague
)  # fmt: skip
_NUMBERS: Final = frozenset(
    {"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas"}
)
_EMPTY_CODE: Final = keccak(b"")
_EMPTY_TRIE: Final = keccak(rlp.encode(b""))
_BRANCH, _SHORT = 17, 2
"""Items of a trie's nodes."""


class ProofError(PnyxError):
    """What the node gave proves something else, or nothing."""


@dataclass(frozen=True, slots=True)
class ProvenAccount:
    """What the state root says about an account."""

    code_hash: bytes
    words: dict[bytes, bytes]
    """By slot; 32 bytes each."""


@dataclass(frozen=True, slots=True)
class ProvenState:
    """The state of one block, from one node that need not be believed. Made by `proven_state`."""

    reader: ChainReader
    block_hash: bytes
    number: int
    root: bytes

    def account(self, address: str, slots: Sequence[bytes] = ()) -> ProvenAccount:
        """Raises `ProofError`; `MethodMissingError` or `RpcError` when the node gives no proof."""
        asked = [address, [to_hex(slot) for slot in slots], hex(self.number)]
        answer = self.reader.request("eth_getProof", asked)
        try:
            account = _value(self.root, bytes.fromhex(address[2:]), _nodes(answer["accountProof"]))
            if account is None:
                return ProvenAccount(_EMPTY_CODE, dict.fromkeys(slots, bytes(32)))
            _, _, storage, code_hash = rlp.decode(account)
            proofs = {slot: _nodes(of["proof"]) for slot, of in zip(slots, answer["storageProof"], strict=True)}
            return ProvenAccount(code_hash, {slot: _word(storage, slot, proof) for slot, proof in proofs.items()})
        except (ValueError, TypeError, KeyError, IndexError, RLPException) as error:
            raise ProofError(f"the node's proof about {address} is malformed: {error}") from None

    def writer_state(self, log: str, writer: str) -> tuple[bytes, WriterState]:
        """The hash of the log's code, and what its storage holds about the writer (docs/contracts.md)."""
        slot = keccak(bytes(12) + bytes.fromhex(writer[2:]) + bytes(32))
        proven = self.account(log, [slot])
        word = proven.words[slot]
        counters, flags = word[HEAD_BYTES:31], word[31]
        state = WriterState(
            head=word[:HEAD_BYTES],
            seq=int.from_bytes(counters[:5], "big"),
            epoch=int.from_bytes(counters[5:], "big"),
            registered=bool(flags & 1),
            closed=bool(flags & 2),
        )
        return proven.code_hash, state


def proven_state(reader: ChainReader, block_hash: bytes) -> ProvenState:
    """Raises `ProofError` when the header that the node gives is not that of the block."""
    header = reader.request("eth_getBlockByHash", [to_hex(block_hash), False])
    try:
        later = [name for name in _LATER_FIELDS if header.get(name) is not None]
        if keccak(rlp.encode([_field(header, name) for name in (*_FIELDS, *later)])) != block_hash:
            raise ProofError(
                f"the header that the node gives does not hash to {to_hex(block_hash)}",
                hint="use another node, or check that the hash is one of this chain",
            )
        return ProvenState(reader, block_hash, parse_quantity(header["number"]), parse_data(header["stateRoot"]))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ProofError(f"the node's header of {to_hex(block_hash)} is malformed: {error}") from None


def _field(header: dict[str, Any], name: str) -> bytes:
    value = header[name]
    return _big_endian(parse_quantity(value)) if name in _NUMBERS else parse_data(value)


def _big_endian(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _nodes(proof: Sequence[str]) -> list[bytes]:
    return [parse_data(node) for node in proof]


def _word(root: bytes, slot: bytes, proof: list[bytes]) -> bytes:
    value = _value(root, slot, proof)
    return bytes(32) if value is None else bytes(rlp.decode(value)).rjust(32, b"\0")


def _value(root: bytes, key: bytes, proof: list[bytes]) -> bytes | None:
    """What stands in the trie under a key, None when nothing does. Raises `ProofError`."""
    path, left = keccak(key).hex(), list(proof)
    place: Any = root  # a reference: a hash, or a small node itself
    if root == _EMPTY_TRIE:
        return None
    found: bytes | None = None
    while place:
        node = _node(place, left)
        if len(node) == _BRANCH:
            if not path:
                raise ProofError("a proof goes on where a key ends")
            place, path = node[int(path[0], 16)], path[1:]
            continue
        nibbles, ends = _compact(node[0])
        if ends and path == nibbles:
            found = bytes(node[1])
        if ends or not path.startswith(nibbles):
            break
        place, path = node[1], path[len(nibbles) :]
    if left:
        raise ProofError("a proof has parts that lead nowhere")
    return found


def _node(place: Any, left: list[bytes]) -> list[Any]:  # noqa: ANN401 - as it came
    """The node that a reference leads to: the next of the proof, or one so small that it is its own reference."""
    if isinstance(place, list):
        return place
    if not left or keccak(left[0]) != place:
        raise ProofError("a proof does not lead from the state root to what it should prove")
    node: list[Any] = rlp.decode(left.pop(0))
    if not isinstance(node, list) or len(node) not in {_BRANCH, _SHORT}:
        raise ProofError("a proof has a part that is no node of a trie")
    return node


def _compact(key: bytes) -> tuple[str, bool]:
    """A path in hex-prefix encoding: its nibbles, and whether a value follows."""
    nibbles = bytes(key).hex()
    flag = int(nibbles[0], 16)
    return nibbles[1:] if flag & 1 else nibbles[2:], bool(flag & 2)
