"""In which language a text is written: what is searched for English words says nothing about another one."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_WORD: Final = re.compile(r"[^\W\d_]+")
_LINK_OR_HEX: Final = re.compile(r"https?://\S+|0x[0-9a-fA-F]+")
_ENGLISH: Final = frozenset(
    {
        "the", "of", "to", "and", "for", "are", "this", "that", "with", "by", "from", "be", "it", "we", "our", "will",
        "its", "at", "which", "has", "have",
    }
)  # fmt: skip
_OTHERS: Final = frozenset(
    {  # of Spanish, Portuguese, French, Italian, German, Dutch, Polish, Turkish, Indonesian; none that is English, too
        "de", "la", "en", "el", "los", "las", "del", "una", "para", "por", "con", "que", "esta", "este",
        "propuesta", "su", "os", "das", "dos", "uma", "pelo", "proposta", "não", "le", "les", "des", "une", "cette",
        "dans", "et", "aux", "du", "avec", "il", "della", "dei", "questa", "nel", "alla", "gli", "der", "und",
        "für", "von", "dem", "eine", "einen", "einem", "wird", "werden", "zu", "zum", "zur", "mit", "auf", "dieser",
        "diese", "ist", "nicht", "het", "een", "van", "voor", "da", "deze", "wordt", "dla", "oraz", "się", "przez",
        "jest", "ve", "bir", "için", "yang", "untuk", "ini", "dari", "dengan", "um", "waren", "letzten", "jahr",
        "gruppe", "antrag", "adresse", "haben", "hat", "sind", "wurde", "wurden", "vorschlag", "zahlung", "año",
        "años", "pago", "paga", "pagar", "dirección", "trabajo", "ano", "pagamento", "trabalho", "paie", "paiement",
        "versement", "année", "anno", "betaling", "jaar", "voorstel", "est", "pas", "nous",
        "caso", "seja", "valor", "recebe", "keine", "zahlt", "kosten",
    }
)  # fmt: skip
_ACCENTED: Final = re.compile(r"[\u00c0-\u024f\u1e00-\u1eff]")
_OTHER_LETTERS: Final = re.compile(r"[\u0370-\u1dff\u2c00-\u2dff\u3040-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]")
"""Greek to Hangul: scripts other than Latin."""
_DECIMAL_COMMA: Final = re.compile(
    r"(?<![\w.,])(?:[1-9]\d{0,2}(?:\.\d{3}){2,}(?!\.?\d)|\d{1,3}(?:\.\d{3})+,\d{1,2}(?![\d,.])|\d{1,4},\d{1,2}(?![\d,.]))"
)


@lru_cache(maxsize=16)
def is_foreign(text: str) -> bool:
    """True when a text is clearly not in English: it has more words of other languages, or with their letters, than of
    this one, or more letters of another script than of the Latin one.
    """
    prose = _LINK_OR_HEX.sub(" ", text)
    words = _WORD.findall(prose.lower())
    others = sum(word in _OTHERS or _ACCENTED.search(word) is not None for word in words)
    strange = len(_OTHER_LETTERS.findall(prose))
    plain = sum(len(word) for word in words) - strange
    english = sum(word in _ENGLISH for word in words)
    return (others >= (_LEAST if english else _ALONE) and others > english) or strange > plain


_LEAST: Final = 3
"""Words of another language: fewer may be a name."""
_ALONE: Final = 2
"""Where there is no word of English."""


def writes_decimal_commas(text: str) -> bool:
    """Whether a dot in a number of this text is that of thousands: ``10.000,50``, ``1.000.000``, or no English."""
    return is_foreign(text) or shows_decimal_commas(text)


def shows_decimal_commas(text: str) -> bool:
    """Whether a number of this text can be read in no other way."""
    return _DECIMAL_COMMA.search(text) is not None
