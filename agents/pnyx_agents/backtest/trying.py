"""Every past proposal once more, as it stood when its vote opened.

1. which proposals there are, and how they ended      at one block, the end of the range
2. the block at which the vote opened                 by the governor's own clock
3. the governor, detected as it was then              another version, timelock or token counts as it was
4. facts, opinions, checks                            as in every review; the reader knows nothing later than that block
5. each ruleset                                       on the same facts and the same opinions

No key, no log, no transaction, nothing of the agent's own data. A proposal that cannot be tried is reported with the
reason. A node that does not answer at all is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from pnyx_agents.backtest.kept import FactsFolder
from pnyx_agents.backtest.models import use_of
from pnyx_agents.reviewer import Governed, Reviewer, software
from pnyx_contracts.errors import DecodingError, DiffersError, PnyxError, UnreachableError, UsageError
from pnyx_contracts.types import ZERO_ADDRESS, Address, BlockRef, Log, Proposal, ProposalState, to_hex
from pnyx_policies.audit.title import title_of
from pnyx_policies.backtest import BacktestReport, Ground, Trial, Untried, report_of
from pnyx_policies.backtest.report import Voter
from pnyx_policies.explanation import explain
from pnyx_policies.facts import Facts, VoterFacts
from pnyx_policies.ruleset import Ruleset
from pnyx_policies.text import one_line
from pnyx_tools.detect import detect
from pnyx_tools.follow import read_history
from pnyx_tools.model import ModelSettings
from pnyx_tools.opening import opening_block
from pnyx_tools.past import PastReader
from pnyx_tools.pinned import PinnedReader
from pnyx_tools.progress import Tell, tell_nobody
from pnyx_tools.reader import ChainReader, MethodMissingError, RevertedError, RpcError
from pnyx_tools.reasons import without_endpoint

OPEN = {ProposalState.PENDING, ProposalState.ACTIVE}
WHY_BYTES = 300


@dataclass(frozen=True, slots=True)
class Plan:
    """What is tried, and on what."""

    judge: Reviewer
    """Its ruleset is not asked; `rulesets` are."""
    governor: Address
    rulesets: tuple[Ruleset, ...]
    models: tuple[ModelSettings, ...]
    """Those behind the analysts, in their order; none for the outline."""
    from_block: int
    upto: BlockRef
    newest: int | None = None
    """Only so many proposals, the last ones."""
    currency: str = "USD"
    kept: FactsFolder = field(default_factory=FactsFolder)

    @property
    def governed(self) -> Governed:
        return self.judge.governors[self.governor]

    @property
    def power(self) -> int | None:
        """Assumed, where no voter is named: just what the rulesets ask for."""
        return None if self.judge.voter else max(ruleset.limits.min_voting_power for ruleset in self.rulesets)


@dataclass(frozen=True, slots=True)
class _Ended:
    """A proposal whose vote is over at the end of the range."""

    proposal: Proposal
    state: ProposalState


class _UntriableError(PnyxError):
    """This proposal cannot be tried, and no other node could change that."""


def backtest(plan: Plan, tell: Tell = tell_nobody) -> BacktestReport:
    """Raises `UnreachableError` when the node does not answer, or lacks what is needed of every proposal."""
    untried, ended = _ended(plan, tell)
    newest = ended if plan.newest is None else ended[-plan.newest :]
    trials: list[Trial] = []
    for number, one in enumerate(newest, start=1):
        found = _try(plan, one, partial(_tell_about, tell, f"proposal {number} of {len(newest)}"))
        if isinstance(found, Trial):
            trials.append(found)
        else:
            untried.append(found)
    _require_state(trials, untried)
    untried.sort(key=lambda one: one.created_block)
    return report_of(_ground(plan), plan.rulesets, trials, untried)


def _tell_about(tell: Tell, which: str, words: str) -> None:
    tell(f"{which}: {words}")


def _require_state(trials: Sequence[Trial], untried: Sequence[Untried]) -> None:
    lacking = next((one for one in untried if one.node_lacks), None)
    if lacking is not None and not trials:
        raise UnreachableError(
            f"no proposal could be tried; proposal {lacking.proposal_id}: {lacking.why}",
            hint="this needs an archive node, one that keeps the state of every block; or --since a newer block",
        )


# --- 1: which proposals there are ------------------------------------------------------------------------------------


def _ended(plan: Plan, tell: Tell) -> tuple[list[Untried], list[_Ended]]:
    """Those whose vote is over, in the order of the chain; and those about which nothing can be told."""
    reader, governed = plan.judge.reader, plan.governed
    untried: list[Untried] = []
    ended: list[_Ended] = []
    for log in _created(plan, tell):
        try:
            proposal = governed.adapter.decode_created(governed.profile, log)
        except DecodingError as error:
            untried.append(_untried(None, log.block_number, error))
            continue
        read = governed.adapter.read_state(governed.profile, proposal.key.proposal_id)
        try:
            state = reader.read(read, to_hex(plan.upto.hash))
        except (RevertedError, DecodingError) as error:
            untried.append(_untried(proposal, log.block_number, error))
            continue
        if state not in OPEN:
            ended.append(_Ended(proposal, state))
    return untried, ended


def _created(plan: Plan, tell: Tell) -> Iterator[Log]:
    topics, upto = plan.governed.adapter.created_topics(), plan.upto.number
    for chapter in read_history(plan.judge.reader, topics, [plan.governor], plan.from_block, upto):
        tell(f"looking for proposals: block {chapter.end} of {upto}")
        yield from chapter.logs


def _untried(proposal: Proposal | None, block: int, error: PnyxError, *, node_lacks: bool = False) -> Untried:
    return Untried(
        proposal_id=proposal.key.proposal_id if proposal else None,
        created_block=block,
        title=title_of(proposal.text) if proposal else "",
        why=one_line(without_endpoint(error.message), WHY_BYTES),
        node_lacks=node_lacks,
    )


# --- 2 to 5: one proposal --------------------------------------------------------------------------------------------


def _try(plan: Plan, one: _Ended, tell: Tell) -> Trial | Untried:
    block = one.proposal.created_block
    try:
        return _trial(plan, one, tell)
    except (RpcError, MethodMissingError) as error:
        plan.judge.reader.balance(ZERO_ADDRESS)  # raises when it is not the age of the block
        return _untried(one.proposal, block, error, node_lacks=True)
    except (_UntriableError, RevertedError, DecodingError, DiffersError) as error:
        return _untried(one.proposal, block, error)


def _trial(plan: Plan, one: _Ended, tell: Tell) -> Trial:
    """What is asked of the chain after the opening block is found is asked of a reader that knows no later one."""
    tell("looking for the opening of its vote")
    opened = _opened(plan, one.proposal)
    then = PinnedReader(PastReader(plan.judge.reader, opened), fork=plan.judge.fork)
    judge = replace(
        plan.judge, reader=then, governors={plan.governor: _governed(plan, then, opened)}, ruleset=plan.rulesets[0]
    )
    facts = _with_voter(plan, plan.kept.establish(judge, one.proposal, opened, tell))
    if facts.governor.state is not ProposalState.ACTIVE:
        raise _UntriableError(f"it was {facts.governor.state.name.lower()} when its vote was to open")
    dossier = judge.conclude(facts, judge.ask(facts, tell))
    explained = (explain(ruleset, facts, dossier.checks, dossier.opinions) for ruleset in plan.rulesets)
    return Trial.of(dossier, one.state, use_of(dossier.attempts, plan.models), tuple(explained))


def _opened(plan: Plan, proposal: Proposal) -> BlockRef:
    reader, profile = plan.judge.reader, plan.governed.profile
    opened = opening_block(reader, profile, proposal.vote_start, proposal.created_block, plan.upto.number)
    if opened is None:
        raise _UntriableError("its vote never opened")
    return opened


def _governed(plan: Plan, then: ChainReader, opened: BlockRef) -> Governed:
    """As it was in that block."""
    now = plan.governed
    try:
        adapter, profile = detect(then, plan.governor, (now.adapter,), to_hex(opened.hash))
    except UsageError as error:
        raise _UntriableError(error.message) from error
    if profile.clock_mode is not now.profile.clock_mode:
        raise _UntriableError("the governor counted time in another unit then")
    return replace(now, adapter=adapter, profile=profile)


def _with_voter(plan: Plan, facts: Facts) -> Facts:
    """The voter that is assumed where none is named."""
    if plan.power is None:
        return facts
    voter = VoterFacts(voter=ZERO_ADDRESS, voting_power=plan.power, has_voted=False)
    return facts.model_copy(update={"voter": voter})


def _ground(plan: Plan) -> Ground:
    judge = plan.judge
    return Ground(
        pnyx=software().pnyx,
        chain_id=plan.governed.profile.chain_id,
        governor=plan.governed.profile,
        from_block=plan.from_block,
        upto=plan.upto,
        voter=Voter(address=judge.voter, power=plan.power),
        analysts=tuple(analyst.describe() for analyst in judge.analysts),
        currency=plan.currency,
        checks={check.name: check.version for check in judge.checks},
        tools={tool.name: tool.version for tool in judge.tools},
    )
