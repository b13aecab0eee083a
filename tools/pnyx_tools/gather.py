"""All facts about one proposal, read at one block.

The order, and what happens when a step cannot run:

1. pin the block, by its hash: everything below is read there        raises when the node does not answer
2. the governor's view: state, timepoints, quorum, tally             quorum and tally may be skipped; raises when the
                                                                     node cannot tell the governor's time
3. the voter's standing                                              power may be skipped
4. the calls, decoded as deep as they go                             never fails: unknown stays unknown
5. code of every address that the calls reach, now                   raises
   and in earlier blocks                                             per block, skipped
6. the review digest over all of this                                never fails
7. the simulation                                                    skipped when the node cannot simulate
8. what the executor holds                                           per asset, skipped
9. context tools                                                     per tool, skipped

Simulation and context tools ask side by side with the rest, and what can be foreseen is asked together: what counts is
how often in a row the node is waited for.

A node that cannot be reached is an error in steps 1 to 8: nothing is concluded from its silence. What the contracts or
the node's features do not give is `Skipped`, with the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decoded import DecodedCall, made_here
from pnyx_contracts.errors import DecodingError, DiffersError, UsageError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile, Read
from pnyx_contracts.interfaces import NONE, used
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.asset_prices import PriceOrigin
from pnyx_policies.balances import Accounts, questions, told
from pnyx_policies.checks.delegatecall import only_batches
from pnyx_policies.context import READINGS
from pnyx_policies.facts import (
    CODE_LONG_BEFORE,
    CODE_WHEN_PROPOSED,
    LONG_BEFORE_BLOCKS,
    EarlierCode,
    Facts,
    GovernorFacts,
    Holding,
    Simulation,
    SimulationStatus,
    Skipped,
    Tally,
    TargetFacts,
    ToolResult,
    VoterFacts,
)
from pnyx_policies.markets import derived_probes
from pnyx_policies.probes import Probe
from pnyx_policies.review import review_digest
from pnyx_policies.text import count
from pnyx_tools.clock import clock_at, read_clock
from pnyx_tools.code import reached_addresses, read_earlier_code, read_targets
from pnyx_tools.context import AssetPricesTool, ContextTool, HeldProposalsTool, OwnLog, builtin_tools, run_tool
from pnyx_tools.holdings import called_tokens, native_holding, questions_of, token_holding
from pnyx_tools.pinned import CodeOf, PinnedReader, pinned, reads_of
from pnyx_tools.progress import Tell, tell_nobody
from pnyx_tools.reader import BlockId, ChainReader, MethodMissingError, RevertedError, RpcError
from pnyx_tools.reasons import without_endpoint
from pnyx_tools.side_by_side import side_by_side
from pnyx_tools.simulate import simulate

T = TypeVar("T")

MAX_TARGETS = 256
"""Addresses whose code is read; a proposal that reaches more is reviewed without the rest, and says so."""

MAX_ASSETS = 64

AT_ONCE = 6
"""Looks side by side."""

BUILTIN_TOOLS = builtin_tools()
"""Checks read what they find, so whoever judges runs them: the daemon, the signer, and a member."""
_READ_BY_CHECKS = frozenset(reading.TOOL for reading in READINGS)

TOOL_PAUSES = (0.5, 2.0)
"""Seconds before one of these is tried again: a bad moment of an endpoint must not decide that nothing is known."""


def gather_facts(
    reader: ChainReader,
    adapter: GovernorAdapter,
    profile: GovernorProfile,
    proposal: Proposal,
    *,
    voter: str | None = None,
    own_log: OwnLog | None = None,
    block: BlockId = "latest",
    tools: Sequence[ContextTool] = BUILTIN_TOOLS,
    known_addresses: Mapping[str, str] | None = None,
    treasury_assets: Sequence[str] = (),
    interfaces: Mapping[str, Mapping[str, str]] = NONE,
    probes: Sequence[Probe] = (),
    prices: Sequence[PriceOrigin] = (),
    tell: Tell = tell_nobody,
) -> Facts:
    """The facts of `proposal` at `block`. `own_log` is where the agent writes that judges by them, None for who writes
    nothing. `tell` hears what is being read.

    Raises `UsageError` when the reader is on another chain, `DiffersError` when the proposal's content is not what its
    id says, `RevertedError` or `DecodingError` when the governor does not know the proposal, `ReorganisedError` when
    the chain took another way meanwhile, `RpcError` when the node cannot be reached or is not as far as the proposal,
    `MethodMissingError` when it cannot tell the governor's time.
    """
    look = pinned(reader)
    _demand_right_proposal(look, adapter, proposal)
    at = look.block(block)  # 1
    _demand_not_before(at, proposal)
    gathering = _Gathering(look, adapter, profile, proposal, voter, at, tell)
    tell(f"reading the governor at block {at.number}")
    calls = decode_calls(proposal.calls, proposal.key.chain_id, interfaces)
    with side_by_side(AT_ONCE) as begin:
        gathering.ask_ahead(_assets(treasury_assets, calls))
        governor = gathering.governor()  # 2
        standing = gathering.standing(voter, governor) if voter is not None else None  # 3
        known = tuple(known_addresses or ())
        run = begin(gathering.simulated, calls, probes, known)  # not sooner: a proposal that nobody knows is no work
        looks = [begin(gathering.looked_up, _told(tool, own_log, prices)) for tool in tools]
        targets = gathering.targets(calls)  # 4, 5
        earlier_code = gathering.earlier_code(targets)
        digest = review_digest(profile.kind, proposal, targets)  # 6
        simulation = gathering.simulation(run.result())  # 7
        treasury = gathering.treasury(_assets(treasury_assets, calls, simulation), simulation)  # 8
        context = gathering.context(tools, looks)  # 9
    return Facts(
        block=gathering.block,
        proposal=proposal,
        review_digest=digest,
        governor=governor,
        voter=standing,
        calls=calls,
        targets=targets,
        earlier_code=earlier_code,
        simulation=simulation,
        treasury=treasury,
        context=context,
        skipped=tuple(gathering.skipped),
        known_addresses=dict(known_addresses or {}),
        interfaces=used(interfaces, calls),
        probes=tuple(probes),
        prices=tuple(prices),
    )


def review_digest_now(
    reader: ChainReader,
    profile: GovernorProfile,
    proposal: Proposal,
    interfaces: Mapping[str, Mapping[str, str]] = NONE,
) -> bytes:
    """Steps 4 to 6 alone, at the head of the chain: whether it is still what was reviewed. Raises as step 5."""
    look = reader if isinstance(reader, PinnedReader) else PinnedReader(reader, latest_stands=True)
    calls = decode_calls(proposal.calls, proposal.key.chain_id, interfaces)
    targets = _read_targets(look, reached_addresses(calls), "latest")
    return review_digest(profile.kind, proposal, targets)


def _read_targets(reader: ChainReader, addresses: Sequence[str], block: BlockId) -> tuple[TargetFacts, ...]:
    return read_targets(reader, addresses[:MAX_TARGETS], block)


def _told(tool: ContextTool, own_log: OwnLog | None, prices: Sequence[PriceOrigin]) -> ContextTool:
    """With what no tool can know by itself."""
    if isinstance(tool, HeldProposalsTool):
        return tool.of(own_log)
    return tool.of(prices) if isinstance(tool, AssetPricesTool) else tool


def _demand_right_proposal(reader: ChainReader, adapter: GovernorAdapter, proposal: Proposal) -> None:
    chain_id = reader.chain_id()
    if chain_id != proposal.key.chain_id:
        raise UsageError(
            f"the RPC endpoint is one of chain {chain_id}, the proposal is on chain {proposal.key.chain_id}",
            hint="configure the endpoint of the right chain",
        )
    computed = adapter.compute_id(proposal)
    if computed is not None and computed != proposal.key.proposal_id:
        raise DiffersError(
            f"the content of proposal {proposal.key} hashes to the id {computed}: it is not this proposal"
        )


def _demand_not_before(block: BlockRef, proposal: Proposal) -> None:
    """What lags has not seen the proposal: its silence says nothing."""
    if block.number < proposal.created_block:
        raise RpcError(
            f"block {block.number} is before block {proposal.created_block}, which created the proposal",
            hint="does the endpoint lag?",
            is_about_the_question=True,
        )


def _assets(
    configured: Sequence[str], calls: Sequence[DecodedCall], simulation: Simulation | None = None
) -> tuple[str, ...]:
    """Tokens at stake, each once: those that the operator names, those that move, those that the calls name."""
    moved = [m.asset for m in simulation.all_movements if m.asset is not None] if simulation else []
    called = [token for call in calls for token in called_tokens(call)]
    return tuple(dict.fromkeys([*configured, *moved, *called]))


class _Gathering:
    """One reading of one proposal at one block; `skipped` collects what could not be read."""

    def __init__(
        self,
        reader: PinnedReader,
        adapter: GovernorAdapter,
        profile: GovernorProfile,
        proposal: Proposal,
        voter: str | None,
        block: BlockRef,
        tell: Tell,
    ) -> None:
        self._reader = reader
        self._adapter = adapter
        self._profile = profile
        self._proposal = proposal
        self._voter = voter
        self._executor = profile.timelock or profile.address
        self.block = block
        self._tell = tell
        self._at = to_hex(block.hash)
        self.skipped: list[Skipped] = []

    def ask_ahead(self, assets: Sequence[str]) -> None:
        """What steps 2, 3, 5 and 8 will ask whatever they find, and what they most likely will: the snapshot is where
        the event said that the vote begins.
        """
        adapter, profile, proposal_id = self._adapter, self._profile, self._proposal.key.proposal_id
        reads: list[Read[Any]] = [
            adapter.read_snapshot(profile, proposal_id),
            adapter.read_state(profile, proposal_id),
            adapter.read_deadline(profile, proposal_id),
            adapter.read_tally(profile, proposal_id),
            adapter.read_quorum(profile, self._proposal.vote_start),
            read_clock(profile),
        ]
        if self._voter is not None:
            reads.append(adapter.read_has_voted(profile, proposal_id, self._voter))
            reads.append(adapter.read_voting_power(profile, self._voter, self._proposal.vote_start))
        called = dict.fromkeys(call.target for call in self._proposal.calls)
        targets = list(called)[:MAX_TARGETS]
        codes = [CodeOf(address, self._at) for address in targets]
        earlier = [CodeOf(a, block) for a in (profile.address, *targets) for block in self._looks_back().values()]
        tokens = questions_of([self._executor], assets[:MAX_ASSETS], self._at)
        self._reader.ask_ahead([*reads_of(reads, self._at), *codes, *earlier, *tokens])

    def governor(self) -> GovernorFacts:
        adapter, profile, proposal_id = self._adapter, self._profile, self._proposal.key.proposal_id
        snapshot = self._read(adapter.read_snapshot(profile, proposal_id))
        now = clock_at(self._reader, profile, self.block)
        tally = self._try("tally", adapter.read_tally(profile, proposal_id))
        return GovernorFacts(
            profile=profile,
            state=self._read(adapter.read_state(profile, proposal_id)),
            snapshot=snapshot,
            deadline=self._read(adapter.read_deadline(profile, proposal_id)),
            now=now,
            quorum=self._try("quorum", adapter.read_quorum(profile, snapshot)) if snapshot < now else None,
            tally=Tally(against_votes=tally[0], for_votes=tally[1], abstain_votes=tally[2]) if tally else None,
        )

    def standing(self, voter: str, governor: GovernorFacts) -> VoterFacts:
        adapter, profile, proposal_id = self._adapter, self._profile, self._proposal.key.proposal_id
        power = None
        if governor.snapshot < governor.now:
            read = adapter.read_voting_power(profile, voter, governor.snapshot)
            power = self._try("voting power", read)
        has_voted = self._read(adapter.read_has_voted(profile, proposal_id, voter))
        return VoterFacts(voter=voter, voting_power=power, has_voted=has_voted)

    def targets(self, calls: Sequence[DecodedCall]) -> tuple[TargetFacts, ...]:
        addresses = reached_addresses(calls)
        self._tell(f"reading the code of {count(len(addresses), 'address')}")
        if len(addresses) > MAX_TARGETS:
            self._skip(
                "targets", f"the calls reach {len(addresses)} addresses, the code of the first {MAX_TARGETS} was read"
            )
        return _read_targets(self._reader, addresses, self._at)

    def earlier_code(self, targets: Sequence[TargetFacts]) -> tuple[EarlierCode, ...]:
        """What most nodes know only of the last blocks."""
        if not targets:
            return ()
        found = (self._earlier_code(step, targets, block) for step, block in self._looks_back().items())
        return tuple(earlier for earlier in found if earlier is not None)

    def _looks_back(self) -> dict[str, int]:
        """Which block each step looks at."""
        created = self._proposal.created_block
        looks = {CODE_WHEN_PROPOSED: created, CODE_LONG_BEFORE: created - LONG_BEFORE_BLOCKS}
        return {step: block for step, block in looks.items() if block > 0}

    def _earlier_code(self, step: str, targets: Sequence[TargetFacts], block: int) -> EarlierCode | None:
        try:
            return read_earlier_code(self._reader, self._profile.address, targets, block)
        except (RpcError, MethodMissingError) as error:
            self._reader.balance(self._profile.address, self._at)  # raises when it is not the age of the block
            self._skip(step, error.message)
            return None

    def simulated(self, calls: Sequence[DecodedCall], probes: Sequence[Probe], known: Collection[str]) -> Simulation:
        every = list(made_here(calls))
        foreign = [call for call in every if call.delegatecall and not only_batches(call)]
        accounts = Accounts.of(calls, self._executor, self._profile.address, known)
        balances = questions(calls, accounts)
        return simulate(
            self._reader,
            self._executor,
            self._proposal.calls,
            self.block,
            governor=self._profile.address,
            probes=(*probes, *derived_probes(calls)),
            seats_of=[call.target for call in every],
            balances_of=balances,
            balances_told=partial(told, accounts=accounts, asked=balances),
            code_at=list(dict.fromkeys([self._executor, *reached_addresses(calls)]))[:MAX_TARGETS],
            delegatecalls=foreign,
            tell=self._tell,
        )

    def simulation(self, simulation: Simulation) -> Simulation:
        if simulation.status is SimulationStatus.SKIPPED:
            self._skip("simulation", simulation.why_skipped)
        return simulation

    def treasury(self, assets: Sequence[str], simulation: Simulation) -> tuple[Holding, ...]:
        """What counts each number by itself has no balance in all; its balances were read around the actions."""
        numbered = {b.token for b in simulation.balances if b.token_id is not None and b.was_read}
        if len(assets) > MAX_ASSETS:
            self._skip("treasury", f"{len(assets)} assets are at stake, balances of the first {MAX_ASSETS} were read")
        self._tell(f"reading what the treasury holds of {count(len(assets), 'asset')}")
        assets = assets[:MAX_ASSETS]
        self._reader.ask_ahead(questions_of([self._executor], assets, self._at))
        holdings = [native_holding(self._reader, self._executor, self._at)]
        for asset in assets:
            try:
                holdings.append(token_holding(self._reader, self._executor, asset, self._at))
            except DecodingError as error:
                if asset not in numbered:
                    self._skip("treasury", error.message)
        return tuple(holdings)

    def looked_up(self, tool: ContextTool) -> ToolResult | Skipped:
        pauses = TOOL_PAUSES if tool.name in _READ_BY_CHECKS else ()
        return run_tool(tool, self._reader, self._adapter, self._profile, self._proposal, self.block, pauses)

    def context(
        self, tools: Sequence[ContextTool], looks: Sequence[Future[ToolResult | Skipped]]
    ) -> tuple[ToolResult, ...]:
        outcomes = list[ToolResult | Skipped]()
        for number, (tool, look) in enumerate(zip(tools, looks, strict=True), start=1):
            self._tell(f"looking up {tool.name} ({number} of {len(tools)})")
            outcomes.append(look.result())
        self.skipped += [outcome for outcome in outcomes if isinstance(outcome, Skipped)]
        return tuple(outcome for outcome in outcomes if isinstance(outcome, ToolResult))

    def _read(self, read: Read[T]) -> T:
        return self._reader.read(read, self._at)

    def _try(self, step: str, read: Read[T]) -> T | None:
        try:
            return self._read(read)
        except (RevertedError, DecodingError) as error:
            self._skip(step, error.message)
            return None

    def _skip(self, step: str, why: str) -> None:
        self.skipped.append(Skipped(step=step, why=without_endpoint(why)))
