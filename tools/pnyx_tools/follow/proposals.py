"""Proposals out of events, for many governors at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import Address, Log, Proposal


@dataclass(frozen=True, slots=True)
class Undecodable:
    """An event that claims to open a proposal and cannot be read: worth an alert, no reason to stop."""

    log: Log
    error: DecodingError


@dataclass(frozen=True, slots=True)
class Watched:
    """A governor that is followed, as it was detected. Proposals created before `start_block` are not looked at."""

    adapter: GovernorAdapter
    profile: GovernorProfile
    start_block: int = 0


@dataclass(frozen=True, slots=True)
class Watchlist:
    """The governors of one chain."""

    governors: Mapping[Address, Watched]

    @property
    def addresses(self) -> Sequence[Address]:
        return tuple(self.governors)

    @property
    def topics(self) -> Sequence[bytes]:
        """Of every event that opens a proposal in one of them."""
        adapters = {id(each.adapter): each.adapter for each in self.governors.values()}
        return tuple(dict.fromkeys(topic for adapter in adapters.values() for topic in adapter.created_topics()))

    def read(self, logs: Iterable[Log]) -> Iterator[Proposal | Undecodable]:
        """In the order of `logs`."""
        for log in logs:
            watched = self.governors[log.address]
            if log.block_number < watched.start_block:
                continue
            try:
                yield watched.adapter.decode_created(watched.profile, log)
            except DecodingError as error:
                yield Undecodable(log, error)
