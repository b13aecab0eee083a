"""A JSON-RPC endpoint over HTTP that behaves like the providers one meets: it limits, fails and lies on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pnyx_tools.testing.serving import Answer, Asked, Front

Question = Mapping[str, Any]
Reply = tuple[int, Any]
"""HTTP status, and the body: JSON, or bytes as they are."""
INVALID: Final[Reply] = (200, {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "invalid request"}})
Rule = Callable[[Question], Reply | None]
"""The reply to a question, or None to pass it on to the node behind."""


def result(question: Question, value: object) -> Reply:
    """An ordinary answer."""
    return 200, {"jsonrpc": "2.0", "id": question["id"], "result": value}


def error(question: Question, code: int, message: str, data: object = None) -> Reply:
    """A JSON-RPC error."""
    wrong = {"code": code, "message": message} | ({} if data is None else {"data": data})
    return 200, {"jsonrpc": "2.0", "id": question["id"], "error": wrong}


class Provider(Front):
    """``with Provider(node.url) as provider: provider.url``. Set `rule` to make it misbehave; `asked` is a record of
    all questions, also of those that came together in one of the `requests`.
    """

    def __init__(
        self,
        upstream: str | None = None,
        rule: Rule = lambda _: None,
        *,
        most_together: int = 1_000,
        refusal: Reply = INVALID,
    ) -> None:
        """A batch of more than `most_together` questions gets the `refusal`; 0 takes none."""
        super().__init__(upstream or "")
        self.rule = rule
        self._most_together = most_together
        self._refusal = refusal
        self.asked: list[Question] = []
        self.requests = 0

    def answer(self, asked: Asked) -> Answer:
        status, body = self.reply_to(asked.json)
        return Answer(body, status) if isinstance(body, bytes) else Answer.of(body, status)

    def reply_to(self, request: Question | list[Question]) -> Reply:
        """To a batch, one reply after another; the first that is no JSON, or fails as HTTP, stands for all."""
        self.requests += 1
        if not isinstance(request, list):
            return self.reply(request)
        if len(request) > self._most_together:
            return self._refusal
        ruled = [self._ruled(question) for question in request]
        passed_on = [question for question, reply in zip(request, ruled, strict=True) if reply is None]
        behind = {answer["id"]: answer for answer in (self._pass_on(passed_on) if passed_on else [])}
        replies = [reply or (200, behind[question["id"]]) for question, reply in zip(request, ruled, strict=True)]
        broken = next((reply for reply in replies if reply[0] != 200 or isinstance(reply[1], bytes)), None)
        return broken or (200, [body for _, body in replies])

    def reply(self, question: Question) -> Reply:
        return self._ruled(question) or (200, self._pass_on(question))

    def _ruled(self, question: Question) -> Reply | None:
        self.asked.append(question)
        ruled = self.rule(question)
        if ruled is None and not self._upstream:
            return error(question, -32601, f"method {question['method']} not found")
        return ruled

    def _pass_on(self, request: Question | list[Question]) -> Any:  # noqa: ANN401 - JSON as the node gave it
        return self._client.post(self._upstream, json=request).json()
