"""Which contracts get other code by a proposal, and what there is to ask them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decoded import made_here
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.selectors import known_functions, parse_function, selector_of
from pnyx_contracts.strict_abi import Tuple, parse_parameters
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.context.upgraded_functions import MAX_UPGRADES
from pnyx_policies.context.upgraded_values import MAX_INITIALISERS
from pnyx_policies.getters import OF_THE_CODE, getters
from pnyx_tools.code import read_targets
from pnyx_tools.context.history import search_back
from pnyx_tools.context.initializer_calls import of_code
from pnyx_tools.context.payments import topic_for
from pnyx_tools.context.upgraded_functions import replacements
from pnyx_tools.effects import topic_of
from pnyx_tools.opcodes import selectors_in
from pnyx_tools.reader import ChainReader, RevertedError

MAX_PROXIES: Final = 2
"""Of one beacon."""

_BEACON_UPGRADED: Final = topic_of(parse_function("BeaconUpgraded(address beacon)"))
_CUT: Final = parse_function(
    "diamondCut((address facet, uint8 action, bytes4[] selectors)[] cut, address init, bytes data)"
)
_REMOVES: Final = 2
_FACETS: Final = parse_function("facets()")
_FACETS_ANSWER: Final = parse_parameters("((address facet, bytes4[] selectors)[] facets)")


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Of one contract."""

    contract: str
    before: str | None
    """None for a diamond: it has many."""
    after: str
    selectors: tuple[bytes, ...]
    """Of functions of the old code that may tell something."""
    kept: frozenset[bytes]
    """Those that the new code shows. What fails afterwards and is none of these is gone."""
    initialisers: tuple[str, ...] = ()
    """Some of the new code."""
    is_beacon: bool = False
    beacon: str | None = None
    """Who gives the contract its code."""


@dataclass(frozen=True, slots=True)
class FoundUpgrades:
    """Each contract once: what it answers after all actions does not say by which code. The last one counts."""

    upgrades: tuple[Upgrade, ...]
    left_out: int
    from_block: int | None
    """From here on proxies of beacons were looked for; None where no beacon is upgraded."""


def find_upgrades(reader: ChainReader, proposal: Proposal, block: BlockRef, oldest: int) -> FoundUpgrades:
    """In place of a beacon, which has no values of its own, its proxies. Block `oldest` is the first that is searched
    for them.
    """
    pairs = replacements(proposal)
    named = list(_named(reader, proposal, pairs[:MAX_UPGRADES], to_hex(block.hash)))
    searched = {u: _proxies_of(reader, u.contract, block, oldest) for u in named if u.is_beacon}
    found: list[Upgrade] = []
    for upgrade in named:
        found += _of_proxies(reader, upgrade, searched[upgrade], block) if upgrade in searched else [upgrade]
    more_proxies = sum(len(proxies.addresses[MAX_PROXIES:]) for proxies in searched.values())
    return FoundUpgrades(
        upgrades=tuple(found[:MAX_UPGRADES]),
        left_out=len(pairs[MAX_UPGRADES:]) + len(found[MAX_UPGRADES:]) + more_proxies,
        from_block=max((proxies.from_block for proxies in searched.values()), default=None),
    )


def _named(reader: ChainReader, proposal: Proposal, pairs: Sequence[tuple[str, str]], at: str) -> Iterator[Upgrade]:
    """By the calls."""
    targets = {target.address: target for target in read_targets(reader, [contract for contract, _ in pairs], at)}
    cuts = _removed(proposal)
    for contract, after in dict(pairs).items():
        before = targets[contract].implementation
        if before is not None:
            old, new = (selectors_in(reader.code(code, at)) for code in (before, after))
            yield Upgrade(
                contract=contract,
                before=before,
                after=after,
                selectors=_in_order(old),
                kept=new or old,
                initialisers=of_code(reader.code(after, at))[:MAX_INITIALISERS],
                is_beacon="DELEGATECALL" not in targets[contract].opcodes,
            )
        elif contract in cuts:
            stay = frozenset(_facets(reader, contract, at) - cuts[contract])
            yield Upgrade(contract=contract, before=None, after=after, selectors=_in_order(stay), kept=stay)


# --- beacons


@dataclass(frozen=True, slots=True)
class _Proxies:
    """Contracts that told that they have their code from a beacon, the oldest first."""

    addresses: tuple[str, ...]
    from_block: int


def _proxies_of(reader: ChainReader, beacon: str, block: BlockRef, oldest: int) -> _Proxies:
    history = search_back(reader, block.number, oldest, [_BEACON_UPGRADED, topic_for(beacon)], None)
    return _Proxies(tuple(dict.fromkeys(log.address for log in history.logs)), history.from_block)


def _of_proxies(reader: ChainReader, upgrade: Upgrade, proxies: _Proxies, block: BlockRef) -> list[Upgrade]:
    """The oldest ones, as everybody can make new ones; those that still have their code from there."""
    targets = read_targets(reader, proxies.addresses[:MAX_PROXIES], to_hex(block.hash))
    return [
        replace(upgrade, contract=target.address, beacon=upgrade.contract)
        for target in targets
        if target.implementation == upgrade.before
    ]


# --- functions


def _in_order(selectors: Iterable[bytes]) -> tuple[bytes, ...]:
    """Those that are known to tell something come first. Not asked are those that are known to change something, or to
    tell which code this is.
    """
    passed_over = set(known_functions()) - set(getters()) | set(map(selector_of, OF_THE_CODE))
    return tuple(sorted(set(selectors) - passed_over, key=lambda selector: (selector not in getters(), selector)))


def _removed(proposal: Proposal) -> dict[str, set[bytes]]:
    """By diamond, the functions that the cuts take away."""
    found: dict[str, set[bytes]] = {}
    for call in made_here(decode_calls(proposal.calls, proposal.key.chain_id)):
        if call.signature == _CUT.signature:
            cuts = _CUT.decode(call.calldata[4:])[0]["cut"]
            found.setdefault(call.target, set()).update(s for _, act, some in cuts if act == _REMOVES for s in some)
    return found


def _facets(reader: ChainReader, diamond: str, at: str) -> set[bytes]:
    """The functions that it says it has (EIP-2535); none where it does not say."""
    try:
        (facets,) = Tuple(_FACETS_ANSWER).decode_whole(reader.call(diamond, _FACETS.selector, at))
    except (RevertedError, DecodingError):
        return set()
    return {selector for _, selectors in facets for selector in selectors}
