"""What the proposal's messages do on the other chains that they go to."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from pnyx_contracts.messages import alias
from pnyx_contracts.types import Address, BlockRef, Value
from pnyx_policies.context.reading import Reading
from pnyx_policies.facts import Holding, Simulation, SimulationStatus

MAX_MESSAGES = 32
MAX_EFFECTS = 256
"""Movements and changes, of all messages together."""
MAX_SECONDS_APART = 3_600
"""Between the block of the other chain and the pinned one: an endpoint that is further behind shows the past."""


class FarRun(Value):
    """Messages that one caller gets to run on one other chain, run one after another at the newest block there."""

    paths: tuple[str, ...] = Field(min_length=1)
    """Of the messages among the decoded calls."""
    chain_id: int | None = Field(default=None, ge=1)
    """None where nobody can say which chain it is."""
    block: BlockRef | None = None
    """Of the other chain. None where nothing was simulated."""
    named_sender: Address | None = None
    """Who sends, on the proposal's chain, where the caller is a contract of the bridge."""
    simulation: Simulation | None = None
    """Its results have the messages' paths; its executor is who makes the calls there."""
    treasury: tuple[Holding, ...] = ()
    """What the DAO's account there has of the assets that move (`account`)."""
    why_not: str = ""
    """Why nothing was simulated."""

    @model_validator(mode="after")
    def _require_one_outcome(self) -> Self:
        if (self.simulation is None) != bool(self.why_not) or (self.simulation is None) != (self.block is None):
            raise ValueError("a run has either a simulation at a block, or a reason why there is none")
        if self.simulation is not None and self.chain_id is None:
            raise ValueError("a simulation is on some chain")
        return self

    @property
    def account(self) -> str | None:
        """What stands there for the account that sends: its alias. The bridge is everybody's, so never the DAO."""
        if self.named_sender is not None:
            return alias(self.named_sender)
        return self.simulation.executor if self.simulation is not None else None

    @property
    def why_unknown(self) -> str:
        """Empty where it was seen what the messages do."""
        if self.simulation is None:
            return self.why_not
        return self.simulation.why_skipped if self.simulation.status is SimulationStatus.SKIPPED else ""


class OtherChains(Reading):
    """No run where no call is a message."""

    TOOL: ClassVar = "other_chains"
    VERSION: ClassVar = "1"

    runs: tuple[FarRun, ...] = Field(max_length=MAX_MESSAGES)
    """In the order of their first messages."""
