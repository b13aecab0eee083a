"""What nodes say when they do not take a transaction: texts from their sources, and from a real node."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from eth_account import Account

from pnyx_tools.chain import Chain
from pnyx_tools.reader import RpcError
from pnyx_tools.sender.answers import Answer, answer_in
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.provider import Provider, error

SAID = {
    Answer.TAKEN: [
        "already known",  # geth, op-geth, Arbitrum, Erigon, Nethermind, Reth
        "Known transaction",  # Besu
        "Tx: [0x5c0a3b1f] already Imported",  # anvil
        "existing txn with same hash",  # Erigon
        "INTERNAL_ERROR: existing tx with same hash",  # Erigon 2
    ],
    Answer.NONCE_USED: [
        "nonce too low",  # Erigon, Nethermind, anvil
        "nonce too low: next nonce 78, tx nonce 44",  # geth, Reth
        "nonce too low: address 0x6c3D, tx: 316308 state: 316309",  # Nitro (Arbitrum)
        "Nonce too low",  # Besu
        "OldNonce, Current nonce: 5, nonce of rejected tx: 4.",  # Nethermind, before 2026
        "Transaction nonce is too low. Try incrementing the nonce.",  # OpenEthereum
        "nonce has already been used",  # ethers, in front of some providers
    ],
    Answer.OUTBID: [
        "replacement transaction underpriced",  # geth, op-geth, Erigon, Nethermind, Reth
        "Replacement transaction underpriced",  # Besu
        "Tx: [0x5c0a3b1f] insufficient gas price to replace existing transaction",  # anvil
        "could not replace existing tx",  # Erigon
        "ReplacementNotAllowed",  # Nethermind, before 2026
    ],
    Answer.TOO_CHEAP: [
        "transaction underpriced",  # geth, Nethermind, Reth
        "transaction underpriced: gas tip cap 0, minimum needed 1",  # geth
        "transaction underpriced: tip needed 1, tip permitted 0",  # geth, before 1.14
        "underpriced",  # Erigon
        "fee too low",  # Erigon
        "FeeTooLow, EffectivePriorityFeePerGas too low 0 < 1",  # Nethermind, before 2026
        "FeeTooLowToCompete",  # the same
        "max fee per gas less than block base fee",  # anvil, Reth
        "max fee per gas less than block base fee: address 0xD8, maxFeePerGas: 100000000, baseFee: 293352000",  # Nitro
        "Gas price below configured minimum gas price",  # Besu
        "Gas price below current base fee",  # Besu
        "txpool is full",  # geth, Reth
        "pending sub-pool is full",  # Erigon
        "baseFee sub-pool is full",  # Erigon
        "account limit exceeded: pooled 16 txs",  # geth
    ],
    Answer.NO_MONEY: [
        "insufficient funds for gas * price + value: balance 1, tx cost 21000, overshot 20999",  # geth
        "insufficient funds for gas * price + value: address 0x36cD have 8000000000000000 want 20517277398607",  # Nitro
        "insufficient funds for gas * price + value: have 1 want 2",  # Reth
        "Insufficient funds for gas * price + value",  # anvil
        "insufficient funds",  # Erigon
        "InsufficientFunds, Balance is zero, cannot pay gas",  # Nethermind, before 2026
        "Upfront cost exceeds account balance",  # Besu
    ],
    Answer.OVER_NODE_CAP: [
        "tx fee (1.10 ether) exceeds the configured cap (1.00 ether)",  # geth
        "tx fee (1100000000000000000 wei) exceeds the configured cap (1000000000000000000 wei)",  # Reth
        "Transaction fee cap exceeded",  # Besu
    ],
    Answer.BEHIND: [
        "nonce too high",  # Nethermind, Reth
        "nonce too high: tx nonce 9, gapped nonce 7",  # geth
        "Nonce too high",  # Besu
        "Transaction nonce is too distant from current sender nonce",  # Besu
        "An invalid transaction with a lower nonce exists",  # Besu
        "nonce too far in future",  # Nethermind
        "NonceGap, Future nonce. Expected nonce: 5",  # Nethermind, before 2026
        "in-flight transaction limit reached for delegated accounts",  # geth
        "gapped-nonce tx from delegated accounts",  # geth
        "future transaction tries to replace pending",  # geth
        "address already reserved",  # geth, Reth
    ],
    Answer.UNSURE: [
        "internal error",
        "transaction rejected by the sequencer's policy",
        "HTTP status 503, also after 3 retries",
        "no answer within 30 seconds",
        "an error without a message",
    ],
}


@pytest.mark.parametrize(("answer", "text"), [(answer, text) for answer, texts in SAID.items() for text in texts])
def test_a_text_of_a_node_is_understood(answer: Answer, text: str) -> None:
    assert answer_in(text) is answer
    assert answer_in(f"https://node.example: eth_sendRawTransaction: {text} (code -32000)") is answer


def test_every_answer_has_texts() -> None:
    assert set(SAID) == set(Answer)


Send = Callable[..., bytes]


@pytest.fixture
def quiet(chain_node: Anvil):
    """A node that mines nothing by itself, and a way to send from a new account."""
    account = Account.create()
    chain_node.set_balance(account.address, 10**18)
    chain_node.request("evm_setAutomine", False)

    def send(nonce: int = 0, max_fee: int = 10**11, value: int = 1) -> bytes:
        fees = {"maxFeePerGas": max_fee, "maxPriorityFeePerGas": min(max_fee, 10**9), "gas": 21_000}
        transaction = {"to": account.address, "value": value, "nonce": nonce, "chainId": 31337, "type": 2} | fees
        return Chain.of([chain_node.url]).send_raw(bytes(account.sign_transaction(transaction).raw_transaction))

    yield chain_node, send
    chain_node.request("evm_setAutomine", True)
    chain_node.mine()


def refusal(send: Callable[[], object]) -> Answer:
    with pytest.raises(RpcError) as caught:
        send()
    return answer_in(caught.value.message)


def test_what_a_real_node_says(quiet: tuple[Anvil, Send]) -> None:
    node, send = quiet
    send()
    assert refusal(lambda: send(value=2)) is Answer.OUTBID
    assert refusal(lambda: send(nonce=1, value=10**18)) is Answer.NO_MONEY
    node.mine()
    assert refusal(lambda: send(value=3)) is Answer.NONCE_USED


def test_a_node_whose_code_for_no_money_is_that_of_a_missing_method(chain_node: Anvil) -> None:
    """Besu's -32004."""
    account = Account.create()
    fees = {"maxFeePerGas": 10**11, "maxPriorityFeePerGas": 10**9, "gas": 21_000}
    raw = account.sign_transaction({"to": account.address, "value": 0, "nonce": 0, "chainId": 31337, "type": 2} | fees)
    with Provider(chain_node.url) as provider:
        text = "Upfront cost exceeds account balance"
        provider.rule = lambda q: error(q, -32004, text) if q["method"] == "eth_sendRawTransaction" else None
        assert refusal(lambda: Chain.of([provider.url]).send_raw(bytes(raw.raw_transaction))) is Answer.NO_MONEY
