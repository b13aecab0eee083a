"""What the actions create and run inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_contracts.types import ZERO_ADDRESS
from pnyx_policies.checks import CheckView, InnerCallsCheck
from pnyx_policies.context import CreatedContract, InnerCalls
from pnyx_policies.finding import Finding, Severity
from pnyx_tools.context import InnerCallsTool
from pnyx_tools.gather import gather_facts
from pnyx_tools.reader import ChainReader, MethodMissingError
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy, deploy_governance, encode_call
from pnyx_tools.testing.incidents.diamond import cut
from pnyx_tools.testing.incidents.upgrades import vault_in_use
from pnyx_tools.testing.provider import Provider

Half = Callable[..., Provider]

SALT = bytes(32)
RETURNS_ONE = bytes.fromhex("600a600c600039600a6000f3600160005260206000f3")
"""Makes code of ten bytes."""
MAKE = encode_call("make(bytes32,bytes)", SALT, RETURNS_ONE)


@pytest.fixture(scope="module")
def old_dao() -> Iterator[Governance]:
    """On a chain where what is destroyed is gone."""
    with Anvil(hardfork="shanghai") as node:
        yield deploy_governance(node, 4, contract="Governor43Block")


def made_by(factory: str) -> str:
    return to_checksum_address(keccak(b"\xff" + bytes.fromhex(factory[2:]) + SALT + keccak(RETURNS_ONE))[12:])


def propose(dao: Governance, *actions: tuple[str, bytes]) -> int:
    return dao.propose([a[0] for a in actions], [0] * len(actions), [a[1] for a in actions], "Make it so.")


def found(dao: Governance, proposal: int, reader: ChainReader | None = None) -> InnerCalls:
    reader, block = reader or dao.node.rpc, dao.node.rpc.block()
    return InnerCallsTool().run(reader, dao.adapter, dao.profile, dao.proposals[proposal], block)


def judged(dao: Governance, proposal: int) -> tuple[Finding, ...]:
    facts = gather_facts(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal])
    return InnerCallsCheck().run(CheckView(facts))


def test_what_is_made_by_create2_in_silence_is_seen_at_any_depth(dao: Governance) -> None:
    """A vault calls the factory."""
    factory, vault = deploy(dao.node, "Create2Factory"), deploy(dao.node, "ModuleVault", dao.timelock)
    made = CreatedContract(contract=made_by(factory), creator=factory, how="CREATE2")
    inside = encode_call("execTransactionFromModule(address,uint256,bytes,uint8)", factory, 0, MAKE, 0)
    for action in ((factory, MAKE), (vault, inside)):
        proposal = propose(dao, action)
        assert found(dao, proposal).created == (made,)
        facts = gather_facts(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal])
        assert facts.simulation.changes == (), "nothing else tells of it"


def test_actions_see_what_those_before_them_changed_and_what_reverts_makes_nothing(dao: Governance) -> None:
    factory = deploy(dao.node, "Create2Factory")
    assert len(found(dao, propose(dao, (factory, MAKE), (factory, MAKE))).created) == 1


def test_money_and_power_that_go_there_are_told(dao: Governance) -> None:
    factory = deploy(dao.node, "Create2Factory")
    token, store = deploy(dao.node, "PlainToken", dao.timelock, 9 * TOKEN), deploy(dao.node, "Pool", dao.timelock)
    pays = (token, encode_call("transfer(address,uint256)", made_by(factory), TOKEN))
    (money,) = judged(dao, propose(dao, (factory, MAKE), pays))
    assert (money.severity, money.evidence) == (Severity.LOW, (made_by(factory),))
    assert money.detail == f"{factory} creates it by CREATE2."
    gives = (store, encode_call("transferOwnership(address)", made_by(factory)))
    proposal = propose(dao, (factory, MAKE), gives)
    (power,) = judged(dao, proposal)
    assert power.severity is Severity.MEDIUM
    assert judged(dao, propose(dao, (factory, MAKE))) == ()
    assert judged(dao, propose(dao, pays)) == ()


def test_code_that_a_contract_runs_is_seen_but_for_what_a_proxy_runs(dao: Governance, old_dao: Governance) -> None:
    for chain, makes_room in ((dao, None), (old_dao, True)):
        diamond, facet = deploy(chain.node, "LayeredDiamond", chain.timelock), deploy(chain.node, "TransientMaker")
        selector = encode_call("make(bytes)", b"")[:4]
        chain.node.send(diamond, cut([(facet, 0, [selector])], ZERO_ADDRESS, b""))
        proposal = propose(chain, (diamond, encode_call("make(bytes)", RETURNS_ONE)))
        inner = found(chain, proposal)
        (each,) = inner.delegated
        assert (each.code, each.caller, each.opcodes) == (facet, diamond, ("CREATE", "SELFDESTRUCT"))
        assert each.code_hash == keccak(chain.node.rpc.code(facet))
        assert (inner.makes_room or None) == makes_room
        findings = judged(chain, proposal)
        assert [(f.severity, f.evidence) for f in findings] == [(Severity.MEDIUM, (diamond, facet))] * bool(makes_room)
    vault = vault_in_use(dao)
    inner = found(dao, propose(dao, (vault, encode_call("deposit(uint256)", 1))))
    assert (inner.is_traced, inner.delegated) == (False, ())


def test_where_nothing_can_be_hidden_nothing_is_traced(dao: Governance, half: Half) -> None:
    pays = propose(dao, (dao.token, encode_call("transfer(address,uint256)", dao.node.accounts[7], 1)))
    with half("debug_traceCall") as node:
        assert not found(dao, pays, Rpc(node.url)).is_traced
        with pytest.raises(MethodMissingError):
            found(dao, propose(dao, (deploy(dao.node, "Create2Factory"), MAKE)), Rpc(node.url))


def test_without_traces_the_check_says_what_the_simulation_shows(dao: Governance) -> None:
    maker = deploy(dao.node, "TransientMaker")
    made = to_checksum_address(keccak(bytes.fromhex(f"d694{maker[2:]}01"))[12:])
    token = deploy(dao.node, "PlainToken", dao.timelock, 9 * TOKEN)
    pays = (token, encode_call("transfer(address,uint256)", made, TOKEN))
    proposal = propose(dao, (maker, encode_call("make(bytes)", RETURNS_ONE)), pays)
    facts = gather_facts(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal])
    (finding,) = InnerCallsCheck().run(CheckView(facts.model_copy(update={"context": ()})))
    assert (finding.severity, finding.evidence) == (Severity.LOW, (made,))
