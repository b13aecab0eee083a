"""Following into the journal: what the chain shows is kept together with how far it was looked at.

look       the head, step by step; after a reorganisation at once to the new chain's end
settle     what became final, looked at a second time
read up    the history of governors that were not followed before
"""

from __future__ import annotations

import logging
import string
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pnyx_agents.metrics import Metrics
from pnyx_agents.reviewer import Governed
from pnyx_contracts.types import DAY_SECONDS, Address, Log, Proposal
from pnyx_tools.follow import (
    Advanced,
    Council,
    DeepReorganisationError,
    Position,
    Rewound,
    Settled,
    Step,
    Stream,
    Undecodable,
    Waiting,
    Watched,
    Watchlist,
    read_history,
    to_kept,
)
from pnyx_tools.journal import Found, Journal, Unread
from pnyx_tools.notify import Message, Urgency, foreign
from pnyx_tools.pieces import as_they_come
from pnyx_tools.reader import ChainReader, WrongChainError

logger = logging.getLogger("pnyx.watch")

TITLE_CHARACTERS: Final = 120
BEFORE_A_TITLE: Final = f"#{string.whitespace}\x85\u2028\u2029"
"""Marks of a heading, and empty lines."""
MOST_CHAPTERS: Final = 5
"""Of a history, kept in one transaction: a few megabytes, which are read again after a crash."""


def watchlist(governors: Mapping[Address, Governed]) -> Watchlist:
    return Watchlist({a: Watched(g.adapter, g.profile, g.start_block) for a, g in governors.items()})


@dataclass(frozen=True, slots=True)
class Watch:
    """Follows the chain of an agent."""

    reader: ChainReader
    council: Council | None
    watchlist: Watchlist
    stream: Stream
    journal: Journal
    metrics: Metrics
    tell: Callable[[Message], None]
    clock: Callable[[], float] = time.time
    """Seconds since the epoch."""

    def look(self) -> None:
        """Up to the end of the chain. Raises what an endpoint's failure raises; people hear when no endpoint serves the
        chain, and `DeepReorganisationError` holds all votes until they have looked.
        """
        try:
            self._look()
        except WrongChainError as error:
            self.tell(_elsewhere(error, self.clock()))
            raise
        except DeepReorganisationError as error:
            self.journal.hold(error.message, at=error.position.model_dump_json())
            key = f"deep reorganisation:{error.message}"
            self.tell(Message(key=key, urgency=Urgency.ALERT, subject="all votes are held", detail=foreign(str(error))))
            raise

    def _look(self) -> None:
        position = self._position()
        self._read_up(position)
        goes_on = True
        while goes_on:
            step = self.stream.poll(position)
            goes_on = isinstance(step, Rewound) or (isinstance(step, Advanced) and step.more)
            position = self._settle(self._take(step, position))
        self.metrics.note_look(position.head.number)

    def _take(self, step: Step, position: Position) -> Position:
        if isinstance(step, Waiting):
            return position
        before, now = position.model_dump_json(), step.position.model_dump_json()
        match step:
            case Advanced():
                self._note(self.journal.follow(now, self._read(step.logs), since=before))
            case Rewound():
                dropped = self.journal.rewind(now, step.above, since=before)
                logger.warning("the chain was reorganised", extra={"above": step.above, "proposals": dropped})
        return step.position

    def _settle(self, position: Position) -> Position:
        settled = self.stream.settle(position)
        if not isinstance(settled, Settled):
            return position
        before, now, final = (
            position.model_dump_json(),
            settled.position.model_dump_json(),
            settled.position.final.number,
        )
        late, lost = self.journal.settle(now, final, self._read(settled.logs), since=before)
        self._note(late)
        for key in late:
            logger.warning("an endpoint had not shown a proposal", extra={"proposal": key})
        for key in lost:
            self.tell(
                Message(
                    key=f"{key}:void:{final}",
                    urgency=Urgency.ALERT,
                    subject="gone: a reorganisation took it away for good, and what was decided about it is void",
                    proposal=key,
                )
            )
        return settled.position

    def _position(self) -> Position:
        kept = self.journal.position()
        position = self.stream.begin() if kept is None else Position.model_validate_json(kept)
        worded = position.model_dump_json()
        if worded != kept:  # another release may have worded it otherwise
            self.journal.follow(worded, since=kept)
        return position

    # History

    def _read_up(self, position: Position) -> None:
        """Governors that are new to this agent: what they did before, once. What is above the final block comes again
        when it is settled.
        """
        known = {unread.governor: unread for unread in self.journal.histories()}
        new = [
            Unread(address, watched.start_block, position.head.number)
            for address, watched in self.watchlist.governors.items()
            if address not in known
        ]
        if new:
            first = min(unread.first for unread in new)
            new = [Unread(unread.governor, first, unread.last) for unread in new]
            self.journal.begin_histories(new)
        parts: dict[tuple[int, int], list[Address]] = {}
        for unread in (*known.values(), *new):
            if not unread.is_read and unread.governor in self.watchlist.governors:
                parts.setdefault((unread.first, unread.last), []).append(unread.governor)
        for (first, last), governors in parts.items():
            self._read_part(governors, first, last)

    def _read_part(self, governors: list[Address], first: int, last: int) -> None:
        chapters = read_history(self.reader, self.watchlist.topics, governors, first, last, council=self.council)
        read = ((chapter.end, self._read(chapter.logs)) for chapter in chapters)
        for some in as_they_come(read, MOST_CHAPTERS):
            up_to, found = some[-1][0], [each for _, those in some for each in those]
            new = self.journal.read_history(governors, up_to, found)
            logger.info("read history", extra={"up_to": up_to, "of": last, "proposals": len(new)})

    # Proposals

    def _read(self, logs: Iterable[Log]) -> list[Found]:
        found = []
        for each in self.watchlist.read(logs):
            if isinstance(each, Undecodable):
                self._alert_undecodable(each)
            else:
                found.append(found_in(each))
        return found

    def _note(self, keys: Iterable[str]) -> None:
        for key in keys:
            logger.info("new proposal", extra={"proposal": key})

    def _alert_undecodable(self, event: Undecodable) -> None:
        key = f"undecodable:{event.log.transaction_hash.hex()}:{event.log.log_index}"
        subject = "an event that cannot be read"
        self.tell(Message(key=key, urgency=Urgency.ALERT, subject=subject, detail=foreign(str(event.error))))


def _elsewhere(error: WrongChainError, now: float) -> Message:
    """Once a day, however long it lasts."""
    return Message(
        key=f"wrong chain:{error.message}:{int(now // DAY_SECONDS)}",
        urgency=Urgency.ALERT,
        subject="an endpoint serves another chain, and there is no other: nothing is read or written until it is right",
        detail=foreign(error.message),
        to_do=error.hint,
    )


def found_in(proposal: Proposal) -> Found:
    """What the journal keeps of it."""
    return Found(
        proposal=str(proposal.key),
        content=to_kept(proposal),
        title=_title_of(proposal.text),
        deadline=str(proposal.vote_end),
        created_block=proposal.created_block,
    )


def _title_of(text: str) -> str:
    """Its first line that says something."""
    lines = text.lstrip(BEFORE_A_TITLE)[:TITLE_CHARACTERS].splitlines() or ["(no text)"]
    return lines[0].rstrip(BEFORE_A_TITLE)
