"""`Chain`: what a sender of transactions asks of a node."""

from __future__ import annotations

import subprocess
import sys

import pytest
from eth_account import Account

from pnyx_contracts.errors import UsageError
from pnyx_contracts.governors import TransactionCall
from pnyx_tools.chain import Chain
from pnyx_tools.reader import RevertedError, RpcError
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import deploy, encode_call
from pnyx_tools.testing.provider import Provider, error

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


def test_fees_where_the_node_suggests_none(chain_node: Anvil):
    with Provider(chain_node.url) as provider:
        missing = "eth_maxPriorityFeePerGas"
        provider.rule = lambda q: error(q, -32601, "method not found") if q["method"] == missing else None
        with pytest.warns(UserWarning, match="eth_feeHistory"):
            assert Chain.of([provider.url]).fees().max_priority_fee > 0


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
