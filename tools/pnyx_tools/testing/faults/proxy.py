"""An RPC endpoint in front of a node that fails and lies as endpoints do, by a schedule."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from typing import Final

from eth_hash.auto import keccak

from pnyx_tools.testing.faults.schedule import Schedule, dice
from pnyx_tools.testing.faults.spells import Elsewhere, Lagging, OtherFork, Question, Reply, Spell, result
from pnyx_tools.testing.serving import Answer, Asked, Front, throttled, truncated, web_page


class Fault(Enum):
    """What an endpoint does to a request, or to all requests for a while."""

    # the whole answer
    TIMEOUT = "time-out"
    DROPPED = "connection dropped"
    CUT = "connection cut"
    THROTTLED = "429"
    THROTTLED_PATIENTLY = "429 with Retry-After"
    SERVER_ERROR = "5xx"
    TRUNCATED = "truncated JSON"
    WEB_PAGE = "web page"
    # one answer in it
    WRONG_ID = "wrong id"
    NEITHER = "neither result nor error"
    WRONG_TYPE = "wrong type"
    EMPTY_LOGS = "empty logs"
    # a transaction
    TRANSACTION_DROPPED = "transaction dropped"
    TRANSACTION_TWICE = "transaction sent twice"
    TRANSACTION_SWALLOWED = "answer swallowed after sending"
    # for a while
    LAGGING = "lagging"
    OTHER_FORK = "other fork"
    WRONG_CHAIN = "wrong chain"

    def __str__(self) -> str:
        return self.value


OF_THE_WHOLE: Final = tuple(Fault)[:8]
OF_ONE: Final = (Fault.WRONG_ID, Fault.NEITHER, Fault.WRONG_TYPE, Fault.EMPTY_LOGS)
OF_TRANSACTIONS: Final = (Fault.TRANSACTION_DROPPED, Fault.TRANSACTION_TWICE, Fault.TRANSACTION_SWALLOWED)
FOR_A_WHILE: Final = (Fault.LAGGING, Fault.OTHER_FORK, Fault.WRONG_CHAIN)

WHILE_REQUESTS: Final = 40
WHILE_BLOCKS: Final = 40
"""How long an endpoint lags, or shows another chain: so many requests, or blocks, for who gets no answer asks less."""
BLOCKS_BEHIND: Final = (1, 12)
"""Where a lag, or another fork, begins: so a fork gets up to 52 blocks deep until it is over."""


class FaultProxy(Front):
    """``with FaultProxy(node.url, schedule) as proxy: proxy.url``. `stranger` is a node of another chain."""

    def __init__(
        self,
        upstream: str,
        schedule: Schedule[Fault],
        *,
        seed: object = 0,
        stranger: str | None = None,
        hang_seconds: float = 3,
        retry_after_seconds: int = 1,
    ) -> None:
        super().__init__(upstream)
        self.schedule = schedule
        self.requests = 0
        self._dice = dice("proxy", seed)
        self._stranger = stranger
        self._hang_seconds = hang_seconds
        self._retry_after_seconds = retry_after_seconds
        self._spell: Spell | None = None
        self._left = self._over_at = 0
        self._lock = threading.Lock()

    def be_honest(self) -> None:
        """From now on."""
        with self._lock:
            self.schedule.is_on = False
            self._spell = None

    # --- one request -------------------------------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Answer:
        request = asked.json
        questions: list[Question] = request if isinstance(request, list) else [request]
        with self._lock:
            self.requests += 1
            fault = self.schedule.take(lambda fault: self._fits(fault, questions))
            if fault is not None and fault in FOR_A_WHILE:
                self._begin(fault)
            spell = self._current_spell()
        if fault is not None and fault in OF_THE_WHOLE:
            return self._spoilt(fault, asked)
        replies = [self._reply(question, fault, spell) for question in questions]
        if fault is Fault.TRANSACTION_SWALLOWED:
            return Answer(is_reset=True)
        return Answer.of(replies if isinstance(request, list) else replies[0])

    def _fits(self, fault: Fault, questions: Sequence[Question]) -> bool:
        methods = {question["method"] for question in questions}
        if fault in OF_TRANSACTIONS:
            return "eth_sendRawTransaction" in methods
        if fault is Fault.EMPTY_LOGS:
            return "eth_getLogs" in methods
        if fault in FOR_A_WHILE:
            return self._spell is None and (fault is not Fault.WRONG_CHAIN or self._stranger is not None)
        return True

    def _spoilt(self, fault: Fault, asked: Asked) -> Answer:
        match fault:
            case Fault.TIMEOUT:
                return Answer(is_reset=True, hang_seconds=self._hang_seconds)
            case Fault.DROPPED:
                return Answer(is_reset=True)
            case Fault.THROTTLED:
                return throttled()
            case Fault.THROTTLED_PATIENTLY:
                return throttled(self._retry_after_seconds)
            case Fault.SERVER_ERROR:
                return web_page(self._dice.choice((500, 502, 503, 504)))
            case Fault.WEB_PAGE:
                return web_page()
            case Fault.CUT:
                return replace(self.forward(asked), is_cut=True)
        return truncated(self.forward(asked))

    # --- one question ------------------------------------------------------------------------------------------------

    def _reply(self, question: Question, fault: Fault | None, spell: Spell | None) -> Reply:
        if question["method"] == "eth_sendRawTransaction" and fault in OF_TRANSACTIONS:
            return self._sent(question, fault)
        reply = spell.reply(question, self._ask) if spell else self._ask(question)
        match fault:
            case Fault.WRONG_ID:
                return {**reply, "id": f"not {question['id']}"}
            case Fault.NEITHER:
                return {"jsonrpc": "2.0", "id": question["id"]}
            case Fault.WRONG_TYPE:
                wrong = {"unexpected": True} if not isinstance(reply.get("result"), dict) else "0xzz"
                return result(question, wrong)
            case Fault.EMPTY_LOGS if question["method"] == "eth_getLogs":
                return result(question, [])
        return reply

    def _sent(self, question: Question, fault: Fault | None) -> Reply:
        if fault is Fault.TRANSACTION_DROPPED:
            return result(question, "0x" + keccak(bytes.fromhex(question["params"][0][2:])).hex())
        if fault is Fault.TRANSACTION_TWICE:
            self._ask(question)
        return self._ask(question)

    def _ask(self, question: Question, upstream: str | None = None) -> Reply:
        reply: Reply = self._client.post(upstream or self._upstream, json=dict(question)).json()
        return reply

    # --- for a while -------------------------------------------------------------------------------------------------

    def _begin(self, fault: Fault) -> None:
        head = self._head()
        shown = max(0, head - self._dice.randint(*BLOCKS_BEHIND))
        self._left = self._dice.randint(WHILE_REQUESTS // 4, WHILE_REQUESTS)
        self._over_at = head + WHILE_BLOCKS
        match fault:
            case Fault.LAGGING:
                self._spell = Lagging(shown)
            case Fault.OTHER_FORK:
                self._spell = OtherFork(shown)
            case Fault.WRONG_CHAIN:
                assert self._stranger is not None
                self._spell = Elsewhere(self._stranger)

    def _current_spell(self) -> Spell | None:
        if self._spell is None:
            return None
        self._left -= 1
        if self._left < 0 or self._head() >= self._over_at:
            self._spell = None
        return self._spell

    def _head(self) -> int:
        return int(self._ask({"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []})["result"], 16)
