"""ENS names of the addresses in a proposal's calls, checked both ways.

1. The reverse record of the address (EIP-181) gives a name: anybody sets any text there.
2. The name must be one that everybody reads alike: lower-case ASCII letters, digits, hyphens. ENS has more (ENSIP-15);
   a letter of another script that looks the same, or one that cannot be seen, is what an impostor would use.
3. The name must lead back to the address: only its owner can set that (EIP-137).

A name proves who owns the name, not who they are: anyone can register ``some-dao-treasury.eth``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from typing import TypeVar

from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile, Read
from pnyx_contracts.selectors import selector_of
from pnyx_contracts.strict_abi import parse_parameters
from pnyx_contracts.types import ZERO_ADDRESS, BlockRef, Proposal, to_hex
from pnyx_policies.context.ens_names import MAX_ADDRESSES, EnsName, EnsNames
from pnyx_policies.facts import Grade
from pnyx_tools.context.asking import ask_all
from pnyx_tools.reader import ChainReader

REGISTRIES: Mapping[int, str] = {1: "0x00000000000C2E074eC69A0dFb2997BA6C7d2e1e"}
"""The registry of ENS, by chain."""

_PLAIN = re.compile(r"(?=.{3,255}\Z)[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)+")
_TEXT = parse_parameters("(string text)")[0].kind
T = TypeVar("T")


class EnsNamesTool:
    """Reads the registry and the resolvers that it names; nothing off chain, no wildcards."""

    name = EnsNames.TOOL
    version = EnsNames.VERSION
    grade = Grade.RE_READ
    description = "ENS names of the addresses in the calls, each checked both ways."

    def __init__(self, registries: Mapping[int, str] = REGISTRIES) -> None:
        self._registries = registries

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,  # noqa: ARG002 - the protocol's
        profile: GovernorProfile,  # noqa: ARG002 - the protocol's
        proposal: Proposal,
        block: BlockRef,
    ) -> EnsNames:
        registry = self._registries.get(proposal.key.chain_id)
        if registry is None:
            return EnsNames(registry=None)
        addresses = tuple(dict.fromkeys(_addresses(decode_calls(proposal.calls, proposal.key.chain_id))))
        looked_up = addresses[:MAX_ADDRESSES]
        lookup = _Lookup(reader, registry, to_hex(block.hash))
        claimed = lookup.claims(looked_up)
        plain = {address: name for address, name in claimed.items() if _PLAIN.fullmatch(name)}
        owners = lookup.owners(plain.values())
        proven = {address: name for address, name in plain.items() if owners.get(name) == address}
        return EnsNames(
            registry=registry,
            names=tuple(EnsName(address=address, name=name) for address, name in proven.items()),
            not_believed=tuple(address for address in claimed if address not in proven),
            left_out=len(addresses) - len(looked_up),
        )


def _addresses(calls: Iterable[DecodedCall]) -> Iterator[str]:
    """On this chain: who is called, who calls, and what stands in arguments."""
    for call in (inner for outer in calls for inner in outer.walk() if not inner.other_chain):
        named = (argument.value for argument in call.arguments if argument.type == "address")
        yield from (a for a in (call.target, call.caller, *named) if a is not None and a != ZERO_ADDRESS)


class _Lookup:
    """Reads of one block. What a registry or a resolver does not answer as it should counts as no record."""

    def __init__(self, reader: ChainReader, registry: str, at: str) -> None:
        self._reader = reader
        self._registry = registry
        self._at = at

    def claims(self, addresses: Sequence[str]) -> dict[str, str]:
        """Names by address, as the reverse records have them."""
        nodes = {address: _reverse_node(address) for address in addresses}
        resolvers = self._resolvers(nodes)
        reads = {a: Read(r, _ask("name(bytes32)", nodes[a]), _read_text) for a, r in resolvers.items()}
        return {address: name for address, name in self._answers(reads).items() if name}

    def owners(self, names: Iterable[str]) -> dict[str, str]:
        """Addresses by name."""
        nodes = {name: _node(name) for name in names}
        resolvers = self._resolvers(nodes)
        reads = {n: Read(r, _ask("addr(bytes32)", nodes[n]), _read_address) for n, r in resolvers.items()}
        return self._answers(reads)

    def _resolvers(self, nodes: Mapping[str, bytes]) -> dict[str, str]:
        reads = {k: Read(self._registry, _ask("resolver(bytes32)", n), _read_address) for k, n in nodes.items()}
        return {key: resolver for key, resolver in self._answers(reads).items() if resolver != ZERO_ADDRESS}

    def _answers(self, reads: Mapping[str, Read[T]]) -> dict[str, T]:
        answers = ask_all(self._reader, list(reads.values()), self._at)
        return {key: answer for key, answer in zip(reads, answers, strict=True) if answer is not None}


def _node(name: str) -> bytes:
    """``namehash`` of EIP-137."""
    labels = reversed(name.split("."))
    return reduce(lambda node, label: bytes(keccak(node + keccak(label.encode()))), labels, bytes(32))


def _reverse_node(address: str) -> bytes:
    return _node(f"{address.removeprefix('0x').lower()}.addr.reverse")


def _ask(signature: str, node: bytes) -> bytes:
    return selector_of(signature) + node


def _read_address(answer: bytes) -> str:
    if len(answer) != 32 or any(answer[:12]):
        raise DecodingError("no address")
    return to_checksum_address(answer[12:])


def _read_text(answer: bytes) -> str:
    if int.from_bytes(answer[:32], "big") != 32:
        raise DecodingError("no text")
    raw: bytes = _TEXT.decode(answer, 32)[0]
    return raw.decode("utf-8", errors="replace")
