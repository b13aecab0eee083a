"""Can anybody initialise the contracts of governance, or those that the calls reach, once more?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decoded import made_here
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.selectors import call_data, selector_of
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.context.initializers import Initializers, OpenInitializer
from pnyx_policies.facts import Grade
from pnyx_tools.opcodes import reachable_opcodes
from pnyx_tools.pinned import CallOf, CodeOf, ask_ahead
from pnyx_tools.reader import ChainReader, RevertedError

MAX_CONTRACTS = 12

STRANGER: Final = str(to_checksum_address(keccak(b"nobody in particular")[12:]))
"""Who tries: the same for everybody, so that all see the same."""

SIGNATURES: Final = (
    "initialize()",
    "initialize(address)",
    "initialize(address,address)",
    "initialize(address,address,address)",
    "initialize(address,uint256)",
    "initialize(address,bytes)",
    "initialize(bytes)",
    "initialize(string,string)",
    "initialize(address,address,uint256,uint256,uint256)",  # GovernorBravoDelegate
    "initialize(address,uint256,uint256,uint256,uint16,address)",  # Audius' governance, incident I-8
    "initialize(uint256,address[],address[],address)",  # TimelockControllerUpgradeable
    "init()",
    "init(address)",
    "setUp(bytes)",  # Zodiac's modules
)
_UNKNOWN: Final = "noFunctionIsCalledThis()"
_ARGUMENTS: Final = {"address": STRANGER, "bytes": b"", "string": "", "address[]": []}
"""Whatever is no number; numbers are 1."""


class InitializersTool:
    """Tries them by `eth_call`, from an address that nobody knows. What reverts may still be open to others, or with
    other arguments.
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
        contracts = list(roles)[:MAX_CONTRACTS]
        ask_ahead(reader, [CodeOf(contract, at) for contract in contracts])
        tries = [(c, s) for c in contracts for s in _worth_trying(reader.code(c, at))]
        tried = list(dict.fromkeys(contract for contract, _ in tries))
        ask_ahead(reader, [CallOf(c, _calldata(s), at, STRANGER) for c, s in (*((c, _UNKNOWN) for c in tried), *tries)])
        swallowing = {contract for contract in tried if _goes_through(reader, contract, _UNKNOWN, at)}
        return Initializers(
            contracts=tuple(contracts),
            left_out=len(roles) - len(contracts),
            open=tuple(
                OpenInitializer(contract=contract, role=roles[contract], signature=signature)
                for contract, signature in tries
                if contract not in swallowing and _goes_through(reader, contract, signature, at)
            ),
        )


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


def _worth_trying(code: bytes) -> Sequence[str]:
    """Those whose selectors stand in the code. What runs other code by delegatecall may have any."""
    if "DELEGATECALL" in reachable_opcodes(code):
        return SIGNATURES
    return [signature for signature in SIGNATURES if selector_of(signature) in code]


def _goes_through(reader: ChainReader, contract: str, signature: str, at: str) -> bool:
    try:
        reader.call(contract, _calldata(signature), at, sender=STRANGER)
    except RevertedError:
        return False
    return True


def _calldata(signature: str) -> bytes:
    types = [kind for kind in signature[signature.index("(") + 1 : -1].split(",") if kind]
    return call_data(signature, *(_ARGUMENTS.get(kind, 1) for kind in types))
