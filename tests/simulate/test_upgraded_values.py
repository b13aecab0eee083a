"""What a contract answers otherwise right after its code is replaced."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from eth_utils.address import to_checksum_address

from pnyx_contracts.types import ZERO_ADDRESS, to_hex
from pnyx_policies.checks import CheckSkipped, CheckView, UpgradedValuesCheck
from pnyx_policies.context import UpgradedValues, ValuesOfUpgrades
from pnyx_policies.facts import SimulationStatus, Skipped
from pnyx_policies.finding import Finding, Severity
from pnyx_tools.context import ToolSkipped, UpgradedValuesTool
from pnyx_tools.context.upgraded_values import MAX_QUESTIONS
from pnyx_tools.gather import gather_facts
from pnyx_tools.reader import ChainReader
from pnyx_tools.rpc import Rpc
from pnyx_tools.simulate import simulate
from pnyx_tools.simulate.tries import Tries, Try
from pnyx_tools.simulate.values import Answer, Question, Values
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy, encode_call
from pnyx_tools.testing.incidents.diamond import cut
from pnyx_tools.testing.incidents.upgrades import vault_in_use
from pnyx_tools.testing.provider import Provider

Half = Callable[..., Provider]
Said = dict[str, tuple[int | None, int | None]]

READS = ("asset()", "feeBps()", "totalAssets()", "balanceOf(address)", "maxFeeBps()")

INITIALIZE = "initialize(address,uint256)"
BALANCE_OF = encode_call("balanceOf(address)", ZERO_ADDRESS)[:4]


def propose(dao: Governance, *actions: tuple[str, bytes]) -> int:
    return dao.propose([a[0] for a in actions], [0] * len(actions), [a[1] for a in actions], "Upgrade the vault.")


def upgrade(vault: str, code: str) -> tuple[str, bytes]:
    return vault, encode_call("upgradeTo(address)", code)


def found(dao: Governance, proposal: int, reader: ChainReader | None = None) -> ValuesOfUpgrades:
    reader, block = reader or dao.node.rpc, dao.node.rpc.block()
    return UpgradedValuesTool().run(reader, dao.adapter, dao.profile, dao.proposals[proposal], block)


def judged(dao: Governance, proposal: int) -> tuple[Finding, ...]:
    facts = gather_facts(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal])
    return UpgradedValuesCheck().run(CheckView(facts))


def said(upgraded: UpgradedValues) -> Said:
    """By function, the first words of what it answered before and after."""
    names = {encode_call(read, *([ZERO_ADDRESS] if "address" in read else []))[:4]: read for read in READS}

    def number(answer: bytes | None) -> int | None:
        return None if answer is None else int.from_bytes(answer[:32], "big")

    return {names[v.selector]: (number(v.before), number(v.after)) for v in upgraded.changed}


def test_a_variable_before_others_moves_their_values(dao: Governance, half: Half) -> None:
    vault, code = vault_in_use(dao), deploy(dao.node, "VaultShifted")
    proposal = propose(dao, upgrade(vault, code))
    with half("eth_simulateV1") as node:
        by_trace = found(dao, proposal, Rpc(node.url))
    assert by_trace == found(dao, proposal)
    (upgraded,) = by_trace.upgrades
    assert (upgraded.contract, upgraded.after) == (vault, code)
    assert (upgraded.asked, upgraded.answered) == (len(READS) + 5, len(READS) + 3), "two change something, and fail"
    assert [v.account for v in upgraded.changed if v.selector == BALANCE_OF] == [dao.timelock]
    assert said(upgraded) == {
        "asset()": (int(dao.token, 16), 30), "feeBps()": (30, 80 * TOKEN), "totalAssets()": (80 * TOKEN, 0),
        "balanceOf(address)": (40 * TOKEN, 0),
    }  # fmt: skip
    (finding,) = judged(dao, proposal)
    assert finding.severity is Severity.HIGH
    assert "4 of 8 values" in finding.title
    assert f"asset() was {dao.token} and is 30" in finding.detail
    assert f"balanceOf({dao.timelock})" in finding.detail


def test_what_proposer_governor_and_the_contract_itself_have_is_asked_too(dao: Governance) -> None:
    vault = vault_in_use(dao)
    holders = [vault, dao.governor, dao.node.accounts[0]]
    for holder in holders:
        dao.node.impersonate(holder)
        dao.node.set_balance(holder, 10**20)
        dao.node.send(vault, encode_call("deposit(uint256)", TOKEN), sender=holder)
    proposal = propose(dao, upgrade(vault, deploy(dao.node, "VaultShifted")))
    (upgraded,) = found(dao, proposal).upgrades
    accounts = {v.account for v in upgraded.changed if v.selector == BALANCE_OF}
    assert dao.proposals[proposal].proposer == dao.node.accounts[0]
    assert accounts == {dao.timelock, *holders}


def test_a_variable_behind_the_others_moves_nothing_and_constants_are_told_apart(dao: Governance) -> None:
    proposal = propose(dao, upgrade(vault_in_use(dao), deploy(dao.node, "VaultAppended")))
    (upgraded,) = found(dao, proposal).upgrades
    assert set(said(upgraded)) == {"maxFeeBps()"}
    assert all(value.is_of_the_code for value in upgraded.changed)
    (finding,) = judged(dao, proposal)
    assert (finding.severity, finding.detail) == (Severity.LOW, "0xbf769a3f was 500 and is 700.")


def test_what_another_action_sets_is_no_sign_of_moved_storage(dao: Governance) -> None:
    vault = vault_in_use(dao)
    sets = (vault, encode_call("setFee(uint256)", 40))
    proposal = propose(dao, upgrade(vault, deploy(dao.node, "VaultAppended")), sets)
    findings = {finding.severity: finding for finding in judged(dao, proposal)}
    assert set(findings) == {Severity.MEDIUM, Severity.LOW}
    assert findings[Severity.MEDIUM].detail == "An action may have set that. feeBps() was 30 and is 40."
    assert findings[Severity.MEDIUM].calls == ("0", "1")


def showing(*reads: str) -> bytes:
    """The beginning of code that compares with these selectors, and goes on whatever comes of it."""
    selectors = (encode_call(read, *([ZERO_ADDRESS] if "address" in read else []))[:4] for read in reads)
    return b"\x5f" + b"".join(b"\x80\x63" + selector + b"\x14\x50" for selector in selectors)


REVERTS, ANSWERS_42 = bytes.fromhex("5f5ffd"), bytes.fromhex("602a5f5260205ff3")


def test_functions_that_fail_afterwards_are_told_unless_they_are_gone(dao: Governance) -> None:
    vault, code = vault_in_use(dao), dao.node.accounts[7]
    proposal = propose(dao, upgrade(vault, code))
    for shown in (READS, READS[:2], ()):
        dao.node.set_code(code, showing(*shown) + REVERTS)
        (upgraded,) = found(dao, proposal).upgrades
        assert {after for _, after in said(upgraded).values()} == {None}
        assert set(said(upgraded)) == set(shown or READS), "of code that shows no function all are told"


def test_functions_that_new_code_hides_are_asked_all_the_same(dao: Governance) -> None:
    vault, code = vault_in_use(dao), dao.node.accounts[7]
    dao.node.set_code(code, showing("asset()") + ANSWERS_42)
    (upgraded,) = found(dao, propose(dao, upgrade(vault, code))).upgrades
    assert {name: after for name, (_, after) in said(upgraded).items()} == dict.fromkeys(READS, 42)


def facet(code: str, action: int, *reads: str) -> tuple[str, int, list[bytes]]:
    return code, action, [encode_call(read, *([ZERO_ADDRESS] if "address" in read else []))[:4] for read in reads]


def test_a_diamond_says_itself_which_functions_it_has(dao: Governance) -> None:
    diamond = deploy(dao.node, "LayeredDiamond", dao.timelock)
    old, new = deploy(dao.node, "Vault"), deploy(dao.node, "VaultShifted")
    code, action, selectors = facet(old, 0, *READS)
    selectors += [encode_call("initialize(address,uint256)", ZERO_ADDRESS, 0)[:4]]
    dao.node.send(diamond, cut([(code, action, selectors)], ZERO_ADDRESS, b""))
    dao.node.send(diamond, encode_call("initialize(address,uint256)", dao.token, 30))
    replaced, removed = facet(new, 1, "asset()", "feeBps()"), facet(ZERO_ADDRESS, 2, "maxFeeBps()", "totalAssets()")
    (upgraded,) = found(dao, propose(dao, (diamond, cut([replaced, removed], ZERO_ADDRESS, b"")))).upgrades
    assert said(upgraded) == {"asset()": (int(dao.token, 16), 30), "feeBps()": (30, 0)}
    silent = deploy(dao.node, "SmallDiamond", dao.timelock)
    assert found(dao, propose(dao, (silent, cut([replaced], ZERO_ADDRESS, b"")))).upgrades[0].asked == 0


def test_an_initialiser_that_is_open_only_afterwards_is_told(dao: Governance, half: Half) -> None:
    """`VaultReopened` reads whether it was initialised from another place; the others have no initialiser that is."""
    vault, code = vault_in_use(dao), deploy(dao.node, "VaultReopened")
    proposal = propose(dao, upgrade(vault, code))
    with half("eth_simulateV1") as node:
        assert found(dao, proposal, Rpc(node.url)) == found(dao, proposal)
    (upgraded,) = found(dao, proposal).upgrades
    assert upgraded.opened == (INITIALIZE,)
    worst = next(finding for finding in judged(dao, proposal) if INITIALIZE in finding.title)
    assert (worst.severity, worst.evidence) == (Severity.HIGH, (vault, code))
    (closed,) = found(dao, propose(dao, upgrade(vault, deploy(dao.node, "VaultAppended")))).upgrades
    assert closed.opened == ()
    again = (vault, encode_call(INITIALIZE, dao.token, 30))
    (set_at_once,) = found(dao, propose(dao, upgrade(vault, code), again)).upgrades
    assert set_at_once.opened == (), "the proposal itself initialises it"


def test_code_that_takes_any_call_opens_nothing(dao: Governance) -> None:
    vault, code = vault_in_use(dao), dao.node.accounts[7]
    dao.node.set_code(code, b"\x5f\x80\x63" + encode_call(INITIALIZE, ZERO_ADDRESS, 0)[:4] + b"\x14\x50\x00")
    assert found(dao, propose(dao, upgrade(vault, code))).upgrades[0].opened == ()


def test_of_a_beacon_the_proxies_are_asked(dao: Governance) -> None:
    beacon = deploy(dao.node, "VaultBeacon", dao.timelock, deploy(dao.node, "Vault"))
    other = deploy(dao.node, "VaultBeacon", dao.timelock, deploy(dao.node, "Vault"))
    vault, second, third, _ = (deploy(dao.node, "BeaconVault", each) for each in (beacon, beacon, beacon, other))
    dao.node.send(vault, encode_call("initialize(address,uint256)", dao.token, 30))
    new = deploy(dao.node, "VaultShifted")
    proposal = propose(dao, upgrade(beacon, new))
    values = found(dao, proposal)
    assert [(u.contract, u.beacon, u.after) for u in values.upgrades] == [(vault, beacon, new), (second, beacon, new)]
    assert (values.left_out, values.from_block) == (1, 0)
    moved, fresh = values.upgrades
    assert said(moved) == {"asset()": (int(dao.token, 16), 30), "feeBps()": (30, 0)}
    assert said(fresh) == {}
    (finding,) = judged(dao, proposal)
    assert (finding.severity, finding.calls, finding.evidence[0]) == (Severity.HIGH, ("0",), vault)
    assert third not in str(values)
    assert found(dao, propose(dao, upgrade(vault_in_use(dao), new))).from_block is None


def test_where_no_code_is_replaced_nothing_is_simulated(dao: Governance, half: Half) -> None:
    pays = (dao.token, encode_call("transfer(address,uint256)", dao.node.accounts[7], 1))
    proposal = propose(dao, pays)
    with half("eth_simulateV1", "debug_traceCall") as node:
        assert found(dao, proposal, Rpc(node.url)).upgrades == ()
    assert judged(dao, proposal) == ()


def test_where_nothing_can_be_simulated_the_check_says_that_it_cannot_tell(dao: Governance, half: Half) -> None:
    proposal = propose(dao, upgrade(vault_in_use(dao), deploy(dao.node, "VaultShifted")))
    with half("eth_simulateV1", "debug_traceCall") as node, pytest.raises(ToolSkipped, match="code is replaced") as why:
        found(dao, proposal, Rpc(node.url))
    facts = gather_facts(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal])
    skipped = facts.model_copy(
        update={"context": (), "skipped": (Skipped.of_tool(ValuesOfUpgrades.TOOL, str(why.value)),)}
    )
    with pytest.raises(CheckSkipped, match="code is replaced"):
        UpgradedValuesCheck().run(CheckView(skipped))


def test_of_many_functions_the_first_are_asked_and_that_is_said(dao: Governance) -> None:
    vault, (old, new) = vault_in_use(dao), dao.node.accounts[6:8]
    many = b"".join(
        b"\x80\x63" + (0x11111111 + place).to_bytes(4, "big") + b"\x14\x50" for place in range(MAX_QUESTIONS + 2)
    )
    for code in (old, new):
        dao.node.set_code(code, b"\x5f" + many + b"\x00")
    dao.node.impersonate(dao.timelock)
    dao.node.send(vault, upgrade(vault, old)[1], sender=dao.timelock)
    (upgraded,) = found(dao, propose(dao, upgrade(vault, new))).upgrades
    assert (upgraded.asked, upgraded.left_out, upgraded.answered) == (MAX_QUESTIONS, 2, MAX_QUESTIONS)


# --- the questions by themselves


def answers(dao: Governance, *questions: tuple[str, bytes]) -> list[Answer | None]:
    values = Values(tuple(Question(contract, calldata.ljust(36, b"\0")) for contract, calldata in questions))
    simulation = simulate(
        dao.node.rpc, dao.timelock, [], dao.node.rpc.block(), probes=values.probes, prepared=values.overrides
    )
    assert simulation.status is SimulationStatus.SUCCEEDED
    read = list(values.read(simulation.readings))
    assert [question for question, _, _ in read] == list(values.questions)
    assert all(before == after for _, before, after in read), "asking changes nothing"
    return [before for _, before, _ in read]


def test_contracts_that_waste_gas_or_answer_at_length_hide_no_other(dao: Governance) -> None:
    wasteful, talkative, silent = (to_checksum_address(f"0x{0xBAD000 + place:040x}") for place in range(3))
    dao.node.set_code(wasteful, bytes.fromhex("5b600056"))
    dao.node.set_code(talkative, bytes.fromhex("7f" + "ee" * 32 + "5f52612000" + "5ff3"))
    dao.node.set_code(silent, b"\x00")
    supply = (dao.token, encode_call("totalSupply()"))
    seen = answers(
        dao, *[(wasteful, b"\x01\x02\x03\x04")] * 15, (talkative, b"\x01\x02\x03\x04"), (silent, b""), supply
    )
    assert seen[:15] == [None] * 15
    assert seen[15] == Answer(bytes.fromhex("ee" * 32).ljust(224, b"\0"), 0x2000)
    assert seen[16] == Answer(b"", 0)
    assert seen[17] == Answer((1_000_000 * TOKEN).to_bytes(32, "big"), 32)


def test_functions_that_would_change_something_fail(dao: Governance) -> None:
    vault = vault_in_use(dao)
    calls = [(vault, encode_call("deposit(uint256)", 5)), (vault, encode_call("totalAssets()"))]
    deposit, total = answers(dao, *calls)
    assert deposit is None
    assert total is not None
    assert to_hex(total.data) == to_hex((80 * TOKEN).to_bytes(32, "big"))


def test_what_a_stranger_tries_leaves_no_trace(dao: Governance) -> None:
    vault = vault_in_use(dao)
    wasteful = to_checksum_address(f"0x{0xBAD000:040x}")
    dao.node.set_code(wasteful, bytes.fromhex("5b600056"))
    takes, refuses = encode_call("deposit(uint256)", 5), encode_call(INITIALIZE, dao.token, 1)
    tries = Tries((Try(vault, takes), Try(vault, refuses), Try(wasteful, takes)))
    values = Values((Question(vault, encode_call("totalAssets()").ljust(36, b"\0")),))
    simulation = simulate(
        dao.node.rpc, dao.timelock, [], dao.node.rpc.block(), probes=(*tries.probes, *values.probes),
        prepared={**tries.overrides, **values.overrides},
    )  # fmt: skip
    went = [(before, after) for _, before, after in tries.read(simulation.readings[:3])]
    assert went == [(True, True), (False, False), (False, False)]
    (total,) = values.read(simulation.readings[3:])
    assert total[1:] == (Answer((80 * TOKEN).to_bytes(32, "big"), 32),) * 2
