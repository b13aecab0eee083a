"""How people are told about one proposal."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import Enum

from pnyx_contracts.types import ClockMode
from pnyx_policies.dossier import Dossier
from pnyx_policies.entitlement import Entitlement
from pnyx_policies.facts import GovernorFacts
from pnyx_tools.safe.owners import Standing


class About(Enum):
    """What an alert about a proposal is about, in the words that people read first."""

    FAILED = "stopped, and a person has to look"
    AGAIN = "not carried out yet"
    SIGNED = "its signed vote could not be carried out"
    CHANGED = "changed after its review"
    WORD = "a person's word does not count"
    STRANDED = "gone, and what was written about it cannot be taken back"


OWNERS = {
    Standing.WAITS: "waits for the owners of the Safe",
    Standing.REPLACED: "was replaced by another transaction of the Safe, and waits for its owners anew",
    Standing.REJECTED: "was rejected by the owners of the Safe: it is not proposed again",
}
"""How a vote stands that the owners of a Safe were asked for."""

_NUMBERS = re.compile("0x[0-9a-fA-F]+|[0-9]+")


def how_to_answer(dossier: Dossier) -> str:
    number = dossier.proposal.key.proposal_id
    choice = "" if dossier.decision.outcome.vote else " --vote for|against|abstain"
    return f"pnyx approve {number}{choice}, or pnyx reject {number}"


def deadline(governor: GovernorFacts) -> dict[str, str | int]:
    """When voting ends, as the governor counts."""
    if governor.profile.clock_mode is ClockMode.BLOCK:
        return {"deadline": f"block {governor.deadline}"}
    try:
        ends = datetime.fromtimestamp(governor.deadline, UTC)
    except (OverflowError, ValueError, OSError):  # a governor may say anything
        return {"deadline": str(governor.deadline)}
    return {"deadline": f"{ends:%Y-%m-%d %H:%M} UTC", "deadline_at": governor.deadline}


def kind_of(why: str) -> str:
    """Reasons that differ in numbers and hashes only are of one kind: people hear of each kind once a proposal."""
    return _NUMBERS.sub("#", why)[:200]


def in_words(dossier: Dossier, what: Entitlement, so_far: str = "") -> str:
    """``hold``, ``vote against``, ``hold, rejected by Ada``, ``hold, expired: 1 of 2 approvals by Ada (for)``.

    `so_far`: how many of the people who are needed were heard.
    """
    words, people = what.kind.name.lower() + (f" {what.vote.value}" if what.vote else ""), dossier.people
    if people.expired is not None:
        return f"{words}, expired: {so_far}"
    if people.rejection is not None:
        return f"{words}, rejected by {people.rejection.person}"
    if people.words:
        return f"{words}, approved by {', '.join(word.person for word in people.words)}"
    return f"{words}, {so_far}" if so_far else words
