from __future__ import annotations

import http.server
import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from eth_hash.auto import keccak

from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance, deploy, deploy_governance, encode_call


@pytest.fixture(scope="session")
def _nodes() -> Iterator[dict[str, tuple[Anvil, Governance]]]:
    running: dict[str, tuple[Anvil, Governance]] = {}
    yield running
    for node, _ in running.values():
        node.stop()


def _governance(nodes: dict[str, tuple[Anvil, Governance]], name: str, **options: object) -> Iterator[Governance]:
    if name not in nodes:
        node = Anvil().start()
        nodes[name] = (node, deploy_governance(node, **options))
    node, governance = nodes[name]
    before = node.snapshot()
    yield governance
    node.revert(before)
    governance.proposals.clear()


@pytest.fixture
def dao(_nodes: dict[str, tuple[Anvil, Governance]]) -> Iterator[Governance]:
    """OpenZeppelin 5 with a timelock; every test starts from the same state."""
    yield from _governance(_nodes, "5", version=5)


@pytest.fixture
def dao4(_nodes: dict[str, tuple[Anvil, Governance]]) -> Iterator[Governance]:
    """OpenZeppelin 4.9 with a timelock."""
    yield from _governance(_nodes, "4", version=4)


@pytest.fixture
def clocked(_nodes: dict[str, tuple[Anvil, Governance]]) -> Iterator[Governance]:
    """OpenZeppelin 5 that counts seconds."""
    yield from _governance(_nodes, "5-time", version=5, clock="timestamp")


@pytest.fixture
def store(dao: Governance) -> str:
    """A proxied ParameterStore that belongs to the timelock."""
    implementation = deploy(dao.node, "ParameterStore")
    initialize = encode_call("initialize(address,uint256)", dao.timelock, 42)
    return deploy(dao.node, "ParameterStoreProxy", implementation, initialize)


PROPOSER_ROLE = keccak(b"PROPOSER_ROLE")


@contextmanager
def half_node(node: Anvil, *missing: str) -> Iterator[str]:
    """URL of a node that does not offer some methods: everything else is passed on to `node`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            question = json.loads(body)
            if question["method"] in missing:
                error = {"code": -32601, "message": f"the method {question['method']} does not exist/is not available"}
                answer = json.dumps({"jsonrpc": "2.0", "id": question["id"], "error": error}).encode()
            else:
                forwarded = urllib.request.Request(node.url, body, {"content-type": "application/json"})
                with urllib.request.urlopen(forwarded) as response:
                    answer = response.read()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def half(dao: Governance):
    """``half("eth_simulateV1")``: URL of a node without that method."""
    return lambda *missing: half_node(dao.node, *missing)
