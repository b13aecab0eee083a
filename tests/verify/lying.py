"""A node that lies about events, over HTTP: for every program that asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

from msgspec import to_builtins

from pnyx_contracts.types import Log
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.provider import Provider, Question, Reply, result
from pnyx_tools.wire import item_of, parse_logs

Change = Callable[[list[Log]], Sequence[Log]]


@contextmanager
def lying(url: str, change: Change) -> Iterator[str]:
    """A node that passes everything on, but answers questions for logs with what `change` makes of the truth."""
    with closing(Rpc(url)) as honest, Provider(url) as provider:

        def lie(question: Question) -> Reply | None:
            if question["method"] != "eth_getLogs":
                return None
            logs = parse_logs(honest.request("eth_getLogs", question["params"]))
            return result(question, [to_builtins(item_of(log)) for log in change(logs)])

        provider.rule = lie
        yield provider.url
