"""The decision record's content: what lies at each position of the record tree (`pnyx_contracts.record`).

The tree binds what was decided, not where the entry landed: no sequence number and no previous head in here, so a reorg
or another entry does not invalidate a finished bundle.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.interfaces import Interfaces
from pnyx_contracts.types import Address, BlockRef, Bytes32, Proposal, Uint, Value
from pnyx_policies.analysis import Opinion
from pnyx_policies.asset_prices import PriceOrigin
from pnyx_policies.checks.protocol import CheckReport
from pnyx_policies.decision import Decision, Mode, RuleOutcome
from pnyx_policies.facts import (
    EarlierCode,
    Facts,
    GovernorFacts,
    Holding,
    Simulation,
    Skipped,
    TargetFacts,
    ToolResult,
    VoterFacts,
)
from pnyx_policies.probes import Probe


class Header(Value):
    """Whose decision this is, for which log, under which declared configuration."""

    agent: str
    mode: Mode
    chain_id: int
    log: Address | None
    """None for a review that is recorded only locally."""
    writer: Address | None
    config_hash: Bytes32


class State(Value):
    """Chain state at the pinned block (grade: re-read)."""

    block: BlockRef
    review_digest: Bytes32
    governor: GovernorFacts
    voter: VoterFacts | None
    targets: tuple[TargetFacts, ...]
    earlier_code: tuple[EarlierCode, ...] = ()
    treasury: tuple[Holding, ...]
    known_addresses: dict[Address, str] = Field(default_factory=dict)
    interfaces: Interfaces = Field(default_factory=dict)
    probes: tuple[Probe, ...] = ()
    prices: tuple[PriceOrigin, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    @classmethod
    def of(cls, facts: Facts) -> Self:
        """The part of the facts that has no position of its own in the record."""
        return cls(
            block=facts.block,
            review_digest=facts.review_digest,
            governor=facts.governor,
            voter=facts.voter,
            targets=facts.targets,
            earlier_code=facts.earlier_code,
            treasury=facts.treasury,
            known_addresses=facts.known_addresses,
            interfaces=facts.interfaces,
            probes=facts.probes,
            prices=facts.prices,
            skipped=facts.skipped,
        )


class PromptTemplate(Value):
    """The template behind the request, so that a verifier renders it again."""

    name: str
    text: str


class Attempt(Value):
    """One request to a model. The bodies themselves lie in the bundle, addressed by these hashes (keccak-256)."""

    opinion: int = Field(ge=0, lt=2**32)
    """Index of the opinion that it belongs to."""
    number: int = Field(ge=0, lt=2**32)
    """0 for the first attempt at this opinion."""
    request_hash: Bytes32
    response_hash: Bytes32 | None
    """None when nothing came back (time-out, connection lost)."""
    http_status: int | None
    outcome: str
    """``ok``; tool-call, when the model asked for context and the next attempt shows it; or what was wrong with it:
    refusal, length, content-filter, invalid, timeout, rate-limit, http-error, connection."""
    detail: str = ""
    served_model: str = ""
    request_id: str = ""
    reused: bool = False
    """The answer was given before, to the same request, and was not paid for again."""
    input_tokens: int | None = None
    cached_tokens: int | None = None
    """Those of `input_tokens` that the server knew from before."""
    output_tokens: int | None = None


class Approval(Value):
    """What a person said about one decision (`approval` says what of it is signed)."""

    person: str
    """Who it was, in the operator's words; with a signature, the address that signed."""
    verdict: str = Field(pattern="^(approve|reject)$")
    vote: str | None = Field(default=None, pattern="^(for|against|abstain)$")
    """The vote that the person asks for; None approves the one decided. A rejection names none."""
    comment: str = ""
    expires_at: int = Field(ge=0)
    """An approval counts until then, in seconds since the epoch."""
    decision_digest: Bytes32
    """EIP-712 digest of what was said, see `approval.Answer`."""
    signature: str = ""
    """Over `decision_digest`, 65 bytes (r, s, v); empty for the operator's word."""

    @model_validator(mode="after")
    def _require_clear_word(self) -> Self:
        if self.verdict == "reject" and self.vote is not None:
            raise ValueError("a rejection names no vote")
        return self


class Expired(Value):
    """The wait for people ended without them. As the governor's clock stood then (blocks or seconds)."""

    now: Uint
    deadline: Uint


class People(Value):
    """What people said about one decision, and whether the wait for them is over."""

    words: tuple[Approval, ...]
    """At most one of each person, in the order in which they were heard."""
    expired: Expired | None
    """Set when too few had spoken in time: no vote."""

    @property
    def rejection(self) -> Approval | None:
        """The first one: one person is enough to say no."""
        return next((word for word in self.words if word.verdict == "reject"), None)

    @property
    def give_vote(self) -> bool:
        """Whether it is by their word that a vote is cast."""
        return bool(self.words) and self.rejection is None and self.expired is None


NOBODY = People(words=(), expired=None)
NO_AGENT = "review"
"""The name in the header of a review that no agent made: `pnyx review` without a configuration."""


class Software(Value):
    """What ran (grade: attested)."""

    pnyx: str
    python: str
    packages: dict[str, str] = Field(default_factory=dict)


class Dossier(Value):
    """Everything that one decision rests on, in the order of the record's positions."""

    header: Header
    proposal: Proposal
    calls: tuple[DecodedCall, ...]
    state: State
    simulation: Simulation
    context: tuple[ToolResult, ...]
    prompt: tuple[PromptTemplate, ...]
    attempts: tuple[Attempt, ...]
    opinions: tuple[Opinion, ...]
    checks: tuple[CheckReport, ...]
    ruleset: str
    """The ruleset's TOML text, verbatim; its hash is the keccak-256 of these UTF-8 bytes."""
    rules: tuple[RuleOutcome, ...]
    decision: Decision
    people: People
    software: Software

    @property
    def safe(self) -> Address | None:
        """The Safe whose owners cast the vote: then the standing that was judged is not the writer's."""
        voter, writer = self.state.voter, self.header.writer
        return voter.voter if voter is not None and writer is not None and voter.voter != writer else None

    def tools(self, declared: Mapping[str, str]) -> list[tuple[str, str]]:
        """The context tools that ran, with their versions. One that could not run counts with the declared one."""
        skipped = [step.tool for step in self.state.skipped if step.tool is not None]
        return sorted([*((r.tool, r.version) for r in self.context), *((t, declared.get(t, "")) for t in skipped)])

    @property
    def facts(self) -> Facts:
        """The facts as checks, prompt and rules saw them."""
        state = self.state
        return Facts(
            block=state.block,
            proposal=self.proposal,
            review_digest=state.review_digest,
            governor=state.governor,
            voter=state.voter,
            calls=self.calls,
            targets=state.targets,
            earlier_code=state.earlier_code,
            simulation=self.simulation,
            treasury=state.treasury,
            context=self.context,
            skipped=state.skipped,
            known_addresses=state.known_addresses,
            interfaces=state.interfaces,
            probes=state.probes,
            prices=state.prices,
        )
