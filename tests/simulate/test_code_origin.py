"""Where code comes from that a proposal runs, on real nodes: one that keeps destroyed code, one that does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_contracts.types import BlockRef
from pnyx_policies.checks import CheckSkipped, CheckView, CodeOriginCheck
from pnyx_policies.context import CodeOrigin, CodeOrigins, DestroyedCode, How
from pnyx_policies.facts import Facts, Skipped, ToolResult
from pnyx_policies.finding import Severity
from pnyx_tools.context import CodeOriginTool, DestroyedCodeTool, code_origin, run_tool
from pnyx_tools.gather import gather_facts
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance, deploy, encode_call
from pnyx_tools.testing.incidents.metamorphic import Metamorphic, creation_code
from pnyx_tools.testing.incidents.playing import alone, stage
from pnyx_tools.testing.provider import Provider, Question, Reply, error

WEEK = 40
SALT = bytes(32)
EXECUTE = encode_call("executeProposal()")


@pytest.fixture(scope="module")
def _shanghai() -> Iterator[Governance]:
    with stage() as dao:
        yield dao


@pytest.fixture
def old_rules(_shanghai: Governance) -> Iterator[Governance]:
    """A DAO on a chain that takes destroyed code away."""
    with alone(_shanghai) as dao:
        dao.node.mine(2 * WEEK)
        yield dao


@pytest.fixture
def new_rules(dao: Governance) -> Governance:
    dao.node.mine(2 * WEEK)
    return dao


@pytest.fixture(autouse=True)
def _short_week(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_origin, "LONG_BEFORE_BLOCKS", WEEK)


def run_by(dao: Governance, target: str, data: bytes = EXECUTE) -> int:
    return dao.propose([target], [0], [data], f"# Run {target} {dao.node.rpc.block().number}")


def look(dao: Governance, proposal: int, node: Rpc | None = None) -> CodeOrigins:
    reader, block = node or dao.node.rpc, dao.node.rpc.block()
    return CodeOriginTool().run(reader, dao.adapter, dao.profile, dao.proposals[proposal], block)


def origin(dao: Governance, target: str) -> CodeOrigin:
    (found,) = look(dao, run_by(dao, target)).codes
    assert found.address == target
    return found


def facts(dao: Governance, proposal: int, node: Rpc | None = None) -> Facts:
    return gather_facts(node or dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal])


def judged(dao: Governance, target: str) -> list[tuple[Severity, str]]:
    found = CodeOriginCheck().run(CheckView(facts(dao, run_by(dao, target))))
    return [(finding.severity, finding.title.partition(target)[2].strip()) for finding in found]


def factory_made(dao: Governance, code: str) -> tuple[str, str]:
    """Contract and factory."""
    factory = deploy(dao.node, "Create2Factory")
    (log,) = dao.node.send(factory, encode_call("make(bytes32,bytes)", SALT, creation_code(code)))["logs"]
    return to_checksum_address("0x" + log["data"][-40:]), factory


def test_young_code_that_an_account_made(new_rules: Governance) -> None:
    payload = deploy(new_rules.node, "SteadyPayload")
    made_at = new_rules.node.rpc.block()
    new_rules.node.mine(3)
    (made,) = origin(new_rules, payload).made
    assert (made.how, made.maker, made.block) == (How.TRANSACTION, new_rules.node.accounts[0], made_at.number)
    assert made.transaction is not None
    assert new_rules.node.rpc.receipt(made.transaction)["contractAddress"].casefold() == payload.casefold()
    assert judged(new_rules, payload) == [(Severity.LOW, "was put there 5 blocks before the proposal")]


def test_young_code_of_a_factory(new_rules: Governance) -> None:
    payload, factory = factory_made(new_rules, "SteadyPayload")
    (made,) = origin(new_rules, payload).made
    assert (made.how, made.maker) == (How.CREATE2, factory)
    (finding,) = CodeOriginCheck().run(CheckView(facts(new_rules, run_by(new_rules, payload))))
    assert finding.severity is Severity.LOW
    assert finding.detail == f"{payload} was made in block {made.block}, by {factory} by CREATE2."
    assert (finding.calls, finding.evidence) == (("0",), (payload, factory))


def test_young_code_behind_an_old_proxy(new_rules: Governance, store: str) -> None:
    new_rules.node.mine(2 * WEEK)
    implementation = deploy(new_rules.node, "ParameterStore")
    upgrade = encode_call("upgradeToAndCall(address,bytes)", implementation, b"")
    announced = look(new_rules, new_rules.propose([store], [0], [upgrade], "upgrade"))
    assert [(code.address, code.proxy) for code in announced.codes] == [(implementation, None)]
    new_rules.node.impersonate(new_rules.timelock)
    new_rules.node.set_balance(new_rules.timelock, 10**18)
    new_rules.node.send(store, upgrade, sender=new_rules.timelock)
    found = look(new_rules, new_rules.propose([store], [0], [encode_call("setParameter(uint256)", 7)], "set"))
    assert [(code.address, code.proxy) for code in found.codes] == [(implementation, store)]


def test_old_code_is_asked_for_once(new_rules: Governance) -> None:
    """In one block, and no block is searched: that is what nearly every proposal costs."""
    payload = deploy(new_rules.node, "SteadyPayload")
    new_rules.node.mine(2 * WEEK)
    number = run_by(new_rules, payload)
    with Provider(new_rules.node.url) as provider:
        found = look(new_rules, number, Rpc(provider.url))
        long_before = hex(new_rules.proposals[number].created_block - WEEK)
        blocks = [q["params"][1] for q in provider.asked if q["method"] == "eth_getCode"]
    assert {block for block in blocks if isinstance(block, str)} == {long_before}
    assert not [q for q in provider.asked if q["method"] in {"eth_getBlockReceipts", "debug_traceTransaction"}]
    assert found.codes == ()
    assert judged(new_rules, payload) == []


def test_who_only_gets_coin_is_not_looked_at(new_rules: Governance) -> None:
    wallet = deploy(new_rules.node, "ModuleVault", new_rules.timelock)
    number = new_rules.propose([wallet], [1], [b""], "Pay a new wallet 1 wei")
    assert look(new_rules, number).codes == ()


def test_on_a_chain_that_keeps_destroyed_code_nothing_comes_back(new_rules: Governance) -> None:
    payload = Metamorphic(new_rules.node, deploy(new_rules.node, "Create2Factory")).make("RelayerPayload")
    new_rules.node.mine(2 * WEEK)
    found = facts(new_rules, run_by(new_rules, payload))
    assert CheckView(found).context(DestroyedCode).makes_room is False
    assert judged(new_rules, payload) == []


@pytest.mark.parametrize("age", [0, 2 * WEEK])
def test_code_that_can_be_destroyed_and_made_again(old_rules: Governance, age: int) -> None:
    """The shape of incident I-2: the payload is a maker's, and the maker is a factory's."""
    made = Metamorphic(old_rules.node, deploy(old_rules.node, "Create2Factory"))
    payload = made.make("RelayerPayload")
    old_rules.node.mine(age + 1)
    found = origin(old_rules, payload)
    assert [(step.contract, step.how, step.maker) for step in found.made] == [
        (payload, How.CREATE, made.maker),
        (made.maker, How.CREATE2, made.factory),
    ]
    assert judged(old_rules, payload)[0] == (Severity.CRITICAL, "can destroy itself, and then be other code")
    old_rules.node.send(made.maker, encode_call("destroy()"))
    assert [step.how for step in origin(old_rules, payload).made] == [How.CREATE, How.CREATE2], "its maker is gone"
    assert judged(old_rules, payload)[0][0] is Severity.CRITICAL
    made.destroy(payload)


def test_code_that_came_back_is_found_with_who_made_it_last(old_rules: Governance) -> None:
    made = Metamorphic(old_rules.node, deploy(old_rules.node, "Create2Factory"))
    payload = made.make("RelayerPayload")
    number = run_by(old_rules, payload)
    made.destroy(payload)
    old_rules.node.mine(3)
    made.make("HostilePayload")
    (found,) = look(old_rules, number).codes
    assert found.made[0].maker == made.maker
    assert old_rules.node.rpc.code(payload, found.block)


def test_code_of_create2_may_come_back(old_rules: Governance) -> None:
    payload, _ = factory_made(old_rules, "RelayerPayload")
    old_rules.node.mine(2 * WEEK)
    assert judged(old_rules, payload) == [(Severity.HIGH, "can destroy itself, and then be other code")]


def test_code_that_an_account_made_cannot_come_back(old_rules: Governance) -> None:
    payload = deploy(old_rules.node, "RelayerPayload")
    old_rules.node.mine(2 * WEEK)
    assert origin(old_rules, payload).can_be_made_again is False
    assert judged(old_rules, payload) == []


def test_code_that_was_always_there(old_rules: Governance) -> None:
    """Some chains begin with contracts."""
    deployer = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
    assert old_rules.node.rpc.code(deployer, 0)
    search = code_origin._Search(old_rules.node.rpc, "latest")
    (made,) = search.makers(deployer, code_origin.first_blocks(old_rules.node.rpc, {deployer: 0}, 9)[deployer])
    assert (made.how, made.block) == (How.GENESIS, 0)


# --- among many


def test_in_a_full_block_only_what_can_have_made_it_is_traced(new_rules: Governance) -> None:
    node = new_rules.node
    factory = deploy(node, "Create2Factory")
    make = encode_call("make(bytes32,bytes)", SALT, creation_code("SteadyPayload"))
    code = keccak(creation_code("SteadyPayload"))
    payload = to_checksum_address(keccak(b"\xff" + bytes.fromhex(factory[2:]) + SALT + code)[12:])
    in_one_block(node, [(node.accounts[3], b"")] * 9, (factory, make), [(node.accounts[3], b"")] * 9)
    number = run_by(new_rules, payload)
    with Provider(node.url) as provider:
        (found,) = look(new_rules, number, Rpc(provider.url)).codes
        traced = [q for q in provider.asked if q["method"] == "debug_traceTransaction"]
    assert found.made[0].maker == factory
    assert len(traced) == 1


def test_a_maker_that_is_not_found_in_time_is_not_known(old_rules: Governance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_origin, "MOST_TRACES", 0)
    payload, _ = factory_made(old_rules, "RelayerPayload")
    (made,) = origin(old_rules, payload).made
    assert (made.how, made.maker) == (How.UNKNOWN, None)
    (finding, _) = CodeOriginCheck().run(CheckView(facts(old_rules, run_by(old_rules, payload))))
    assert finding.severity is Severity.HIGH
    assert "Nobody knows" in finding.detail


def in_one_block(node: Anvil, *transactions: object) -> BlockRef:
    flat = [t for part in transactions for t in (part if isinstance(part, list) else [part])]
    node.request("evm_setAutomine", False)
    for to, data in flat:
        call = {"from": node.accounts[0], "to": to, "data": "0x" + data.hex(), "gas": hex(400_000)}
        node.request("eth_sendTransaction", call)
    node.request("evm_setAutomine", True)
    return node.mine()


def test_more_codes_than_are_looked_at(new_rules: Governance) -> None:
    payloads = [deploy(new_rules.node, "SteadyPayload") for _ in range(5)]
    number = new_rules.propose(payloads, [0] * 5, [EXECUTE] * 5, "five")
    found = look(new_rules, number)
    assert ([code.address for code in found.codes], found.left_out) == (payloads[:4], 1)
    severities = [f.severity for f in CodeOriginCheck().run(CheckView(facts(new_rules, number)))]
    assert severities == [Severity.LOW] * 4 + [Severity.MEDIUM]


# --- nodes that cannot tell


def run(dao: Governance, proposal: int, node: str) -> ToolResult | Skipped:
    tool, reader = CodeOriginTool(), Rpc(node)
    return run_tool(tool, reader, dao.adapter, dao.profile, dao.proposals[proposal], reader.block())


def without_old_states(dao: Governance) -> Provider:
    def rule(question: Question) -> Reply | None:
        at = question["params"][1] if question["method"] == "eth_getCode" else {}
        return error(question, -32000, "missing trie node") if isinstance(at, str) else None

    return Provider(dao.node.url, rule)


def without_traces(dao: Governance) -> Provider:
    def rule(question: Question) -> Reply | None:
        missing = question["method"] == "debug_traceTransaction"
        return error(question, -32601, "the method does not exist") if missing else None

    return Provider(dao.node.url, rule)


def test_without_old_states_the_tool_is_skipped_and_steady_code_is_not_blamed(new_rules: Governance) -> None:
    number = run_by(new_rules, deploy(new_rules.node, "SteadyPayload"))
    with without_old_states(new_rules) as node:
        skipped = run(new_rules, number, node.url)
        seen = facts(new_rules, number, Rpc(node.url))
    assert isinstance(skipped, Skipped)
    assert "missing trie node" in skipped.why
    assert "tool:code_origin" in {step.step for step in seen.skipped}
    assert CodeOriginCheck().run(CheckView(seen)) == ()


def test_without_old_states_code_that_may_come_back_is_not_judged(old_rules: Governance) -> None:
    number = run_by(old_rules, factory_made(old_rules, "RelayerPayload")[0])
    with without_old_states(old_rules) as node:
        seen = facts(old_rules, number, Rpc(node.url))
    with pytest.raises(CheckSkipped, match=r"code_origin gave nothing: .*missing trie node"):
        CodeOriginCheck().run(CheckView(seen))


def test_traces_are_asked_for_only_where_no_receipt_tells(new_rules: Governance) -> None:
    by_account = run_by(new_rules, deploy(new_rules.node, "SteadyPayload"))
    by_factory = run_by(new_rules, factory_made(new_rules, "SteadyPayload")[0])
    with without_traces(new_rules) as node:
        assert isinstance(run(new_rules, by_account, node.url), ToolResult)
        skipped = run(new_rules, by_factory, node.url)
    assert isinstance(skipped, Skipped)
    assert "the method does not exist" in skipped.why


def test_a_node_that_shows_no_old_code_at_all_has_forgotten_it(new_rules: Governance) -> None:
    number = run_by(new_rules, deploy(new_rules.node, "SteadyPayload"))

    def forgets(question: Question) -> Reply | None:
        at = question["params"][1] if question["method"] == "eth_getCode" else {}
        return (200, {"jsonrpc": "2.0", "id": question["id"], "result": "0x"}) if isinstance(at, str) else None

    with Provider(new_rules.node.url, forgets) as node:
        skipped = run(new_rules, number, node.url)
    assert isinstance(skipped, Skipped)
    assert "no code of the governor" in skipped.why


def test_what_a_node_answers_instead_of_receipts(new_rules: Governance) -> None:
    number = run_by(new_rules, deploy(new_rules.node, "SteadyPayload"))

    def nonsense(question: Question) -> Reply | None:
        wrong = question["method"] == "eth_getBlockReceipts"
        return (200, {"jsonrpc": "2.0", "id": question["id"], "result": [{"from": 5}]}) if wrong else None

    with Provider(new_rules.node.url, nonsense) as node:
        skipped = run(new_rules, number, node.url)
    assert isinstance(skipped, Skipped)
    assert "eth_getBlockReceipts: the answer is malformed" in skipped.why


def test_what_no_code_can_do_is_not_asked(new_rules: Governance) -> None:
    number = run_by(new_rules, deploy(new_rules.node, "SteadyPayload"))
    with Provider(new_rules.node.url) as provider:
        reader = Rpc(provider.url)
        found = DestroyedCodeTool().run(
            reader, new_rules.adapter, new_rules.profile, new_rules.proposals[number], reader.block()
        )
        calls = [q for q in provider.asked if q["method"] == "eth_call" and "to" not in q["params"][0]]
    assert (found.makes_room, calls) == (None, [])
