"""The local chain of the demo: a DAO, its treasury, a log, a gate, and the files of one agent."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pnyx_agents import assembly
from pnyx_agents.demo.scenario import SAFE, Sketch
from pnyx_agents.settings import Settings, load_settings
from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.entry import Declaration
from pnyx_contracts.errors import DiffersError
from pnyx_tools.chain import Chain
from pnyx_tools.deployment import Deployed, Wish, carry_out, plan
from pnyx_tools.files import write_secret
from pnyx_tools.keystore import create_keystore
from pnyx_tools.shallow import shallow
from pnyx_tools.signer.settings import WriterKind
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import DAY, TOKEN, Governance, deploy, deploy_governance, encode_call

VOTING_PERIOD_BLOCKS = 600
"""Ten minutes at one block a second: nobody waits for its end, the demo jumps there."""

STAND_IN = bytes.fromhex(
    "5f3560e01c"  # the selector
    "806370a0823114602b57"  # balanceOf(address): jump to 0x2b
    "8063313ce56714604057"  # decimals(): jump to 0x40
    "806395d89b4114604057"  # symbol(): jump to 0x40
    "60015f5260205ff3"  # anything else answers 1 (true)
    "5b6c0c9f2c9cd04674edea400000005f5260205ff3"  # 0x2b: 10**30
    "5b5f5ffd"  # 0x40: revert, nobody here knows the real token
)
"""Code for targets of real proposals, which have none on the local chain: a rich token that says yes to everything."""

PAYABLE = b"\x00"
"""Code that takes every payment: it stands for the documentation group's multisig."""

TREASURY_WEI = 100_000 * TOKEN


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that the demo needs to know about its world."""

    node: Anvil
    governance: Governance
    deployed: Deployed
    settings: Settings
    folder: Path
    store: str


@contextmanager
def set_stage(folder: Path, ruleset: str, friends: Mapping[str, str], say: Callable[[str], None]) -> Iterator[Stage]:
    """Start the chain and put everything on it. The node ends with the context. `friends` are names of addresses."""
    say("starting a local chain (anvil)")
    with Anvil(extra_arguments=("--slots-in-an-epoch", "1")) as node:
        yield build_stage(node, folder, ruleset, friends, say)


def build_stage(
    node: Anvil, folder: Path, ruleset: str, friends: Mapping[str, str], say: Callable[[str], None]
) -> Stage:
    say("deploying an OpenZeppelin governor, its token, its timelock with a treasury, a parameter store")
    governance = deploy_governance(
        node, voting_period=VOTING_PERIOD_BLOCKS, treasury_wei=TREASURY_WEI, powers={node.accounts[1]: 1000}
    )
    implementation = deploy(node, "ParameterStore")
    initialize = encode_call("initialize(address,uint256)", governance.timelock, 7)
    store = deploy(node, "ParameterStoreProxy", implementation, initialize)
    node.set_code(SAFE, PAYABLE)
    names = {SAFE: "documentation group multisig", **friends}
    settings = _configure(node, folder, governance, ruleset, names, None)
    say("deploying the decision log, the gate factory and the agent's gate")
    deployed = _deploy(node, folder, settings)
    settings = _configure(node, folder, governance, ruleset, settings.addresses, deployed)
    say(f"delegating voting power to the gate {deployed.writer}")
    governance.give_power(deployed.writer, 100_000)
    return Stage(node, governance, deployed, settings, folder, store)


def open_proposal(stage: Stage, sketch: Sketch) -> int:
    """Propose it. Targets without code get a stand-in; the id must be that of the real chain where it is known."""
    decoded = decode_calls(sketch.calls, stage.node.rpc.chain_id())
    for call in (inner for outer in decoded for inner in outer.walk()):
        if call.calldata and not stage.node.rpc.code(call.target):
            stage.node.set_code(call.target, STAND_IN)
    proposal_id = stage.governance.propose(
        [c.target for c in sketch.calls],
        [c.value_wei for c in sketch.calls],
        [c.calldata for c in sketch.calls],
        sketch.description,
        sender=stage.node.accounts[1],
    )
    if sketch.expected_id not in {None, proposal_id}:
        raise DiffersError(f"{sketch.name}: the governor gave the id {proposal_id}, the file says {sketch.expected_id}")
    return proposal_id


def _deploy(node: Anvil, folder: Path, settings: Settings) -> Deployed:
    """As `pnyx deploy` does, with an operator's key made for the occasion."""
    with shallow():
        from eth_account import Account

    operator, chain = Account.create(), Chain.of([node.url])
    node.set_balance(operator.address, 10 * TOKEN)
    password = secrets.token_urlsafe(24)
    write_secret(folder / "keys" / "signer.password", password)
    signer = create_keystore(folder / "keys" / "signer.json", password)
    node.set_balance(signer, 10 * TOKEN)
    configuration = assembly.declared_configuration(settings)
    wish = Wish(
        kind=WriterKind.GATE, signer=signer, notice_seconds=DAY, delay_seconds=DAY,
        declaration=Declaration(
            config_hash=configuration.hash, governors=configuration.governors,
            evidence_uri=(folder / "evidence").as_uri(),
        ),
    )  # fmt: skip
    deployed = carry_out(chain, plan(chain, wish, operator.address), operator, lambda _: None)
    assembly.evidence(settings).put_configuration(configuration)
    return deployed


def _configure(
    node: Anvil,
    folder: Path,
    governance: Governance,
    ruleset: str,
    addresses: dict[str, str],
    deployed: Deployed | None,
) -> Settings:
    """The agent's pnyx.toml, as an operator would write it."""
    text = f"""\
# Written by `pnyx demo`.
[agent]
name = "demo"
mode = "autonomous"

[chain]
rpc = "{node.url}"
chain_id = {node.rpc.chain_id()}
confirmations = 0
poll_seconds = 0.5

[[governor]]
address = "{governance.governor}"
start_block = {deployed.start_block if deployed else 0}

[policy]
ruleset = "{ruleset}"

[signer]
keystore = "keys/signer.json"
password_file = "keys/signer.password"
max_spend_per_day_ether = 5

[addresses]
"""
    text += "".join(f'"{address}" = "{name}"\n' for address, name in addresses.items())
    if deployed is not None:
        text += f"""
[log]
address = "{deployed.log}"
writer = "{deployed.writer}"
factory = "{deployed.factory}"
start_block = {deployed.start_block}
"""
    path = folder / "pnyx.toml"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return load_settings(path)
