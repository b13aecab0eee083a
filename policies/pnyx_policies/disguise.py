"""Text as a machine may read it where people read nothing: decoded, turned around, its letters put back.

A language model reads base64, Morse code or look-alike letters about as well as plain words. So what is searched for
commands is the text, and every reading of it that is found here. Nothing here decides, and everything is bounded: each
reading costs about the length of the text.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from pnyx_policies import text as shown

MOST_DECODED = 64
"""Pieces of each encoding that are decoded: a text of thousands is no message that anybody reads."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What somebody reads who knows how."""

    how: str
    """For a title: ``in base64``, ``backwards``."""
    text: str
    is_decoded: bool = False
    """True for an encoding, false where letters were only written in another way."""


def readings(text: str) -> Iterator[Reading]:
    """Every other reading of `text`, folded (see `text.fold`); those of what was decoded too, one level deep."""
    plain = shown.fold(text)
    for how, read in _WHOLE:
        if (other := read(plain)) != plain:
            yield Reading(how, other)
    if (closed := _unspaced(text)) != text:
        yield Reading("in spaced letters", shown.fold(closed))
    for piece in _decoded(text):
        yield Reading(piece.how, shown.fold(piece.text), is_decoded=True)
        for how, read in _WHOLE:
            yield Reading(f"{piece.how}, {how}", read(shown.fold(piece.text)), is_decoded=True)
        for inner in _decoded(piece.text):
            yield Reading(f"{piece.how}, {inner.how}", shown.fold(inner.text), is_decoded=True)


def parted(text: str) -> str:
    """The words that ``IgnoreAll-of_it`` is made of, where `text` is one word: names have no spaces. Else nothing."""
    return " ".join(_SEAM.sub(" ", text).split()) if len(text.split()) == 1 else ""


_SEAM = re.compile(r"(?<=[a-z])(?=[A-Z])|[-_.,;:/|+~]+")


def encoded_words(text: str) -> tuple[Reading, ...]:
    """What is written in an encoding and is words: people do not decode it, machines may."""
    return tuple(piece for piece in _decoded(text) if _is_prose(piece.text))


# Letters


def _table(plain: str, *alphabets: str) -> dict[int, str]:
    return {ord(c): p for alphabet in alphabets for p, c in zip(plain, alphabet, strict=True) if c != "."}


_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_SMALL_CAPITALS = _table(
    _ALPHABET,
    "\u1d00\u0299\u1d04\u1d05\u1d07\ua730\u0262\u029c\u026a\u1d0a\u1d0b\u029f\u1d0d\u0274\u1d0f\u1d18.\u0280\ua731\u1d1b\u1d1c\u1d20\u1d21.\u028f\u1d22",
)
_TURNED = _table(
    _ALPHABET, "\u0250q\u0254p\u01dd\u025f\u0183\u0265\u0131\u027e\u029el\u026fuodb\u0279s\u0287n\u028c\u028dx\u028ez"
)
_TURNED_LETTER = re.compile("[\u0250\u01dd\u025f\u0183\u0265\u0131\u027e\u029e\u026f\u0279\u0287\u028c\u028d\u028e]")
_BOXED = {
    first + place: letter
    for first in (0x1F130, 0x1F150, 0x1F170, 0x1F1E6)  # squared, negative circled, negative squared, regional
    for place, letter in enumerate(_ALPHABET)
}
_LEET = str.maketrans("013457@$!|", "oieastasil")
_LEET_WITH_L = str.maketrans("013457@$!|", "oleastasll")
_MARKS = re.compile(f"{shown.MARK}+")
_ACCENTED = re.compile("[\u00c0-\u024f\u1e00-\u1eff]")
_SPACED = re.compile(r"(?<!\w)\w(?:[ .\-_*\u00b7|]{1,3}\w){4,}(?!\w)")
_BETWEEN = re.compile(r"[ .\-_*\u00b7|]")


def _letters(text: str) -> str:
    """Look-alikes, small capitals and letters in boxes as Latin, without accents and marks above or below them."""
    apart = _ACCENTED.sub(lambda letter: unicodedata.normalize("NFD", letter[0]), text)
    return _MARKS.sub("", apart).translate(shown.LOOKALIKES).translate(_SMALL_CAPITALS).translate(_BOXED)


def _unspaced(text: str) -> str:
    """``i g n o r e   t h i s`` as two words: a wider gap parts them."""
    return _SPACED.sub(lambda run: _BETWEEN.sub("", re.sub(r" {2,}|\| ", "\0", run[0])).replace("\0", " "), text)


def _rot13(text: str) -> str:
    return text.translate(_table(_ALPHABET, _ALPHABET[13:] + _ALPHABET[:13]))


def _upside_down(text: str) -> str:
    return text.translate(_TURNED)[::-1] if _TURNED_LETTER.search(text) else text


_WHOLE: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("in look-alike letters", _letters),
    ("in digits for letters", lambda text: text.translate(_LEET)),
    ("in digits for letters", lambda text: text.translate(_LEET_WITH_L)),
    ("in rot13", _rot13),
    ("backwards", lambda text: text[::-1]),
    ("upside down", _upside_down),
    ("percent-encoded", unquote),
)
"""Readings of the whole text. Rarely one of them makes sense by chance, so only commands are searched in them."""


# Encodings


def _decoded(text: str) -> Iterator[Reading]:
    for how, pattern, decode in _ENCODINGS:
        for number, match in enumerate(pattern.finditer(text)):
            if number == MOST_DECODED:
                break
            if words := decode(match[0]):
                yield Reading(how, words)


_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def _printable(data: bytes) -> str:
    """`data` as text, or what of it is: calldata holds strings between numbers. Empty for what is no text."""
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        whole = ""
    if whole and not _CONTROL.search(whole):
        return whole
    return " ".join(run.decode() for run in re.findall(rb"[\x20-\x7e]{8,}", data))


def _base64(piece: str) -> str:
    packed = re.sub(r"\s", "", piece).rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
    try:
        return _printable(base64.b64decode(packed[: len(packed) // 4 * 4] + _tail(packed)))
    except binascii.Error:
        return ""


def _tail(packed: str) -> str:
    rest = packed[len(packed) // 4 * 4 :]
    return rest + "=" * (4 - len(rest)) if len(rest) > 1 else ""


def _base32(piece: str) -> str:
    packed = piece.rstrip("=")
    try:
        return _printable(base64.b32decode(packed + "=" * (-len(packed) % 8)))
    except binascii.Error:
        return ""


def _hex(piece: str) -> str:
    digits = re.sub(r"0x|[^0-9a-fA-F]", "", piece)
    return _printable(bytes.fromhex(digits[: len(digits) // 2 * 2]))


def _escapes(piece: str) -> str:
    codes = re.findall(r"[0-9a-fA-F]{2,6}", piece.replace("\\x", " ").replace("\\u", " ").replace("U+", " "))
    return "".join(chr(code) for c in codes if (code := int(c, 16)) < 0xD800)


def _codes(piece: str) -> str:
    codes = [int(c) for c in re.findall(r"\d+", piece)]
    return "".join(map(chr, codes)) if all(c in (9, 10, 13) or 32 <= c < 127 for c in codes) else ""


def _bits(piece: str) -> str:
    return _from_bits(re.sub(r"\s", "", piece))


def _from_bits(bits: str) -> str:
    size = len(bits) // 8
    return _printable(int(bits[: size * 8], 2).to_bytes(size)) if size else ""


def _selectors(piece: str) -> str:
    """Bytes in variation selectors: U+FE00 is 0, U+E0100 is 16."""
    return _printable(bytes(c - 0xFE00 if (c := ord(x)) < 0xFF00 else c - 0xE0100 + 16 for x in piece))


def _unseen_bits(piece: str) -> str:
    """Bits in two invisible characters, whichever of them is the one."""
    zero, *others = dict.fromkeys(piece)
    if len(others) != 1:
        return ""
    bits = "".join("0" if c == zero else "1" for c in piece)
    return _from_bits(bits) or _from_bits(bits.translate({48: "1", 49: "0"}))


_MORSE_SIGNS = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. "
    "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----."
)
_MORSE = dict(zip(_MORSE_SIGNS.split(), _ALPHABET + "0123456789", strict=True))
_SIGNS = str.maketrans("\u00b7\u2022\u2013\u2014\u2212_", "..----")


def _morse(piece: str) -> str:
    words = re.split(r" ?/ ?| {2,}|\n", piece.translate(_SIGNS).strip())
    return " ".join("".join(_MORSE.get(sign, "") for sign in word.split()) for word in words)


_ENCODINGS: tuple[tuple[str, re.Pattern[str], Callable[[str], str]], ...] = (
    ("in base64", re.compile(r"(?<![\w+/=])[\w+/-]{16,}+(?:\n[\w+/-]{16,}+)*+={0,2}", re.ASCII), _base64),
    ("in base32", re.compile(r"(?<!\w)[A-Z2-7]{24,}={0,6}"), _base32),
    ("in hex", re.compile(r"(?<!\w)(?:0x)?(?:[0-9a-fA-F]{2}[ :,]?(?:0x)?){12,}"), _hex),
    ("in escapes", re.compile(r"(?:(?:\\x|\\u|U\+)[0-9a-fA-F]{2,6}[ ,;]?){6,}"), _escapes),
    ("in character codes", re.compile(r"(?<!\d)(?:\d{2,3}[ ,;]{1,2}){11,}\d{2,3}(?!\d)"), _codes),
    ("in bits", re.compile(r"(?<!\d)(?:[01]{8}\s?){8,}(?!\d)"), _bits),
    (
        "in Morse code",
        re.compile(
            r"(?:[.\-\u00b7\u2022\u2013\u2014\u2212_]{1,6}[ /]{1,3}){8,}[.\-\u00b7\u2022\u2013\u2014\u2212_]{1,6}"
        ),
        _morse,
    ),
    ("in variation selectors", re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{6,}"), _selectors),
    ("in invisible bits", re.compile("[\u200b-\u200f\u2060-\u2064\ufeff]{32,}"), _unseen_bits),
)

_WORDS = re.compile(r"(?<![A-Za-z])[A-Za-z]{2,}+(?:[ ,.:;'!?-]{1,3}[A-Za-z]{1,}){3,}")


def _is_prose(text: str) -> bool:
    """Four words in a row."""
    return _WORDS.search(text) is not None
