"""Text that somebody else wrote: what it shows, what it hides, which addresses and amounts it names.

Nothing here decides. Characters are classified by fixed ranges, not by the interpreter's Unicode tables, so that every
member's machine finds the same ones.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from itertools import zip_longest

from eth_utils.address import to_checksum_address


class HiddenKind(Enum):
    """Why a character is not what a reader sees."""

    BIDI_OVERRIDE = "bidirectional override"
    """Turns the order of letters around: an amount or an address reads differently than it is."""
    BIDI = "bidirectional control"
    TAG = "tag character"
    """Invisible copies of ASCII: a whole hidden message fits in."""
    VARIATION = "variation selector"
    """Invisible; a run of them carries bytes."""
    ZERO_WIDTH = "zero-width character"
    FILLER = "blank letter"
    CONTROL = "control character"


@dataclass(frozen=True, slots=True)
class Hidden:
    """One hidden character and where it stands (index in the text)."""

    kind: HiddenKind
    character: str
    index: int

    @property
    def name(self) -> str:
        return f"U+{ord(self.character):04X}"


_RANGES: tuple[tuple[HiddenKind, str], ...] = (
    (HiddenKind.BIDI_OVERRIDE, "\u202d\u202e"),
    (HiddenKind.BIDI, "\u202a-\u202c\u2066-\u2069\u200e\u200f\u061c"),
    (HiddenKind.TAG, "\U000e0000-\U000e007f"),
    (HiddenKind.VARIATION, "\ufe00-\ufe0f\u180b-\u180d\u180f\U000e0100-\U000e01ef"),
    (HiddenKind.ZERO_WIDTH, "\u200b-\u200d\u2060-\u2064\u206a-\u206f\ufeff\u00ad\u034f\u180e\u17b4\u17b5"),
    (HiddenKind.FILLER, "\u115f\u1160\u3164\uffa0\u2800"),
    (HiddenKind.CONTROL, "\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"),
)
_KIND_OF = tuple((kind, re.compile(f"[{ranges}]")) for kind, ranges in _RANGES)
_HIDDEN = re.compile("[" + "".join(ranges for _, ranges in _RANGES) + "]")

_SYMBOL = (
    "[\u00a9\u00ae\u203c\u2049\u2100-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_EMOJI = f"{_SYMBOL}[\ufe0e\ufe0f]?[\U0001f3fb-\U0001f3ff]?"
_JOINING = "[\u0600-\u08ff\u0900-\u0dff\u0f00-\u0fff\u1000-\u109f\u1780-\u18af]"
_IDEOGRAPH = "[\u3400-\u9fff\U00020000-\U0003ffff]"
_LEGITIMATE = re.compile(
    "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"  # the flag of a region
    f"|{_EMOJI}(?:\u200d{_EMOJI})*"
    "|[0-9#*]\ufe0f\u20e3"  # keycap
    f"|(?<={_JOINING})[\u200c\u200d](?={_JOINING})"  # Arabic, Indic: they shape the letters around them
    f"|{_IDEOGRAPH}[\U000e0100-\U000e01ef]"  # a variant of an ideograph
)
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


def hidden_characters(text: str) -> tuple[Hidden, ...]:
    """Characters that nobody sees or that move others, except where writing needs them (emoji, Arabic, Indic)."""
    return tuple(_find_hidden(text))


def _find_hidden(text: str) -> Iterator[Hidden]:
    legitimate = {i for match in _LEGITIMATE.finditer(text) for i in range(*match.span())}
    for match in _HIDDEN.finditer(text):
        index, character = match.start(), match.group()
        if index not in legitimate:
            yield Hidden(next(kind for kind, pattern in _KIND_OF if pattern.match(character)), character, index)


def has_right_to_left(text: str) -> bool:
    """True when Hebrew, Arabic or the like is written here, and so directional marks have a reason."""
    return _RIGHT_TO_LEFT.search(text) is not None


def visible(text: str) -> str:
    """The text without hidden characters."""
    hidden = {h.index for h in hidden_characters(text)}
    return "".join(c for i, c in enumerate(text) if i not in hidden) if hidden else text


_STYLED = re.compile("[\uff01-\uff5e\U0001d400-\U0001d7ff\u2100-\u214f\u2460-\u24ff\ufb00-\ufb06\u00aa\u00ba]+")


def fold(text: str) -> str:
    """For matching only: visible, HTML entities resolved, styled letters made plain, case and spacing ignored."""
    plain = visible(html.unescape(visible(text)))
    plain = _STYLED.sub(lambda styled: unicodedata.normalize("NFKC", styled.group()), plain)
    return " ".join(plain.lower().split())


_CYRILLIC = (
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0456\u0457\u0458\u0455"
    "\u0501\u051b\u051d\u04bb\u04cf\u0433\u044c\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421"
    "\u0422\u0423\u0425\u0406\u0407\u0408\u0405\u050c"
)
_GREEK = (
    "\u03bf\u03c1\u03bd\u03b9\u03ba\u03b1\u03c4\u03c5\u03c7\u03b3\u0391\u0392\u0395\u0396\u0397\u0399"
    "\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
)
_ARMENIAN = "\u0585\u057d\u0578\u0570\u0581\u053c\u0555\u054d"
LOOKALIKES = {
    ord(letter): latin
    for others, plain in (
        (_CYRILLIC, "abekmhopctyxiijsdqwhlrbABEKMHOPCTYXIIJSG"),
        (_GREEK, "opvikatuxyABEZHIKMNOPTYX"),
        (_ARMENIAN, "ounhgLOU"),
    )
    for letter, latin in zip(others, plain, strict=True)
}
"""Letters that look Latin and are not, and what they look like."""
_LOOKALIKE = re.compile("[" + "".join(map(chr, LOOKALIKES)) + "]")
_OTHER_SCRIPT = re.compile("[\u0370-\u03ff\u0400-\u052f\u0530-\u058f]")
_WORD = re.compile(r"[^\W\d_]{2,}")
_LATIN = re.compile("[a-zA-Z]")


def mixed_script_words(text: str) -> tuple[str, ...]:
    """Words of Latin letters with look-alikes from another script between them, in order, each once."""
    words = (w.group() for w in _WORD.finditer(text))
    return tuple(dict.fromkeys(w for w in words if _LATIN.search(w) and _LOOKALIKE.search(w)))


def borrowed_words(text: str) -> tuple[str, ...]:
    """Words of nothing but look-alikes, where no other letter shows that this script is written here at all."""
    if any(ord(c) not in LOOKALIKES for c in _OTHER_SCRIPT.findall(text)):
        return ()
    words = (w.group() for w in _WORD.finditer(text))
    return tuple(dict.fromkeys(w for w in words if len(w) > 2 and all(ord(c) in LOOKALIKES for c in w)))


MARK = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_STACKED = re.compile(rf"\w{MARK}{{3,}}")
_STYLED_WORD = re.compile("[\uff21-\uff3a\uff41-\uff5a\U0001d400-\U0001d7ff\u24b6-\u24e9\U0001f130-\U0001f189]{3,}")


def stacked_marks(text: str) -> tuple[str, ...]:
    """Letters under three marks or more, as no language writes them: what they say is hard to read for people only."""
    return tuple(match.group() for match in _STACKED.finditer(text))


def styled_words(text: str) -> tuple[str, ...]:
    """Words in mathematical, circled or full-width letters: they look like others and are found by no search."""
    return tuple(dict.fromkeys(match.group() for match in _STYLED_WORD.finditer(text)))


_HEX = re.compile(r"0x[0-9a-fA-F]+,?")
"""With the comma of a list that has no spaces."""
_ADDRESS = re.compile(r"(?<![0-9a-zA-Z])0x[0-9a-fA-F]{40}(?![0-9a-zA-Z])")
_ENS_NAME = re.compile(r"(?<![\w/.-])(?:[a-z0-9-]+\.)+eth\b", re.IGNORECASE)


def addresses(text: str) -> frozenset[str]:
    """Addresses written out in full, EIP-55. A wrong checksum in the text is no reason to overlook one."""
    return frozenset(str(to_checksum_address(m.group().lower())) for m in _ADDRESS.finditer(text))


def has_ens_name(text: str) -> bool:
    """True when a name like ``wallet.example.eth`` stands here. What it points to is not known: neutral."""
    return _ENS_NAME.search(text) is not None


# Every part is bounded or cannot be entered twice: a hostile text must not cost more than its length.
_UNSEEN = re.compile(
    r"<!--(?P<comment>.*?)(?:-->|\Z)"
    r"|^\[[^\]\n]{1,80}\]:[ \t]*+(?P<definition>[^\n]*)$"
    r"|!\[(?P<alt>[^\n]{0,400}?)\]\("
    r"|\]\(\S{0,300}+\s{1,20}+[\"'(](?P<title>[^\n]{0,400}?)[\"')]\s{0,20}\)"
    r"|<[a-z][^<>\n]{0,200}?(?:display\s*:\s*none|font-size\s*:\s*0|\bhidden\b|opacity\s*:\s*0(?![.\d]*[1-9])"
    r"|\bcolor\s*:\s*(?:white|transparent|\#fff(?:fff)?)\b)[^<>\n]{0,200}>"
    r"(?P<element>(?:(?!</[a-z]).){0,2000})",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
_TAG_CHARACTERS = re.compile("[\U000e0020-\U000e007e]+")


def unseen_parts(text: str) -> Iterator[str]:
    """What a rendered page does not show: comments, titles, hidden elements; and tag characters, read as ASCII."""
    for match in _UNSEEN.finditer(text):
        yield next((group for group in match.groups() if group is not None), "")
    for match in _TAG_CHARACTERS.finditer(text):
        yield "".join(chr(ord(c) - 0xE0000) for c in match.group())


def without_unseen(text: str) -> str:
    """The text without what a rendered page does not show."""
    return _UNSEEN.sub(" ", text)


_HTML_TAG = re.compile(r"</?[a-z][a-z0-9-]{0,20}(?:[\s/][^<>]{0,1000})?>", re.IGNORECASE)
_MARKDOWN_LINK = re.compile(r"\[([^\[\]\n]{1,200})\]\(<?([^\s()<>]{1,400})>?\)")


def rendered(text: str) -> str:
    """What people read on a page that renders Markdown; link targets stay, unless the link shows another address."""
    return _MARKDOWN_LINK.sub(_link, _HTML_TAG.sub(" ", without_unseen(visible(text))))


def links(text: str) -> tuple[tuple[str, str], ...]:
    """What links show and where they lead, of those that a page shows."""
    return tuple((link[1], link[2]) for link in _MARKDOWN_LINK.finditer(without_unseen(visible(text))))


def without_links(text: str) -> str:
    """What a page shows, without its links."""
    return rendered(_MARKDOWN_LINK.sub(" ", text))


def _link(link: re.Match[str]) -> str:
    label, target = link.groups()
    misleads = addresses(label) and not addresses(target) <= addresses(label)
    return label if misleads else f"{label} {target}"


def without_folded(text: str) -> str:
    """The text without what a page shows only to who unfolds it: ``<details>``."""
    shown, *parts = _FOLDED.split(text)
    return shown + " ".join(_UNFOLDED.split(part, maxsplit=1)[-1] if _UNFOLDED.search(part) else "" for part in parts)


_FOLDED = re.compile(r"<details(?![^<>]{0,80}\bopen\b)[^<>]{0,80}>", re.IGNORECASE)
_UNFOLDED = re.compile(r"</details\s*>", re.IGNORECASE)

_STRUCK = re.compile(
    r"~~(?=\S)[^\n]{1,400}?(?<=\S)~~|<(?P<tag>del|s|strike)>(?:(?!</?(?P=tag)>).){0,2000}</(?P=tag)>",
    re.DOTALL | re.IGNORECASE,
)


def without_struck(text: str) -> str:
    """The text without what its author struck through: readers see it, and see that it does not hold any more."""
    return _STRUCK.sub(" ", text)


_UNDER_HEADS = re.compile(r"[ \t:|-]*")
_HEAD_UNIT = re.compile(r"([A-Za-z][\w.$+-]{0,23})[\s*_`)\]]*$")
_NUMBER_ALONE = re.compile(r"[\s*_`$]*\d[\d.,_' ]{0,40}[\s*_`]*")
_LONGEST_CELL = 80


def with_units_of_columns(text: str) -> str:
    """The text with the unit of a column (``Amount (USDC)``) behind each number that stands alone in a cell of it."""
    told, heads = list[str](), list[str]()
    lines = text.split("\n")
    for above, line in zip(["", *lines], lines, strict=False):
        if "|" not in line:
            heads = []
        elif "-" in line and _UNDER_HEADS.fullmatch(line):
            heads = [_unit_of_column(cell) for cell in _cells(above)]
        elif heads:
            line = " | ".join(_with_unit(*pair) for pair in zip_longest(_cells(line), heads, fillvalue=""))
        told.append(line)
    return "\n".join(told)


def _cells(row: str) -> list[str]:
    return row.strip().strip("|").split("|")


def _unit_of_column(head: str) -> str:
    unit = _HEAD_UNIT.search(head[-_LONGEST_CELL:])
    return unit[1] if unit else ""


def _with_unit(cell: str, unit: str) -> str:
    return f"{cell} {unit}" if len(cell) <= _LONGEST_CELL and _NUMBER_ALONE.fullmatch(cell) else cell


_SCALES = {
    "k": 10**3, "thousand": 10**3, "\u4e07": 10**4, "\u842c": 10**4,
    "m": 10**6, "mm": 10**6, "mio": 10**6, "million": 10**6, "millionen": 10**6, "millones": 10**6, "millions": 10**6,
    "\u4ebf": 10**8, "\u5104": 10**8,
    "b": 10**9, "bn": 10**9, "billion": 10**9,
}  # fmt: skip
_SCALE = "|".join(sorted(_SCALES, key=len, reverse=True))
_AMOUNT = re.compile(
    r"(?<![0-9A-Za-z_.,])"
    r"(?:(?P<dotted>[1-9]\d{0,2}(?:\.\d{3}){1,25})(?!\.?\d)"
    r"|(?P<whole>\d{1,3}(?P<separator>[,_'\u00a0\u202f ])\d{3}(?:(?P=separator)\d{3}){0,24}"
    r"|\d{1,78}(?:_\d{1,78}){0,8}))"
    r"(?P<fraction>\.\d{1,78}|,\d{1,2}(?![\d,.]))?"
    rf"(?:e(?P<exponent>\d{{1,2}})(?!\w)|\s?(?P<scale>{_SCALE})(?![a-z]))?"
    r"(?!\d)",
    re.IGNORECASE,
)


def amounts(text: str) -> frozenset[Fraction]:
    """Every number that the text names, exact. An ambiguous spelling (10.000; 5 m) counts in each of its readings."""
    return frozenset(reading for number in numbers(text) for reading in number.readings)


def _usual_readings(match: re.Match[str]) -> frozenset[Fraction]:
    """As people read it first; both ways where that depends on where they live."""
    fraction = Fraction("0" + (match["fraction"] or ".0").replace(",", "."))
    if match["dotted"]:
        thousands = Fraction(int(match["dotted"].replace(".", ""))) + fraction
        is_either = match["dotted"].count(".") == 1 and not match["fraction"]
        read = {thousands, Fraction(match["dotted"])} if is_either else {thousands}
    else:
        read = {Fraction(int(re.sub(r"\D", "", match["whole"])[:300])) + fraction}
    scale = 10 ** int(match["exponent"]) if match["exponent"] else _SCALES[(match["scale"] or "k").lower()]
    return frozenset(number * scale for number in read) if match["exponent"] or match["scale"] else frozenset(read)


_UNIT = re.compile(r"[\s*_`]{0,4}(?:(?:worth )?(?:of|in) )?(?P<unit>[A-Za-z0-9$][\w.$+-]{0,23})", re.ASCII)


_MONEY = frozenset("$\u20ac\u00a3")
_PEGGED = re.compile("usd|dai|eur|gbp|frax|gho")
"""Tokens that are meant to be worth one of these: ``$20 in USDC`` are 20 of them, ``$20 in ETH`` are not."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a text."""

    spelling: str
    start: int
    """Where it begins in the text."""
    end: int
    usual: frozenset[Fraction]
    """As people read it first; two where a dot may be that of decimals or of thousands: ``4.000``."""
    readings: frozenset[Fraction]
    """All that it may be: also without what may be no scale, as in ``5 m``."""
    unit: str
    """The word that follows, in lower case; empty when none does."""


def numbers(text: str) -> Iterator[Number]:
    """Every number in `text`, in order, with the word that follows."""
    prose = _HEX.sub(lambda found: " " * len(found[0]), text)
    for match in _AMOUNT.finditer(prose):
        unit = _UNIT.match(prose, match.end())
        word = unit["unit"].rstrip(".-+").lower() if unit else ""
        if prose[match.start() - 1 : match.start()] in _MONEY and not _PEGGED.search(word):
            word = "usd"
        usual = _usual_readings(match)
        bare = {number / _SCALES[match["scale"].lower()] for number in usual} if match["scale"] else frozenset()
        yield Number(match.group(), match.start(), match.end(), usual, usual | bare, word)


def quantities(text: str) -> frozenset[tuple[Fraction, str]]:
    """Numbers with the word that follows, in lower case, as people read them first: ``5k USDC`` is (5000, usdc)."""
    return frozenset((reading, number.unit) for number in numbers(text) if number.unit for reading in number.usual)


_NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def named(text: str) -> str:
    """Safe in HTML, XML and on a terminal once escaped: what nobody would see is named, as in ``<U+202E>``."""
    hidden = {h.index: h.name for h in hidden_characters(text)}
    shown = "".join(f"<{hidden[i]}>" if i in hidden else c for i, c in enumerate(text)) if hidden else text
    return _NOT_IN_XML.sub(lambda found: f"<U+{ord(found.group()):04X}>", shown)


def one_line(text: str, max_bytes: int) -> str:
    """One line that is safe to print, log and put on a chain: nothing hidden, at most `max_bytes` of UTF-8."""
    line = " ".join(visible(text).split())
    if len(line.encode("utf-8", "replace")) <= max_bytes:
        return line.encode("utf-8", "replace").decode()
    return line.encode("utf-8", "replace")[: max_bytes - 3].decode("utf-8", "ignore").rstrip() + "..."


def quote(text: str, max_bytes: int = 120) -> str:
    """Somebody else's words as evidence: hidden characters are shown as ``<U+XXXX>``, never passed on."""
    hidden = {h.index: h.name for h in hidden_characters(text[: max_bytes * 2])}
    shown = "".join(f"<{hidden[i]}>" if i in hidden else c for i, c in enumerate(text[: max_bytes * 2]))
    return one_line(shown, max_bytes)


def count(number: int, what: str) -> str:
    """``1 address``, ``3 addresses``."""
    return f"{number:,} {what}{'' if number == 1 else 'es' if what.endswith('s') else 's'}"
