"""What a contract answers otherwise right after its code is replaced: storage that moved shows so.

1. Upgrades that the calls name, and the functions of the old code (`upgraded_functions`). A diamond says itself which
   functions it has; left out are those that the cut takes away. Of a beacon, proxies are asked that told of it in the
   recent past, and still have their code from it: the oldest ones, as everybody can make new ones.
2. The proposal's actions in one simulation, and what these functions answer right before and right after them. Each is
   asked with the executor's address behind its selector: functions without arguments pass over it, those with one take
   it as an account. Which take none, the code does not say. Functions that are known to take an account are asked for
   the governor, the proposer and the contract itself, too.
3. Whether what changed is a constant of the code: then old and new code answer so by themselves.

Left out is what fails afterwards where the new code does not show the function: it is gone (`upgraded_functions`). At
most 128 questions are asked of all upgrades together. Not seen: what other accounts have, functions with more
arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from eth_utils.address import to_checksum_address

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decoded import made_here
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.selectors import known_functions, parse_function, selector_of
from pnyx_contracts.strict_abi import Tuple, parse_parameters
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.context.upgraded_functions import MAX_UPGRADES
from pnyx_policies.context.upgraded_values import MAX_CHANGED, ChangedValue, UpgradedValues, ValuesOfUpgrades
from pnyx_policies.facts import Grade, SimulationStatus
from pnyx_policies.getters import OF_THE_CODE, getters
from pnyx_tools.code import read_targets
from pnyx_tools.context.history import History, SearchingTool, search_back
from pnyx_tools.context.protocol import ToolSkipped
from pnyx_tools.context.upgraded_functions import replacements
from pnyx_tools.effects import topic_of
from pnyx_tools.opcodes import selectors_in
from pnyx_tools.pinned import CallOf, ask_ahead
from pnyx_tools.reader import ChainReader, RevertedError
from pnyx_tools.simulate import simulate
from pnyx_tools.simulate.values import Answer, Question, Values

MAX_QUESTIONS: Final = 128
"""Of all upgrades together."""

MAX_PROXIES: Final = 2
"""Of one beacon."""

_BEACON_UPGRADED: Final = topic_of(parse_function("BeaconUpgraded(address beacon)"))
_CUT: Final = parse_function(
    "diamondCut((address facet, uint8 action, bytes4[] selectors)[] cut, address init, bytes data)"
)
_REMOVES: Final = 2
_FACETS: Final = parse_function("facets()")
_FACETS_ANSWER: Final = parse_parameters("((address facet, bytes4[] selectors)[] facets)")


class UpgradedValuesTool(SearchingTool):
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
        found = list(_upgrades(reader, proposal, pairs[:MAX_UPGRADES], at))
        beacons = _Beacons(reader, block, self._oldest(proposal, block), {})
        every = [each for upgrade in found for each in beacons.instead_of(upgrade)]
        upgrades = every[:MAX_UPGRADES]
        accounts = (executor, profile.address, proposal.proposer)
        each = MAX_QUESTIONS // max(len(upgrades), 1)
        asked = {upgrade: list(_questions(upgrade, accounts)) for upgrade in upgrades}
        values = Values(tuple(question for questions in asked.values() for question in questions[:each]))
        answers = _answers(reader, profile, proposal, block, values) if values.questions else {}
        return ValuesOfUpgrades(
            upgrades=tuple(
                _told(reader, upgrade, {q: answers[q] for q in questions[:each]}, len(questions[each:]), at)
                for upgrade, questions in asked.items()
            ),
            left_out=len(pairs[MAX_UPGRADES:]) + len(every[MAX_UPGRADES:]) + beacons.left_out,
            from_block=beacons.from_block,
        )


@dataclass(frozen=True, slots=True)
class _Upgrade:
    contract: str
    before: str | None
    """None for a diamond: it has many."""
    after: str
    selectors: tuple[bytes, ...]
    kept: frozenset[bytes]
    """Those that the new code shows. What fails afterwards and is none of these is gone."""
    is_of_beacon: bool = False
    beacon: str | None = None


@dataclass
class _Beacons:
    """Looks for proxies that have their code from a beacon."""

    reader: ChainReader
    block: BlockRef
    oldest: int
    searched: dict[str, History]
    left_out: int = 0

    @property
    def from_block(self) -> int | None:
        return max((history.from_block for history in self.searched.values()), default=None)

    def instead_of(self, upgrade: _Upgrade) -> Sequence[_Upgrade]:
        """Those of the proxies, where a beacon is upgraded: it has no values of its own."""
        if not upgrade.is_of_beacon:
            return [upgrade]
        topics = [_BEACON_UPGRADED, _word(upgrade.contract)]
        history = search_back(self.reader, self.block.number, self.oldest, topics, None)
        self.searched[upgrade.contract] = history
        proxies = list(dict.fromkeys(log.address for log in history.logs))
        self.left_out += len(proxies[MAX_PROXIES:])
        targets = read_targets(self.reader, proxies[:MAX_PROXIES], to_hex(self.block.hash))
        return [
            replace(upgrade, contract=target.address, beacon=upgrade.contract)
            for target in targets
            if target.implementation == upgrade.before
        ]


_Answers = tuple[Answer | None, Answer | None]
"""Before and after."""


def _questions(upgrade: _Upgrade, accounts: Sequence[str]) -> Iterator[Question]:
    first, *others = dict.fromkeys((*accounts, upgrade.contract))
    yield from (Question(upgrade.contract, selector + _word(first)) for selector in upgrade.selectors)
    for selector in upgrade.selectors:
        if getters().get(selector, "").endswith("(address)"):
            yield from (Question(upgrade.contract, selector + _word(account)) for account in others)


def _word(account: str) -> bytes:
    return bytes(12) + bytes.fromhex(account[2:])


def _answers(
    reader: ChainReader, profile: GovernorProfile, proposal: Proposal, block: BlockRef, values: Values
) -> dict[Question, _Answers]:
    """Raises `ToolSkipped` where not all of them can be read."""
    simulation = simulate(
        reader, profile.timelock or profile.address, proposal.calls, block,
        governor=profile.address, probes=values.probes, prepared=values.overrides,
    )  # fmt: skip
    if simulation.status is SimulationStatus.SKIPPED:
        raise ToolSkipped(f"code is replaced, and what changes by that: {simulation.why_skipped}")
    answers = {question: (before, after) for question, before, after in values.read(simulation.readings)}
    if len(answers) < len(values.questions):
        raise ToolSkipped("code is replaced, and what changes by that could not be asked in full")
    return answers


def _upgrades(reader: ChainReader, proposal: Proposal, pairs: list[tuple[str, str]], at: str) -> Iterator[_Upgrade]:
    """Each contract once: what it answers after all actions does not say by which code. The last one counts."""
    targets = {target.address: target for target in read_targets(reader, [contract for contract, _ in pairs], at)}
    cuts = _removed(proposal)
    for contract, after in dict(pairs).items():
        before = targets[contract].implementation
        if before is not None:
            old, new = (selectors_in(reader.code(code, at)) for code in (before, after))
            is_beacon = "DELEGATECALL" not in targets[contract].opcodes
            yield _Upgrade(contract, before, after, _in_order(old), new or old, is_beacon)
        elif contract in cuts:
            stay = _facets(reader, contract, at) - cuts[contract]
            yield _Upgrade(contract, None, after, _in_order(stay), frozenset(stay))


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


def _told(
    reader: ChainReader, upgrade: _Upgrade, answers: Mapping[Question, _Answers], left_out: int, at: str
) -> UpgradedValues:
    answered = {question: (before, after) for question, (before, after) in answers.items() if before is not None}
    changed = {
        question: (before, after)
        for question, (before, after) in answered.items()
        if before != after and (after is not None or question.calldata[:4] in upgrade.kept)
    }
    constants = _constants(reader, upgrade, changed, at)
    values = [
        ChangedValue(
            selector=question.calldata[:4],
            account=to_checksum_address(question.calldata[-20:]),
            before=before.data,
            after=None if after is None else after.data,
            is_of_the_code=question in constants,
        )
        for question, (before, after) in sorted(changed.items(), key=lambda pair: pair[0] in constants)
    ]
    more = values[MAX_CHANGED:]
    return UpgradedValues(
        contract=upgrade.contract,
        after=upgrade.after,
        beacon=upgrade.beacon,
        asked=len(answers),
        answered=len(answered),
        changed=tuple(values[:MAX_CHANGED]),
        more_moved=sum(not value.is_of_the_code for value in more),
        more_constants=sum(value.is_of_the_code for value in more),
        left_out=left_out,
    )


def _constants(
    reader: ChainReader, upgrade: _Upgrade, changed: Mapping[Question, tuple[Answer, Answer | None]], at: str
) -> set[Question]:
    """What old and new code answer so by themselves."""
    if upgrade.before is None:
        return set()
    codes = (upgrade.before, upgrade.after)
    ask_ahead(reader, [CallOf(code, question.calldata, at) for question in changed for code in codes])
    return {q for q, answers in changed.items() if answers == tuple(_answer_of(reader, code, q, at) for code in codes)}


def _answer_of(reader: ChainReader, code: str, question: Question, at: str) -> Answer | None:
    try:
        return Answer.of(reader.call(code, question.calldata, at))
    except RevertedError:
        return None
