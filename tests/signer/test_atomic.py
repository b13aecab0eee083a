"""A key's account that runs AtomicAccount (EIP-7702): what the signer signs for it, and what it never does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from pnyx_contracts.addresses import delegation_to
from pnyx_contracts.decision_log import encode_register, encode_succeed, read_operator
from pnyx_contracts.entry import Declaration, EntryKind
from pnyx_contracts.errors import RefusedError
from pnyx_contracts.types import ZERO_ADDRESS, Vote
from pnyx_policies.rulesets import shipped_ruleset
from pnyx_tools.chain import Chain
from pnyx_tools.deployment import carry_out, plan_delegation
from pnyx_tools.evidence import FolderStore
from pnyx_tools.recorder import record_note
from pnyx_tools.signer.settings import WriterKind
from pnyx_tools.testing.decisions import LocalAgent
from pnyx_tools.testing.deploy import DAY, TOKEN, deploy, deploy_governance, deploy_log
from pnyx_tools.verifier import verify

from .parliament import RULES, Parliament

UNDELEGATED = "does not run AtomicAccount for the log"


@contextlib.contextmanager
def code_of_account(parliament: Parliament, code: bytes) -> Iterator[None]:
    node, account = parliament.node, parliament.settings.writer
    before = node.rpc.code(account)
    node.set_code(account, code)
    try:
        yield
    finally:
        node.set_code(account, before)


def delegate_by_transaction(parliament: Parliament, contract: str) -> None:
    """As the key can at any time, with nobody's leave. The zero address takes the delegation away."""
    key, chain = Account.from_key(parliament.secret), parliament.chain
    nonce, fees = chain.nonce(key.address), chain.fees()
    chain_id = chain.chain_id()
    authorization = key.sign_authorization({"chainId": chain_id, "address": contract, "nonce": nonce + 1})
    transaction = {
        "type": 4, "chainId": chain_id, "nonce": nonce, "to": ZERO_ADDRESS, "value": 0, "data": b"", "gas": 100_000,
        "maxFeePerGas": fees.max_fee, "maxPriorityFeePerGas": fees.max_priority_fee,
        "authorizationList": [authorization],
    }  # fmt: skip
    chain.send_raw(bytes(key.sign_transaction(transaction).raw_transaction))
    parliament.node.mine()


def test_a_vote_and_its_entry_stand_and_fall_together(atomic: Parliament) -> None:
    """The vote closes before the transaction lands: there is no entry of it either."""
    dossier = atomic.dossier(atomic.open())
    on_its_way, before = atomic.signer().sign(atomic.ask_vote(dossier)), atomic.state()
    atomic.governance.advance_to_closed(dossier.proposal.key.proposal_id)
    assert atomic.land(on_its_way)["status"] == "0x0"
    assert atomic.state() == before


def test_neither_the_entry_nor_the_ballot_is_signed_alone(atomic: Parliament) -> None:
    dossier = atomic.dossier(atomic.open())
    with pytest.raises(RefusedError, match="no VOTE entry without its vote"):
        atomic.signer().sign(atomic.ask_entry(dossier, EntryKind.VOTE))
    with pytest.raises(RefusedError, match="votes only together with its entry"):
        atomic.signer().sign(atomic.ask_ballot(dossier, b"\x01" * 32))


@pytest.mark.parametrize("runs", ["nothing", "other code", "another log's", "a contract of its own"])
def test_no_vote_is_signed_for_an_account_that_does_not_run_our_code(atomic: Parliament, runs: str) -> None:
    node = atomic.node
    ours = node.rpc.code(atomic.settings.writer)
    code = {
        "nothing": lambda: b"",
        "other code": lambda: delegation_to(atomic.governance.token),
        "another log's": lambda: delegation_to(deploy(node, "AtomicAccount", deploy_log(node))),
        "a contract of its own": lambda: node.rpc.code("0x" + ours[3:].hex()),
    }[runs]()
    case = atomic.case(atomic.dossier(atomic.open()))
    signer = atomic.signer()
    with code_of_account(atomic, code):
        with pytest.raises(RefusedError, match=UNDELEGATED) as refused:
            atomic.vote(case, atomic.writer(signer))
        assert "pnyx deploy --atomic" in refused.value.hint
        with pytest.raises(RefusedError, match=UNDELEGATED):
            signer.sign(atomic.ask_vote(case.dossier))  # the signer does not take the daemon's word for it
        with pytest.raises(RefusedError, match=UNDELEGATED):
            atomic.signer()  # nor does it start
    assert signer.signed == []
    assert atomic.vote(case).cast is not None


def test_a_delegation_that_was_taken_away_and_given_again(found: Callable[..., Parliament]) -> None:
    """By real transactions of the key: what its holder does by hand."""
    parliament = found(kind=WriterKind.ATOMIC, ruleset=f"{RULES}\n\n")
    case = parliament.case(parliament.dossier(parliament.open(), ruleset=parliament.settings.ruleset))
    signer = parliament.signer()
    delegate_by_transaction(parliament, ZERO_ADDRESS)
    assert parliament.node.rpc.code(parliament.settings.writer) == b""
    with pytest.raises(RefusedError, match=UNDELEGATED):
        parliament.vote(case, parliament.writer(signer))
    key, chain = Account.from_key(parliament.secret), parliament.chain
    carry_out(chain, plan_delegation(chain, parliament.settings.log, key.address), key, lambda _: None)
    assert parliament.vote(case, parliament.writer(signer)).cast is not None


class Interfering(Chain):
    """Right before the first transaction gets to the node, the account loses its code."""

    parliament: Parliament
    sent = 0

    def send_raw(self, signed: bytes) -> bytes:
        if not self.sent:
            self.parliament.node.set_code(self.parliament.settings.writer, b"")
        self.sent += 1
        return super().send_raw(signed)


def test_a_transaction_that_did_nothing_is_no_vote(atomic: Parliament) -> None:
    """It succeeds, costs gas, and neither writes nor votes. When the account runs its code again, the vote goes out."""
    case = atomic.case(atomic.dossier(atomic.open()))
    before, code, signer = atomic.state().seq, atomic.node.rpc.code(atomic.settings.writer), atomic.signer()
    chain = Interfering.of([atomic.node.url])
    chain.parliament = atomic
    with pytest.raises(RefusedError, match=UNDELEGATED):
        atomic.vote(case, atomic.writer(signer, chain))
    receipt = atomic.chain.receipt(signer.signed[0].transaction_hash)
    assert receipt is not None
    assert (receipt["status"], receipt["logs"], atomic.state().seq) == ("0x1", [], before)

    atomic.node.set_code(atomic.settings.writer, code)
    voted = atomic.vote(case, atomic.writer(signer))
    assert voted.cast is not None
    assert voted.cast.transaction_hash == voted.entry.transaction_hash == signer.signed[1].transaction_hash


def test_other_entries_go_to_the_log_with_or_without_the_code(atomic: Parliament) -> None:
    held = atomic.dossier(atomic.open(to=atomic.settings.writer, value=10**19))
    assert held.decision.outcome.value == "hold"
    writer = atomic.writer(atomic.signer())
    with code_of_account(atomic, b""):
        entry = record_note(writer, atomic.case(held), EntryKind.HOLD)
    assert entry.kind is EntryKind.HOLD


# --- a writer that was succeeded -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(WriterKind))
def test_nothing_is_signed_for_a_writer_that_was_succeeded(found: Callable[..., Parliament], kind: WriterKind) -> None:
    parliament = found(kind=kind, ruleset=f"{RULES}\n\n\n")
    settings, node = parliament.settings, parliament.node
    dossier = parliament.dossier(parliament.open(), ruleset=settings.ruleset)
    signer = parliament.signer()
    operator, _ = node.rpc.read(read_operator(settings.log, settings.writer))
    new = Account.create().address
    node.set_balance(new, TOKEN)
    node.impersonate(new)
    declared = Declaration(config_hash=b"\x07" * 32, governors=settings.configuration.governors, evidence_uri="")
    node.send(settings.log, encode_register(operator, DAY, declared), sender=new)
    node.send(settings.log, encode_succeed(settings.writer, parliament.state().seq + 1, new), sender=operator)

    for request in (parliament.ask_vote(dossier), parliament.ask_entry(dossier, EntryKind.HOLD)):
        with pytest.raises(RefusedError, match="another writer succeeded this one") as refused:
            signer.sign(request)
        assert "new writer" in refused.value.hint
    with pytest.raises(RefusedError, match="another writer succeeded this one"):
        parliament.signer()


# --- what members see ------------------------------------------------------------------------------------------------


def test_members_see_atomic_until_the_key_votes_by_itself(signer_node: Any, tmp_path: Path) -> None:
    node = signer_node
    dao = deploy_governance(node, powers={})
    account = Account.create().address
    node.set_balance(account, TOKEN)
    node.impersonate(account)
    log = deploy_log(node)
    agent = LocalAgent(node, log, [dao], FolderStore(tmp_path), shipped_ruleset("steward"), key=account)
    agent.register_atomic()
    dao.give_power(account, 500_000)

    def pay(what: str) -> int:
        receiver = node.accounts[6]
        number = dao.propose([receiver], [TOKEN // 10], [b""], f"# {what}\n\nSends 0.1 ETH to {receiver}.")
        dao.advance_to_active(number)
        return number

    def tier() -> tuple[str, bool]:
        report = verify(node.rpc, log, evidence=str(tmp_path), upto="latest")
        (writer,) = report.to_json()["writers"]
        return writer["tier"], report.ok

    agent.act(dao, pay("The garden"))
    assert tier() == ("atomic", True)
    dao.vote(pay("The roof"), Vote.FOR, account, "by the key alone")
    assert tier() == ("declared", False)
