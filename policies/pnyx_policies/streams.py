"""Streams: how much goes every second, for how long, and whether the text says so in the words of people."""

from __future__ import annotations

from collections.abc import Iterator
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
"""Place of what flows in a second, and its decimals: Superfluid, LlamaPay."""
_TIMES: Final = {"createStream(address,uint256,address,uint256,uint256)": (3, 4)}
"""Places of begin and end, in seconds since the epoch: Sablier 1."""
_WORDS: Final = ("stream", "vest", "linear", "over ")


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


def _names_rate(claims: Claims, flow: int, decimals: int) -> bool:
    """By a sum for a period that the text speaks of, or by the number itself, as nobody does by chance."""
    if flow >= RAW and Fraction(flow) in claims.amounts:
        return True
    periods = [seconds for names, seconds in _PERIODS.items() if claims.names_word(*names)]
    sums = [Fraction(flow * seconds, 10**decimals) for period in periods for seconds in period]
    return any(abs(named - each) <= _ABOUT * each for named in claims.amounts for each in sums)
