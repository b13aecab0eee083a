"""What is known about a proposal before anybody judges it.

Facts are established by code, pinned to one block, and graded by how a stranger can check them. A step that could
not run leaves a `Skipped` with its reason: missing knowledge is visible, never silent.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterator
from enum import Enum
from functools import reduce
from itertools import chain
from typing import Final, Self, TypeVar

from eth_hash.auto import keccak
from pydantic import Field, JsonValue

from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.governors import GovernorProfile
from pnyx_contracts.interfaces import Interfaces
from pnyx_contracts.types import Address, BlockRef, Bytes32, Hex, Proposal, ProposalState, Uint, Value
from pnyx_policies.asset_prices import PriceOrigin
from pnyx_policies.probes import Probe

NO_CODE: Final = keccak(b"")
"""The hash of the code of an address that has none."""


class Grade(Enum):
    """How a stranger can check a fact."""

    DERIVED = "derived"
    """Recomputed from chain data that anybody can fetch."""
    RE_READ = "re-read"
    """Contract state at the pinned block; needs an archive node when the block is old."""
    RE_SIMULATED = "re-simulated"
    """Needs a node that simulates at the pinned block."""
    ATTESTED = "attested"
    """Only the operator says so."""


_OF_A_TOOL: Final = "tool:"


class Skipped(Value):
    """A step that could not run, and why."""

    step: str
    why: str

    @classmethod
    def of_tool(cls, name: str, why: str) -> Self:
        """A context tool found nothing."""
        return cls(step=f"{_OF_A_TOOL}{name}", why=why)

    @property
    def tool(self) -> str | None:
        """The context tool that could not run; None for other steps."""
        return self.step.removeprefix(_OF_A_TOOL) if self.step.startswith(_OF_A_TOOL) else None


class Tally(Value):
    """Votes so far, in units of voting power."""

    against_votes: Uint
    for_votes: Uint
    abstain_votes: Uint


class GovernorFacts(Value):
    """The governor's view at the pinned block. Timepoints are in `profile.clock_mode` units (blocks or seconds)."""

    profile: GovernorProfile
    state: ProposalState
    snapshot: Uint
    deadline: Uint
    now: Uint
    """The governor's clock at the pinned block."""
    quorum: Uint | None
    """None when the snapshot is not in the past yet."""
    tally: Tally | None


class VoterFacts(Value):
    """The agent's own standing: who votes, with how much, and whether it did already."""

    voter: Address
    voting_power: Uint | None
    """At the snapshot, in units of voting power; None while the snapshot is not in the past."""
    has_voted: bool


class TargetFacts(Value):
    """A contract that the proposal touches, as deep as decoding went."""

    address: Address
    has_code: bool
    code_hash: Bytes32
    implementation: Address | None = None
    """Code that it runs by its own account (EIP-1967, EIP-1167, beacon, ``implementation()``); None for no proxy."""
    implementation_code_hash: Bytes32 | None = None
    opcodes: tuple[str, ...] = ()
    """What its code can reach of CALLCODE, CREATE, CREATE2, DELEGATECALL, SELFDESTRUCT; in truth perhaps fewer."""
    implementation_opcodes: tuple[str, ...] = ()

    @property
    def can_destroy_itself(self) -> bool:
        return "SELFDESTRUCT" in self.opcodes or "SELFDESTRUCT" in self.implementation_opcodes


CODE_WHEN_PROPOSED: Final = "code when proposed"
CODE_LONG_BEFORE: Final = "code long before"
"""Steps of the review: each gives one `EarlierCode`, or is skipped."""
LONG_BEFORE_BLOCKS: Final = 50_400
"""What was there so many blocks before the proposal counts as old: a week, at a block in twelve seconds."""


class EarlierCode(Value):
    """The code at the reached addresses, and at their implementations of today, in the end of an earlier block."""

    block: int
    code_hashes: dict[Address, Bytes32]
    """The keccak-256 of no bytes where there was no code."""


class Movement(Value):
    """One transfer or allowance, seen in the simulation. `asset` is None for the chain's own coin."""

    kind: str = Field(pattern="^(transfer|approval)$")
    asset: Address | None
    sender: Address
    recipient: Address
    amount: Uint
    """Wei or token units; 1 for an NFT."""
    token_id: Uint | None = None
    """The number of what is numbered: ERC-721, ERC-1155."""


class Change(Value):
    """A change of power or of code, seen in the simulation's events or around its actions.

    `kind`: role-granted, role-revoked, role-admin-changed, ownership-transferred, admin-changed, upgraded,
    beacon-upgraded, module-enabled, guard-changed, governor-setting, owner-added, owner-removed, code-created,
    code-destroyed, code-replaced, governance-act (somebody proposes, votes or cancels), other.
    """

    kind: str
    contract: Address
    subject: str
    """Who or what it concerns: an address, a role, a setting."""
    detail: str


class CallResult(Value):
    """What one action did in the simulation."""

    path: str
    succeeded: bool
    gas_used: Uint
    error: str = ""


class SimulationStatus(Enum):
    SUCCEEDED = "succeeded"
    REVERTED = "reverted"
    SKIPPED = "skipped"


class DelegatedRun(Value):
    """What foreign code does that the calls run with an account's rights: a call to that account, at the pinned block,
    as if it had this code, and its own storage and balance.

    It cannot show what the actions before it change, that anything stops the account from running it, or what the code
    finds out about its own address (immutables are in the code, and right).
    """

    path: str
    """Of the delegatecall."""
    code: Address
    account: Address
    succeeded: bool
    error: str = ""
    movements: tuple[Movement, ...] = ()
    changes: tuple[Change, ...] = ()


class ProbeAnswer(Value):
    """What a probe's call returned; with an `error`, why it gave nothing that could be read."""

    data: Hex = b""
    error: str = ""


class ProbeReading(Value):
    """One probe, read right before and right after the simulated actions; for one member, where it asks for each."""

    name: str
    member: Bytes32 | None = None
    """One word, as the list gives it. None also where the list gives none, and the answers say why."""
    before: ProbeAnswer
    after: ProbeAnswer


class Balance(Value):
    """What an account of the DAO has of a token, right before and right after the simulated actions; with a `spender`,
    what that one may take of it. In units of the token, or in wei; None where nobody said.
    """

    holder: Address
    token: Address | None
    """None for the chain's own coin."""
    token_id: Uint | None = None
    """Of a token that counts each number by itself (ERC-1155)."""
    spender: Address | None = None
    before: Uint | None
    after: Uint | None

    @property
    def was_read(self) -> bool:
        return self.before is not None or self.after is not None


class Simulation(Value):
    """The actions run one after another from the executor at the pinned block."""

    status: SimulationStatus
    why_skipped: str = ""
    executor: Address
    method: str = ""
    """The JSON-RPC method that gave this: ``eth_simulateV1``; ``debug_traceCall``, one action after another, each with
    the changes of those before it; ``eth_call``, each action alone, which shows no effects."""
    passed_over: tuple[Skipped, ...] = ()
    """Better methods, and why the node did not give them."""
    results: tuple[CallResult, ...] = ()
    movements: tuple[Movement, ...] = ()
    changes: tuple[Change, ...] = ()
    delegated: tuple[DelegatedRun, ...] = ()
    readings: tuple[ProbeReading, ...] = ()
    """Of all declared probes, in order, then of those that follow from the calls (`markets.derived_probes`); none where
    the simulation was skipped.
    """
    balances: tuple[Balance, ...] = ()
    """Of the coin, of the tokens that calls and events tell of, and of the allowances that the calls give
    (`balances.questions`, `balances.told`).
    """

    @property
    def all_movements(self) -> tuple[Movement, ...]:
        """Those of the actions, and those that only a delegated run showed."""
        return _either(self.movements, *(run.movements for run in self.delegated))

    @property
    def all_changes(self) -> tuple[Change, ...]:
        return _either(self.changes, *(run.changes for run in self.delegated))

    @property
    def effects(self) -> tuple[Movement | Change, ...]:
        """Each with its number, as readers are shown them and cite them: of the actions, then of each delegated run."""
        runs = (part for run in self.delegated for part in (run.movements, run.changes))
        return tuple(chain(self.movements, self.changes, *runs))


T = TypeVar("T")


def _either(*seen: tuple[T, ...]) -> tuple[T, ...]:
    """Each as often as where it was seen most often: what two runs show is one thing seen twice."""
    most = reduce(operator.or_, map(Counter, seen))
    return tuple(most.elements())


class Holding(Value):
    """What the executor holds of one asset at the pinned block. `asset` is None for the chain's own coin."""

    asset: Address | None
    symbol: str
    decimals: int | None = Field(ge=0, le=255)
    """None when the token does not say."""
    balance: Uint


class ToolResult(Value):
    """The typed result of one context tool, as plain JSON, with the grade that the tool claims for it."""

    tool: str
    version: str
    grade: Grade
    result: JsonValue


class Facts(Value):
    """All that checks, rules and the prompt may see of the world."""

    block: BlockRef
    """Everything below was read at this block."""
    proposal: Proposal
    review_digest: Bytes32
    """What the review is bound to, see `review.review_digest`."""
    governor: GovernorFacts
    voter: VoterFacts | None
    """None for a review without a voter (`pnyx review`, observe mode without an account)."""
    calls: tuple[DecodedCall, ...]
    targets: tuple[TargetFacts, ...]
    earlier_code: tuple[EarlierCode, ...] = ()
    """In the block of the proposal and long before it; a block whose state the node no longer has is a skipped step."""
    simulation: Simulation
    treasury: tuple[Holding, ...]
    context: tuple[ToolResult, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    known_addresses: dict[Address, str] = Field(default_factory=dict)
    """Names the operator gave to addresses (the DAO's own Safe, its registrar ...); checks know them as friends."""
    interfaces: Interfaces = Field(default_factory=dict)
    """The declared functions that the decoded calls can rest on, see `interfaces.used`."""
    probes: tuple[Probe, ...] = ()
    """What must hold after the execution, as declared. Their readings are the simulation's."""
    prices: tuple[PriceOrigin, ...] = ()
    """Where the prices of assets stand, as declared. What they are is context (`AssetPrices`)."""

    def every_call(self) -> Iterator[DecodedCall]:
        """All calls at every depth, in order of execution."""
        for call in self.calls:
            yield from call.walk()

    def call_at(self, path: str) -> DecodedCall | None:
        """The call at this path; None for an empty path, as of what only the simulation showed."""
        return next((call for call in self.every_call() if call.path == path), None)

    def target(self, address: str) -> TargetFacts | None:
        return next((t for t in self.targets if t.address == address), None)

    def code_when_proposed(self, address: str) -> bytes | None:
        """The hash of the code that lay there in the block of the proposal, None when unknown."""
        return self._code_at(self.proposal.created_block, address)

    def came_after_proposal(self, address: str) -> bool:
        """True when the code there is known to be younger than the proposal: nobody could read it then."""
        target = self.target(address)
        return target is not None and target.has_code and self.code_when_proposed(address) == NO_CODE

    def _code_at(self, block: int, address: str) -> bytes | None:
        return next((then.code_hashes.get(address) for then in self.earlier_code if then.block == block), None)
