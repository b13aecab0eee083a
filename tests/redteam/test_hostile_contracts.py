"""Contracts of a proposal's author on a real node: code that deceives the simulation, floods, burns, lies."""

from __future__ import annotations

import pytest
from eth_hash.auto import keccak

from pnyx_contracts.types import Call, Vote, to_hex
from pnyx_policies.checks import CheckView, builtin_checks, run_checks
from pnyx_policies.decide import decide
from pnyx_policies.decision import Outcome
from pnyx_policies.facts import Facts, SimulationStatus
from pnyx_policies.ruleset import Ruleset
from pnyx_policies.rulesets import shipped_ruleset
from pnyx_tools.code import BEACON_SLOT
from pnyx_tools.gather import gather_facts
from pnyx_tools.simulate import MAX_EFFECTS, MAX_TRIED_ALONE, simulate
from pnyx_tools.testing.deploy import TOKEN, Governance, encode_call
from pnyx_tools.testing.facts import address_of

STEWARD = Ruleset.parse(shipped_ruleset("steward"), "steward")
RECEIVER, SUPPLIER = address_of("receiver"), address_of("supplier")
BALANCE_OF = "balanceOf(address)"

STOP, TIMESTAMP, LOOP = "00", "42", "5b"
BURN_ALL_GAS = "5b600056"
READ_BEYOND_RETURN_DATA = "6001600060003e"
"""A failure that clients have many names for, none of them "revert"."""


def push(size: int, value: int) -> str:
    return f"{0x5F + size:02x}{value:0{2 * size}x}"


def later_takes(token: str, victim: str, amount: int, not_before: int) -> str:
    """Does nothing until `not_before`, then calls ``transferFrom(victim, itself, amount)``; fails without a word."""
    data = encode_call("transferFrom(address,address,uint256)", victim, RECEIVER, amount)
    take = "5f5f" + push(1, len(data)) + "5f5f" + "73" + token[2:].lower() + "5af150"
    copy = push(1, len(data)) + "61{offset:04x}" + "5f39"
    head = push(8, not_before) + TIMESTAMP + "11" + "15" + "61{end:04x}" + "57"
    end = len(bytes.fromhex((head + copy).format(end=0, offset=0) + take))
    return (head + copy).format(end=end, offset=end + 2) + take + LOOP + STOP + data.hex()


def floods_transfers(sender: str) -> str:
    """Emits ``Transfer(sender, itself, 1)`` until the gas is nearly gone."""
    topic = keccak(b"Transfer(address,address,uint256)").hex()
    emit = "305f52" + "30" + "73" + sender[2:].lower() + "7f" + topic + "60205f" + "a3"
    return LOOP + emit + push(3, 50_000) + "5a11" + "5f57" + STOP


def answers(*words: int) -> str:
    """Returns these words to whoever asks whatever."""
    stores = "".join(f"7f{word:064x}" + push(2, 32 * i) + "52" for i, word in enumerate(words))
    return stores + push(2, 32 * len(words)) + "5ff3"


def put(dao: Governance, address: str, code: str) -> None:
    dao.node.rpc.request("anvil_setCode", [address, "0x" + code])


def balance(dao: Governance, holder: str) -> int:
    return int.from_bytes(dao.node.rpc.call(dao.token, encode_call(BALANCE_OF, holder)), "big")


def review(dao: Governance, proposal: int) -> Facts:
    return gather_facts(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal], voter=dao.node.accounts[1])


def decided(facts: Facts) -> Outcome:
    return decide(STEWARD, facts, run_checks(builtin_checks(), CheckView(facts)), ()).outcome


def pay(dao: Governance, target: str, amount: int = 10**17, data: bytes = b"") -> int:
    """A proposal that announces what it seems to do."""
    text = f"Pay our supplier 0.1 ETH for a month of hosting our forum, to {target}."
    proposal = dao.propose([target], [amount], [data], text)
    dao.advance_to_active(proposal)
    return proposal


def execute(dao: Governance, proposal: int) -> None:
    dao.vote(proposal, Vote.FOR, dao.node.accounts[0])
    dao.advance_to_closed(proposal)
    dao.queue(proposal)
    dao.node.increase_time(1_000)
    dao.execute(proposal)


# --- the simulation is deceived --------------------------------------------------------------------------------------


def test_code_that_waits_for_the_execution_takes_no_more_than_it_was_given(dao: Governance) -> None:
    """The simulation shows a payment and nothing else, and steward trusts it. That is safe: the code runs as itself."""
    put(dao, RECEIVER, later_takes(dao.token, dao.timelock, 500 * TOKEN, not_before=_soon(dao)))
    proposal = pay(dao, RECEIVER)
    assert decided(review(dao, proposal)) is Outcome.FOR
    execute(dao, proposal)
    assert dao.node.rpc.balance(RECEIVER) == 10**17
    assert balance(dao, dao.timelock) == 1_000 * TOKEN


def test_the_same_code_takes_what_the_dao_allowed_it_before(dao: Governance) -> None:
    """So the attack above is a real one: only an allowance is missing. With one it needs no proposal at all."""
    put(dao, RECEIVER, later_takes(dao.token, dao.timelock, 500 * TOKEN, not_before=_soon(dao)))
    dao.node.rpc.request("anvil_impersonateAccount", [dao.timelock])
    dao.node.send(dao.token, encode_call("approve(address,uint256)", RECEIVER, 500 * TOKEN), sender=dao.timelock)
    execute(dao, pay(dao, RECEIVER))
    assert balance(dao, RECEIVER) == 500 * TOKEN


def test_a_receiver_that_takes_more_already_today_is_seen(dao: Governance) -> None:
    put(dao, RECEIVER, later_takes(dao.token, dao.timelock, 5 * TOKEN, not_before=0))
    dao.node.rpc.request("anvil_impersonateAccount", [dao.timelock])
    dao.node.send(dao.token, encode_call("approve(address,uint256)", RECEIVER, 500 * TOKEN), sender=dao.timelock)
    facts = review(dao, pay(dao, RECEIVER))
    assert facts.simulation.status is SimulationStatus.SUCCEEDED
    assert decided(facts) is Outcome.HOLD


def _soon(dao: Governance) -> int:
    """After every review of this test and before every execution."""
    return dao.node.rpc.block().timestamp + 100


@pytest.mark.parametrize("fake", [answers(10**30), answers(32, 2**255), answers(32, 2**20, 0)])
def test_a_token_that_lies_about_everything_is_no_payment(dao: Governance, fake: str) -> None:
    """It answers whatever it is asked with nonsense, transfers "succeed", and nothing moves."""
    put(dao, SUPPLIER, fake)
    transfer = encode_call("transfer(address,uint256)", RECEIVER, 10**17)
    text = f"Send 0.1 of the tokens at {SUPPLIER} to {RECEIVER}, as a thank you for hosting our forum."
    proposal = dao.propose([SUPPLIER], [0], [transfer], text)
    dao.advance_to_active(proposal)
    assert decided(review(dao, proposal)) is not Outcome.FOR


# --- exhaustion ------------------------------------------------------------------------------------------------------


def test_a_flood_of_events_is_not_read_and_not_trusted(dao: Governance) -> None:
    put(dao, RECEIVER, floods_transfers(dao.timelock))
    proposal = pay(dao, RECEIVER)
    facts = review(dao, proposal)
    assert facts.simulation.status is SimulationStatus.SKIPPED
    assert "events" in facts.simulation.why_skipped
    assert facts.simulation.movements == ()
    assert decided(facts) is Outcome.HOLD


def test_the_flood_is_one(dao: Governance) -> None:
    """The test above would pass on any skipped simulation: below the limit the same events are read."""
    put(dao, RECEIVER, floods_transfers(dao.timelock))
    call = Call(target=RECEIVER, value_wei=0, calldata=b"")
    answer = dao.node.rpc.request(
        "eth_simulateV1",
        [
            {"blockStateCalls": [{"calls": [{"from": dao.timelock, "to": RECEIVER, "input": to_hex(call.calldata)}]}]},
            "latest",
        ],
    )
    assert len(answer[0]["calls"][0]["logs"]) > MAX_EFFECTS


def test_many_actions_that_revert_cost_few_questions(dao: Governance, monkeypatch: pytest.MonkeyPatch) -> None:
    put(dao, RECEIVER, "5f5ffd")
    asked: list[str] = []
    request = type(dao.node.rpc).request
    monkeypatch.setattr(
        type(dao.node.rpc),
        "request",
        lambda self, method, params: asked.append(method) or request(self, method, params),
    )
    calls = [Call(target=RECEIVER, value_wei=0, calldata=bytes([n])) for n in range(MAX_TRIED_ALONE + 40)]
    simulation = simulate(dao.node.rpc, dao.timelock, calls, dao.node.rpc.block())
    assert simulation.status is SimulationStatus.REVERTED
    assert [r.succeeded for r in simulation.results] == [False] * len(calls)
    assert asked.count("eth_call") <= MAX_TRIED_ALONE


def test_code_that_burns_all_gas_is_survived(dao: Governance) -> None:
    """As a receiver, as a token, and as the beacon of a proxy."""
    put(dao, RECEIVER, BURN_ALL_GAS)
    put(dao, SUPPLIER, STOP)
    dao.node.rpc.request("anvil_setStorageAt", [SUPPLIER, f"0x{BEACON_SLOT:064x}", f"0x{RECEIVER[2:].lower():0>64}"])
    transfer = encode_call("transfer(address,uint256)", SUPPLIER, 5)
    proposal = dao.propose([RECEIVER, SUPPLIER, RECEIVER], [0, 1, 1], [transfer, b"", b""], "burn")
    facts = review(dao, proposal)
    assert facts.simulation.status is not SimulationStatus.SUCCEEDED
    assert decided(facts) is not Outcome.FOR


def test_code_that_fails_in_a_strange_way_cannot_stop_the_review(dao: Governance) -> None:
    """As a token, and as the beacon of a proxy."""
    put(dao, RECEIVER, READ_BEYOND_RETURN_DATA)
    put(dao, SUPPLIER, STOP)
    dao.node.rpc.request("anvil_setStorageAt", [SUPPLIER, f"0x{BEACON_SLOT:064x}", f"0x{RECEIVER[2:].lower():0>64}"])
    transfer = encode_call("transfer(address,uint256)", SUPPLIER, 5)
    facts = review(dao, dao.propose([RECEIVER, SUPPLIER], [0, 1], [transfer, b""], "strange"))
    assert facts.simulation.status is not SimulationStatus.SUCCEEDED
    assert any(RECEIVER in skipped.why for skipped in facts.skipped)
    assert decided(facts) is not Outcome.FOR


def test_a_proposal_of_two_hundred_actions_and_sixty_kilobytes(dao: Governance) -> None:
    people = [address_of(f"person {n}") for n in range(200)]
    text = b"\xff\xfe<!-- " + " ".join(people).encode() + b"[](" * 16_000
    proposal = dao.propose(people, [1] * 200, [b""] * 200, text)
    facts = review(dao, proposal)
    assert decided(facts) is not Outcome.FOR
