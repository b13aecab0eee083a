"""Who proposes, in whose transaction, and how the account stood a week before, on a real node."""

from __future__ import annotations

import pytest

from pnyx_policies.checks import CheckView, Proposer
from pnyx_policies.context import AccountKind, FirstCoin, ProposerAccount, ProposerBefore
from pnyx_policies.finding import Severity
from pnyx_tools.context import (
    FirstCoinTool,
    ProposerAccountTool,
    ProposerBeforeTool,
    first_coin,
    proposer_account,
    run_tool,
)
from pnyx_tools.gather import gather_facts
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.deploy import Governance, delegate_account, deploy, deploy_log, encode_call
from pnyx_tools.testing.incidents.case import person
from pnyx_tools.testing.provider import Provider, Question, Reply, error

WEEK = 40


@pytest.fixture(autouse=True)
def _short_week(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (proposer_account, first_coin):
        monkeypatch.setattr(module, "LONG_BEFORE_BLOCKS", WEEK)


def proposing(dao: Governance, text: str) -> bytes:
    signature = "propose(address[],uint256[],bytes[],string)"
    return encode_call(signature, [dao.node.accounts[5]], [1], [b""], text.encode())


def account(dao: Governance, proposal: int) -> ProposerAccount:
    node = dao.node.rpc
    return ProposerAccountTool().run(node, dao.adapter, dao.profile, dao.proposals[proposal], node.block())


def before(dao: Governance, proposal: int) -> ProposerBefore:
    node = dao.node.rpc
    return ProposerBeforeTool().run(node, dao.adapter, dao.profile, dao.proposals[proposal], node.block())


def titles(dao: Governance, proposal: int, node: Rpc | None = None) -> list[tuple[Severity, str]]:
    """Of findings about the account; others are about power, and about earlier proposals."""
    facts = gather_facts(node or dao.node.rpc, dao.adapter, dao.profile, dao.proposals[proposal])
    found = Proposer().run(CheckView(facts))
    return [(f.severity, f.title) for f in found if "power" not in f.title and f.severity is not Severity.INFO]


def test_a_person_proposes(dao: Governance) -> None:
    dao.node.mine(WEEK)
    sender = dao.node.accounts[0]
    had_sent = dao.node.rpc.nonce(sender)
    number = dao.propose([dao.node.accounts[5]], [1], [b""], "by a person")
    dao.node.send(dao.node.accounts[5], value_wei=1)
    assert account(dao, number) == ProposerAccount(
        proposer=sender, kind=AccountKind.KEY, sender=sender, sender_transactions=had_sent, called=dao.governor
    )
    then = before(dao, number).before
    assert then is not None
    assert then.block == dao.proposals[number].created_block - WEEK
    assert (then.coin_wei, then.transactions) == (dao.node.rpc.balance(sender, then.block), had_sent)
    assert not then.has_code
    assert titles(dao, number) == []


def test_a_new_account_proposes(dao: Governance) -> None:
    """What it sends later makes it no older."""
    dao.node.mine(2 * WEEK)
    fresh = person("a fresh account")
    dao.node.set_balance(fresh, 10**18)
    dao.node.impersonate(fresh)
    number = dao.propose([dao.node.accounts[5]], [1], [b""], "by a new account", sender=fresh)
    for _ in range(9):
        dao.node.send(dao.node.accounts[5], sender=fresh)
    then = dao.proposals[number].created_block - WEEK
    assert titles(dao, number) == [
        (Severity.LOW, "The account that sent it had sent 0 transactions before the proposal"),
        (Severity.LOW, f"The proposer's account was empty and unused in block {then}, a week before"),
    ]


def test_an_account_that_runs_a_contracts_code_is_no_contract(dao: Governance) -> None:
    delegate_account(dao.node, dao.node.accounts[0], deploy_log(dao.node))
    number = dao.propose([dao.node.accounts[5]], [1], [b""], "by a delegated account")
    assert account(dao, number).kind is AccountKind.DELEGATED
    assert titles(dao, number) == []


@pytest.mark.parametrize(
    ("age", "found"),
    [
        (2 * WEEK, (Severity.LOW, "A contract proposes")),
        (0, (Severity.MEDIUM, "A contract proposes that was none in block {then}, a week before")),
    ],
)
def test_a_contract_proposes(dao: Governance, age: int, found: tuple[Severity, str]) -> None:
    dao.node.mine(WEEK)
    agent = deploy(dao.node, "Agent", dao.node.accounts[0])
    dao.node.mine(age + 1)
    act = encode_call("execute(address,uint256,bytes)", dao.governor, 0, proposing(dao, "by a contract"))
    number = dao.proposed(dao.node.send(agent, act))
    told = account(dao, number)
    assert (told.proposer, told.kind, told.sender, told.called) == (
        agent, AccountKind.CONTRACT, dao.node.accounts[0], agent,
    )  # fmt: skip
    severity, title = found
    assert titles(dao, number) == [(severity, title.format(then=dao.proposals[number].created_block - WEEK))]


def made_while_proposing(dao: Governance, runtime: bytes) -> int:
    """By a constructor that proposes, and leaves `runtime` behind."""
    data = proposing(dao, "from a constructor")
    size, governor = len(data).to_bytes(2, "big"), bytes.fromhex(dao.governor[2:])
    begin = 0x31
    code = (
        b"\x61" + size + b"\x60" + bytes([begin]) + b"\x5f\x39"  # copy the calldata behind this code to memory
        + b"\x5f\x5f\x61" + size + b"\x5f\x5f\x73" + governor + b"\x5a\xf1\x50"  # call the governor with it
        + b"\x60" + runtime + b"\x5f\x53\x60" + bytes([len(runtime)]) + b"\x5f\xf3"  # leave one byte
    )  # fmt: skip
    return dao.proposed(dao.node.send(None, code.ljust(begin, b"\x00") + data))


def test_a_contract_proposes_while_it_is_created(dao: Governance) -> None:
    number = made_while_proposing(dao, b"\x00")
    told = account(dao, number)
    assert (told.kind, told.called) == (AccountKind.CONTRACT, None)
    assert titles(dao, number) == [(Severity.MEDIUM, "A contract proposes, in a transaction that created one")]
    dao.node.set_code(told.proposer, b"")
    assert titles(dao, number) == [(Severity.MEDIUM, "A contract proposed that is gone by now")]
    (finding, *_) = Proposer().run(
        CheckView(gather_facts(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[number]))
    )
    assert finding.detail == f"Sent by {dao.node.accounts[0]}, to nobody: it created a contract."


def test_a_chain_that_is_younger_than_a_week_tells_nothing_of_before(dao: Governance) -> None:
    number = dao.propose([dao.node.accounts[5]], [1], [b""], "early")
    assert dao.proposals[number].created_block <= WEEK
    assert before(dao, number).before is None


def test_a_node_without_old_states_tells_the_rest(dao: Governance) -> None:
    dao.node.mine(2 * WEEK)
    fresh = person("another fresh account")
    dao.node.set_balance(fresh, 10**18)
    dao.node.impersonate(fresh)
    number = dao.propose([dao.node.accounts[5]], [1], [b""], "by a new account", sender=fresh)
    created = dao.proposals[number].created_block

    def forgets(question: Question) -> Reply | None:
        at = question["params"][-1] if question["method"] in {"eth_getCode", "eth_getBalance"} else None
        old = isinstance(at, str) and at.startswith("0x") and int(at, 16) < created
        return error(question, -32000, "missing trie node") if old else None

    with Provider(dao.node.url, forgets) as node:
        reader = Rpc(node.url)
        facts = gather_facts(reader, dao.adapter, dao.profile, dao.proposals[number])
        found = titles(dao, number, reader)
    assert "missing trie node" in next(s.why for s in facts.skipped if s.step == "tool:proposer_before")
    assert found == [(Severity.LOW, "The account that sent it had sent 0 transactions before the proposal")]


def test_a_node_that_does_not_show_the_transaction_tells_nothing(dao: Governance) -> None:
    proposal = dao.proposals[dao.propose([dao.node.accounts[5]], [1], [b""], "not indexed")]

    def hides(question: Question) -> Reply | None:
        hidden = question["method"] == "eth_getTransactionByHash"
        return (200, {"jsonrpc": "2.0", "id": question["id"], "result": None}) if hidden else None

    with Provider(dao.node.url, hides) as node:
        reader = Rpc(node.url)
        skipped = run_tool(ProposerAccountTool(), reader, dao.adapter, dao.profile, proposal, reader.block())
    assert skipped.why == f"the node does not show the transaction 0x{proposal.created_transaction.hex()}"


# --- where its coin comes from


def coin(dao: Governance, proposal: int, node: Rpc | None = None) -> FirstCoin:
    reader = node or dao.node.rpc
    return FirstCoinTool().run(reader, dao.adapter, dao.profile, dao.proposals[proposal], reader.block())


def proposed_by(dao: Governance, account: str) -> int:
    dao.node.impersonate(account)
    return dao.propose([dao.node.accounts[5]], [1], [b""], f"by {account}", sender=account)


def test_who_gave_a_new_account_its_first_coin(dao: Governance) -> None:
    dao.node.mine(2 * WEEK)
    fresh, giver, later = person("a fresh account"), dao.node.accounts[3], dao.node.accounts[4]
    paid = dao.node.send(fresh, value_wei=10**18, sender=giver)
    dao.node.mine(4)
    dao.node.send(fresh, value_wei=10**18, sender=later)
    number = proposed_by(dao, fresh)
    found = coin(dao, number)
    assert (found.block, found.sender) == (int(paid["blockNumber"], 16), giver)
    assert found.transaction == bytes.fromhex(paid["transactionHash"][2:])
    facts = gather_facts(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[number])
    (unused,) = (f for f in Proposer().run(CheckView(facts)) if "unused" in f.title)
    assert unused.detail == f"Its first coin came in block {found.block}, from {giver}."
    assert unused.evidence == (fresh, giver)


def test_coin_that_a_contract_paid_out_and_told_of(dao: Governance) -> None:
    """As a mixer does."""
    dao.node.mine(2 * WEEK)
    fresh, mixer = person("an account that withdrew"), person("a mixer")
    tells_of_its_argument, pays_it_what_came = "5f355f5260205fa0", "5f5f5f5f345f355af100"
    dao.node.set_code(mixer, bytes.fromhex(tells_of_its_argument + pays_it_what_came))
    data = bytes(12) + bytes.fromhex(fresh[2:])
    dao.node.send(mixer, data, value_wei=10**18, sender=dao.node.accounts[3])
    number = proposed_by(dao, fresh)
    assert coin(dao, number).sender == mixer
    with without_traces(dao) as node:
        reader = Rpc(node.url)
        skipped = run_tool(FirstCoinTool(), reader, dao.adapter, dao.profile, dao.proposals[number], reader.block())
    assert "the method does not exist" in skipped.why


def test_coin_that_came_without_a_transaction_that_names_the_account(dao: Governance) -> None:
    dao.node.mine(2 * WEEK)
    fresh = person("an account that was paid in silence")
    dao.node.set_balance(fresh, 10**18)
    dao.node.mine()
    number = proposed_by(dao, fresh)
    found = coin(dao, number)
    assert found.block is not None
    assert found.sender is None


def test_an_account_that_is_not_new_is_asked_for_in_one_block(dao: Governance) -> None:
    dao.node.mine(2 * WEEK)
    number = proposed_by(dao, dao.node.accounts[0])
    with Provider(dao.node.url) as provider:
        found = coin(dao, number, Rpc(provider.url))
        assert len(provider.asked) <= 3  # the block, the governor's code, a balance
    assert found.block is None


def without_traces(dao: Governance) -> Provider:
    def rule(question: Question) -> Reply | None:
        missing = question["method"] == "debug_traceTransaction"
        return error(question, -32601, "the method does not exist") if missing else None

    return Provider(dao.node.url, rule)
