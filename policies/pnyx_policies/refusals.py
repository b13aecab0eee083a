"""Words that call a payment off: as what a text is about, and in other languages than English beside a number."""

from __future__ import annotations

import re
from typing import Final

_PAID: Final = "pag|abon|transf|envi|desembols|entreg|financi|conced"
_NOTHING_MORE: Final = r"(?! (?:nada |ning\w+ |nenhum\w? )?(?:m[áa]s|mais|outr[ao]|otr[ao]))"
"""A text that pays this and nothing more denies nothing."""
_SPANISH: Final = rf"\bno (?:se |le |les |nos |va a |van a |debe |deben |será |serán )*(?:{_PAID})\w*+{_NOTHING_MORE}"
_PORTUGUESE: Final = rf"\bn[ãa]o (?:se |lhes? |vai |vão |irá |irão |será |serão |deve )*(?:{_PAID})\w*+{_NOTHING_MORE}"
_FRENCH: Final = (
    r"\b(?:ne |n['\u2019])(?:\w+ )?(?:pai|pay|vers|transf|envo|financ|rembours|accord)\w* (?:donc )?(?:pas|plus)\b"
    r"(?! (?:de|que|davantage)\b)"
    r"|\bne (?:sera|seront|est|sont) (?:donc )?(?:pas|plus) (?:pay|vers|transf|envoy|financ|rembours|accord)\w*"
    r"|\brefus\w+ de (?:payer|verser|transférer|financer)\b"
)
_GERMAN: Final = r"\bkeine? (?:[$\u20ac] ?)?\d|\bnicht (?:mehr )?(?:(?:be|aus|ge)?zahlt|(?:be|aus)gezahlt|überwiesen)\b"
_RUSSIAN: Final = (
    r"\bне (?:будет |будут |должн\w+ )?(?:плат|выпла|перевод|перевед|отправ|опла|перечисл)\w*+"
    r"(?! (?:больше|более|ничего)\b)"
)
_TURKISH: Final = r"\b(?:öde|gönder|aktar)(?:n|il|ıl)?(?:meyece|mayaca|mez|maz|medi|madı|miyor|mıyor)\w*"
_CHINESE: Final = (
    r"不(?:会|會|再|予|得|应|應|能)?(?:[向给給][^。；;]{0,60}?)?(?:支付|付款|转账|轉帳|拨款|撥款|发放|發放)"
    r"(?!其他|更多|额外)"
)
_JAPANESE: Final = r"(?:支払|送金|移転|交付)[^。]{0,5}(?:ません|ない|せず)"
_KOREAN: Final = r"(?:지급|지불|송금|전송|이체)(?:하|되)?지 ?(?:않|못|아니)"
_NOT_PAID: Final = re.compile(
    f"{_SPANISH}|{_PORTUGUESE}|{_FRENCH}|{_GERMAN}|{_RUSSIAN}|{_TURKISH}|{_CHINESE}|{_JAPANESE}|{_KOREAN}"
)


def denies_payment(sentence: str) -> bool:
    """Whether a sentence (lower case) says in the usual words of one of these languages that something is not paid."""
    return _NOT_PAID.search(sentence) is not None


_CALLED_OFF: Final = re.compile(
    r"\b(?:is|are|was|were|be|been) (?:therefore |thus |hereby )?(?:rejected|declined|refused|cancell?ed|called off"
    r"|deferred|postponed|withdrawn)\b"
    r"|\b(?:refus|declin|reject)(?:e?s|ing)\b|\b(?:to|not) (?:refuse|reject|decline|defer|postpone)\b"
    r"|\b(?:refusal|rejection)\b|\bwithout merit\b|\bhold(?:s|ing)? (?:\w+ ){1,3}back\b|\bheld back\b"
    r"|\b(?:will|does|shall) not (?:happen|take place)\b|\bgive nothing\b"
    r"|\bno (?:grants?|payments?|money|funds?) (?:is|are|will be) (?:paid|made|given|sent)\b"
)
_REFUSED: Final = (
    r"\b(?:rechaz|deneg|desest|rejeit|recus|refus|rejet|ablehn|abgelehnt|отказ|отклон|redd)"
    r"|拒绝|拒絕|驳回|却下|拒否|거절|거부"
)
_REFUSED_ABROAD: Final = re.compile(_REFUSED)
_OFF_ABROAD: Final = re.compile(
    rf"{_REFUSED}|\b(?:cancela[cdr]|aplaza|annul|abandon|absag|storn|отмен|отлож|iptal|ertele|vazgeç)"
    r"|取消|终止|終止|推迟|撤回|中止|取り消|延期|취소|연기|철회"
)
"""In a title: what is said further down to be cancelled may be an event, or may be so one day."""
_IF: Final = re.compile(
    r"\b(?:if|in case|should|unless|si|caso|se|en cas|falls|wenn|bei|если|в случае)\b"
    r"|若|如果|場合|경우|하면|되면|ırsa|irse|ursa|ürse"
)
_EARLIER: Final = re.compile(
    r"\b(?:first|last|previous|earlier|former|primer|anterior|pasad|passad|premi[eè]r|précédent|dernier|erste|letzt|vorig"
    r"|früher|прошл|предыдущ|перв|geçen|önceki|ilk)|上一|上次|去年|之前|前回|昨年|지난|이전"
)
"""Of another time: what was refused then says nothing of what is asked for now."""
_NAME: Final = r"^[#*\s]*(?:\[[^\]]{1,40}\][\s:]*|[a-z]{2,12}[ -]?\d[\d.]{0,6}[\s:\u2013\u2014-]*)*"
"""Of a proposal: ``[PIP-12] [Executable]``."""
_FUNDS: Final = re.compile(r"\b(?:fund|pay|refund|sponsor|renew|start|hire)s?\b")
_TITLE: Final = re.compile(
    rf"{_NAME}(?:cancel|reject|refuse|decline|defer|postpone|abandon|call off|freeze|halt|block|claw ?back"
    r"|cancellation|rejection|refusal)\b"
    r"|\b(?:withdrawn|cancell?ed|rejected|declined|deferred|postponed|called off)[\s*.!]*$"
)


def title_calls_off(title: str, *, is_foreign: bool) -> bool:
    """Whether a title (lower case) is about something that does not happen, and about nothing that does."""
    if _FUNDS.search(title):
        return False
    return bool(_TITLE.search(title) or (is_foreign and _OFF_ABROAD.search(title)))


def calls_off(sentence: str, *, is_foreign: bool) -> bool:
    """Whether a sentence (lower case) says of what stands beside it that it does not happen."""
    if _EARLIER.search(sentence) or _IF.search(sentence):
        return False
    return bool(_CALLED_OFF.search(sentence) or (is_foreign and refuses_abroad(sentence)))


def refuses_abroad(sentence: str) -> bool:
    """Whether a sentence (lower case) in another language refuses something, or a payment; not one of another time."""
    return denies_payment(sentence) or bool(_REFUSED_ABROAD.search(sentence) and not _EARLIER.search(sentence))
