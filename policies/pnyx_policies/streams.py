"""Streams: how much goes every second, for how long, and whether the text says so in the words of people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import Final

from pnyx_contracts.decoded import DecodedCall
from pnyx_policies.claims import RAW, Claims
from pnyx_policies.settings_told import other_numbers

_DAY: Final = 86_400
_MONTH: Final = 30 * _DAY
_YEAR: Final = 31_556_952
_PERIODS: Final = {
    ("second", "seconds"): (1,),
    ("day", "days", "daily"): (_DAY,),
    ("week", "weeks", "weekly"): (7 * _DAY,),
    ("month", "months", "monthly"): (_MONTH, _YEAR // 12),
    ("quarter", "quarters", "quarterly"): (90 * _DAY, _YEAR // 4),
    ("year", "years", "yearly", "annual", "annually", "annum"): (365 * _DAY, _YEAR),
}
"""By which people tell a stream: their names, and the seconds that they last."""
_ABOUT: Final = Fraction(1, 50)
"""By which part a rate may miss what the text says: years and months differ."""

_RATES: Final = {
    "setFlowrate(address,address,int96)": (2, 18),
    "setFlowrateFrom(address,address,address,int96)": (3, 18),
    "createFlow(address,address,address,int96,bytes)": (3, 18),
    "updateFlow(address,address,address,int96,bytes)": (3, 18),
    "createStream(address,uint216)": (1, 20),
    "depositAndCreate(uint256,address,uint216)": (2, 20),
}
"""Place of what flows in a second, behind that of the receiver, and its decimals: Superfluid, LlamaPay."""
_TIMES: Final = {"createStream(address,uint256,address,uint256,uint256)": (3, 4)}
"""Places of begin and end, in seconds since the epoch: Sablier 1."""
_WORDS: Final = ("stream", "vest", "linear", "over ")


def receiver_of(call: DecodedCall) -> str | None:
    """Who gets what flows from then on; None for a call that sets no rate."""
    rate = _RATES.get(call.signature or "")
    return call.arguments[rate[0] - 1].value if rate is not None else None


def untold(call: DecodedCall, claims: Claims) -> Iterator[str]:
    """What this call does and the text does not say, in words; nothing for one that makes no stream."""
    values = [argument.value for argument in call.arguments]
    if (rate := _RATES.get(call.signature or "")) is not None:
        flow, decimals = int(values[rate[0]]), rate[1]
        if flow > 0 and not _names_rate(claims, flow, decimals):
            month = flow * _MONTH // 10**decimals
            yield f"streams about {month:,} in 30 days, and the text names no such sum"
    if (times := _TIMES.get(call.signature or "")) is not None:
        seconds = int(values[times[1]]) - int(values[times[0]])
        if others := other_numbers(claims.shown, _WORDS, max(seconds, 0), of_time=True):
            yield f"streams for {seconds:,} seconds, and the text says {', '.join(others[:4])}"
            return
        begin, end = (_day_of(int(values[place])) for place in times)
        if begin and end and (days := _other_days(claims.shown, begin, end)):
            yield f"streams until {end}, and the text says {', '.join(map(str, days[:4]))}"


_SENTENCE_ENDS: Final = re.compile(r"(?<=[.!?;])\s+|\n")
_ENDS: Final = re.compile(r"\b(?:until|till|end(?:s|ing)?|to|through|stops?)\b")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED: Final = rf"(?:{'|'.join(_MONTHS)})[a-z]{{0,6}}\.?"
_DATE: Final = re.compile(
    rf"\b(?:(?P<y>\d{{4}})-(?P<m>\d\d)-(?P<d>\d\d)|(?P<d1>\d{{1,2}})(?:st|nd|rd|th)? (?P<m1>{_NAMED}),? (?P<y1>\d{{4}})"
    rf"|(?P<m2>{_NAMED}) (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y2>\d{{4}}))\b"
)
_NEAR_DAYS: Final = 2
"""Days by which an end may miss the text's: clocks of the world differ, and "until" may leave the day out."""


def _day_of(timestamp: int) -> date | None:
    """The day of seconds since the epoch; None for one that no calendar has."""
    try:
        return date.fromordinal(_EPOCH + timestamp // _DAY)
    except (ValueError, OverflowError):
        return None


_EPOCH: Final = date(1970, 1, 1).toordinal()


def _other_days(shown: str, begin: date, end: date) -> tuple[date, ...]:
    """Days in sentences about a stream and its end, but for its first one, where none of them is its last one."""
    sentences = (
        s for s in _SENTENCE_ENDS.split(shown.lower()) if any(word in s for word in _WORDS) and _ENDS.search(s)
    )
    named = (day for sentence in sentences for found in _DATE.finditer(sentence) if (day := _date(found)))
    days = tuple(day for day in named if abs((day - begin).days) > _NEAR_DAYS)
    return () if any(abs((day - end).days) <= _NEAR_DAYS for day in days) else days


def _date(found: re.Match[str]) -> date | None:
    year, day = (found[k] or found[f"{k}1"] or found[f"{k}2"] for k in ("y", "d"))
    named = found["m1"] or found["m2"]
    try:
        return date(int(year), _MONTHS.index(named[:3]) + 1 if named else int(found["m"]), int(day))
    except ValueError:
        return None


def _names_rate(claims: Claims, flow: int, decimals: int) -> bool:
    """By a sum for a period that the text speaks of, or by the number itself, as nobody does by chance."""
    if flow >= RAW and Fraction(flow) in claims.amounts:
        return True
    periods = [seconds for names, seconds in _PERIODS.items() if claims.names_word(*names)]
    sums = [Fraction(flow * seconds, 10**decimals) for period in periods for seconds in period]
    return any(abs(named - each) <= _ABOUT * each for named in claims.amounts for each in sums)
