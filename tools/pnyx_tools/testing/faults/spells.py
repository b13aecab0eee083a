"""How an endpoint answers that is wrong for a while, and consistently so: behind, on another fork, of another chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

Question = Mapping[str, Any]
Reply = dict[str, Any]

PLACE_OF_BLOCK: Final = {
    "eth_getBlockByNumber": 0, "eth_call": 1, "eth_getBalance": 1, "eth_getCode": 1, "eth_getTransactionCount": 1,
    "eth_getStorageAt": 2, "eth_simulateV1": 1, "eth_estimateGas": 1,
    "debug_traceCall": 1,
}  # fmt: skip
"""Where these methods take the block."""

MARK: Final = "f0cacc1a"
"""Hashes of another fork end so."""


class Ask(Protocol):
    """The way to the node, or to another one."""

    def __call__(self, question: Question, upstream: str | None = None) -> Reply: ...


class Spell(Protocol):
    """Decides what is answered instead."""

    def reply(self, question: Question, ask: Ask) -> Reply: ...


def result(question: Question, value: object) -> Reply:
    """An ordinary answer."""
    return {"jsonrpc": "2.0", "id": question["id"], "result": value}


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A load balancer that sends people to the node of another chain."""

    node: str

    def reply(self, question: Question, ask: Ask) -> Reply:
        return ask(question, self.node)


@dataclass(frozen=True, slots=True)
class Lagging:
    """A node that has seen no block above `head`. It takes transactions."""

    head: int

    def reply(self, question: Question, ask: Ask) -> Reply:
        method, params = question["method"], list(question["params"])
        if method == "eth_blockNumber":
            return result(question, hex(self.head))
        if method == "eth_getLogs":
            return self._logs(question, ask)
        place = PLACE_OF_BLOCK.get(method)
        if place is not None:
            params += ["latest"] * (place + 1 - len(params))
            if method != "eth_getBlockByNumber" and self._is_unknown(params[place]):
                error = {"code": -32000, "message": "header not found"}
                return {"jsonrpc": "2.0", "id": question["id"], "error": error}
            params[place] = self._as_seen(params[place])
        reply = ask({**question, "params": params})
        return result(question, None) if _block_of(reply.get("result")) > self.head else reply

    def _logs(self, question: Question, ask: Ask) -> Reply:
        (query,) = question["params"]
        if self._is_unknown(query.get("fromBlock", "0x0")):
            return result(question, [])
        end = query.get("toBlock", "latest")
        seen = hex(self.head) if self._is_unknown(end) else self._as_seen(end)
        return ask({**question, "params": [{**query, "toBlock": seen}]})

    def _is_unknown(self, block: object) -> bool:
        return isinstance(block, str) and block.startswith("0x") and len(block) < 66 and int(block, 16) > self.head

    def _as_seen(self, block: object) -> object:
        """What is final or safe is old enough to be left alone."""
        return hex(self.head) if block in ("latest", "pending") else block


@dataclass(frozen=True, slots=True)
class OtherFork:
    """A node on another fork: above `head` its blocks have other hashes, and nothing happened in them."""

    head: int
    _true: dict[str, str] = field(default_factory=dict)
    """The hashes that its own stand for."""

    def reply(self, question: Question, ask: Ask) -> Reply:
        params = [self._true.get(p, p) if isinstance(p, str) else p for p in question["params"]]
        return self._changed(ask({**question, "params": params}))

    def _changed(self, reply: Reply) -> Reply:
        found = reply.get("result")
        if isinstance(found, list):
            return {**reply, "result": [item for item in found if _block_of(item) <= self.head]}
        if not isinstance(found, dict) or _block_of(found) <= self.head:
            return reply
        if "parentHash" not in found:
            return {**reply, "result": None}  # a receipt or a transaction that is not in this fork
        changed = {**found, "hash": self._other(found["hash"])}
        if _block_of(found) > self.head + 1:
            changed["parentHash"] = self._other(found["parentHash"])
        return {**reply, "result": changed}

    def _other(self, true: str) -> str:
        other = true[: -len(MARK)] + MARK
        self._true[other] = true
        return other


def _block_of(item: object) -> int:
    """The number of the block that something is, or stands in; -1 when it is none of that."""
    if not isinstance(item, dict):
        return -1
    number = item.get("number") if "parentHash" in item else item.get("blockNumber")
    return int(number, 16) if isinstance(number, str) else -1
