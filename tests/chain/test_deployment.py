"""Our contracts on a chain: where they go, what is planned, and what is found there already."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from pnyx_contracts.addresses import (
    DEPLOYER,
    DEPLOYER_CODE,
    DEPLOYER_SENDER,
    DEPLOYER_TRANSACTION,
    creation_code,
    delegate_of,
    delegation_to,
    usual_address,
)
from pnyx_contracts.decision_log import (
    ENTRY_TOPIC,
    REGISTERED_TOPIC,
    decode_entry,
    decode_registered,
    encode_record,
    fold,
    initial_head,
    read_operator,
    read_state,
    succession_action,
    succession_root,
    succession_subject,
)
from pnyx_contracts.entry import Declaration, Entry, EntryKind
from pnyx_contracts.errors import PnyxError, UsageError
from pnyx_tools.atomic import atomic_log
from pnyx_tools.chain import Chain
from pnyx_tools.deployment import (
    Deployed,
    Wish,
    carry_out,
    find_place,
    plan,
    plan_change,
    plan_delegation,
    plan_succession,
)
from pnyx_tools.signer.settings import WriterKind
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import DAY, deploy_factory, deploy_log

ROOT = Path(__file__).resolve().parents[2]
LOG = usual_address("DecisionLog")
DECLARATION = Declaration(config_hash=b"\x01" * 32, governors=("0x" + "11" * 20,), evidence_uri="https://example.org")
OTHER = DECLARATION.model_copy(update={"config_hash": b"\x02" * 32})


@pytest.fixture
def node() -> Iterator[Anvil]:
    """A chain on which nobody has deployed anything yet."""
    with Anvil() as fresh:
        yield fresh


@pytest.fixture
def account(node: Anvil) -> LocalAccount:
    made: LocalAccount = Account.create()
    node.set_balance(made.address, 10**19)
    return made


def wish(kind: WriterKind, signer: str, **more: object) -> Wish:
    return Wish(
        kind=kind, signer=signer, notice_seconds=DAY, delay_seconds=DAY, declaration=DECLARATION, **more
    )  # fmt: skip


def deploy(node: Anvil, account: LocalAccount, wanted: Wish) -> Deployed:
    chain = Chain.of([node.url])
    return carry_out(chain, plan(chain, wanted, account.address), account, lambda _: None)


# --- addresses ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "bound_to"), [("DecisionLog", ()), ("VoteGateFactory", (LOG,)), ("AtomicAccount", (LOG,))]
)
def test_addresses_are_those_that_cast_computes(name, bound_to) -> None:
    (cast,) = ROOT.glob("contracts/node_modules/@foundry-rs/cast-*/bin/cast")
    code = keccak(creation_code(name, *bound_to)).hex()
    arguments = ["create2", "--deployer", DEPLOYER, "--salt", "00" * 32, "--init-code-hash", code]
    said = subprocess.run([str(cast), *arguments], capture_output=True, text=True, check=True, timeout=30).stdout
    assert usual_address(name, *bound_to) in said


@given(st.binary(max_size=30))
def test_only_a_delegation_of_an_account_is_one(code: bytes) -> None:
    assert delegate_of(code) is None or code == delegation_to(str(delegate_of(code)))
    assert delegate_of(delegation_to(LOG)) == LOG
    assert delegate_of(delegation_to(LOG) + b"\x00") is None


def test_the_deployer_comes_from_its_transaction_on_a_chain_without_it() -> None:
    with Anvil(extra_arguments=("--disable-default-create2-deployer",)) as bare:
        account = Account.create()
        chain = Chain.of([bare.url])
        with pytest.raises(UsageError, match="no CREATE2 deployer"):
            plan(chain, wish(WriterKind.PLAIN_KEY, account.address), account.address)
        bare.set_balance(DEPLOYER_SENDER, 10**16)
        chain.send_raw(DEPLOYER_TRANSACTION)
        bare.mine()
        assert bare.rpc.code(DEPLOYER) == DEPLOYER_CODE
        bare.set_balance(account.address, 10**19)
        assert deploy(bare, account, wish(WriterKind.PLAIN_KEY, account.address)).log == LOG


# --- plans --------------------------------------------------------------------------------------------------------


def test_the_plan_says_what_is_there_and_what_will_be(node: Anvil, account: LocalAccount) -> None:
    chain = Chain.of([node.url])
    wanted = wish(WriterKind.GATE, account.address, guardian=node.accounts[4])
    first = plan(chain, wanted, account.address)
    assert [(p.name, p.is_there) for p in first.places] == [("DecisionLog", False), ("VoteGateFactory", False)]
    assert len(first.steps) == 3
    before = chain.balance(account.address)
    deployed = carry_out(chain, first, account, lambda _: None)
    assert before - chain.balance(account.address) <= first.max_cost_wei
    assert (deployed.log, deployed.factory) == (LOG, usual_address("VoteGateFactory", LOG))

    second = plan(chain, wanted, account.address)
    assert all(place.is_there for place in second.places)
    assert len(second.steps) == 1
    again = carry_out(chain, second, account, lambda _: None)
    assert (again.log, again.factory) == (deployed.log, deployed.factory)
    assert again.writer != deployed.writer
    assert chain.read(read_operator(LOG, again.writer)) == (account.address, DAY)


def test_who_was_faster_deployed_for_everybody(node: Anvil, account: LocalAccount) -> None:
    chain = Chain.of([node.url])
    planned = plan(chain, wish(WriterKind.PLAIN_KEY, account.address), account.address)
    faster = Account.create()
    node.set_balance(faster.address, 10**19)
    deploy(node, faster, wish(WriterKind.PLAIN_KEY, faster.address))
    told: list[str] = []
    assert carry_out(chain, planned, account, told.append).log == LOG
    assert any("somebody else was faster" in line for line in told)


def test_a_log_of_ones_own_has_a_factory_of_its_own(node: Anvil, account: LocalAccount) -> None:
    own = deploy_log(node)
    planned = plan(Chain.of([node.url]), wish(WriterKind.GATE, account.address, log=own), account.address)
    assert [place.address for place in planned.places] == [own, usual_address("VoteGateFactory", own)]
    with pytest.raises(UsageError, match="bound to another log"):
        plan(
            Chain.of([node.url]),
            wish(WriterKind.GATE, account.address, log=own, factory=deploy_factory(node, deploy_log(node))),
            account.address,
        )


def test_what_is_named_has_to_be_there_and_ours(node: Anvil, account: LocalAccount) -> None:
    chain, me = Chain.of([node.url]), account.address
    with pytest.raises(UsageError, match="there is no DecisionLog"):
        plan(chain, wish(WriterKind.GATE, me, log=node.accounts[7]), me)
    with pytest.raises(UsageError, match="is not our DecisionLog"):
        plan(chain, wish(WriterKind.GATE, me, log=DEPLOYER), me)
    node.set_code(LOG, b"\x60\x00")
    with pytest.raises(UsageError, match="is not our DecisionLog"):
        find_place(chain, "DecisionLog", LOG)


def test_a_key_registers_itself_once_and_an_operator_of_its_choice(node: Anvil, account: LocalAccount) -> None:
    operator = node.accounts[3]
    deployed = deploy(node, account, wish(WriterKind.PLAIN_KEY, account.address, operator=operator))
    assert (deployed.writer, deployed.factory) == (account.address, None)
    assert node.rpc.read(read_operator(LOG, account.address)) == (operator, DAY)
    with pytest.raises(UsageError, match=r"is registered in the log .* already"):
        plan(Chain.of([node.url]), wish(WriterKind.PLAIN_KEY, account.address), account.address)
    with pytest.raises(UsageError, match="registers its own account"):
        plan(Chain.of([node.url]), wish(WriterKind.ATOMIC, operator), account.address)


# --- atomic accounts ----------------------------------------------------------------------------------------------


def test_an_atomic_account_is_delegated_and_registered(node: Anvil, account: LocalAccount) -> None:
    chain = Chain.of([node.url])
    deployed = deploy(node, account, wish(WriterKind.ATOMIC, account.address))
    assert (deployed.log, deployed.writer) == (LOG, account.address)
    assert node.rpc.code(account.address) == delegation_to(usual_address("AtomicAccount", LOG))
    assert atomic_log(node.rpc, account.address) == LOG
    with pytest.raises(UsageError, match="runs AtomicAccount already"):
        plan_delegation(chain, LOG, account.address)

    node.send(account.address, value_wei=5)
    node.set_code(account.address, b"")
    assert atomic_log(node.rpc, account.address) is None
    again = plan_delegation(chain, LOG, account.address)
    assert [place.is_there for place in again.places] == [True]
    carry_out(chain, again, account, lambda _: None)
    assert atomic_log(node.rpc, account.address) == LOG


def test_code_that_looks_like_an_atomic_account_is_none(node: Anvil, account: LocalAccount) -> None:
    deploy(node, account, wish(WriterKind.ATOMIC, account.address))
    contract = usual_address("AtomicAccount", LOG)
    code = node.rpc.code(contract)
    assert atomic_log(node.rpc, contract) is None, "the contract itself is no account that runs it"
    node.set_code(contract, code[:-1] + bytes([code[-1] ^ 1]))
    assert atomic_log(node.rpc, account.address) is None


def test_where_delegations_are_not_known_nothing_is_registered() -> None:
    with Anvil(hardfork="cancun") as old:
        account = Account.create()
        old.set_balance(account.address, 10**19)
        with pytest.raises(PnyxError):
            deploy(old, account, wish(WriterKind.ATOMIC, account.address))
        assert not old.rpc.read(read_state(LOG, account.address)).registered


# --- succession ---------------------------------------------------------------------------------------------------


def chain_of(node: Anvil, writer: str) -> list[Entry]:
    """The writer's entries; its fold must be the head in the log's state."""
    topic = bytes(12) + bytes.fromhex(writer[2:])
    head_block = node.rpc.block().number
    (registered,) = node.rpc.logs(0, head_block, [REGISTERED_TOPIC, topic], [LOG])
    entries = [decode_entry(log) for log in node.rpc.logs(0, head_block, [ENTRY_TOPIC, topic], [LOG])]
    head = initial_head(decode_registered(registered).genesis)
    for entry in entries:
        head = fold(head, entry)
    assert node.rpc.read(read_state(LOG, writer)).head == head
    return entries


@pytest.fixture
def two(node: Anvil, account: LocalAccount) -> tuple[str, str]:
    """A plain key that wrote something, and a gate, of the same operator."""
    deploy(node, account, wish(WriterKind.PLAIN_KEY, account.address))
    gate = deploy(node, account, wish(WriterKind.GATE, node.accounts[2])).writer
    node.impersonate(account.address)
    note = encode_record(1, EntryKind.SKIP, bytes(32), b"\x01" * 32, b"\x02" * 32, bytes(32))
    node.send(LOG, note, sender=account.address)
    return account.address, gate


def test_a_successor_begins_with_the_last_head_of_the_old_chain(
    node: Anvil, account: LocalAccount, two: tuple[str, str]
) -> None:
    old, new = two
    chain = Chain.of([node.url])
    carry_out(chain, plan_succession(chain, LOG, old, new, account.address), account, lambda _: None)
    last, first = chain_of(node, old)[-1], chain_of(node, new)[0]
    state = node.rpc.read(read_state(LOG, old))
    assert (state.registered, state.closed) == (True, True)
    assert not node.rpc.read(read_state(LOG, new)).closed
    assert (last.kind, last.seq, first.kind, first.seq) == (EntryKind.SUCCEEDED, 2, EntryKind.SUCCEEDS, 1)
    assert last.subject == first.subject == last.record_root == succession_subject(old, new)
    assert first.record_root == succession_root(state.head)
    assert (last.action, first.action) == (succession_action(new), succession_action(old))

    with pytest.raises(UsageError, match=f"another writer succeeded {old}"):
        plan_succession(chain, LOG, old, new, account.address)
    with pytest.raises(UsageError, match=f"another writer succeeded {old}"):
        plan_change(chain, LOG, old, account.address, OTHER)
    note = encode_record(3, EntryKind.SKIP, bytes(32), b"\x01" * 32, b"\x02" * 32, bytes(32))
    with pytest.raises(PnyxError):
        node.send(LOG, note, sender=old)


def test_a_succession_that_the_log_would_not_take_is_refused_before(
    node: Anvil, account: LocalAccount, two: tuple[str, str]
) -> None:
    chain, (old, new) = Chain.of([node.url]), two
    for before, after, sender, says in (
        (old, old, account.address, "cannot succeed itself"),
        (old, node.accounts[8], account.address, "is not registered"),
        (old, new, node.accounts[8], "one account must be that of both"),
        (new, old, account.address, "has entries already"),
    ):
        with pytest.raises(UsageError, match=says):
            plan_succession(chain, LOG, before, after, sender)
