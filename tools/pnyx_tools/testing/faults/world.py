"""A chain with governors of two versions and clocks, and the folder of one agent that votes in them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from pnyx_contracts.decision_log import encode_register
from pnyx_contracts.entry import Declaration
from pnyx_contracts.errors import UnreachableError
from pnyx_contracts.types import ProposalKey
from pnyx_tools.database import is_postgres
from pnyx_tools.journal import Case, Journal
from pnyx_tools.keystore import create_keystore
from pnyx_tools.reader import RevertedError
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import (
    DAY,
    TOKEN,
    Clock,
    Governance,
    deploy_gate,
    deploy_governance,
    deploy_log,
    encode_call,
)

PASSWORD: Final = "a-long-password-for-tests"  # noqa: S105 - of a key made for one test
KEY_LINES: Final = 'keystore = "signer.json"\npassword_file = "password"\n'
"""What follows in ``[signer]`` where the key is."""
SQLITE: Final = "sqlite:///"
VOTING_PERIODS: Final[dict[Clock, int]] = {"block": 200_000, "timestamp": 60 * DAY}
"""Long: what a vote survives is the matter here, not how close its end is."""

RULES: Final = """
name = "faults"
version = "1"
description = "Against what is hidden, for what is small and announced."

[[rule]]
id = "hidden"
because = "It hides something."
when = ["findings.critical > 0"]
then = "against"

[[rule]]
id = "calm"
because = "Nothing speaks against it."
when = ["findings.critical is 0", "findings.high is 0"]
then = "for"
"""


@dataclass(frozen=True, slots=True)
class Setup:
    """How a world is made. `declare` gives the configuration's hash of a ``pnyx.toml``."""

    declare: Callable[[Path], bytes]
    gate: bool = True
    """False: the signer's own key votes, entry and vote are two transactions."""
    rpc: str | None = None
    """The agent's endpoint, the node itself when not given."""
    signer_rpc: str | None = None
    confirmations: int = 1
    poll_seconds: float = 0.3
    voting_delay: int = 1
    """In units of each governor's clock."""
    lines: str = ""
    """More of ``pnyx.toml``: models, for example."""
    rules: str = RULES
    database: str | None = None
    """URL of a PostgreSQL database that several workers share. The signer is apart then: ``signer.toml`` is its own."""


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
            wei = TOKEN // 1000
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


def make_world(node: Anvil, folder: Path, setup: Setup) -> World:
    """Deploys everything, writes the agent's folder, registers it and gives it voting power."""
    folder.mkdir(parents=True)
    governances = _governances(node, setup)
    key = create_keystore(folder / "signer.json", PASSWORD, scrypt_work=2**12)
    node.set_balance(key, 100 * TOKEN)
    (folder / "rules.toml").write_text(setup.rules)
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o600)
    text, key_lines = _configuration(node, governances, setup), KEY_LINES
    config, signers = folder / "pnyx.toml", folder / "signer.toml"
    config.write_text(text if setup.database else text + key_lines)
    log, writer = _register(node, governances, key, setup.declare(config), gate=setup.gate)
    log_lines = f'\n[log]\naddress = "{log}"\n' + (f'writer = "{writer}"\n' if setup.gate else "")
    if setup.database:
        config.write_text(text + log_lines + f'[database]\nurl = "{setup.database}"\n[work]\nlease_seconds = 2\n')
        signers.write_text(text + key_lines + log_lines)
    else:
        config.write_text(text + key_lines + log_lines)
    for governance in governances:
        governance.give_power(writer, 10_000)
    database = setup.database or f"{SQLITE}{folder / 'data' / 'journal.sqlite'}"
    return World(node, folder, governances, log, writer, key, database)


def _governances(node: Anvil, setup: Setup) -> tuple[Governance, ...]:
    first: Clock = "block" if setup.gate else "timestamp"
    second: Clock = "timestamp" if setup.gate else "block"
    return (
        deploy_governance(node, 5, first, voting_delay=setup.voting_delay, voting_period=VOTING_PERIODS[first]),
        deploy_governance(node, 4, second, voting_delay=setup.voting_delay, voting_period=VOTING_PERIODS[second]),
    )


def _register(
    node: Anvil, governances: Sequence[Governance], key: str, config_hash: bytes, *, gate: bool
) -> tuple[str, str]:
    """Log and writer."""
    governors = tuple(governance.governor for governance in governances)
    if gate:
        made = deploy_gate(node, signer=key, governors=governors, config_hash=config_hash)
        return made.log, made.address
    log = deploy_log(node)
    node.impersonate(key)
    declaration = Declaration(config_hash=config_hash, governors=governors, evidence_uri="")
    node.send(log, encode_register(key, DAY, declaration), sender=key)
    node.request("anvil_stopImpersonatingAccount", key)
    return log, key


def _configuration(node: Anvil, governances: Sequence[Governance], setup: Setup) -> str:
    start = node.rpc.block().number
    governors = "".join(
        f'[[governor]]\naddress = "{governance.governor}"\nstart_block = {start}\n' for governance in governances
    )
    return f"""
[agent]
name = "tester"
mode = "autonomous"
[chain]
rpc = "{setup.rpc or node.url}"
chain_id = {node.rpc.chain_id()}
confirmations = {setup.confirmations}
poll_seconds = {setup.poll_seconds}
{governors}
[policy]
ruleset = "rules.toml"
{setup.lines}
[signer]
rpc = "{setup.signer_rpc or node.url}"
max_spend_per_day_ether = 50
"""
