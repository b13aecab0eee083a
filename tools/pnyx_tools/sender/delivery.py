"""Where signed bytes go: to private relays first, where there are any, and then to everybody.

A relay shows a transaction to block builders and to nobody else, so that nobody can vote or trade on seeing it. A relay
can also forget it. So the same bytes go to the public endpoint when they are not mined after some blocks, or when the
deadline is near: landing matters more than being seen late.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import to_hex
from pnyx_tools.reader import MethodMissingError, RpcError
from pnyx_tools.rpc import Rpc
from pnyx_tools.sender.answers import Answer, answer_in
from pnyx_tools.sender.errand import SendingChain
from pnyx_tools.sender.fees import Urgency

RAW: Final = "eth_sendRawTransaction"
PRIVATE: Final = "eth_sendPrivateTransaction"

RELAY_TIMEOUT_SECONDS: Final = 10.0
"""A relay that hangs must not hold up the vote."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a sending; `text` is the complaint, when there was one."""

    answer: Answer
    text: str = ""


class Relay:
    """One private relay. Its URL may be a secret: messages show scheme and host only."""

    def __init__(self, url: str, timeout_seconds: float = RELAY_TIMEOUT_SECONDS) -> None:
        """`url` may end in ``#eth_sendPrivateTransaction``, the method to ask this relay by. Raises `UsageError`."""
        parts = urlsplit(url)
        self._method = parts.fragment or RAW
        if self._method not in {RAW, PRIVATE}:
            raise UsageError(f"a relay knows the methods {RAW} and {PRIVATE}; its URL ends in another one")
        self._rpc = Rpc(urlunsplit(parts._replace(fragment="")), timeout_seconds)

    def __repr__(self) -> str:
        return f"Relay({self._rpc.display_url!r})"

    def send(self, raw: bytes) -> Reply:
        params = [{"tx": to_hex(raw)}] if self._method == PRIVATE else [to_hex(raw)]
        try:
            self._rpc.request(self._method, params)
        except (RpcError, MethodMissingError) as error:
            return Reply(answer_in(error.message), error.message)
        return Reply(Answer.TAKEN)


def goes_public(relays: int, blocks_waited: int, public_after_blocks: int, urgency: Urgency) -> bool:
    """Whether everybody may see it."""
    return not relays or blocks_waited >= public_after_blocks or urgency >= Urgency.HIGH


class Delivery:
    """The ways that one sender has."""

    def __init__(self, chain: SendingChain, relays: tuple[Relay, ...] = ()) -> None:
        self._chain = chain
        self._relays = relays

    @property
    def relays(self) -> int:
        return len(self._relays)

    def send(self, raw: bytes, *, public: bool) -> Reply:
        """Sending the same bytes again is harmless. The best answer of several counts."""
        replies = [relay.send(raw) for relay in self._relays]
        if public:
            replies.append(self._send_publicly(raw))
        return next((reply for reply in replies if reply.answer is Answer.TAKEN), replies[-1])

    def _send_publicly(self, raw: bytes) -> Reply:
        try:
            self._chain.send_raw(raw)
        except RpcError as error:
            return Reply(answer_in(error.message), error.message)
        return Reply(Answer.TAKEN)
