"""Numbers that a text names beside its request: denied, of the past, of what there is, coming in, in a footnote.

"The treasury holds 5,000,000 USDC; pay 5 USDC to 0x..." names both, and asks for one of them. In English: a sentence in
another language says nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pnyx_policies import text as reading
from pnyx_policies.text import Number

_CLAUSE_ENDS: Final = re.compile(r"[;:!?()|]|[.,](?=\s|$)|\s[\u2013\u2014-]\s|\b(?:but|while|whereas)\b")
_SENTENCE_ENDS: Final = re.compile(r"[.!?](?=\s|$)")
_LINK: Final = re.compile(r"https?://\S+")
_HEADING: Final = re.compile(r"\s{0,3}(?:#{1,6}\s+|\*\*|__)?(?P<words>[A-Za-z][A-Za-z &/,'-]{2,40}?)[\s:*_#]*")
_IS_HEADING: Final = re.compile(
    r"\s{0,3}(?:#{1,6}\s|\*\*[^*]{1,80}\*\*:?\s*$|__[^_]{1,80}__:?\s*$|[A-Z][A-Za-z ]{2,40}:\s*$)"
)
_MARKS: Final = " \t#*_:.0123456789"
_REFERENCES: Final = re.compile(
    r"(?:list of |further |useful |related |data |external )?"
    r"(?:references?|sources?|reading|see also|links?|footnotes?|notes?|bibliography|acknowledge?ments?|disclaimers?|"
    r"history|background)",
    re.IGNORECASE,
)
_FOOTNOTE: Final = re.compile(r"\s{0,3}(?:\[\^[\w-]{1,20}\]:|\[\d{1,3}\]:?\s|\^\d{1,3}\s)")

_PAYING: Final = (
    r"(?:pay(?:s|ing|ments?)?|paid|send(?:s|ing)?|sent|transfer\w*|grant\w*|fund\w*|giv(?:e|es|en|ing)|gets?|receiv\w+"
    r"|request\w*|ask\w*|spend\w*|spent|mov(?:e|es|ed|ing)|disburs\w*|reimburs\w*|allocat\w*|approv\w*)"
)
_DENIED_BEFORE: Final = re.compile(
    r"(?:\b(?:not(?! only| just| merely| exceed)|never|no longer|without|no|nor|neither|cannot|refus\w+|declin\w+"
    r"|reject\w+)\b|n['\u2019]t\b)"
    rf"(?! (?:more|less|later|earlier|fewer|further)\b)(?: [^ ]+){{0,6}}? {_PAYING}\b.*$"
    r"|\b(?:instead of|rather than) (?:paying|sending|transferring|granting|giving|spending|requesting|asking|a|the)\b"
    r".*$"
    r"|\b(?:not|instead of|rather than|no longer)(?: (?:the|these|those|all|another))?(?: [a-z]+)? [$~]?$"
)
_DENIED_BEHIND: Final = re.compile(
    r"\b(?:(?:is|are|was|were|been|got|being|be) (?:therefore |thus |also |since |finally )?"
    r"(?:rejected|declined|withdrawn|refused|dropped|cancell?ed|renounced|voted down|denied|not (?:part|paid|asked|"
    r"requested|sent|transferred|moved|included))|(?:is|are) no part)\b"
)
_AGO: Final = re.compile(
    r"(?<!than )(?<!as )(?<!like )(?<!than in )(?<!as in )\b(?:last|previous|prior|past) (?:year|season|quarter|month"
    r"|term|round|budget|grant|proposal|vote)s?\b|\b(?:previously|formerly|historically|so far|to date|ago)\b"
)
_DONE_BEFORE: Final = re.compile(
    r"(?<!be )(?<!is )(?<!are )(?<!being )(?<!and )\b(?:paid|spent|earned|raised|received|got|sold|invested|collected"
    r"|generated)\b"
)
_DONE_BEHIND: Final = re.compile(
    r"\b(?:was|were|has been|have been|had been) (?:already |once )?(?:paid|spent|sent|granted|raised|received)\b"
)
_OWNERS: Final = r"(?:treasury|dao|timelock|protocol|community fund|reserves?|we)"
_HELD_BEFORE: Final = re.compile(
    rf"\b{_OWNERS}(?: (?:currently|now|still|already|today))? (?:holds?|has|have|had|owns?|earns?|keeps?|contains?"
    r"|manages?|(?:is|was) worth|of|with|stands? at|before|after|size|value|balance)\b"
    r"|\b(?:treasury|dao|protocol)['\u2019]s?(?: [a-z]+){0,3} [$~]?$"
    r"|\b(?:tvl|market cap(?:itali[sz]ation)?|revenues?|balance|holdings|runway|volume|valuation)\b"
)
_HELD_BEHIND: Final = re.compile(
    r"^[^ ]* (?:[^ ]+ )?(?:are |is )?(?:held |kept )?(?:in|by) (?:the |our |its )?(?:treasury|reserves?|dao)\b"
)
_COMES_BEFORE: Final = re.compile(
    r"\b(?:dao|treasury|timelock|we)(?: (?:will|shall|now))? (?:receives?|gets?|gains?|collects?|recovers?|is paid)\b"
)
_BACK: Final = re.compile(r"\b(?:returns?|returned|repays?|gives? back|sends? back|pays? back|donates?|contributes?)\b")
_TO_THE_DAO: Final = re.compile(
    r"\bto (?:the |our )?(?:dao|treasury|timelock)\b"
    r"(?! (?:[a-z]+ )?(?:vault|safe|multisig|manager|wallet|council|committee))"
)
_ASKS: Final = re.compile(
    r"(?:^|\b(?:proposal|vote|dao|we|it|to|treasury|timelock|this|executor|please|and|then|now|will|shall|should|would"
    r"|must|hereby)) ?(?:pays?|sends?|transfers?|gives?|grants?|asks?|requests?|refunds?|reimburses?|disburses?|funds?"
    r"|streams?|provides?|proposes?|allocates?|approves?|swaps?|sells?|deposits?|bridges?|withdraws?|mints?|burns?)\b"
    r"|\b(?:will|shall|should|to) be\b|\b(?:pay|reimburse|refund|requested|requesting|asking)\b"
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A number of the text, and what it is named as where that is no request; else nothing."""

    number: Number
    aside: str


@lru_cache(maxsize=16)
def mentions(shown: str) -> tuple[Mention, ...]:
    """Every number of a rendered text, in order."""
    return tuple(_mentions(_LINK.sub(" ", shown)))


def _mentions(shown: str) -> Iterator[Mention]:
    section, heads = "", list[str]()
    for line in shown.split("\n"):
        if _HEADING.match(line):
            section = "in a section of references" if _REFERENCES.fullmatch(line.strip(_MARKS)) else ""
        if "|" not in line:
            heads = []
        elif not heads:
            heads = [cell.lower() for cell in line.strip().strip("|").split("|")]
        where, lower = "in a footnote" if _FOOTNOTE.match(line) else section, line.lower()
        for number in reading.numbers(line):
            column = line[: number.start].lstrip(" |").count("|")
            head = heads[column] if column < len(heads) else ""
            yield Mention(number, where or _of_column(head) or _in_line(lower, number))


def _of_column(head: str) -> str:
    told = _AGO.search(head) or _DONE_BEFORE.search(head)
    return "as what was" if told else ""


def _in_line(line: str, number: Number) -> str:
    """What the words around the number make of it."""
    end = number.start + len(number.spelling)
    before = _last(_CLAUSE_ENDS.split(line[max(0, number.start - _NEAR) : number.start]))
    behind = _CLAUSE_ENDS.split(line[end : end + _NEAR])[0]
    row = " ".join(line[max(0, number.start - _NEAR) : number.start].replace("|", " ").split())
    rest = _SENTENCE_ENDS.split(line[end : end + _NEAR])[0]
    whole = f"{before}{behind}"
    if _DENIED_BEFORE.search(before):
        return "as what is not paid"
    if _COMES_BEFORE.search(before) or (_BACK.search(before) and _TO_THE_DAO.search(behind)):
        return "as what the DAO gets"
    asks = _ASKS.search(before)
    if not asks and _DENIED_BEHIND.search(rest):
        return "as what is not paid"
    if _AGO.search(whole) and not asks:
        return "as what was"
    if asks:
        return ""
    if _DONE_BEFORE.search(before) or _DONE_BEHIND.search(behind):
        return "as what was"
    held = _HELD_BEFORE.search(before) or _HELD_BEHIND.search(behind) or ("|" in line and _HELD_BEFORE.search(row))
    return "as what there is" if held else ""


_NEAR: Final = 300
"""Characters around a number that are looked at."""


def _last(parts: list[str]) -> str:
    """Ends with a space, where there is something."""
    return "".join(f"{word} " for word in parts[-1].split())
