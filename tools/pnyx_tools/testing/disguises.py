"""Ways to write words so that people do not read them and a machine may: for tests of what searches for them."""

from __future__ import annotations

import base64
import codecs
import unicodedata
from collections.abc import Callable
from urllib.parse import quote

_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_LOOKALIKES = str.maketrans("aceopxyisj", "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456\u0455\u0458")
_SMALL_CAPITALS = str.maketrans(
    "abcdefghijklmnoprstuvwyz",
    "\u1d00\u0299\u1d04\u1d05\u1d07\ua730\u0262\u029c\u026a\u1d0a\u1d0b\u029f\u1d0d\u0274\u1d0f\u1d18\u0280\ua731\u1d1b\u1d1c\u1d20\u1d21\u028f\u1d22",
)
_UPSIDE_DOWN = str.maketrans(
    _ALPHABET, "\u0250q\u0254p\u01dd\u025f\u0183\u0265\u0131\u027e\u029el\u026fuodb\u0279s\u0287n\u028c\u028dx\u028ez"
)
_LEET = str.maketrans("oieast", "013457")
_MORSE_SIGNS = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. "
    "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----."
)
_MORSE = dict(zip(_ALPHABET + "0123456789", _MORSE_SIGNS.split(), strict=True))


def _base64(words: str) -> str:
    return base64.b64encode(words.encode()).decode()


def _rot13(words: str) -> str:
    return codecs.encode(words, "rot13")


def _morse(words: str) -> str:
    return " / ".join(" ".join(_MORSE[c] for c in word if c in _MORSE) for word in words.lower().split())


def _bits(words: str) -> str:
    return "".join(f"{byte:08b}" for byte in words.encode())


def _mathematical(words: str) -> str:
    return "".join(chr(0x1D41A + ord(c) - 97) if "a" <= c <= "z" else c for c in words.lower())


def _selectors(words: str) -> str:
    return "\U0001f600" + "".join(chr(0xFE00 + b if b < 16 else 0xE0100 + b - 16) for b in words.encode())


def _boxed(words: str) -> str:
    return "".join(chr(0x1F170 + ord(c) - 97) if "a" <= c <= "z" else c for c in words.lower())


DISGUISES: dict[str, Callable[[str], str]] = {
    "plain": lambda words: words,
    "base64": _base64,
    "base64 twice": lambda words: _base64(_base64(words)),
    "base64 of rot13": lambda words: _base64(_rot13(words)),
    "base32": lambda words: base64.b32encode(words.encode()).decode(),
    "hex": lambda words: "0x" + words.encode().hex(),
    "escapes": lambda words: "".join(f"\\u{ord(c):04x}" for c in words),
    "percent": lambda words: quote(words, safe=""),
    "entities": lambda words: "".join(f"&#{ord(c)};" for c in words),
    "character codes": lambda words: " ".join(str(ord(c)) for c in words),
    "bits": lambda words: " ".join(f"{byte:08b}" for byte in words.encode()),
    "rot13": _rot13,
    "morse": _morse,
    "backwards": lambda words: words[::-1],
    "upside down": lambda words: words.lower().translate(_UPSIDE_DOWN)[::-1],
    "spaced": lambda words: "   ".join(" ".join(word) for word in words.split()),
    "leet": lambda words: words.lower().translate(_LEET),
    "zero width": lambda words: "\u200b".join(words),
    "soft hyphens": lambda words: "\u00ad".join(words),
    "tags": lambda words: "".join(chr(0xE0000 + ord(c)) for c in words),
    "variation selectors": _selectors,
    "invisible bits": lambda words: _bits(words).translate({48: "\u200b", 49: "\u200c"}),
    "right to left": lambda words: "\u202e" + words[::-1] + "\u202c",
    "look-alikes": lambda words: words.translate(_LOOKALIKES),
    "full width": lambda words: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in words),
    "mathematical": _mathematical,
    "boxed": _boxed,
    "small capitals": lambda words: words.lower().translate(_SMALL_CAPITALS),
    "stacked marks": lambda words: "".join(f"{c}\u0315\u0321\u0348\u035c" if c.isalpha() else c for c in words),
    "accents": lambda words: unicodedata.normalize("NFC", "".join(f"{c}\u0301" if c in "aeiou" else c for c in words)),
    "comment": lambda words: f"<!-- {words} -->",
    "hidden element": lambda words: f'<span style="display:none">{words}</span>',
    "no size": lambda words: f"<p style='font-size:0'>{words}</p>",
    "link title": lambda words: f'[our forum](https://forum.example.org/t/12 "{words.replace(chr(34), "")}")',
    "image": lambda words: f"![{words}](https://example.org/chart.png)",
    "definition": lambda words: f"[//]: # ({words})",
    "code block": lambda words: f"```\n{words}\n```",
    "table": lambda words: f"| item | note |\n|---|---|\n| 1 | {words} |",
    "footnote": lambda words: f"Details below.[^1]\n\n[^1]: {words}",
}
"""Disguise -> what it makes of words."""
