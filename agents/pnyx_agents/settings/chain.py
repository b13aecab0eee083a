"""The chain: where it is read, which contracts on it are the agent's business, how transactions get there."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from pnyx_agents.settings.kinds import BlockNumber, Endpoints, WebSocketUrl, WebUrl
from pnyx_contracts.types import DAY_SECONDS, Address, Value


class OtherChainSettings(Value):
    """``[[chain.other]]``, ``[[signer.other]]``: another chain, where it is simulated what messages do there."""

    chain_id: int = Field(gt=0)
    rpc: Endpoints
    """The first one is asked while it is well."""


def demand_one_each(others: tuple[OtherChainSettings, ...]) -> None:
    """Raises ValueError for a chain that is named twice."""
    if len({other.chain_id for other in others}) < len(others):
        raise ValueError("other names a chain twice: rpc takes several endpoints of one")


class ChainSettings(Value):
    """``[chain]``"""

    rpc: Endpoints
    """The first one is asked while it is well; a second one must show the same before anything counts as final."""
    websocket: WebSocketUrl | None = None
    """An endpoint that announces new blocks: a hint to look at once."""
    fork: WebUrl | None = None
    """An `anvil --fork-url` of one's own, where proposals are simulated when no endpoint can."""
    other: tuple[OtherChainSettings, ...] = ()
    """Chains that messages of proposals go to."""
    quorum: int = Field(default=1, ge=1)
    """So many of them must say the same where a decision rests on it."""
    chain_id: int = Field(gt=0)
    confirmations: int | None = Field(default=None, ge=0)
    """How deep a block must be before it counts; None follows the node's ``finalized`` tag."""
    poll_seconds: float = Field(default=12, gt=0, le=DAY_SECONDS)

    @model_validator(mode="after")
    def _require_enough_endpoints(self) -> Self:
        if self.quorum > len(self.rpc):
            raise ValueError(f"quorum is {self.quorum}: rpc must name at least as many endpoints")
        if len(set(self.rpc)) < len(self.rpc):
            raise ValueError("rpc names an endpoint twice: it would agree with itself")
        return self

    @model_validator(mode="after")
    def _require_other_chains(self) -> Self:
        demand_one_each(self.other)
        if any(other.chain_id == self.chain_id for other in self.other):
            raise ValueError(f"other names chain {self.chain_id}, which is this one: rpc takes its endpoints")
        return self


class GovernorSettings(Value):
    """``[[governor]]``"""

    address: Address
    kind: str | None = None
    """Adapter name, when detection should not decide."""
    start_block: BlockNumber
    """Proposals created before this block are none of the agent's business."""
    treasury_assets: tuple[Address, ...] = ()
    """Tokens whose balance counts as treasury beside those that the calls touch."""


class LogSettings(Value):
    """``[log]``"""

    address: Address
    writer: Address | None = None
    """The gate, or None for the signer's own account (a plain key)."""
    atomic: bool = False
    """The signer's own account runs `AtomicAccount` (EIP-7702): no vote without that, never a second transaction."""
    factory: Address | None = None
    start_block: BlockNumber = 0
    """Block of the registration: where reading the log begins."""

    @model_validator(mode="after")
    def _require_one_writer(self) -> Self:
        if self.atomic and self.writer:
            raise ValueError("writer and atomic exclude each other: an atomic writer is the signer's own account")
        return self


class SafeSettings(Value):
    """``[safe]``: the voting power is a Safe's, and its owners cast the votes."""

    address: Address
    """The Safe. Declared."""
    service: WebUrl | None = None
    """URL of Safe's transaction service for the chain, where votes are proposed in the name of the signer's key."""
    service_key: str | None = None
    """Its API key."""


class SendingSettings(Value):
    """``[sending]``: how signed transactions get to the chain."""

    relays: tuple[WebUrl, ...] = ()
    """Private relays that get them before everybody does."""
    public_after_blocks: int = Field(default=10, ge=1)
    """Not mined for so many blocks, they go to the public endpoint as well."""
    replace_after_seconds: float = Field(default=90, gt=0)
    """Not mined for so long, they are replaced by dearer ones; sooner when a deadline is near."""
