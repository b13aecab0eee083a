"""A contract that answers some questions in its own way, and is what it was in everything else.

While a bridge delivers a message, it says who sends it; where it keeps that differs from release to release. So its
code is moved to an address that has none, and in its place lies small code that knows the answers and leaves every
other call to the one that was moved, by DELEGATECALL: storage, coin and address stay the bridge's.
"""

from __future__ import annotations

from collections.abc import Mapping

from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_contracts.selectors import selector_of
from pnyx_contracts.types import to_hex
from pnyx_tools.simulate.task import Overrides

_START = "60003560e01c"  # the selector
_ASK = "8063{selector}1461{place:04x}57"  # if it is this one, go there
_ANSWER = "5b3d6000f3"  # with what it said
_LEAVE = (
    "366000600037"  # the whole input
    "6000600036600073{elsewhere}5af4"  # to the code that was moved
    "3d600060003e"  # what it says
    "61{place:04x}573d6000fd"  # as a failure, or else on
) + _ANSWER
_SAY = "5b7f{word:064x}60005260206000f3"


def standing_in(contract: str, code: bytes, answers: Mapping[str, int]) -> Overrides:
    """What to put in place: `contract`, whose code is `code`, answers functions without arguments, given by their
    signatures, with these words.
    """
    elsewhere = to_checksum_address(keccak(b"the code of " + bytes.fromhex(contract[2:]))[12:])
    return {contract: {"code": to_hex(_code(elsewhere, answers))}, elsewhere: {"code": to_hex(code)}}


def _code(elsewhere: str, answers: Mapping[str, int]) -> bytes:
    asks = len(_ASK.format(selector="00000000", place=0)) // 2 * len(answers)
    leaves = len(_START) // 2 + asks
    left = _LEAVE.format(elsewhere=elsewhere[2:], place=0)
    says = leaves + len(left) // 2
    size = len(_SAY.format(word=0)) // 2
    parts = [_START]
    parts += [
        _ASK.format(selector=selector_of(question).hex(), place=says + number * size)
        for number, question in enumerate(answers)
    ]
    parts.append(_LEAVE.format(elsewhere=elsewhere[2:], place=says - len(_ANSWER) // 2))
    parts += [_SAY.format(word=value) for value in answers.values()]
    return bytes.fromhex("".join(parts))
