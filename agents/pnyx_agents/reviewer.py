"""Decode, simulate, analyze, check, decide, seal: everything up to the record, with no key and no transaction.

`pnyx review` uses it alone; the steward uses it step by step. Each method takes and returns plain values, so that a
durable
engine can remember what was already done.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version

from pnyx_agents.analyst import AnalystPort, Deliberation, deliberate
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import Address, BlockRef, Proposal, ProposalKey, Value, to_hex
from pnyx_policies.bundle import Bundle, seal
from pnyx_policies.checks import Check, CheckView, run_checks
from pnyx_policies.configuration import Configuration
from pnyx_policies.decide import decide
from pnyx_policies.dossier import NOBODY, Dossier, Header, Software, State
from pnyx_policies.entitlement import OPEN_STATES
from pnyx_policies.facts import Facts
from pnyx_policies.prompt import templates
from pnyx_policies.ruleset import Ruleset
from pnyx_tools.clock import clock_at, read_clock, seconds_per_tick
from pnyx_tools.context import ContextTool, OwnLog
from pnyx_tools.fork import Fork
from pnyx_tools.gather import gather_facts, review_digest_now
from pnyx_tools.pinned import PinnedReader, reads_of
from pnyx_tools.progress import Tell, tell_nobody
from pnyx_tools.reader import BlockId, ChainReader

RECORDED_PACKAGES = ("pydantic", "eth-abi", "rfc8785", "web3", "langchain-core", "langchain-openai", "openai", "dbos")


@dataclass(frozen=True, slots=True)
class Governed:
    """One governor that the agent follows, detected and ready."""

    adapter: GovernorAdapter
    profile: GovernorProfile
    start_block: int = 0
    treasury_assets: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """To vote on a proposal, by the governor's clock (blocks or seconds)."""

    ticks: int
    """0 when its vote is over."""
    seconds: float
    """By the pace of the last blocks, where the clock counts blocks."""
    now: int
    deadline: int


class Change(Value):
    """Why a review does not count any more."""

    why: str
    is_reorganised: bool = False
    """The chain took another way: nobody changed anything."""


@dataclass(frozen=True, slots=True)
class Reviewer:
    """The agent's judgement: what it looks at, whom it asks, by which rules it decides."""

    configuration: Configuration
    """What this agent declares about itself."""
    reader: ChainReader
    governors: dict[Address, Governed]
    ruleset: Ruleset
    checks: tuple[Check, ...]
    analysts: tuple[AnalystPort, ...]
    tools: tuple[ContextTool, ...]
    log: Address | None
    writer: Address | None
    voter: Address | None
    """Holds the voting power: the writer, or a Safe."""
    salt_key: bytes = field(repr=False)
    """Master key of the salts (32 bytes), see docs/record-format.md."""
    known_addresses: dict[Address, str] = field(default_factory=dict)
    fork: Fork | None = None
    """Where to simulate what the endpoints cannot."""
    others: Mapping[int, ChainReader] = field(default_factory=dict)
    """Where to look at other chains, by their ids."""

    def establish(self, proposal: Proposal, block: BlockId = "latest", tell: Tell = tell_nobody) -> Facts:
        """The facts, pinned to one block. `tell` hears what is being read."""
        governed = self.governors[proposal.key.governor]
        return gather_facts(
            PinnedReader(self.reader, fork=self.fork, others=self.others),
            governed.adapter,
            governed.profile,
            proposal,
            voter=self.voter,
            own_log=OwnLog(self.log, self.writer) if self.log and self.writer else None,
            block=block,
            tools=self.tools,
            known_addresses=self.known_addresses,
            interfaces=self.configuration.interfaces,
            probes=self.configuration.probes,
            prices=self.configuration.prices,
            treasury_assets=governed.treasury_assets,
            tell=tell,
        )

    def change_since(self, dossier: Dossier, proposal: Proposal) -> Change | None:
        """What is not as it was reviewed any more. `proposal` is as it was followed last.

        A person's word is not lost when a deadline moves: the vote is open while they answer.
        """
        governed, then, key = self.governors[proposal.key.governor], dossier.state.governor, proposal.key
        if not self.is_on_chain(dossier.state.block):
            return Change(why="the block at which it was reviewed is not on the chain any more", is_reorganised=True)
        if proposal != dossier.proposal:
            why = "the proposal stands in another block, or with another content, than at the review"
            return Change(why=why, is_reorganised=True)
        look, interfaces = PinnedReader(self.reader, latest_stands=True), self.configuration.interfaces
        end = governed.adapter.read_deadline(governed.profile, key.proposal_id)
        look.ask_ahead(reads_of([end, governed.adapter.read_quorum(governed.profile, then.snapshot)], "latest"))
        if review_digest_now(look, governed.profile, proposal, interfaces) != dossier.state.review_digest:
            return Change(why="the code behind it changed since the review")
        deadline = look.read(end)
        if deadline != then.deadline and not dossier.people.words:
            return Change(why=f"its deadline moved since the review, from {then.deadline} to {deadline}")
        if then.quorum is not None:
            quorum = look.read(governed.adapter.read_quorum(governed.profile, then.snapshot))
            if quorum != then.quorum:
                return Change(why=f"its quorum changed since the review, from {then.quorum} to {quorum}")
        return None

    def is_on_chain(self, block: BlockRef) -> bool:
        return self.reader.block(block.number).hash == block.hash

    def time_left(self, key: ProposalKey) -> TimeLeft:
        """To vote, as state and deadline stand now: both can move."""
        governed, look = self.governors[key.governor], PinnedReader(self.reader)
        adapter, profile, block = governed.adapter, governed.profile, look.block()
        at = to_hex(block.hash)
        state, end = adapter.read_state(profile, key.proposal_id), adapter.read_deadline(profile, key.proposal_id)
        look.ask_ahead(reads_of([state, end, read_clock(profile)], at))
        is_open, deadline = look.read(state, at) in OPEN_STATES, look.read(end, at)
        now = clock_at(look, profile, block)
        ticks = max(0, deadline - now) if is_open else 0
        return TimeLeft(ticks, ticks * seconds_per_tick(look, profile, block) if ticks else 0.0, now, deadline)

    def ask(self, facts: Facts, tell: Tell = tell_nobody) -> Deliberation:
        """One opinion per analyst. An analyst that fails gives an opinion that says so; nobody guesses."""
        return deliberate(self.analysts, facts, tell)

    def conclude(self, facts: Facts, said: Deliberation) -> Dossier:
        """Check and decide. Pure: the same facts and answers give the same dossier."""
        reports = run_checks(self.checks, CheckView(facts, said.opinions))
        judged = decide(self.ruleset, facts, reports, said.opinions)
        return Dossier(
            header=Header(
                agent=self.configuration.agent,
                mode=self.configuration.mode,
                chain_id=facts.proposal.key.chain_id,
                log=self.log,
                writer=self.writer,
                config_hash=self.configuration.hash,
            ),
            proposal=facts.proposal,
            calls=facts.calls,
            state=State.of(facts),
            simulation=facts.simulation,
            context=facts.context,
            prompt=templates(),
            attempts=said.attempts,
            opinions=said.opinions,
            checks=reports,
            ruleset=self.ruleset.text,
            rules=judged.rules,
            decision=judged.decision,
            people=NOBODY,
            software=software(),
        )

    def seal(self, dossier: Dossier, bodies: Mapping[bytes, bytes]) -> Bundle:
        """The dossier, salted and hashed, with the exact bytes that went to and came from the models."""
        return seal(dossier, bodies, self.salt_key)


@cache
def software() -> Software:
    """What runs here (attested: nobody can check it)."""
    return Software(pnyx=version("pnyx"), python=platform.python_version(), packages=_installed(RECORDED_PACKAGES))


def _installed(names: Sequence[str]) -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError

    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
