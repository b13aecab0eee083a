"""A chain with governors of two versions and clocks, and the folder of one agent that votes in them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

from pnyx_contracts.errors import UnreachableError
from pnyx_contracts.types import ProposalKey
from pnyx_tools.database import is_postgres
from pnyx_tools.journal import Case, Journal
from pnyx_tools.reader import RevertedError
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import DAY, TOKEN, Clock, Governance, deploy_governance, encode_call
from pnyx_tools.testing.settling import Plan, settle

SQLITE: Final = "sqlite:///"
VOTING_PERIODS: Final[dict[Clock, int]] = {"block": 200_000, "timestamp": 60 * DAY}
"""Long: what a vote survives is the matter here, not how close its end is."""


@dataclass
class World:
    """One agent in its world."""

    node: Anvil
    folder: Path
    governances: tuple[Governance, ...]
    log: str
    writer: str
    key: str
    database: str
    """URL of the journal."""
    proposed: list[ProposalKey] = field(default_factory=list)
    """What must get its answer."""
    numbered: int = 0

    @property
    def evidence(self) -> Path:
        return self.folder / "evidence"

    def propose(self, dice: random.Random) -> ProposalKey:
        """An honest small payment, or a power that its text does not speak of."""
        governance = dice.choice(self.governances)
        self.numbered += 1
        number, receiver = self.numbered, self.node.accounts[7]
        if dice.random() < 0.7:
            wei = TOKEN // 1000 + number * TOKEN // 10**6  # none does what another one does
            text = f"# Payment {number}\n\nSends {wei / TOKEN} ETH to {receiver} for the documentation, part {number}."
            proposal = governance.propose([receiver], [wei], [b""], text)
        else:
            hidden = encode_call("grantRole(bytes32,address)", bytes(32), receiver)
            proposal = governance.propose([governance.timelock], [0], [hidden], f"# Thanks {number}\n\nThank you all.")
        key = governance.proposals[proposal].key
        self.proposed.append(key)
        return key

    def forget_what_is_gone(self) -> None:
        """Proposals that a reorganisation took away need no answer."""
        known = {governance.governor: governance for governance in self.governances}
        self.proposed = [key for key in self.proposed if _is_known(known[key.governor], key)]

    def cases(self) -> list[Case]:
        """What the agent's journal says; nothing before its first start."""
        if not is_postgres(self.database) and not Path(self.database.removeprefix(SQLITE)).exists():
            return []
        try:
            return self._journal.cases()
        except UnreachableError:  # away, on purpose
            return []

    @cached_property
    def _journal(self) -> Journal:
        return Journal(self.database)

    def words(self, characters: int = 4000) -> str:
        """The last of what the agent wrote."""
        path = self.folder / "daemon.log"
        return path.read_text(encoding="utf-8", errors="replace")[-characters:] if path.exists() else ""


def _is_known(governance: Governance, key: ProposalKey) -> bool:
    try:
        governance.state(key.proposal_id)
    except RevertedError:
        return False
    return True


def make_world(node: Anvil, folder: Path, plan: Plan, *, voting_delay: int = 1) -> World:
    """`voting_delay` in units of each governor's clock."""

    def govern(version: Literal[4, 5], clock: Clock) -> Governance:
        return deploy_governance(node, version, clock, voting_delay=voting_delay, voting_period=VOTING_PERIODS[clock])

    governances = (
        govern(5, "block" if plan.gate else "timestamp"),
        govern(4, "timestamp" if plan.gate else "block"),
    )
    agent = settle(node, folder, governances, plan)
    database = plan.database or f"{SQLITE}{folder / 'data' / 'journal.sqlite'}"
    return World(node, folder, governances, agent.log, agent.writer, agent.key, database)
