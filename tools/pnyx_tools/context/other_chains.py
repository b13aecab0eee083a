"""What the proposal's messages do on the other chains, simulated there as the bridges make the calls.

1. The messages among the decoded calls, and how each is called on its chain (`deliveries`).
2. Those of one caller on one chain, in order, are one simulation (`simulate`), at the newest block that this chain's
   endpoint has. The caller has, beside what is his, what the bridge brings along. Where he is a contract of the bridge,
   he names the sender to whoever asks (`simulate.stand_in`).
3. What the account that stands for the DAO there has of the assets that move.

Not shown: whether the bridge takes the message (the simulation at home says so), how long it travels, whether the gas
that it carries is enough, and what messages of another caller change before. Which block it was is told; it is not in
the review's digest, because that chain moves on all the time: whoever judges again looks there himself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Final, Self

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.chains import in_words
from pnyx_contracts.decoded import DecodedCall, made_here
from pnyx_contracts.deliveries import Delivery, Undelivered, deliveries, messages
from pnyx_contracts.errors import DecodingError, PnyxError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.messages import alias
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.checks.delegatecall import only_batches
from pnyx_policies.context.other_chains import MAX_EFFECTS, MAX_MESSAGES, MAX_SECONDS_APART, FarRun, OtherChains
from pnyx_policies.context.reading import read_context
from pnyx_policies.elsewhere import as_seen_there
from pnyx_policies.facts import Grade, Holding, Simulation, ToolResult
from pnyx_policies.text import one_line
from pnyx_tools.code import reached_addresses
from pnyx_tools.context.protocol import MAX_WHY_BYTES, ToolSkipped
from pnyx_tools.holdings import called_tokens, native_holding, token_holding
from pnyx_tools.pinned import PinnedReader, other_chain_behind
from pnyx_tools.reader import ChainReader
from pnyx_tools.reasons import without_endpoint
from pnyx_tools.simulate import simulate
from pnyx_tools.simulate.stand_in import standing_in
from pnyx_tools.simulate.task import AccountOverride, Overrides

MAX_ASSETS: Final = 16
MAX_ADDRESSES: Final = 64
"""Of one run, where code is looked for."""


class OtherChainsTool:
    """A proposal can grant on another chain what it would not dare to grant at home."""

    name = OtherChains.TOOL
    version = OtherChains.VERSION
    grade = Grade.RE_SIMULATED
    description = "What this proposal's messages do on the other chains that they go to, simulated there."

    def __init__(self, blocks: Mapping[int, int] = MappingProxyType({})) -> None:
        """`blocks`: where to look again, by chain; at the newest block where it has none so high. At those of other
        chains, the newest.
        """
        self._blocks = blocks

    @classmethod
    def as_recorded(cls, results: Sequence[ToolResult]) -> Self:
        """For who looks again: at the blocks that a record names."""
        try:
            runs = read_context(OtherChains, results, ()).runs
        except DecodingError:
            return cls()
        return cls({run.chain_id: run.block.number for run in runs if run.chain_id and run.block})

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,  # noqa: ARG002 - part of the protocol
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> OtherChains:
        calls = decode_calls(proposal.calls, proposal.key.chain_id)
        found = tuple(deliveries(calls, profile.timelock or profile.address, proposal.key.chain_id))
        if len(found) > MAX_MESSAGES:
            raise ToolSkipped(f"it sends {len(found)} messages to other chains, at most {MAX_MESSAGES} are simulated")
        seen = {message.path: as_seen_there(message) for _, message in messages(calls)}
        chains, runs = _Chains(reader, block, self._blocks), list[FarRun]()
        for errand in _errands(found):
            run = _undone(errand) if isinstance(errand, Undelivered) else chains.run(errand, seen)
            runs.append(_bounded(run, MAX_EFFECTS - sum(map(_effects, runs))))
        return OtherChains(runs=tuple(runs))


_Errand = Sequence[Delivery]
"""What one caller does on one chain, in order; at least one."""


class _Chains:
    """The other chains, each at one block for the whole look. What goes wrong with one errand concerns it alone."""

    def __init__(self, reader: ChainReader, home: BlockRef, wanted: Mapping[int, int]) -> None:
        self._reader = reader
        self._home = home
        self._wanted = wanted
        self._found: dict[int, tuple[PinnedReader, BlockRef] | str] = {}
        """Where to look, or why that is not possible."""

    def run(self, errand: _Errand, seen: Mapping[str, DecodedCall]) -> FarRun:
        chain_id = errand[0].chain_id
        try:
            if chain_id not in self._found:
                self._found[chain_id] = self._find(chain_id)
            found = self._found[chain_id]
            if isinstance(found, str):
                return _skipped(errand, found)
            return _ran(found[0], errand, [seen[delivery.path] for delivery in errand], found[1])
        except PnyxError as error:
            return _skipped(errand, without_endpoint(error.message))

    def _find(self, chain_id: int) -> tuple[PinnedReader, BlockRef] | str:
        other = other_chain_behind(self._reader, chain_id)
        if other is None:
            return f"no endpoint of {in_words(chain_id)} is configured"
        block, wanted = other.block("latest"), self._wanted.get(chain_id)
        apart = abs(block.timestamp - self._home.timestamp)
        if wanted is not None:
            block = other.block(min(wanted, block.number))
        elif apart > MAX_SECONDS_APART:
            return f"its newest block, {block.number}, is {apart} seconds from the one at home"
        return PinnedReader(other), block


def _errands(found: Iterable[Delivery | Undelivered]) -> Iterable[_Errand | Undelivered]:
    """In the order of their first messages."""
    errands: dict[object, list[Delivery] | Undelivered] = {}
    for one in found:
        if isinstance(one, Undelivered):
            errands[one.path] = one
        else:
            together = errands.setdefault((one.chain_id, one.caller, one.named_sender, one.answers), [])
            assert isinstance(together, list), "paths are no such key"
            together.append(one)
    return errands.values()


def _undone(message: Undelivered) -> FarRun:
    return FarRun(paths=(message.path,), chain_id=message.chain_id, why_not=message.why)


def _skipped(errand: _Errand, why: str) -> FarRun:
    return FarRun(paths=_paths(errand), chain_id=errand[0].chain_id, why_not=one_line(why, MAX_WHY_BYTES))


def _paths(errand: _Errand) -> tuple[str, ...]:
    return tuple(delivery.path for delivery in errand)


def _ran(reader: PinnedReader, errand: _Errand, calls: Sequence[DecodedCall], block: BlockRef) -> FarRun:
    """`calls` are the messages as they are seen there."""
    first, paths = errand[0], _paths(errand)
    every = list(made_here(calls))
    simulation = simulate(
        reader,
        first.caller,
        [delivery.call for delivery in errand],
        block,
        seats_of=[call.target for call in every],
        code_at=list(dict.fromkeys([first.caller, *reached_addresses(calls)]))[:MAX_ADDRESSES],
        delegatecalls=[call for call in every if call.delegatecall and not only_batches(call)],
        prepared=_prepared(reader, errand, block),
    )
    results = tuple(result.model_copy(update={"path": paths[place]}) for place, result in enumerate(simulation.results))
    return FarRun(
        paths=paths,
        chain_id=first.chain_id,
        block=block,
        named_sender=first.named_sender,
        simulation=simulation.model_copy(update={"results": results}),
        treasury=tuple(_holdings(reader, _account(first), _assets(calls, simulation), to_hex(block.hash))),
    )


def _account(delivery: Delivery) -> str:
    return delivery.caller if delivery.named_sender is None else alias(delivery.named_sender)


def _prepared(reader: ChainReader, errand: _Errand, block: BlockRef) -> Overrides:
    """Coin that arrives with the messages, and what the bridge says of the sender."""
    first, arriving, at = errand[0], sum(delivery.arriving_wei for delivery in errand), to_hex(block.hash)
    prepared = dict[str, AccountOverride]()
    for contract in dict.fromkeys(answer.contract for answer in first.answers):
        code = reader.code(contract, at)
        if not code:
            raise PnyxError(f"the bridge's contract {contract} is not there")
        own = {answer.question: answer.value for answer in first.answers if answer.contract == contract}
        prepared |= standing_in(contract, code, own)
    if arriving:
        balance = reader.balance(first.caller, at) + arriving
        prepared[first.caller] = {**prepared.get(first.caller, {}), "balance": hex(balance)}
    return prepared


# --- what is at stake ------------------------------------------------------------------------------------------------


def _assets(calls: Iterable[DecodedCall], simulation: Simulation) -> list[str]:
    moved = [move.asset for move in simulation.all_movements if move.asset is not None]
    named = [token for call in calls for token in called_tokens(call)]
    return list(dict.fromkeys([*moved, *named]))[:MAX_ASSETS]


def _holdings(reader: ChainReader, account: str, assets: Iterable[str], at: str) -> Iterator[Holding]:
    yield native_holding(reader, account, at)
    for asset in assets:
        with suppress(DecodingError):  # it moves, and is no token
            yield token_holding(reader, account, asset, at)


def _effects(run: FarRun) -> int:
    return 0 if run.simulation is None else len(run.simulation.effects)


def _bounded(run: FarRun, most: int) -> FarRun:
    """Who floods the record hides something in the flood."""
    if _effects(run) <= most:
        return run
    why = f"it has {_effects(run)} effects, more than the {MAX_EFFECTS} of all messages that go into a record"
    return FarRun(paths=run.paths, chain_id=run.chain_id, why_not=why)
