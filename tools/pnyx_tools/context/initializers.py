"""Can anybody initialise the contracts of governance, or those that the calls reach, once more?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decoded import made_here
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.context.initializers import IMPLEMENTATION, Initializers, OpenInitializer
from pnyx_policies.facts import Grade
from pnyx_tools.code import read_targets
from pnyx_tools.context.destroyed_code import makes_room
from pnyx_tools.context.initializer_calls import STRANGER, UNKNOWN, cut_short, of_code, of_proxy, plain_call
from pnyx_tools.opcodes import reachable_opcodes
from pnyx_tools.pinned import CallOf, CodeOf, ask_ahead
from pnyx_tools.reader import ChainReader, RevertedError

MAX_CONTRACTS = 12
"""Without what they run."""

_DANGEROUS: Final = frozenset({"CALLCODE", "DELEGATECALL", "SELFDESTRUCT"})
"""By these an implementation can be destroyed, by whoever owns it."""


class InitializersTool:
    """Tries them by `eth_call`, from an address that nobody knows. What reverts may still be open to others, or with
    other arguments. Also of what a proxy runs: who owns an implementation owns no proxy, but may destroy what it runs.
    """

    name = Initializers.TOOL
    version = Initializers.VERSION
    grade = Grade.RE_READ
    description = "Initialisers of the governance contracts, and of those that the calls reach, that anybody can call."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,  # noqa: ARG002 - the protocol's
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> Initializers:
        at = to_hex(block.hash)
        roles = _contracts(profile, proposal)
        shown = list(roles)[:MAX_CONTRACTS]
        ask_ahead(reader, [CodeOf(address, at) for address in shown])
        codes = {address: reader.code(address, at) for address in shown}
        contracts = [_Contract(address, roles[address], of_proxy(code)) for address, code in codes.items()]
        contracts += _implementations(reader, codes, at)
        found = tuple(_open(reader, contracts, at))
        return Initializers(
            contracts=tuple(contract.address for contract in contracts),
            left_out=len(roles) - len(shown),
            open=found,
            makes_room=makes_room(reader, block) if any(each.opcodes for each in found) else None,
        )


@dataclass(frozen=True, slots=True)
class _Contract:
    address: str
    role: str
    signatures: tuple[str, ...]
    """Worth trying."""
    proxy: str | None = None
    opcodes: tuple[str, ...] = ()


def _contracts(profile: GovernorProfile, proposal: Proposal) -> dict[str, str]:
    """What each contract is for this proposal."""
    roles = {profile.address: "governor"}
    for address, role in ((profile.timelock, "timelock"), (profile.token, "token")):
        if address is not None:
            roles.setdefault(address, role)
    for call in made_here(decode_calls(proposal.calls, proposal.key.chain_id)):
        if call.calldata:
            roles.setdefault(call.target, "target")
    return roles


def _implementations(reader: ChainReader, codes: Mapping[str, bytes], at: str) -> Iterator[_Contract]:
    """Each once, of the contracts that have these codes."""
    seen = set(codes)
    for target in read_targets(
        reader, [a for a, code in codes.items() if "DELEGATECALL" in reachable_opcodes(code)], at
    ):
        if target.implementation is not None and target.implementation not in seen:
            seen.add(target.implementation)
            yield _Contract(
                target.implementation,
                IMPLEMENTATION,
                of_code(reader.code(target.implementation, at)),
                target.address,
                tuple(sorted(_DANGEROUS & set(target.implementation_opcodes))),
            )


def _open(reader: ChainReader, contracts: Sequence[_Contract], at: str) -> Iterator[OpenInitializer]:
    tries = [(contract, signature) for contract in contracts for signature in contract.signatures]
    tried = dict.fromkeys(contract.address for contract, _ in tries)
    calls = [(contract.address, plain_call(signature)) for contract, signature in tries]
    ask_ahead(reader, [CallOf(to, data, at, STRANGER) for to, data in (*((a, UNKNOWN) for a in tried), *calls)])
    swallowing = {address for address in tried if _goes_through(reader, address, UNKNOWN, at)}
    for (contract, signature), (address, data) in zip(tries, calls, strict=True):
        if address in swallowing or not _goes_through(reader, address, data, at):
            continue
        short = cut_short(signature)
        if short is None or not _goes_through(reader, address, short, at):
            yield OpenInitializer(
                contract=address, role=contract.role, signature=signature, proxy=contract.proxy,
                opcodes=contract.opcodes,
            )  # fmt: skip


def _goes_through(reader: ChainReader, contract: str, data: bytes, at: str) -> bool:
    try:
        reader.call(contract, data, at, sender=STRANGER)
    except RevertedError:
        return False
    return True
