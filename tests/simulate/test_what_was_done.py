"""What the executor and others did before: payments, calls, and what is so already. On a real node."""

from __future__ import annotations

from typing import Any

from eth_abi.abi import encode
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_contracts.types import Call, Log, Vote
from pnyx_policies.checks import AfterTheFact, CheckView, LookalikeAddress
from pnyx_policies.context import EarlierPayee
from pnyx_policies.finding import Severity
from pnyx_tools.context import AlreadySoTool, EarlierCallsTool, EarlierPaymentsTool, PaymentsByOthersTool
from pnyx_tools.context.executed import executed_in, whole
from pnyx_tools.context.history import History
from pnyx_tools.gather import gather_facts
from pnyx_tools.testing.deploy import TOKEN, Governance, encode_call

TRANSFER = "transfer(address,uint256)"
TELLS_LIKE_A_SAFE = bytes.fromhex(f"345f52337f{keccak(b'SafeReceived(address,uint256)').hex()}60205fa200")
"""Takes coin and tells from whom."""


def run(tool: Any, dao: Governance, proposal: int) -> Any:
    return tool.run(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal], dao.node.rpc.block())


def propose(dao: Governance, text: str = "# Pay\n\nPay one wei.", amount: int = 1) -> int:
    return dao.propose([dao.node.accounts[5]], [amount], [b""], text)


def call(dao: Governance, target: str, data: bytes, text: str = "# Call\n\nCall it.") -> int:
    return dao.propose([target], [0], [data], text)


def carry_out(dao: Governance, proposal: int) -> None:
    dao.advance_to_active(proposal)
    dao.vote(proposal, Vote.FOR, dao.node.accounts[0])
    dao.advance_to_closed(proposal)
    dao.queue(proposal)
    dao.execute(proposal)


def test_what_the_treasury_paid_before(dao: Governance) -> None:
    alice, bob = dao.node.accounts[5:7]
    dao.node.impersonate(dao.timelock)
    dao.node.send(dao.token, encode_call("transfer(address,uint256)", dao.timelock, 100))

    def pay(receiver: str, amount: int) -> None:
        dao.node.send(dao.token, encode_call("transfer(address,uint256)", receiver, amount), sender=dao.timelock)

    pay(alice, 3)
    pay(bob, 5)
    proposal = call(dao, dao.token, encode_call("transfer(address,uint256)", alice, 7))
    pay(alice, 4)
    (payment,) = run(EarlierPaymentsTool(), dao, proposal).payments
    assert (payment.asset, payment.receiver, payment.transfers, payment.amount) == (dao.token, alice, 2, 7)
    assert (payment.shortly_before, payment.since_proposed) == (3, 4)
    assert run(EarlierPaymentsTool(), dao, propose(dao)).payments == ()


def test_what_the_treasury_paid_in_coin(dao: Governance) -> None:
    alice, mallory = dao.node.accounts[5], dao.node.accounts[6]
    dao.node.set_balance(dao.timelock, 100)
    first = propose(dao, "# Pay\n\nPay Alice 30 wei.", amount=30)
    carry_out(dao, first)
    dao.node.mine()
    asked = propose(dao, "# Pay\n\nPay Alice 40 wei.", amount=40)
    (payment,) = run(EarlierPaymentsTool(), dao, asked).payments
    assert (payment.asset, payment.receiver, payment.transfers, payment.amount) == (None, alice, 1, 30)
    assert (payment.shortly_before, payment.since_proposed) == (30, 0)
    elsewhere = dao.propose([mallory], [40], [b""], "# Pay\n\nPay Mallory 40 wei.")
    assert run(EarlierPaymentsTool(), dao, elsewhere).payments == ()
    carry_out(dao, asked)
    facts = gather_facts(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[asked], tools=[EarlierPaymentsTool()])
    (finding,) = AfterTheFact().run(CheckView(facts))
    assert (finding.severity, finding.evidence, finding.calls) == (Severity.MEDIUM, ("coin", alice), ("0",))
    assert "40 wei" in finding.detail.split("since")[0]


def test_coin_that_a_safe_received_counts_once(dao: Governance) -> None:
    """A receiver that tells of what it got, as Safes do; a payment that the timelock made by its own events, too."""
    safe = dao.node.accounts[7]
    dao.node.set_code(safe, TELLS_LIKE_A_SAFE)
    dao.node.set_balance(dao.timelock, 10**18)
    carry_out(dao, dao.propose([safe], [30], [b""], "# Pay\n\nPay the group 30 wei."))
    dao.node.impersonate(dao.timelock)
    dao.node.send(safe, value_wei=5, sender=dao.timelock)
    dao.node.send(safe, value_wei=7, sender=dao.node.accounts[1])
    asked = dao.propose([safe], [40], [b""], "# Pay\n\nPay the group 40 wei.")
    (payment,) = run(EarlierPaymentsTool(), dao, asked).payments
    assert (payment.receiver, payment.transfers, payment.amount) == (safe, 2, 35)


def test_who_looks_like_somebody_that_the_treasury_paid(dao: Governance) -> None:
    digits = dao.node.accounts[5][2:].lower()
    alice, poison = dao.node.accounts[5], to_checksum_address(f"0x{digits[:4]}{'77' * 16}{digits[-4:]}")
    transfer = "transfer(address,uint256)"
    dao.node.impersonate(dao.timelock)
    dao.node.send(dao.token, encode_call(transfer, dao.timelock, 100))
    proposal = call(dao, dao.token, encode_call(transfer, poison, 7))

    def mistaken() -> tuple[EarlierPayee, ...]:
        return run(EarlierPaymentsTool(), dao, proposal).mistaken

    assert mistaken() == ()
    dao.node.send(dao.token, encode_call(transfer, alice, 3), sender=dao.timelock)
    (payee,) = mistaken()
    assert (payee.asset, payee.receiver, payee.looks_like, payee.transfers) == (dao.token, poison, alice, 1)
    assert payee.last_block == dao.node.rpc.block().number
    facts = gather_facts(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal])
    (finding,) = LookalikeAddress().run(CheckView(facts))
    assert (finding.severity, finding.evidence) == (Severity.CRITICAL, (poison, alice))
    dao.node.send(dao.token, encode_call("transferFrom(address,address,uint256)", dao.timelock, poison, 0))
    assert len(mistaken()) == 1, "anybody can move nothing"
    honest = call(dao, dao.token, encode_call(transfer, alice, 7), "to the one who was paid")
    dao.node.send(dao.token, encode_call(transfer, poison, 1), sender=dao.timelock)
    assert run(EarlierPaymentsTool(), dao, honest).mistaken == ()


def test_what_another_account_of_the_dao_paid(dao: Governance) -> None:
    alice, group, stranger = dao.node.accounts[5], dao.node.accounts[1], dao.node.accounts[2]
    dao.node.set_balance(dao.timelock, TOKEN)
    for sender, amount in ((group, 60), (stranger, 90)):
        dao.node.send(dao.token, encode_call(TRANSFER, sender, amount))
        dao.node.send(dao.token, encode_call(TRANSFER, alice, amount), sender=sender)
    dao.node.impersonate(dao.timelock)
    dao.node.send(dao.token, encode_call(TRANSFER, dao.timelock, 100))
    dao.node.send(dao.token, encode_call(TRANSFER, alice, 1), sender=dao.timelock)
    asked = call(dao, dao.token, encode_call(TRANSFER, alice, 100))
    found = run(PaymentsByOthersTool(), dao, asked)
    assert [(p.sender, p.receiver, p.amount) for p in found.payments] == [(stranger, alice, 90), (group, alice, 60)]
    assert found.left_out == 0
    facts = gather_facts(
        dao.node.rpc, dao.adapter, dao.profile, dao.proposals[asked], known_addresses={group: "the working group"},
        tools=[EarlierPaymentsTool(), PaymentsByOthersTool()],
    )  # fmt: skip
    by_treasury, by_group = AfterTheFact().run(CheckView(facts))
    assert (by_treasury.severity, by_group.severity) == (Severity.LOW, Severity.MEDIUM)
    assert by_group.title.startswith(f"{group}, an account of the DAO, paid {alice} 1 time before")


def test_dust_of_many_hides_no_payer(dao: Governance) -> None:
    alice, group = dao.node.accounts[5], dao.node.accounts[1]
    dao.node.send(dao.token, encode_call(TRANSFER, group, 60))
    dao.node.send(dao.token, encode_call(TRANSFER, alice, 60), sender=group)
    for place in range(6):
        sender = to_checksum_address(keccak(bytes([place]))[:20])
        dao.node.set_balance(sender, TOKEN)
        dao.node.impersonate(sender)
        dao.node.send(dao.token, encode_call(TRANSFER, sender, 1))
        dao.node.send(dao.token, encode_call(TRANSFER, alice, 1), sender=sender)
    found = run(PaymentsByOthersTool(), dao, call(dao, dao.token, encode_call(TRANSFER, alice, 100)))
    assert (found.payments[0].sender, len(found.payments), found.left_out) == (group, 5, 2)


def test_coin_that_others_paid_to_a_safe(dao: Governance) -> None:
    safe, group = dao.node.accounts[7], dao.node.accounts[1]
    dao.node.set_code(safe, TELLS_LIKE_A_SAFE)
    dao.node.send(safe, value_wei=7, sender=group)
    (payment,) = run(PaymentsByOthersTool(), dao, dao.propose([safe], [9], [b""], "# Pay\n\nPay nine.")).payments
    assert (payment.asset, payment.sender, payment.receiver, payment.amount) == (None, group, safe, 7)
    assert run(PaymentsByOthersTool(), dao, propose(dao)).payments == ()


# --- calls


def test_a_call_that_was_made_before(dao: Governance) -> None:
    delegate = encode_call("delegate(address)", dao.node.accounts[5])
    carry_out(dao, call(dao, dao.token, delegate, "# Delegate\n\nFor the first time."))
    other = call(dao, dao.token, encode_call("delegate(address)", dao.node.accounts[6]))
    assert run(EarlierCallsTool(), dao, other).calls == ()
    again = dao.propose(
        [dao.token, dao.token], [0, 0], [encode_call("delegate(address)", dao.token), delegate], "# Two"
    )
    (earlier,) = run(EarlierCallsTool(), dao, again).calls
    assert (earlier.path, earlier.times, earlier.shortly_before, earlier.since_proposed) == ("1", 1, 1, 0)
    carry_out(dao, again)
    (*_, earlier) = run(EarlierCallsTool(), dao, again).calls
    assert (earlier.path, earlier.times, earlier.since_proposed) == ("1", 2, 1)


def test_a_payment_is_no_earlier_call(dao: Governance) -> None:
    dao.node.send(dao.token, encode_call(TRANSFER, dao.timelock, 100))
    pay = encode_call(TRANSFER, dao.node.accounts[5], 3)
    carry_out(dao, call(dao, dao.token, pay, "# Pay\n\nPay three."))
    assert run(EarlierCallsTool(), dao, call(dao, dao.token, pay, "# Pay\n\nPay three again.")).calls == ()


def test_compounds_timelock_and_a_governor_that_executes_itself(dao: Governance) -> None:
    """Their events, made here after Compound's and OpenZeppelin's sources: no such system runs in these tests."""
    target = dao.node.accounts[5]
    data = encode(["uint256", "string", "bytes", "uint256"], [3, "delegate(address)", encode(["address"], [target]), 9])
    compounds = keccak(b"ExecuteTransaction(bytes32,address,uint256,string,bytes,uint256)")
    log = Log(dao.timelock, (compounds, bytes(32), bytes(12) + bytes.fromhex(target[2:])), data, 7, b"", b"t", 0)
    (executed,) = executed_in(History((log,), 0), dao.adapter, dao.profile)
    asked = Call(target=target, value_wei=3, calldata=encode(["address"], [target]), signature="delegate(address)")
    assert executed.call == whole(asked)
    assert executed.call == Call(target=target, value_wei=3, calldata=encode_call("delegate(address)", target))
    assert executed.block == 7

    alone = dao.profile.model_copy(update={"timelock": None})
    proposal = propose(dao)
    (created,) = dao.node.rpc.logs(0, 10**6, [dao.adapter.created_topics()], [dao.governor])
    number = encode(["uint256"], [proposal])
    done = Log(dao.governor, (keccak(b"ProposalExecuted(uint256)"),), number, 9, b"", b"t", 0)
    assert [e.call for e in executed_in(History((created, done), 0), dao.adapter, alone)] == list(
        dao.proposals[proposal].calls
    )
    assert executed_in(History((done,), 0), dao.adapter, alone) == [], "made before the search begins"


# --- what is so already


def test_what_is_so_already(dao: Governance) -> None:
    role, holder = keccak(b"PROPOSER_ROLE"), dao.governor
    stranger = dao.node.accounts[6]
    delay = int.from_bytes(dao.node.rpc.call(dao.governor, encode_call("votingDelay()")), "big")
    period = int.from_bytes(dao.node.rpc.call(dao.governor, encode_call("votingPeriod()")), "big")
    calls = [
        (dao.timelock, encode_call("grantRole(bytes32,address)", role, holder)),
        (dao.timelock, encode_call("grantRole(bytes32,address)", role, stranger)),
        (dao.timelock, encode_call("revokeRole(bytes32,address)", keccak(b"EXECUTOR_ROLE"), stranger)),
        (dao.timelock, encode_call("revokeRole(bytes32,address)", keccak(b"CANCELLER_ROLE"), holder)),
        (dao.governor, encode_call("setVotingDelay(uint48)", delay)),
        (dao.governor, encode_call("setVotingPeriod(uint32)", period + 1)),
        (dao.timelock, encode_call("updateDelay(uint256)", 0)),
        (dao.token, encode_call("setMinter(address)", stranger)),
    ]
    proposal = dao.propose([c[0] for c in calls], [0] * len(calls), [c[1] for c in calls], "# Settings")
    found = run(AlreadySoTool(), dao, proposal)
    assert [(so.path, so.question) for so in found.so] == [
        ("0", "hasRole(bytes32,address)"),
        ("2", "hasRole(bytes32,address)"),
        ("4", "votingDelay()"),
        ("6", "getMinDelay()"),
    ]
    facts = gather_facts(
        dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal], tools=[EarlierPaymentsTool(), AlreadySoTool()]
    )
    (finding,) = AfterTheFact().run(CheckView(facts))
    assert (finding.severity, finding.calls) == (Severity.LOW, ("0", "2", "4", "6"))


def test_what_an_earlier_call_changes_is_not_asked(dao: Governance) -> None:
    delay = int.from_bytes(dao.node.rpc.call(dao.governor, encode_call("votingDelay()")), "big")
    calls = [encode_call("setVotingDelay(uint48)", value) for value in (delay + 7, delay)]
    there_and_back = dao.propose([dao.governor] * 2, [0, 0], calls, "# There and back")
    assert run(AlreadySoTool(), dao, there_and_back).so == ()
