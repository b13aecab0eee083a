"""Which initialisers are found in code, and which of them are open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pnyx_contracts.selectors import selector_of
from pnyx_policies.context import Initializers, OpenInitializer
from pnyx_tools.context import InitializersTool
from pnyx_tools.context.initializer_calls import STRANGER, WELL_KNOWN, cut_short, of_code, plain_call
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance, deploy, deploy_governance, encode_call
from pnyx_tools.testing.incidents.upgrades import vault_in_use

GUESSED = "initialize(string,string,address)"
"""Not among the well-known ones; published packages have it."""
TARGET = "0x00000000000000000000000000000000000E0e0E"


@pytest.fixture(scope="module")
def old_dao() -> Iterator[Governance]:
    """On a chain where what is destroyed is gone."""
    with Anvil(hardfork="shanghai") as node:
        yield deploy_governance(node, 4, contract="Governor43Block")


def answering(signature: str, least_bytes: int) -> bytes:
    """Code that takes this function with at least so much calldata, and reverts at anything else."""
    head = b"\x5f\x35\x60\xe0\x1c\x63" + selector_of(signature) + b"\x14"
    return head + bytes([0x60, least_bytes - 1, 0x36, 0x11, 0x16]) + bytes.fromhex("601657 5f5ffd 5b 00")


def found(dao: Governance, target: str) -> Initializers:
    proposal = dao.propose([target], [0], [b"\x01\x02\x03\x04"], "a call")
    return InitializersTool().run(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal], dao.node.rpc.block())


@pytest.mark.parametrize(("least_bytes", "is_open"), [(100, True), (4, False)])
def test_a_guessed_initialiser_is_open_unless_it_takes_calldata_cut_short(
    dao: Governance, least_bytes: int, is_open: bool
) -> None:
    dao.node.set_code(TARGET, answering(GUESSED, least_bytes))
    open_ = found(dao, TARGET).open
    assert [(o.contract, o.role, o.signature) for o in open_] == ([(TARGET, "target", GUESSED)] if is_open else [])


def test_the_initialiser_of_an_implementation_is_tried_by_itself(dao: Governance) -> None:
    """The proxy is initialised, what it runs is not; nobody can destroy it."""
    vault = vault_in_use(dao)
    initializers = found(dao, vault)
    (one,) = initializers.open
    assert (one.role, one.signature, one.proxy, one.opcodes) == (
        "implementation", "initialize(address,uint256)", vault, (),
    )  # fmt: skip
    assert one.contract == initializers.contracts[-1] != vault
    assert initializers.makes_room is None


def test_whether_an_implementation_can_be_destroyed_is_told_by_code_and_chain(
    dao: Governance, old_dao: Governance
) -> None:
    for chain, makes_room in ((dao, False), (old_dao, True)):
        chain.node.set_code(TARGET, answering("init()", 4) + bytes.fromhex("5bf45bff"))
        proxy = deploy(chain.node, "RewardsProxy", STRANGER, TARGET)
        initializers = found(chain, proxy)
        by_role = {one.role: one for one in initializers.open}
        assert by_role["implementation"] == OpenInitializer(
            contract=TARGET, role="implementation", signature="init()", proxy=proxy,
            opcodes=("DELEGATECALL", "SELFDESTRUCT"),
        )  # fmt: skip
        assert initializers.makes_room is makes_room


def test_what_is_called_itself_is_a_target(dao: Governance) -> None:
    vault = vault_in_use(dao)
    code = found(dao, vault).contracts[-1]
    assert found(dao, code).open[0].role == "target"


@pytest.mark.parametrize(
    ("signature", "is_one"),
    [
        (GUESSED, True),
        ("initializeV2(string)", True),
        ("setup(address[],uint256,address,bytes,address,address,uint256,address)", True),
        ("initReserve(address,address,address,uint8,address)", False),
        ("transfer(address,uint256)", False),
    ],
)
def test_names_of_initialisers(signature: str, is_one: bool) -> None:
    code = b"\x80\x63" + selector_of(signature) + b"\x14\x50\x00"
    assert (signature in of_code(code)) is is_one


def test_arguments_fit_their_types() -> None:
    nested = "initialize((address,bytes32,bool[2])[1],(uint64,string),int8[])"
    assert plain_call(nested).startswith(selector_of(nested))
    assert STRANGER[2:].lower() in plain_call(nested).hex()
    assert cut_short(nested) == selector_of(nested) + b"\x01"
    assert cut_short("reinitialize()") is None
    assert {cut_short(signature) for signature in WELL_KNOWN} == {None}
    assert encode_call("initialize(address,bytes)", STRANGER, b"") == plain_call("initialize(address,bytes)")
