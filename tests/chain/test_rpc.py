"""The JSON-RPC reader: what it reads from a real node, and what it makes of nodes that err, lie, or do not answer."""

from __future__ import annotations

import itertools
import logging
import re
import socket
import time
import traceback
from collections.abc import Callable

import pytest

from pnyx_contracts.errors import UnreachableError, UsageError
from pnyx_contracts.governors import Read
from pnyx_contracts.types import to_hex
from pnyx_tools.reader import MethodMissingError, RevertedError, RpcError
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import deploy, encode_call
from pnyx_tools.testing.provider import Provider, Question, Reply, Rule, error, result

# --- a real node -----------------------------------------------------------------------------------------------------


def test_reads_of_a_real_node(chain_node: Anvil):
    rpc, first = Rpc(chain_node.url), chain_node.accounts[0]
    token = deploy(chain_node, "VotesTokenBlock", first, 1000)
    head = rpc.block()
    assert rpc.chain_id() == 31337
    assert rpc.block(head.number) == rpc.block(to_hex(head.hash)) == head
    assert rpc.code(token) != b""
    assert rpc.code(first) == b""
    assert rpc.balance(first) > 0
    assert rpc.nonce(first) == rpc.nonce(first, "pending") > rpc.nonce(first, 0) == 0
    assert len(rpc.storage(token, 0)) == 32
    balance_of = encode_call("balanceOf(address)", first)
    assert int.from_bytes(rpc.call(token, balance_of), "big") == 1000
    assert rpc.read(Read(token, balance_of, len), to_hex(head.hash)) == 32
    assert rpc.receipt(bytes(32)) is None
    assert rpc.transaction(bytes(32)) is None
    assert rpc.request("eth_gasPrice", []).startswith("0x")


def test_state_is_that_of_the_block_asked_for(chain_node: Anvil):
    rpc = chain_node.rpc
    token = deploy(chain_node, "VotesTokenBlock", chain_node.accounts[0], 1000)
    before = rpc.block()
    chain_node.send(token, encode_call("transfer(address,uint256)", chain_node.accounts[1], 300))
    balance_of = encode_call("balanceOf(address)", chain_node.accounts[0])
    then, now = (int.from_bytes(rpc.call(token, balance_of, b), "big") for b in (to_hex(before.hash), "latest"))
    assert (then, now) == (1000, 700)


def test_logs_of_a_real_node_are_filtered_and_in_order(chain_node: Anvil):
    rpc, first, second = chain_node.rpc, *chain_node.accounts[:2]
    token = deploy(chain_node, "VotesTokenBlock", first, 1000)
    start = rpc.block().number
    sent = [chain_node.send(token, encode_call("transfer(address,uint256)", second, n)) for n in (1, 2, 3)]
    end = rpc.block().number
    transfer = bytes.fromhex(sent[0]["logs"][0]["topics"][0][2:])
    to_second = bytes(12) + bytes.fromhex(second[2:])

    logs = rpc.logs(start + 1, end, [transfer, None, [to_second, bytes(32)]], [token])
    assert [int.from_bytes(log.data, "big") for log in logs] == [1, 2, 3]
    assert [log.block_number for log in logs] == [start + 1, start + 2, start + 3]
    assert rpc.logs(start + 2, start + 2, [], [token.lower()]) == [logs[1]]
    assert rpc.logs(start + 1, end, [bytes(32)], [token]) == []
    assert rpc.logs(start + 1, end, [None, None, bytes(32)]) == []
    assert rpc.logs(start + 1, end, [transfer], []) == [], "no address is not any address"


def test_reverts_carry_their_data(chain_node: Anvil):
    token = deploy(chain_node, "VotesTokenBlock", chain_node.accounts[0], 1)
    with pytest.raises(RevertedError) as caught:
        chain_node.rpc.call(token, encode_call("transfer(address,uint256)", token, 5), sender=chain_node.accounts[0])
    assert len(caught.value.data) == 4 + 3 * 32  # ERC20InsufficientBalance(address,uint256,uint256)
    assert caught.value.exit_code == 1


def test_a_block_that_is_not_there_is_an_error(chain_node: Anvil):
    for block in (10**9, "0x" + "ab" * 32):
        with pytest.raises(RpcError, match="does not have block"):
            chain_node.rpc.block(block)


def test_a_method_that_is_not_there_is_said(chain_node: Anvil):
    with pytest.raises(MethodMissingError):
        chain_node.rpc.request("pnyx_vote", [])


# --- wrong use -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["ws://127.0.0.1:1", "127.0.0.1:8545", "", "http://", "/run/geth.ipc"])
def test_other_than_http_is_refused(url: str):
    with pytest.raises(UsageError, match="http"):
        Rpc(url)


def test_wrong_parameters_never_leave(provider: Provider):
    rpc = Rpc(provider.url)
    for wrong in (lambda: rpc.code("0x12"), lambda: rpc.code("ens.eth"), lambda: rpc.balance("0x" + "1" * 39 + "g")):
        with pytest.raises(UsageError, match="20-byte address"):
            wrong()
    for block in (-1, "newest", "0x12", True):
        with pytest.raises(UsageError, match="block"):
            rpc.code("0x" + "11" * 20, block)
    assert provider.asked == []


# --- errors ----------------------------------------------------------------------------------------------------------

CALL = ("0x" + "11" * 20, b"\x01\x02\x03\x04")


@pytest.mark.parametrize(
    ("code", "message", "data", "expected"),
    [
        (3, "execution reverted: no", "0x08c379a0", b"\x08\xc3\x79\xa0"),
        (-32000, "execution reverted", None, b""),
        (-32015, "VM execution error.", "Reverted 0xdeadbeef", bytes.fromhex("deadbeef")),
        (-32603, "VM Exception while processing: reverted with custom error", {"data": "0x1234"}, b"\x12\x34"),
        (-32000, "invalid opcode: INVALID", None, b""),
        (-32603, "EVM error InvalidFEOpcode", None, b""),
        (-32603, "EVM error StackUnderflow", None, b""),
        (-32000, "out of gas", None, b""),
        (-32603, "EVM error OutOfGas", None, b""),
        (-32000, "execution aborted (timeout = 5s)", None, b""),
        (3, "execution reverted", "0x123", b""),
        (3, "execution reverted", {"data": 7}, b""),
    ],
)
def test_reverts_in_every_dialect(provider: Provider, code, message, data, expected):
    provider.rule = lambda question: error(question, code, message, data)
    with pytest.raises(RevertedError) as caught:
        Rpc(provider.url).call(*CALL)
    assert caught.value.data == expected


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (-32601, "the method eth_simulateV1 does not exist/is not available", MethodMissingError),
        (-32004, "nope", MethodMissingError),
        (-32000, "Unsupported method: eth_call on ETH_MAINNET", MethodMissingError),
        (-32600, "method 'debug_traceCall' is not whitelisted", MethodMissingError),
        (-32000, "missing trie node 12ab (path )", RpcError),
        (-32000, "header not found", RpcError),
        (-32602, "invalid argument 0", RpcError),
    ],
)
def test_other_errors(provider: Provider, code, message, kind):
    provider.rule = lambda question: error(question, code, message)
    with pytest.raises(kind) as caught:
        Rpc(provider.url).call(*CALL)
    assert message[:30] in str(caught.value)
    assert len(provider.asked) == 1, "nothing to gain from another try"


def node_with(code: int, message: Callable[[int], str], *, state: bool = True, failures: int = 9) -> Rule:
    """A node whose calls fail `failures` times; `message` sees how often it was asked before."""
    calls = itertools.count()

    def rule(question: Question) -> Reply:
        if question["method"] == "eth_getBalance":
            return result(question, "0x0") if state else error(question, -32000, "missing trie node 12ab (path )")
        number = next(calls)
        return error(question, code, message(number)) if number < failures else result(question, "0x1234")

    return rule


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-32000, "return data out of bounds"),
        (-32000, "stack limit reached 1024 (1023)"),
        (-32000, "write protection"),
        (-32603, "EVM error OutOfOffset"),
        (-32015, "BadInstruction"),
        (-32603, "words that nobody has thought of yet"),
    ],
)
def test_a_call_that_fails_twice_in_the_same_words_is_a_revert(provider: Provider, code: int, message: str):
    provider.rule = node_with(code, lambda _: message)
    with pytest.raises(RevertedError, match=re.escape(message)):
        Rpc(provider.url).call(*CALL)
    assert [q["method"] for q in provider.asked] in (["eth_call"], ["eth_call", "eth_getBalance", "eth_call"])


def test_a_call_that_fails_where_nothing_can_be_read_is_no_revert(provider: Provider):
    provider.rule = node_with(-32000, lambda _: "something else", state=False)
    with pytest.raises(RpcError, match="something else"):
        Rpc(provider.url).call(*CALL)


def test_a_call_that_fails_in_other_words_is_no_revert(provider: Provider):
    provider.rule = node_with(-32000, lambda number: f"backend {number} is unwell")
    with pytest.raises(RpcError, match="backend 1"):
        Rpc(provider.url).call(*CALL)


def test_a_call_that_fails_once_is_answered(provider: Provider):
    provider.rule = node_with(-32000, lambda _: "unwell", failures=1)
    assert Rpc(provider.url).call(*CALL) == b"\x12\x34"


@pytest.mark.parametrize(
    "code",
    ["6001600060003e", "fe", "5b600056", "60ff56", "01", "5f5ffd"],
    ids=["return data out of bounds", "invalid opcode", "endless", "bad jump", "empty stack", "revert"],
)
def test_code_that_fails_is_a_revert_whatever_the_node_calls_it(chain_node: Anvil, code: str):
    hostile = "0x00000000000000000000000000000000000BaD00"
    chain_node.set_code(hostile, bytes.fromhex(code))
    with pytest.raises(RevertedError):
        chain_node.rpc.call(hostile, b"")


@pytest.mark.parametrize(
    "busy",
    [
        lambda _: (429, b"slow down"),
        lambda _: (503, b"<html>down</html>"),
        lambda q: (500, {"jsonrpc": "2.0", "id": q["id"], "result": "0x1"}),
        lambda q: error(q, 429, "Your app has exceeded its compute units per second capacity"),
        lambda q: error(q, -32005, "daily request count exceeded, request rate limited"),
    ],
)
def test_busy_nodes_are_asked_again_a_few_times(provider: Provider, busy):
    provider.rule = lambda q: busy(q) if len(provider.asked) < 3 else result(q, "0x7")
    assert Rpc(provider.url).chain_id() == 7
    provider.asked.clear()
    provider.rule = busy
    with pytest.raises(RpcError):
        Rpc(provider.url).chain_id()
    assert len(provider.asked) == 4


@pytest.mark.parametrize(
    "garbled",
    [
        lambda _: (200, b'{"jsonrpc": "2.0", "id": 1, "resu'),
        lambda _: (200, b"<html>hello</html>"),
        lambda q: (200, {"jsonrpc": "2.0", "id": q["id"]}),
        lambda q: result({"id": q["id"] + 1}, "0x7"),
        lambda q: result(q, {"unexpected": True}),
    ],
)
def test_a_garbled_answer_is_asked_for_again_and_a_transaction_is_not(provider: Provider, garbled):
    provider.rule = lambda q: garbled(q) if len(provider.asked) < 3 else result(q, "0x7")
    assert Rpc(provider.url).chain_id() == 7
    provider.asked.clear()
    provider.rule = lambda _: (200, b'{"jsonrpc": "2.0", "id": 1, "resu')
    with pytest.raises(RpcError, match="not JSON-RPC"):
        Rpc(provider.url).request("eth_sendRawTransaction", ["0x00"])
    assert len(provider.asked) == 1


def test_a_node_that_is_not_there():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    with pytest.raises(UnreachableError, match=f"127.0.0.1:{port}: eth_chainId: cannot be reached") as caught:
        Rpc(f"http://127.0.0.1:{port}").chain_id()
    assert caught.value.exit_code == 3


def test_a_node_that_does_not_answer():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        started = time.monotonic()
        with pytest.raises(RpcError, match=r"no answer within 0\.2 seconds"):
            Rpc(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_seconds=0.2).chain_id()
        assert time.monotonic() - started < 3


def test_secrets_of_the_url_stay_secret(provider: Provider, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    secrets = ("user4711", "password0815", "KEYKEYKEY123", "tokentoken99")
    host = provider.url.removeprefix("http://")
    url = f"http://user4711:password0815@{host}/v3/KEYKEYKEY123?apikey=tokentoken99"
    rpc = Rpc(url, timeout_seconds=1)
    echo = " ".join(secrets)
    texts = [repr(rpc), rpc.display_url]
    for rule in (
        lambda q: error(q, -32000, f"project {echo} is unknown"),
        lambda _: (403, echo.encode()),
        lambda _: (503, echo.encode()),
        lambda q: result(q, f"0x{echo}"),
        lambda _: (200, f'"{echo}"'.encode()),
    ):
        provider.rule = rule
        with pytest.raises(RpcError) as caught:
            rpc.chain_id()
        texts.append("".join(traceback.format_exception(caught.value)))
    with pytest.raises(UsageError) as wrong:
        Rpc(url.replace("http:", "wss:"))
    told = "\n".join([*texts, str(wrong.value), caplog.text])
    assert provider.url in told
    assert not [secret for secret in secrets if secret in told]


# --- lies ------------------------------------------------------------------------------------------------------------

BLOCK = {"number": "0x5", "hash": "0x" + "aa" * 32, "timestamp": "0x9"}
ADDRESS, HASH = "0x" + "11" * 20, bytes(32)

Ask = Callable[[Rpc], object]


@pytest.mark.parametrize(
    ("ask", "lie"),
    [
        *((lambda r: r.chain_id(), lie) for lie in (None, 1, "1", "0x", "0xzz", "0x_1", "0x" + "1" * 65, [], {}, True)),
        *((lambda r: r.code(ADDRESS), lie) for lie in (None, "0x1", "12", "0xgg", 7, {"code": "0x"})),
        *((lambda r: r.storage(ADDRESS, 0), lie) for lie in ("0x", "0x01", "0x" + "00" * 33, None)),
        *((lambda r: r.block(5), lie) for lie in (None, [], "0x", {}, BLOCK | {"hash": "0x12"})),
        (lambda r: r.block(5), BLOCK | {"number": "0x6"}),
        (lambda r: r.block(5), BLOCK | {"timestamp": -4}),
        (lambda r: r.block("0x" + "bb" * 32), BLOCK),
        (lambda r: r.receipt(HASH), []),
        (lambda r: r.transaction(HASH), "0x"),
        *((lambda r: r.logs(1, 2, []), lie) for lie in (None, {}, "0x", [None], [[]], [{}])),
    ],
)
def test_answers_of_another_shape_are_refused(provider: Provider, ask: Ask, lie: object):
    provider.rule = lambda question: result(question, lie)
    with pytest.raises(RpcError):
        ask(Rpc(provider.url))


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(lambda q: result({"id": q["id"] + 1}, "0x1"), id="another id"),
        pytest.param(lambda _: result({"id": None}, "0x1"), id="no id"),
        pytest.param(lambda _: result({"id": True}, "0x1"), id="boolean id"),
        pytest.param(lambda q: (200, [result(q, "0x1")[1]]), id="batch"),
        pytest.param(lambda q: (200, {"jsonrpc": "2.0", "id": q["id"]}), id="neither result nor error"),
        pytest.param(lambda q: (200, {"id": q["id"], "error": None}), id="no error and no result"),
        pytest.param(lambda _: (200, b""), id="empty"),
        pytest.param(lambda _: (200, b"<html>hello</html>"), id="html"),
        pytest.param(lambda _: (200, b"[" * 100_000), id="deep"),
        pytest.param(lambda _: (200, b"9" * 10_000), id="long number"),
        pytest.param(lambda q: (404, result(q, "0x1")[1]), id="status 404"),
        pytest.param(lambda _: (302, b""), id="redirect"),
    ],
)
def test_answers_that_are_no_json_rpc_are_refused(provider: Provider, reply):
    provider.rule = reply
    with pytest.raises(RpcError):
        Rpc(provider.url).chain_id()


def test_answers_without_end_are_cut_off(provider: Provider, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pnyx_tools.transport.MAX_ANSWER_BYTES", 1000)
    provider.rule = lambda question: result(question, "0x" + "00" * 2000)
    with pytest.raises(RpcError, match="longer than 1000 bytes"):
        Rpc(provider.url).code(ADDRESS)
