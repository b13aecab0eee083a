"""Finds out what kind of governor an address is: from the contract's own answers, never from its events."""

from __future__ import annotations

from collections.abc import Sequence

from eth_utils.address import is_address, to_checksum_address

from pnyx_contracts.addresses import delegate_of
from pnyx_contracts.errors import UnknownEncodingError, UsageError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile, Probe
from pnyx_tools.pinned import CallOf, CodeOf, Question, ask_ahead
from pnyx_tools.reader import BlockId, ChainReader, RevertedError


def detect(
    reader: ChainReader, address: str, adapters: Sequence[GovernorAdapter], block: BlockId = "latest"
) -> tuple[GovernorAdapter, GovernorProfile]:
    """The one adapter that recognises the contract at `address`, and what it found out.

    Proxies need no special care: the questions go through them as votes will. Raises `UsageError` when there is no
    contract, `UnknownEncodingError` when no adapter, or more than one, recognises it.
    """
    probe = _probe(reader, address, adapters, block)
    found = [(adapter, profile) for adapter in adapters if (profile := adapter.recognise(probe)) is not None]
    if len(found) == 1:
        return found[0]
    known = ", ".join(adapter.kind for adapter in adapters) or "none"
    if not found:
        raise UnknownEncodingError(
            f"{address} on chain {probe.chain_id} is no governor that we know (known kinds: {known})",
            hint="check address and chain; for another governance system, install or write an adapter",
        )
    kinds = ", ".join(profile.kind for _, profile in found)
    raise UnknownEncodingError(
        f"{address} on chain {probe.chain_id} is recognised by more than one adapter: {kinds}",
        hint="say which one in the configuration: kind in [[governor]]",
    )


def questions_of(address: str, adapters: Sequence[GovernorAdapter], block: BlockId = "latest") -> list[Question]:
    """What `detect` asks: for whoever detects many."""
    return [CodeOf(address, block), *(CallOf(address, data, block) for data in _probe_calls(adapters))]


def _probe_calls(adapters: Sequence[GovernorAdapter]) -> list[bytes]:
    return list(dict.fromkeys(data for adapter in adapters for data in adapter.probe_calls()))


def _probe(reader: ChainReader, address: str, adapters: Sequence[GovernorAdapter], block: BlockId) -> Probe:
    if not is_address(address):
        raise UsageError(f"expected the 20-byte address of a governor in 0x hex, got {address[:60]!r}")
    address = to_checksum_address(address)
    chain_id = reader.chain_id()
    # At each block anew: a contract may answer any of them from its storage, its timelock and its token change by a
    # vote, and equal code, also behind a proxy, is no proof of equal answers.
    ask_ahead(reader, questions_of(address, adapters, block))
    code = reader.code(address, block)
    if not code:
        raise UsageError(
            f"there is no contract at {address} on chain {chain_id}",
            hint="check the address, and that the RPC endpoint is one of the right chain",
        )
    delegate = delegate_of(code)
    if delegate is not None:
        raise UsageError(
            f"{address} on chain {chain_id} is a person's account (delegated by EIP-7702 to {delegate}), "
            "not a governor",
            hint="give the address of the governor contract",
        )
    answers = {question: _answer(reader, address, question, block) for question in _probe_calls(adapters)}
    return Probe(address=address, chain_id=chain_id, code=code, answers=answers)


def _answer(reader: ChainReader, address: str, question: bytes, block: BlockId) -> bytes | None:
    """None for a revert only: that a node does not answer says nothing about the contract, so it is raised."""
    try:
        return reader.call(address, question, block)
    except RevertedError:
        return None
