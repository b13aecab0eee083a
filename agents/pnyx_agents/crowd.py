"""Proposals that wait for people, all at once. Who floods people with them gets fewer of their looks: that is told once
a day, and further proposals of the same account ask nobody. No vote depends on it: what is held stays so.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from pnyx_contracts.types import DAY_SECONDS, Address
from pnyx_policies.checks.held_flood import MOST, MOST_OF_ONE
from pnyx_tools.follow import from_kept
from pnyx_tools.journal import Journal, Stage
from pnyx_tools.notify import Message, Urgency

LOOK: Final = "pnyx status lists them; decide whether the account should be able to propose"


@dataclass(frozen=True, slots=True)
class Crowd:
    """`most_of_one` of one proposer, and `most` in all, may wait before people are told that it is a flood."""

    journal: Journal
    most_of_one: int = MOST_OF_ONE
    most: int = MOST
    now: Callable[[], float] = time.time

    def floods(self, proposer: Address) -> bool:
        """Whether more proposals of this account wait than people are asked to look at."""
        return self._waiting()[proposer] > self.most_of_one

    def flood(self) -> frozenset[str]:
        """The proposals of the accounts that do, by their keys in the journal."""
        proposers = self._proposers()
        waiting = Counter(proposers.values())
        return frozenset(key for key, proposer in proposers.items() if waiting[proposer] > self.most_of_one)

    def news(self) -> Iterator[Message]:
        """Each once a day, while it is so."""
        waiting, day = self._waiting(), int(self.now() // DAY_SECONDS)
        for proposer, count in waiting.items():
            if count > self.most_of_one:
                yield Message(
                    key=f"flood:{proposer}:{day}", urgency=Urgency.ALERT, to_do=LOOK,
                    subject=f"{count} proposals of {proposer} wait for people; further ones of it ask nobody",
                )  # fmt: skip
        if (total := waiting.total()) > self.most:
            proposer, count = waiting.most_common(1)[0]
            yield Message(
                key=f"flood:{day}", urgency=Urgency.ALERT, to_do=LOOK,
                subject=f"{total} proposals wait for people, {count} of them of {proposer}",
            )  # fmt: skip

    def _waiting(self) -> Counter[Address]:
        return Counter(self._proposers().values())

    def _proposers(self) -> dict[str, Address]:
        """Of the proposals that wait now."""
        held = [case.proposal for case in self.journal.cases({Stage.HELD})]
        contents = {key: self.journal.proposal_content(key) for key in held}
        return {key: from_kept(key, content).proposer for key, content in contents.items() if content}
