"""Does the text announce this shift of power? The question that privilege, upgrade and settings checks share."""

from __future__ import annotations

from enum import Enum

from pnyx_policies.claims import Claims
from pnyx_policies.facts import Facts
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
    HIDDEN = "the text does not speak of it"


def announcement(shift: PowerShift, claims: Claims, facts: Facts) -> Announcement:
    """Words alone announce nothing when somebody gains by it: the receiver's address has to be there, or be known."""
    spoken = shift.is_spoken_of(claims)
    receiver = shift.receiver
    if receiver is not None and receiver in friends(facts):
        return Announcement.OWN
    if receiver is None:
        return Announcement.SPOKEN if spoken else Announcement.HIDDEN
    if receiver in facts.known_addresses:
        return Announcement.TO_KNOWN if spoken else Announcement.UNSPOKEN
    if not spoken:
        return Announcement.HIDDEN
    if receiver in claims.addresses:
        return Announcement.FULL
    return Announcement.BY_NAME if claims.names_ens else Announcement.RECEIVER_HIDDEN
