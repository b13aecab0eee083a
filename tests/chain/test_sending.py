"""`Chain`: what a sender of transactions asks of a node."""

from __future__ import annotations

import subprocess
import sys

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from pnyx_contracts.errors import UsageError
from pnyx_contracts.governors import TransactionCall
from pnyx_tools.chain import Chain, tips_in
from pnyx_tools.reader import RevertedError, RpcError
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import deploy, encode_call
from pnyx_tools.testing.provider import Provider, Question, Reply, error, result

TO = "0x00000000000000000000000000000000000A11cE"


def signed(account, nonce: int, value: int = 1) -> bytes:
    fees = {"maxFeePerGas": 10**11, "maxPriorityFeePerGas": 10**9, "gas": 21_000}
    transaction = {"to": TO, "value": value, "nonce": nonce, "chainId": 31337, "type": 2} | fees
    return bytes(account.sign_transaction(transaction).raw_transaction)


@pytest.fixture
def account(chain_node: Anvil):
    made = Account.create()
    chain_node.set_balance(made.address, 10**18)
    return made


def test_fees_follow_the_base_fee(chain_node: Anvil):
    fees = Chain.of([chain_node.url]).fees()
    base_fee = int(chain_node.request("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)
    assert fees.base_fee == base_fee
    assert fees.max_fee == 2 * base_fee + fees.max_priority_fee


METHODS = ("eth_feeHistory", "eth_maxPriorityFeePerGas")


@pytest.mark.parametrize("missing", [METHODS[:1], METHODS[1:], METHODS])
def test_fees_where_the_node_suggests_none(chain_node: Anvil, missing: tuple[str, ...]):
    """Blocks say nothing here, so that both are asked for, whatever was sent on this node before."""

    def lacks(question: Question) -> Reply | None:
        if question["method"] in missing:
            return error(question, -32601, "method not found")
        return result(question, history()) if question["method"] == "eth_feeHistory" else None

    with Provider(chain_node.url, lacks) as provider:
        assert Chain.of([provider.url]).fees().max_priority_fee > 0
        assert {q["method"] for q in provider.asked} >= set(METHODS)


def history(*blocks: tuple[float, list[int]]) -> dict[str, object]:
    ratios, rewards = [used for used, _ in blocks], [[hex(tip) for tip in tips] for _, tips in blocks]
    return {"gasUsedRatio": ratios, "reward": rewards, "baseFeePerGas": ["0x1"] * (len(blocks) + 1)}


def test_tips_are_the_medians_of_the_blocks_that_were_not_empty():
    found = history((0.5, [1, 2, 3, 4]), (0, [0, 0, 0, 0]), (0.9, [10, 20, 30, 90]), (0.1, [2, 3, 4, 5]))
    assert tips_in(found, lambda: 1_000) == (2, 3, 4, 5)


@pytest.mark.parametrize("found", [history(), history((0, [0, 0, 0, 0])), {"gasUsedRatio": [0.5], "reward": None}])
def test_where_blocks_say_nothing_the_node_is_asked(found: dict[str, object]):
    assert tips_in(found, lambda: 7) == (7, 7, 7, 7)


def test_where_some_tip_nothing_the_suggestion_is_the_least():
    assert tips_in(history((1, [0, 1, 5, 50])), lambda: 3) == (3, 3, 5, 50)


ratios = st.floats(0, 1)
tip_lists = st.lists(st.integers(0, 2**80), min_size=4, max_size=4)


@given(blocks=st.lists(st.tuples(ratios, tip_lists), max_size=20), suggested=st.integers(0, 2**80))
def test_a_higher_percentile_never_tips_less_whatever_the_node_says(blocks, suggested: int):
    tips = tips_in(history(*blocks), lambda: suggested)
    assert len(tips) == 4
    assert list(tips) == sorted(tips)


@pytest.mark.parametrize(
    "answer", [[], {}, {"gasUsedRatio": [1], "reward": [["0x1"]]}, {"gasUsedRatio": [1], "reward": [["1"] * 4]}]
)
def test_a_malformed_history_is_an_error(chain_node: Anvil, answer: object):
    with Provider(chain_node.url) as provider:
        provider.rule = lambda q: result(q, answer) if q["method"] == "eth_feeHistory" else None
        with pytest.raises(RpcError, match="eth_feeHistory: the answer is malformed"):
            Chain.of([provider.url]).fee_market()


def test_a_chain_without_eip_1559_is_refused():
    with Anvil(hardfork="berlin") as node, pytest.raises(UsageError, match="EIP-1559"):
        Chain.of([node.url]).fees()


def test_gas_is_estimated_and_failures_are_seen_before_sending(chain_node: Anvil):
    chain, first = Chain.of([chain_node.url]), chain_node.accounts[0]
    token = deploy(chain_node, "VotesTokenBlock", first, 10)

    def transfer(amount: int) -> TransactionCall:
        return TransactionCall(token, encode_call("transfer(address,uint256)", TO, amount))

    assert 30_000 < chain.estimate_gas(first, transfer(10)) < 80_000
    with pytest.raises(RevertedError):
        chain.estimate_gas(first, transfer(11))


def test_sending_the_same_bytes_again_is_harmless(chain_node: Anvil, account):
    chain = Chain.of([chain_node.url])
    raw = signed(account, 0)
    before = chain.balance(TO)
    assert chain.send_raw(raw) == chain.send_raw(raw)
    receipt = chain.receipt(chain.send_raw(raw))
    assert receipt is not None
    assert receipt["status"] == "0x1"
    assert chain.balance(TO) == before + 1
    assert chain.pending_nonce(account.address) == 1


def test_another_transaction_with_a_used_nonce_is_an_error(chain_node: Anvil, account):
    chain = Chain.of([chain_node.url])
    chain.send_raw(signed(account, 0))
    with pytest.raises(RpcError, match="nonce"):
        chain.send_raw(signed(account, 0, value=2))


def test_a_node_that_names_another_hash_is_not_believed(account):
    with Provider() as provider:
        provider.rule = lambda q: (200, {"jsonrpc": "2.0", "id": q["id"], "result": "0x" + "11" * 32})
        with pytest.raises(RpcError, match="another hash"):
            Chain.of([provider.url]).send_raw(signed(account, 0))


def test_the_small_reader_needs_no_web3():
    modules = ", ".join(f"pnyx_tools.{name}" for name in ("rpc", "detect", "follow", "chain"))
    script = f"import sys, {modules}; print('web3' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert printed == "False\n"
