"""Settles an agent on a local node: its folder with key, rules and configuration, its place in the log, its votes.

agent = settle(node, folder, [governance], Plan(declare))
...  # pnyx run --config agent.folder/pnyx.toml
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Final

from pnyx_contracts.decision_log import encode_register
from pnyx_contracts.entry import Declaration
from pnyx_tools.keystore import create_keystore
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import DAY, TOKEN, Governance, delegate_account, deploy_gate, deploy_log

PASSWORD: Final = "a-long-password-for-tests"  # noqa: S105 - of keys made for one test
QUICK_SCRYPT: Final = 2**12
KEY_LINES: Final = 'keystore = "signer.json"\npassword_file = "password"\n'
"""What stands in ``[signer]`` where the key is."""

RULES: Final = """
name = "test"
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
class Plan:
    """How an agent is settled."""

    declare: Callable[[Path], bytes]
    """The configuration's hash of a ``pnyx.toml``."""
    _: KW_ONLY
    mode: str = "autonomous"
    gate: bool = True
    """False: the signer's own key votes, entry and vote are two transactions."""
    atomic: bool = False
    """Without a gate: the account runs `AtomicAccount`."""
    signer: bool = True
    """False: it has no key in its configuration, and no place in a log."""
    powerful: bool = True
    rules: str = RULES
    rpc: str | None = None
    """The agent's endpoint, the node itself when not given."""
    signer_rpc: str | None = None
    confirmations: int = 1
    poll_seconds: float = 0.3
    database: str | None = None
    """URL of a PostgreSQL database that several workers share. The signer is apart then: ``signer.toml`` is its own."""
    agent_lines: str = ""
    chain_lines: str = ""
    signer_lines: str = ""
    lines: str = ""
    """More of ``pnyx.toml``: tables of its own, models for example."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Log and writer are empty without a signer."""

    folder: Path
    key: str
    """Address of the signer's key."""
    log: str = ""
    writer: str = ""


def settle(node: Anvil, folder: Path, governances: Sequence[Governance], plan: Plan) -> Settled:
    """`folder` must not exist yet."""
    folder.mkdir(parents=True)
    (folder / "rules.toml").write_text(plan.rules)
    key = _make_key(node, folder)
    config, text = folder / "pnyx.toml", _configuration(node, governances, plan)
    if not plan.signer:
        config.write_text(text)
        return Settled(folder, key)
    with_key = text + _signer(node, plan, KEY_LINES)
    own = text + _signer(node, plan, "") if plan.database else with_key
    config.write_text(own)
    log, writer = _register(node, governances, key, plan.declare(config), plan)
    log_lines = f'[log]\naddress = "{log}"\n' + (
        f'writer = "{writer}"\n' if plan.gate else f"atomic = {str(plan.atomic).lower()}\n"
    )
    if plan.database:
        (folder / "signer.toml").write_text(with_key + log_lines)
        log_lines += f'[database]\nurl = "{plan.database}"\n[work]\nlease_seconds = 2\n'
    config.write_text(own + log_lines)
    if plan.powerful:
        for governance in governances:
            governance.give_power(writer, 10_000)
    return Settled(folder, key, log, writer)


def _make_key(node: Anvil, folder: Path) -> str:
    password = folder / "password"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    key = create_keystore(folder / "signer.json", PASSWORD, scrypt_work=QUICK_SCRYPT)
    node.set_balance(key, 100 * TOKEN)
    return key


def _register(
    node: Anvil, governances: Sequence[Governance], key: str, config_hash: bytes, plan: Plan
) -> tuple[str, str]:
    """Log and writer."""
    governors = tuple(governance.governor for governance in governances)
    if plan.gate:
        gate = deploy_gate(node, signer=key, governors=governors, config_hash=config_hash)
        return gate.log, gate.address
    log = deploy_log(node)
    declaration = Declaration(config_hash=config_hash, governors=governors, evidence_uri="")
    node.impersonate(key)
    node.send(log, encode_register(key, DAY, declaration), sender=key)
    node.request("anvil_stopImpersonatingAccount", key)
    if plan.atomic:
        delegate_account(node, key, log)
    return log, key


def _configuration(node: Anvil, governances: Sequence[Governance], plan: Plan) -> str:
    rpc = plan.rpc or node.url
    with closing(Rpc(rpc)) as reader:
        start = reader.block().number
    governors = "".join(
        f'[[governor]]\naddress = "{governance.governor}"\nstart_block = {start}\n' for governance in governances
    )
    return f"""
[agent]
name = "tester"
mode = "{plan.mode}"
{plan.agent_lines}
[chain]
rpc = "{rpc}"
chain_id = {node.rpc.chain_id()}
confirmations = {plan.confirmations}
poll_seconds = {plan.poll_seconds}
{plan.chain_lines}
{governors}
[policy]
ruleset = "rules.toml"
{plan.lines}
"""


def _signer(node: Anvil, plan: Plan, key_lines: str) -> str:
    return f"""
[signer]
rpc = "{plan.signer_rpc or node.url}"
max_spend_per_day_ether = 50
{key_lines}
{plan.signer_lines}
"""
