"""Numbers that a text names beside its request: denied, of the past, of what there is, coming in, in a footnote.

"The treasury holds 5,000,000 USDC; pay 5 USDC to 0x..." names both, and asks for one of them. In English; of other
languages only what `refusals` reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pnyx_policies import text as reading
from pnyx_policies.language import is_foreign
from pnyx_policies.refusals import calls_off, denies_payment, refuses_abroad, title_calls_off
from pnyx_policies.text import Number

_CLAUSE_ENDS: Final = re.compile(r"[;:!?()|]|[.,](?=\s|$)|\s[\u2013\u2014-]\s|\b(?:but|while|whereas)\b")
_SENTENCE_ENDS: Final = re.compile(r"[.!?](?=\s|$)|[\u3002\uff01\uff1f]")
_LINK: Final = re.compile(r"https?://\S+")
_HEADING: Final = re.compile(
    r"\s{0,3}(?:#{1,6}\s|\*\*[^*]{1,80}\*\*:?\s*$|__[^_]{1,80}__:?\s*$|[A-Z][A-Za-z ]{2,40}:\s*$)"
)
_MARKS: Final = " \t#*_:.0123456789"
_REFERENCES: Final = re.compile(
    r"(?:list of |further |useful |related |data |external )?"
    r"(?:references?|sources?|reading|see also|links?|footnotes?|notes?|bibliography|acknowledge?ments?|disclaimers?|"
    r"history|background)",
    re.IGNORECASE,
)
_QUOTATION: Final = re.compile(r"\s{0,3}>")
_FOOTNOTE: Final = re.compile(r"\s{0,3}(?:\[\^[\w-]{1,20}\]:|\[\d{1,3}\]:?\s|\^\d{1,3}\s)")

_PAYING: Final = (
    r"(?:pay(?:s|ing|ments?)?|paid|send(?:s|ing)?|sent|transfer\w*|grant\w*|fund\w*|giv(?:e|es|en|ing)|gets?|receiv\w+"
    r"|request\w*|ask\w*|spend\w*|spent|mov(?:e|es|ed|ing)|disburs\w*|reimburs\w*|allocat\w*|approv\w*|allow\w*"
    r"|let|have|use|tak(?:e|es|ing))"
)
_SUBJECT: Final = r"(?:we|dao|it|this|that|who|which|they|proposal)\b"
_DENIED_BEFORE: Final = re.compile(
    r"(?:\b(?:not(?! only| just| merely| exceed)|never|nobody|no longer|cannot|refus\w+|declin\w+|reject\w+)\b"
    r"|n['\u2019]t\b)"
    rf"(?! (?:more|less|later|earlier|fewer|further)\b)(?: (?!{_SUBJECT})[^ ]+){{0,3}}? {_PAYING}\b.*$"
    rf"|\b(?:without|no|nor|neither)(?: (?:further|new|such|any|more|additional))? {_PAYING}\b.*$"
    r"|\b(?:withdr[ae]w|retract|renounc|waiv)\w* (?:its|the|their|his|her|this) (?:request|claim|application|grant)\b"
    r".*$"
    r"|\b(?:instead of|rather than) (?:paying|sending|transferring|granting|giving|spending|requesting|asking|a|the)\b"
    r".*$"
    r"|\b(?:block|stop|prevent|halt|freeze|veto)(?:e?s|ing)? (?:the |this |any |a )?(?:payment|transfer|grant)s?\b.*$"
    r"|\b(?:is|are|was|be) cut by $"
    r"|\b(?:not|instead of|rather than|no longer)(?: (?:the|these|those|all|another))?(?: [a-z]+)? [$~]?$"
)
_DENIED_BEHIND: Final = re.compile(
    r"\b(?:(?:is|are|was|were|been|got|being|be) (?:therefore |thus |also |since |finally )?"
    r"(?:rejected|declined|withdrawn|refused|dropped|cancell?ed|renounced|voted down|denied|not (?:part|paid|asked|"
    r"requested|sent|transferred|moved|included))|(?:is|are) no part|(?:would be|is|are) too much)\b"
)
_NOT_CHOSEN: Final = re.compile(r"\bnot (?:chosen|selected|adopted|recommended|proposed|followed)\b")
_NEXT: Final = r"(?:later|future|following|next|separate|upcoming|subsequent|second)"
_ANOTHER: Final = rf"(?:a|the|another|any)(?: {_NEXT})+ (?:proposal|vote)\b"
_LATER_BEFORE: Final = re.compile(rf"(?:^|\b(?:in|by|through|with|via|and) ){_ANOTHER}")
_LATER_BEHIND: Final = re.compile(rf"\b(?:in|by|through|with|via) {_ANOTHER}")
_EXAMPLE: Final = re.compile(
    r"^ ?(?:for (?:example|instance)|hypothetically|imagine|suppose|examples?(?: \d+)?:)"
    r"|\bfor (?:example|instance)(?: \S+){0,3} $|\be\.g\.,? $"
)
_IF: Final = re.compile(
    r"^ ?(?:if|once|provided(?: that)?|as soon as)\b(?! (?:\w+ ){0,3}"
    r"(?:pass\w*|approv\w*|accept\w*|agree\w*|succe\w+|vot\w+|execut\w*|enact\w*|favou?r|proposal|you|dao)\b)"
)
"""A condition other than the vote itself."""
_LOST: Final = re.compile(r"^[^.!?]{0,90}\b(?:lost (?:with|by|to|the)|did not (?:win|pass)|failed to (?:win|pass))\b")
_PART: Final = re.compile(
    r"\b(?:half|an? (?:third|quarter|fifth|tenth|part|fraction)|(?!100 ?%)\d{1,3}(?:\.\d+)? ?(?:%|percent)) of"
    r"(?: (?:the|these|its|their|his|her|a))? [$~]?$"
)
_ANOTHER_DAO: Final = re.compile(r"\b(?:another|other|sister|partner) daos?\b")
_OTHERS_OWN: Final = re.compile(r"\bout of (?:its|their|his|her) own (?:funds?|pockets?|budgets?|reserves?|means)\b")
_AGO: Final = re.compile(
    r"(?<!than )(?<!as )(?<!like )(?<!for )(?<!of )(?<!than in )(?<!as in )(?<!for the )(?<!of the )(?<!in the )"
    r"(?<!during the )(?<!over the )(?<!from the )\b(?:last|previous|prior|past) (?:year|season|quarter|month"
    r"|term|round|budget|grant|proposal|vote)s?\b|\b(?:previously|formerly|historically|so far|to date|ago)\b"
)
_PASSIVE: Final = re.compile(
    r"\b(?:is|are|be|being|gets?)(?: (?:now|then|hereby|each|to be))? (?:paid|sold|raised|received)\b"
)
_DONE_BEFORE: Final = re.compile(
    r"(?<!and )\b(?:paid|spent|earned|raised|received|got|sold|invested|collected"
    r"|generated)\b|\bhad (?:asked|requested|applied|wanted)\b"
)
_DONE_BEHIND: Final = re.compile(
    r"\b(?:was|were|has been|have been|had been) (?:already |once )?(?:paid|spent|sent|granted|raised|received)\b"
)
_OWNERS: Final = r"(?:treasury|dao|timelock|protocol|community fund|reserves?|we)"
_HELD_BEFORE: Final = re.compile(
    rf"\b{_OWNERS}(?: (?:currently|now|still|already|today))? (?:holds?|has|have|had|owns?|earns?|keeps?|contains?"
    r"|manages?|(?:is|was) worth|of|with|stands? at|before|after|size|value|balance)\b"
    r"|\b(?:treasury|dao|protocol)['\u2019]s?(?: [a-z]+){0,3} [$~]?$"
    r"|\bout of (?:a|an|the|our)\b.*$"
    r"|\b(?:tvl|market cap(?:itali[sz]ation)?|revenues?|holdings|runway|volume|valuation)\b"
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
    r"(?:^|\b(?:proposal|vote|dao|we|it|to|treasury|timelock|this|one|executor|please|and|then|now|will|shall|should|would"
    r"|must|hereby)) ?(?:pays?|sends?|transfers?|gives?|grants?|asks?|requests?|refunds?|reimburses?|disburses?|funds?"
    r"|streams?|provides?|lends?|proposes?|allocates?|approves?|swaps?|sells?|deposits?|bridges?|withdraws?|mints?|burns?)\b"
    r"|\b(?:will|shall|should|to) be\b|\b(?:pay|reimburse|refund|requested|requesting|asking)\b"
)
_GOES: Final = re.compile(
    r"\b(?:go(?:es)?|(?:is|are|(?:will|shall|should|to) be)(?: (?:now|then|hereby))?"
    r" (?:paid|sent|transferred|granted|streamed))\b"
)
"""Behind a number: it is what is asked for."""
_BY_THIS: Final = re.compile(r"\b(?:paid|sent|granted|transferred) by this (?:proposal|vote)\b")
_COLUMN: Final = re.compile(r"\b(?:spent|earned|received|previous|past|paid (?:in|last|so far|before|until))\b")


_REQUEST: Final = re.compile(
    r"\b(?:pa(?:y|id)|sen[dt]|transfer|grant|fund|request|ask|budget|reimburs|compensat|refund|donat|allocat|disburs"
    r"|stream|vest|award|bount|reward|salar|wage|fee|invoice|cost|total|sum|amount|giv|get|receiv|mov|spend|buy|purchas|swap|sell"
    r"|convert|deposit|withdraw|bridg|loan|lend|contribut|sponsor|subsid|financ|provid|distribut|airdrop|migrat|burn|mint"
    r"|return|repay|advanc|retro|approv|price|prize|stipend|expens|bonus|support|invest|claim"
    r"|allow|add|liquid|suppl|stak|wrap|lock|exchang)"
)
_TO_SOMEBODY: Final = re.compile(r"^[\s*_`]{0,4}\S{0,20}\s+(?:go(?:es)? )?(?:to|for|->|\u2192) (?!us\b|me\b|them\b)")
_FEW: Final = 4
"""Words of a sentence; a line with fewer is an entry of a list."""
_PLAIN_WORD: Final = re.compile(r"\b[A-Za-z]{2,}\b")


def asks_for_nothing(shown: str, mentioned: Collection[Mention]) -> bool:
    """Whether a text has no word for payments of any kind, and these numbers stand in sentences: not in a bare list,
    and not as an amount to somebody.
    """
    return all(mention.is_in_words for mention in mentioned) and not _REQUEST.search(_LINK.sub(" ", shown).lower())


@dataclass(frozen=True, slots=True)
class Mention:
    """A number of the text, and what it is named as where that is no request; else nothing."""

    number: Number
    aside: str
    is_total: bool
    """Named as a total."""
    is_asked: bool
    """With a word that asks for it."""
    is_limit: bool
    """Named as the most that there may be."""
    is_in_words: bool
    """Part of a sentence: not of a bare list, and not an amount to somebody."""


@lru_cache(maxsize=16)
def mentions(shown: str) -> tuple[Mention, ...]:
    """Every number of a rendered text, in order."""
    return tuple(_mentions(_LINK.sub(" ", shown)))


def _mentions(shown: str) -> Iterator[Mention]:
    section, heads, foreign = "", list[str](), is_foreign(shown)
    called_off = _CalledOff.read(shown)
    for place, line in enumerate(shown.split("\n")):
        if _HEADING.match(line):
            section = "in a section of references" if _REFERENCES.fullmatch(line.strip(_MARKS)) else ""
        if "|" not in line:
            heads = []
        elif not heads:
            heads = [cell.lower() for cell in line.strip().strip("|").split("|")]
        where, lower, is_sentence = _of_line(line) or section, line.lower(), len(_PLAIN_WORD.findall(line)) >= _FEW
        denied = _denied(lower, foreign)
        for number in reading.numbers(line):
            column = line[: number.start].lstrip(" |").count("|")
            head = heads[column] if column < len(heads) else ""
            around = _around(lower, number)
            said = where or _of_column(head) or _said(around)
            if not said and any(start <= number.start < end for start, end in denied):
                said = _NOT_PAID
            in_words = is_sentence and not _TO_SOMEBODY.search(lower[number.end : number.end + _NEAR])
            yield Mention(
                number=number,
                aside=said or called_off.of(place, around),
                is_total=_is_total(lower, number),
                is_asked=around.asks,
                is_limit=_LIMIT.search(around.before[-_WORDS:]) is not None,
                is_in_words=in_words,
            )


def _denied(line: str, foreign: bool) -> list[tuple[int, int]]:
    """Where sentences begin and end that say in another language that something is not paid."""
    ends = [match.end() for match in _SENTENCE_ENDS.finditer(line)]
    says_no = refuses_abroad if foreign else denies_payment
    return [span for span in zip([0, *ends], [*ends, len(line)], strict=True) if says_no(line[slice(*span)])]


_IN_A_LIST: Final = re.compile(r"\s{0,6}(?:[-*+]|\d{1,3}[.)])\s|.*\|")


@dataclass(frozen=True, slots=True)
class _CalledOff:
    """Which lines stand under a title, or in a passage, that calls off what it speaks of."""

    title: bool
    lines: frozenset[int]

    @classmethod
    def read(cls, shown: str) -> _CalledOff:
        lines, foreign = shown.lower().split("\n"), is_foreign(shown)
        title, *below = [line for line in lines if line.strip()] or [""]
        is_title = bool(below) and not _IN_A_LIST.match(title) and title_calls_off(title, is_foreign=foreign)
        sentences = ((p, _SENTENCE_ENDS.split(" ".join(lines[i] for i in p))) for p in _passages(lines))
        off = (p for p, told in sentences if any(_calls_off(sentence, foreign) for sentence in told))
        return cls(is_title, frozenset(i for passage in off for i in passage))

    def of(self, place: int, around: _Around) -> str:
        if around.asks or _WE_PAY.search(around.sentence_before):
            return ""
        if self.title:
            return "under a title that calls it off"
        return "in a passage that calls it off" if place in self.lines else ""


_WE_PAY: Final = re.compile(
    r"\b(?:we|dao|proposal|treasury)(?: (?:now|will|shall|still|therefore|only|hereby))*"
    r" (?:pay|send|transfer|give|settle)s?\b"
)
_DIGIT: Final = re.compile(r"(?<!\w)(?!0x)\d")


def _calls_off(sentence: str, foreign: bool) -> bool:
    """A sentence with a number of its own speaks of that one."""
    return not _DIGIT.search(sentence) and calls_off(sentence, is_foreign=foreign)


def _passages(lines: Sequence[str]) -> Iterator[list[int]]:
    """Runs of lines without a gap; each item of a list, and each row of a table, is one of its own."""
    passage = list[int]()
    for place, line in enumerate(lines):
        if passage and (not line.strip() or _IN_A_LIST.match(line)):
            yield passage
            passage = []
        if line.strip():
            passage.append(place)
    if passage:
        yield passage


def _of_line(line: str) -> str:
    if _QUOTATION.match(line):
        return "in a quotation"
    return "in a footnote" if _FOOTNOTE.match(line) else ""


def _of_column(head: str) -> str:
    told = _AGO.search(head) or _COLUMN.search(head)
    return "as what was" if told else ""


_LIMIT: Final = re.compile(
    r"\b(?:up to|at most|no more than|max(?:imum|\.)?(?: of)?|(?:limit|cap) of|(?:limited|capped) (?:to|at)"
    r"|range of \S{1,20}(?: [a-z]{1,10})? to|between \S{1,20}(?: [a-z]{1,10})? and) [$~]?$"
)
_TOTAL_BEFORE: Final = re.compile(r"\b(?:total|sum|altogether|in all|overall)\b[^.\d]{0,25}$")
_TOTAL_BEHIND: Final = re.compile(r"^ ?\S{0,20} (?:in total|altogether|in all|overall)\b")


def _is_total(line: str, number: Number) -> bool:
    before, behind = _beside(line, number)
    return bool(_TOTAL_BEFORE.search(before) or _TOTAL_BEHIND.search(behind))


def _beside(line: str, number: Number) -> tuple[str, str]:
    return line[max(0, number.start - _NEAR) : number.start], line[number.end : number.end + _NEAR]


@dataclass(frozen=True, slots=True)
class _Around:
    """The words around a number, in lower case: of its clause, of its sentence, of its row in a table."""

    before: str
    behind: str
    sentence_before: str
    sentence_behind: str
    is_question: bool
    row: str

    @property
    def asks(self) -> bool:
        return bool(_ASKS.search(self.before) or _GOES.search(self.behind) or _BY_THIS.search(self.sentence_behind))

    @property
    def clause(self) -> str:
        return self.before + self.behind


def _around(line: str, number: Number) -> _Around:
    before, behind = _beside(line, number)
    rest, *mark = _SENTENCE_ENDS.split(behind, maxsplit=1)
    return _Around(
        before=_last(_CLAUSE_ENDS.split(before)),
        behind=_CLAUSE_ENDS.split(behind)[0],
        sentence_before=_last(_SENTENCE_ENDS.split(before)),
        sentence_behind=rest,
        is_question=bool(mark) and behind[len(rest)] == "?",
        row=" ".join(before.replace("|", " ").split()) if "|" in line else "",
    )


_NOT_PAID: Final = "as what is not paid"
_SAID: Final[tuple[tuple[str, Callable[[_Around], object]], ...]] = (
    (_NOT_PAID, lambda a: _DENIED_BEFORE.search(a.before) or _NOT_CHOSEN.search(a.sentence_before)),
    (_NOT_PAID, lambda a: _LOST.search(a.sentence_behind)),
    (
        "as what another proposal is for",
        lambda a: _LATER_BEFORE.search(a.before) or _LATER_BEHIND.search(a.behind),
    ),
    ("as an example", lambda a: _EXAMPLE.search(a.sentence_before)),
    ("as what depends on something else", lambda a: _IF.search(a.sentence_before)),
    ("in a question", lambda a: a.is_question),
    (
        "as what the DAO gets",
        lambda a: _COMES_BEFORE.search(a.before) or (_BACK.search(a.before) and _TO_THE_DAO.search(a.behind)),
    ),
    (_NOT_PAID, lambda a: not a.asks and _DENIED_BEHIND.search(a.sentence_behind)),
    ("as what a part is of", lambda a: _PART.search(a.before[-_WORDS:])),
    ("as what somebody else pays", lambda a: _ANOTHER_DAO.search(a.before)),
    ("as what somebody else pays", lambda a: not a.asks and _OTHERS_OWN.search(a.sentence_behind)),
    ("as what was", lambda a: not a.asks and (_AGO.search(a.clause) or _was_done(a.before))),
    ("as what was", lambda a: not a.asks and _DONE_BEHIND.search(a.behind)),
    ("as what there is", lambda a: not a.asks and (_HELD_BEFORE.search(a.before) or _HELD_BEHIND.search(a.behind))),
    ("as what there is", lambda a: not a.asks and _HELD_BEFORE.search(a.row)),
)
"""What may be said of a number, and whether it is; the first that holds counts."""


def _was_done(before: str) -> bool:
    return _DONE_BEFORE.search(_PASSIVE.sub(" ", before)) is not None


def _said(around: _Around) -> str:
    return next((said for said, holds in _SAID if holds(around)), "")


_NEAR: Final = 300
"""Characters around a number that are looked at."""
_WORDS: Final = 60
"""Of them, those of the words right before it."""


def _last(parts: list[str]) -> str:
    """Ends with a space, where there is something."""
    return "".join(f"{word} " for word in parts[-1].split())
