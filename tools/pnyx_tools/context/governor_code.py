"""Which voting power does the governor's code ask for, and does it have an emergency path beside the usual one?

A way that only an emergency opens cannot be tried before there is one. So the code itself is looked at: which functions
it has, and which it calls. That shows neither what they are for nor who may call them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.selectors import selector_of
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.context.governor_code import MAX_CODES, GovernorCode
from pnyx_policies.facts import Grade
from pnyx_tools.code import read_targets
from pnyx_tools.context.asking import ask_all, number_of
from pnyx_tools.opcodes import reachable_opcodes, selectors_asked, selectors_in
from pnyx_tools.reader import ChainReader
from pnyx_tools.wire import parse_address

_EMERGENCY: Final = (
    "emergencyCommit(uint32)",  # Beanstalk: two thirds of the power of now, after a day
    "emergencyCommit(address)",  # Empty Set Dollar, after which Beanstalk was made
    "emergencyExecute(uint256)",  # Lido's EmergencyProtectedTimelock: a committee
    "emergencyExecute(address,bytes,uint256)",  # PartyDAO's PartyGovernance: the makers of the contract
    "lift(address)",  # ds-chief (MakerDAO): whoever has most approvals now
)
EMERGENCY: Final = {selector_of(signature): signature for signature in _EMERGENCY}

_NO_FUNCTION: Final = selector_of("noFunctionIsCalledThis()")

PAST: Final = (
    "getPastVotes(address,uint256)",  # ERC-5805
    "getPriorVotes(address,uint256)",  # Compound, Uniswap, Nouns
    "getVotes(address,uint256)",  # asked of a governor, or of a module
    "balanceOfAt(address,uint256)",  # MiniMe, Aragon
    "getPowerAtBlock(address,uint256,uint8)",  # Aave 2
    "getVotingPowerAt(address,uint256)",  # Aave's strategies
)
LIVE: Final = (
    "balanceOf(address)",
    "getVotes(address)",  # ERC-5805
    "getCurrentVotes(address)",  # Compound, Uniswap, Nouns
    "getPowerCurrent(address,uint8)",  # Aave 2
)


class GovernorCodeTool:
    """Looks at the code of the governor, of what it runs as a proxy, and of facets that have an emergency path."""

    name = GovernorCode.TOOL
    version = GovernorCode.VERSION
    grade = Grade.RE_READ
    description = "Whether the governor's code asks for voting power of now or of the past, and its emergency paths."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,  # noqa: ARG002 - the protocol's
        profile: GovernorProfile,
        proposal: Proposal,  # noqa: ARG002 - the protocol's
        block: BlockRef,
    ) -> GovernorCode:
        at = to_hex(block.hash)
        facets, addresses = _behind(reader, profile.address, at)
        codes = {address: reader.code(address, at) for address in addresses[:MAX_CODES]}
        own = frozenset[bytes]().union(*map(selectors_in, codes.values()))
        asked = frozenset[bytes]().union(*map(selectors_asked, codes.values()))
        return GovernorCode(
            codes=tuple(codes),
            emergency=tuple(sorted({*facets, *(name for selector, name in EMERGENCY.items() if selector in own)})),
            past=_those_in(asked, PAST),
            live=_those_in(asked, LIVE),
        )


def _behind(reader: ChainReader, governor: str, at: str) -> tuple[Mapping[str, str], list[str]]:
    """Emergency paths of a diamond, with their facets; and all whose code the governor runs, itself first. A contract
    that delegates no call runs its own.
    """
    if "DELEGATECALL" not in reachable_opcodes(reader.code(governor, at)):
        return {}, [governor]
    (target,) = read_targets(reader, [governor], at)
    if target.implementation is not None:
        return {}, [governor, target.implementation]
    facets = _facets(reader, governor, at)
    return facets, list(dict.fromkeys((governor, *facets.values())))


def _facets(reader: ChainReader, governor: str, at: str) -> Mapping[str, str]:
    """Of a diamond (EIP-2535): emergency paths, and the facets that have them."""
    reads = [number_of(governor, "facetAddress(bytes4)", selector) for selector in (_NO_FUNCTION, *EMERGENCY)]
    says_yes, *found = ask_all(reader, reads, at)
    return {
        name: parse_address(to_hex(facet.to_bytes(20, "big")))
        for name, facet in zip(EMERGENCY.values(), found, strict=True)
        if facet and facet < 2**160 and not says_yes
    }


def _those_in(selectors: frozenset[bytes], signatures: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(signature for signature in signatures if selector_of(signature) in selectors))
