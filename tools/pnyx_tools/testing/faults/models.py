"""A model server in front of another one that fails as model servers do, by a schedule."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from enum import Enum

from pnyx_tools.testing import openai_server
from pnyx_tools.testing.faults.schedule import Schedule
from pnyx_tools.testing.serving import Answer, Asked, Front, throttled


class ModelFault(Enum):
    """What a model server does to one request."""

    HANG = "hangs"
    THROTTLED = "429"
    SERVER_ERROR = "500"
    CUT = "cut stream"
    REFUSAL = "refusal"
    BROKEN_JSON = "broken JSON"
    WRONG_SCHEMA = "wrong schema"
    SLOW_DRIP = "slow drip"

    def __str__(self) -> str:
        return self.value


class ModelFaults(Front):
    """``with ModelFaults(server, schedule) as faults: faults.base_url``."""

    def __init__(
        self, upstream: openai_server.OpenAIServer, schedule: Schedule[ModelFault], *, slow_seconds: float = 3
    ) -> None:
        super().__init__(upstream.url)
        self.schedule = schedule
        self._slow_seconds = slow_seconds

    @property
    def base_url(self) -> str:
        """For `ModelSettings.base_url`."""
        return f"{self.url}/v1"

    def answer(self, asked: Asked) -> Answer:
        fault = self.schedule.take(lambda _: True) if asked.path == "/v1/chat/completions" else None
        match fault:
            case None:
                return self.forward(asked)
            case ModelFault.HANG:
                return Answer(is_reset=True, hang_seconds=self._slow_seconds)
            case ModelFault.THROTTLED:
                return throttled(1)
            case ModelFault.SERVER_ERROR:
                return openai_server.error(500)
            case ModelFault.REFUSAL:
                return openai_server.refusal()
            case ModelFault.CUT:
                return replace(self.forward(asked), is_cut=True)
            case ModelFault.SLOW_DRIP:
                return replace(self.forward(asked), drip_seconds=self._slow_seconds)
            case ModelFault.BROKEN_JSON:
                return _with_content(self.forward(asked), lambda content: content[: len(content) // 2])
            case ModelFault.WRONG_SCHEMA:
                return _with_content(self.forward(asked), lambda _: '{"verdict": "for", "confidence_percent": "very"}')


def _with_content(answer: Answer, change: Callable[[str], str]) -> Answer:
    """A completion whose message says something else."""
    completion = json.loads(answer.body)
    message = completion["choices"][0]["message"]
    message["content"] = change(message["content"] or "")
    return replace(answer, body=json.dumps(completion).encode())
