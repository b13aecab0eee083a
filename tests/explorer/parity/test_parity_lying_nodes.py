"""tests/verify/test_lying_nodes.py once more, with the lies told over HTTP to both."""

from __future__ import annotations

import http.server
import json
import threading
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.explorer.parity.twice import Twice, check_in_javascript, load, shown_alike

from pnyx_contracts.types import Log, to_hex
from pnyx_tools.rpc import Rpc
from pnyx_tools.verifier import verify
from pnyx_tools.wire import parse_logs

Change = Callable[[list[Log]], Sequence[Log]]


def as_json(log: Log) -> dict[str, Any]:
    return {
        "address": log.address, "topics": [to_hex(topic) for topic in log.topics], "data": to_hex(log.data),
        "blockNumber": hex(log.block_number), "blockHash": to_hex(log.block_hash),
        "transactionHash": to_hex(log.transaction_hash), "logIndex": hex(log.log_index), "removed": False,
    }  # fmt: skip


@contextmanager
def lying(url: str, change: Change) -> Iterator[str]:
    """A node that passes everything on, but answers questions for logs with what `change` makes of the truth."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            request = urllib.request.Request(url, body, {"content-type": "application/json"})
            with urllib.request.urlopen(request) as response:
                answer = json.loads(response.read())
            question = json.loads(body)
            if isinstance(question, dict) and question["method"] == "eth_getLogs" and "result" in answer:
                answer["result"] = [as_json(log) for log in change(parse_logs(answer["result"]))]
            told = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def check(world: Twice, change: Change, writer: str | None = None) -> Any:
    told: list[Any] = []
    with lying(world.node.url, change) as url:
        report = verify(Rpc(url), world.log, writer, evidence=world.folder, upto="latest", on_verdict=told.append)
        named = [f"--writer={writer}"] if writer else []
        evidence = f"--evidence={world.folder}"
        _, verdicts, _ = check_in_javascript(url, world.log, "--upto=latest", evidence, *named)
    assert shown_alike(verdicts) == shown_alike([verdict.to_json() for verdict in told])
    return report


lies = load("test_lying_nodes")
lies.check = check  # its tests call this one

globals().update({name: value for name, value in vars(lies).items() if not name.startswith("__")})
