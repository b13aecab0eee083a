"""Does the text announce this shift of power? The question that privilege, upgrade and settings checks share."""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from pnyx_policies.beside import places
from pnyx_policies.claims import Claims
from pnyx_policies.facts import Facts
from pnyx_policies.language import is_foreign
from pnyx_policies.power_functions import NAMES, PowerKind
from pnyx_policies.powers import PowerShift, friends


class Announcement(Enum):
    """How openly a shift of power is told."""

    OWN = "stays with the DAO"
    TO_KNOWN = "the text speaks of it, and the operator knows the receiver"
    FULL = "the text speaks of it and names the receiver"
    SPOKEN = "the text speaks of it"
    """Nobody in particular gains."""
    BY_NAME = "the text speaks of it and names somebody, but not by the address that receives"
    UNSPOKEN = "the text does not speak of it, but the operator knows the receiver"
    RECEIVER_HIDDEN = "the text speaks of it and does not say to whom"
    IN_OTHER_WORDS = "the text names the receiver, and speaks of it in other words, if at all"
    """As somebody who is elected, as the new code, or beside the name that it gets."""
    FOREIGN = "the text is not in English, so nobody here can tell whether it speaks of it"
    HIDDEN = "the text does not speak of it"


def announcement(shift: PowerShift, claims: Claims, facts: Facts) -> Announcement:
    """Words alone announce nothing when somebody gains by it: the receiver's address has to be there, or be known."""
    spoken = shift.is_spoken_of(claims)
    receiver = shift.receiver
    if receiver is not None and receiver in friends(facts):
        return Announcement.OWN
    if receiver is None:
        return (
            Announcement.SPOKEN if spoken else Announcement.FOREIGN if is_foreign(claims.shown) else Announcement.HIDDEN
        )
    if receiver in facts.known_addresses:
        return Announcement.TO_KNOWN if spoken else Announcement.UNSPOKEN
    if not spoken:
        return _in_other_words(shift, receiver, claims)
    if receiver in claims.addresses:
        return Announcement.FULL
    return Announcement.BY_NAME if claims.names_ens else Announcement.RECEIVER_HIDDEN


_SEATED: Final = re.compile(
    r"\b(?:(?:appoint|elect|nominat|promot|install|permit|entitl|empower|enabl|allow)\w*|members?|seats?|stewards?"
    r"|successors?|in charge|ability|rights?|powers?|voting power|votes|under|control|manages?"
    r"|(?:takes?|hands?|handed|handing) over)\b"
)


def _in_other_words(shift: PowerShift, receiver: str, claims: Claims) -> Announcement:
    """Where none of the usual words stands in the text. What a reader has to guess is for people."""
    if receiver not in claims.addresses or shift.is_another_role(claims):
        return Announcement.HIDDEN
    if is_foreign(claims.shown):
        return Announcement.FOREIGN
    beside = (place.words for place in places(claims.shown, frozenset({receiver}), frozenset()) if place.addresses)
    of_a_name = bool(set(shift.also_called) & set(NAMES)) and claims.names_ens
    is_told = shift.kind is PowerKind.CODE or of_a_name or any(map(_SEATED.search, beside))
    return Announcement.IN_OTHER_WORDS if is_told else Announcement.HIDDEN
