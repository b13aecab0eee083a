"""What a contract answers otherwise right after its code is replaced: storage that moved shows so.

1. Upgrades that the calls name, and the functions of the old code (`upgraded_functions`). A diamond says itself which
   functions it has; left out are those that the cut takes away. Of a beacon, proxies are asked that told of it in the
   recent past, and still have their code from it: the oldest ones, as everybody can make new ones.
2. The proposal's actions in one simulation, and what these functions answer right before and right after them. Each is
   asked with the executor's address behind its selector: functions without arguments pass over it, those with one take
   it as an account. Which take none, the code does not say. Functions that are known to take an account are asked for
   the governor, the proposer and the contract itself, too. And a stranger tries initialisers of the new code, before
   and after: at most four of each upgrade, 24 calls together.
3. Whether what changed is a constant of the code: then old and new code answer so by themselves.

Left out is what fails afterwards where the new code does not show the function: it is gone (`upgraded_functions`). At
most 128 questions are asked of all upgrades together. Not seen: what other accounts have, functions with more
arguments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from eth_utils.address import to_checksum_address

from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.context.upgraded_values import MAX_CHANGED, ChangedValue, UpgradedValues, ValuesOfUpgrades
from pnyx_policies.facts import Grade, SimulationStatus
from pnyx_policies.getters import getters
from pnyx_tools.context.history import SearchingTool
from pnyx_tools.context.initializer_calls import UNKNOWN, cut_short, plain_call
from pnyx_tools.context.protocol import ToolSkipped
from pnyx_tools.context.upgrades import Upgrade, find_upgrades
from pnyx_tools.pinned import CallOf, ask_ahead
from pnyx_tools.reader import ChainReader, RevertedError
from pnyx_tools.simulate import simulate
from pnyx_tools.simulate.tries import Tries, Try
from pnyx_tools.simulate.values import Answer, Question, Values

MAX_QUESTIONS: Final = 128
"""Of all upgrades together."""
MAX_TRIES: Final = 24
"""Calls of initialisers, and calls that nobody should take."""


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
        found = find_upgrades(reader, proposal, block, self._oldest(proposal, block))
        upgrades = found.upgrades
        accounts = (executor, profile.address, proposal.proposer)
        each = MAX_QUESTIONS // max(len(upgrades), 1)
        asked = {upgrade: list(_questions(upgrade, accounts)) for upgrade in upgrades}
        values = Values(tuple(question for questions in asked.values() for question in questions[:each]))
        tries = Tries(tuple(call for upgrade in upgrades for call in _tries(upgrade))[:MAX_TRIES])
        answers, tried = _simulated(reader, profile, proposal, block, values, tries) if upgrades else ({}, {})
        return ValuesOfUpgrades(
            upgrades=tuple(
                _told(
                    reader,
                    upgrade,
                    {q: answers[q] for q in questions[:each]},
                    at,
                    opened=tuple(_opened(upgrade, tried)),
                    left_out=len(questions[each:]),
                )
                for upgrade, questions in asked.items()
            ),
            left_out=found.left_out,
            from_block=found.from_block,
        )


_Answers = tuple[Answer | None, Answer | None]
"""Before and after."""


def _questions(upgrade: Upgrade, accounts: Sequence[str]) -> Iterator[Question]:
    first, *others = dict.fromkeys((*accounts, upgrade.contract))
    yield from (Question(upgrade.contract, selector + _word(first)) for selector in upgrade.selectors)
    for selector in upgrade.selectors:
        if getters().get(selector, "").endswith("(address)"):
            yield from (Question(upgrade.contract, selector + _word(account)) for account in others)


def _word(account: str) -> bytes:
    return bytes(12) + bytes.fromhex(account[2:])


def _tries(upgrade: Upgrade) -> Iterator[Try]:
    """That a call goes through says nothing of a contract that takes anything: such calls are tried, too."""
    calls = [plain_call(signature) for signature in upgrade.initialisers]
    short = [cut_short(signature) for signature in upgrade.initialisers]
    every = [UNKNOWN, *calls, *(data for data in short if data is not None)] if calls else []
    return (Try(upgrade.contract, data) for data in every)


def _opened(upgrade: Upgrade, tried: Mapping[Try, tuple[bool, bool]]) -> Iterator[str]:
    """`tried` says of each try whether it goes through before, and after."""

    def takes(data: bytes | None) -> bool:
        """Afterwards; also where that was not tried."""
        return data is not None and tried.get(Try(upgrade.contract, data), (True, True))[1]

    if takes(UNKNOWN):
        return
    for signature in upgrade.initialisers:
        is_new = tried.get(Try(upgrade.contract, plain_call(signature))) == (False, True)
        if is_new and not takes(cut_short(signature)):
            yield signature


def _simulated(
    reader: ChainReader, profile: GovernorProfile, proposal: Proposal, block: BlockRef, values: Values, tries: Tries
) -> tuple[dict[Question, _Answers], dict[Try, tuple[bool, bool]]]:
    """Raises `ToolSkipped` where not all of it can be read."""
    simulation = simulate(
        reader, profile.timelock or profile.address, proposal.calls, block, governor=profile.address,
        probes=(*values.probes, *tries.probes), prepared={**values.overrides, **tries.overrides},
    )  # fmt: skip
    if simulation.status is SimulationStatus.SKIPPED:
        raise ToolSkipped(f"code is replaced, and what changes by that: {simulation.why_skipped}")
    place = len(values.probes)
    answers = {q: (before, after) for q, before, after in values.read(simulation.readings[:place])}
    if len(answers) < len(values.questions):
        raise ToolSkipped("code is replaced, and what changes by that could not be asked in full")
    return answers, {call: (before, after) for call, before, after in tries.read(simulation.readings[place:])}


def _told(
    reader: ChainReader,
    upgrade: Upgrade,
    answers: Mapping[Question, _Answers],
    at: str,
    *,
    opened: tuple[str, ...],
    left_out: int,
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
        opened=opened,
    )


def _constants(
    reader: ChainReader, upgrade: Upgrade, changed: Mapping[Question, tuple[Answer, Answer | None]], at: str
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
