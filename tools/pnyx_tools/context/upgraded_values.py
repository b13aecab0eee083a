"""What a contract answers otherwise right after its code is replaced: storage that moved shows so.

1. Upgrades that the calls name, and the functions that the old code and the new one have (`upgraded_functions`). A
   diamond says itself which functions it has; left out are those that the cut takes away.
2. The proposal's actions in one simulation, and what these functions answer right before and right after them. Each is
   asked with the executor's address behind its selector: functions without arguments pass over it, those with one take
   it as an account. Which take none, the code does not say.
3. Whether what changed is a constant of the code: then old and new code answer so by themselves.

Asked are at most 128 functions of all upgrades together. Not seen: what other accounts have, functions with more
arguments, proxies that get their code from a beacon.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decoded import made_here
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.selectors import known_functions, parse_function
from pnyx_contracts.strict_abi import Tuple, parse_parameters
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.context.upgraded_functions import MAX_UPGRADES
from pnyx_policies.context.upgraded_values import MAX_CHANGED, ChangedValue, UpgradedValues, ValuesOfUpgrades
from pnyx_policies.facts import Grade, SimulationStatus
from pnyx_policies.getters import getters
from pnyx_tools.code import read_targets
from pnyx_tools.context.protocol import ToolSkipped
from pnyx_tools.context.upgraded_functions import replacements
from pnyx_tools.opcodes import selectors_in
from pnyx_tools.pinned import CallOf, ask_ahead
from pnyx_tools.reader import ChainReader, RevertedError
from pnyx_tools.simulate import simulate
from pnyx_tools.simulate.values import Answer, Question, Values

MAX_FUNCTIONS: Final = 128
"""Of all upgrades together."""

_CUT: Final = parse_function(
    "diamondCut((address facet, uint8 action, bytes4[] selectors)[] cut, address init, bytes data)"
)
_REMOVES: Final = 2
_FACETS: Final = parse_function("facets()")
_FACETS_ANSWER: Final = parse_parameters("((address facet, bytes4[] selectors)[] facets)")


class UpgradedValuesTool:
    """Simulates only where the calls replace code."""

    name = ValuesOfUpgrades.TOOL
    version = ValuesOfUpgrades.VERSION
    grade = Grade.RE_SIMULATED
    description = "What contracts answer otherwise right after their code is replaced."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,  # noqa: ARG002 - the protocol's
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> ValuesOfUpgrades:
        executor, at = profile.timelock or profile.address, to_hex(block.hash)
        pairs = replacements(proposal)
        upgrades = list(_upgrades(reader, proposal, pairs[:MAX_UPGRADES], at))
        each = MAX_FUNCTIONS // max(len(upgrades), 1)
        word = bytes(12) + bytes.fromhex(executor[2:])
        values = Values(tuple(Question(u.contract, s + word) for u in upgrades for s in u.selectors[:each]))
        changed = _Changed({}, {})
        if values.questions:
            simulation = simulate(
                reader, executor, proposal.calls, block,
                governor=profile.address, probes=values.probes, prepared=values.overrides,
            )  # fmt: skip
            if simulation.status is SimulationStatus.SKIPPED:
                raise ToolSkipped(f"code is replaced, and what changes by that: {simulation.why_skipped}")
            changed = _Changed.of(values.read(simulation.readings))
        return ValuesOfUpgrades(
            executor=executor,
            upgrades=tuple(
                UpgradedValues(
                    contract=upgrade.contract,
                    after=upgrade.after,
                    asked=min(len(upgrade.selectors), each),
                    answered=changed.answered.get(upgrade.contract, 0),
                    changed=tuple(_told(reader, upgrade, found[:MAX_CHANGED], at)),
                    more_changed=len(found[MAX_CHANGED:]),
                    left_out=len(upgrade.selectors[each:]),
                )
                for upgrade in upgrades
                for found in [changed.values.get(upgrade.contract, [])]
            ),
            left_out=len(pairs[MAX_UPGRADES:]),
        )


@dataclass(frozen=True, slots=True)
class _Upgrade:
    contract: str
    before: str | None
    """None for a diamond: it has many."""
    after: str
    selectors: tuple[bytes, ...]


_Pair = tuple[Question, Answer, Answer | None]


@dataclass(frozen=True, slots=True)
class _Changed:
    """By contract: how many functions answered before, and which answer otherwise now."""

    answered: Mapping[str, int]
    values: Mapping[str, list[_Pair]]

    @classmethod
    def of(cls, read: Iterable[tuple[Question, Answer | None, Answer | None]]) -> _Changed:
        answered, values = dict[str, int](), dict[str, list[_Pair]]()
        for question, before, after in read:
            if before is None:
                continue
            answered[question.contract] = answered.get(question.contract, 0) + 1
            if before != after:
                values.setdefault(question.contract, []).append((question, before, after))
        return cls(answered, values)


def _upgrades(reader: ChainReader, proposal: Proposal, pairs: list[tuple[str, str]], at: str) -> Iterator[_Upgrade]:
    """Each contract once: what it answers after all actions does not say by which code. The last one counts."""
    targets = {target.address: target for target in read_targets(reader, [contract for contract, _ in pairs], at)}
    cuts = _removed(proposal)
    for contract, after in dict(pairs).items():
        before = targets[contract].implementation
        if before is not None:
            old, new = (selectors_in(reader.code(code, at)) for code in (before, after))
            yield _Upgrade(contract, before, after, _in_order(old & new if new else old))
        elif contract in cuts:
            yield _Upgrade(contract, None, after, _in_order(_facets(reader, contract, at) - cuts[contract]))


def _in_order(selectors: Iterable[bytes]) -> tuple[bytes, ...]:
    """Those that are known to tell something come first; those that are known to change something are not asked."""
    changing = set(known_functions()) - set(getters())
    return tuple(sorted(set(selectors) - changing, key=lambda selector: (selector not in getters(), selector)))


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


def _told(reader: ChainReader, upgrade: _Upgrade, changed: list[_Pair], at: str) -> Iterator[ChangedValue]:
    if upgrade.before is not None:
        codes = (upgrade.before, upgrade.after)
        ask_ahead(reader, [CallOf(code, question.calldata, at) for question, _, _ in changed for code in codes])
    for question, before, after in changed:
        yield ChangedValue(
            selector=question.calldata[:4],
            before=before.data,
            after=None if after is None else after.data,
            is_of_the_code=upgrade.before is not None
            and before == _answer_of(reader, upgrade.before, question, at)
            and after == _answer_of(reader, upgrade.after, question, at),
        )


def _answer_of(reader: ChainReader, code: str, question: Question, at: str) -> Answer | None:
    """What the code says by itself."""
    try:
        return Answer.of(reader.call(code, question.calldata, at))
    except RevertedError:
        return None
