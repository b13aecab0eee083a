"""Which dangerous instructions a contract's code can reach, and which functions it has, by one look over its bytes from
front to back.

The scan knows the data of PUSH instructions, stops at an instruction that ends the execution, and goes on at the next
JUMPDEST: every place to which the code could jump counts as reached. So it finds at least what can be reached inside
this code, and sometimes more: an instruction in dead code, or data that looks like code. It does not see into code that
is called by DELEGATECALL, into contracts that the code creates, or which instructions a later fork of the chain adds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

WATCHED: Final = {
    0xF0: "CREATE",
    0xF2: "CALLCODE",
    0xF4: "DELEGATECALL",
    0xF5: "CREATE2",
    0xFF: "SELFDESTRUCT",
}

_JUMPDEST: Final = 0x5B
_PUSH1, _PUSH32 = 0x60, 0x7F
_ENDS: Final = frozenset({0x00, 0x56, 0xF3, 0xFD, 0xFE, 0xFF})
"""STOP, JUMP, RETURN, REVERT, INVALID, SELFDESTRUCT."""
_DEFINED: Final = frozenset(
    {*range(0x0C), *range(0x10, 0x1F), 0x20, *range(0x30, 0x4B), *range(0x50, 0xA5), *range(0xF0, 0xF6), 0xFA, *_ENDS}
)
"""As of the fork Osaka. Any other instruction ends the execution."""


def reachable_opcodes(code: bytes) -> tuple[str, ...]:
    """The names of the `WATCHED` instructions that `code` can reach, sorted."""
    found: set[str] = set()
    at, is_reached = 0, True
    while at < len(code):
        opcode = code[at]
        is_reached = is_reached or opcode == _JUMPDEST
        if is_reached and opcode in WATCHED:
            found.add(WATCHED[opcode])
        if opcode in _ENDS or opcode not in _DEFINED:
            is_reached = False
        at += 1 + (opcode - _PUSH1 + 1 if _PUSH1 <= opcode <= _PUSH32 else 0)
    return tuple(sorted(found))


_PUSH3, _PUSH4 = 0x62, 0x63
"""A selector that begins with a zero byte is pushed as three."""
_COMPARES: Final = frozenset({0x03, 0x14, 0x18})
"""SUB, EQ, XOR: what Solidity compares a selector by, next, or after a DUP."""
_DUP1, _DUP16 = 0x80, 0x8F


def selectors_in(code: bytes) -> frozenset[bytes]:
    """Of the functions that Solidity's code looks for; a constant that is compared in the same way counts, too."""
    return frozenset(selector for selector, is_compared in _selectors(code) if is_compared)


def selectors_asked(code: bytes) -> frozenset[bytes]:
    """What may be selectors of functions that Solidity's code calls elsewhere: four bytes, or three behind a zero, that
    it pushes and does not compare. Other constants are among them.
    """
    return frozenset(selector for selector, is_compared in _selectors(code) if not is_compared)


def _selectors(code: bytes) -> Iterator[tuple[bytes, bool]]:
    """And whether each is compared."""
    at = 0
    while at < len(code):
        size = code[at] - _PUSH1 + 1 if _PUSH1 <= code[at] <= _PUSH32 else 0
        behind = at + 1 + size
        if code[at] in {_PUSH3, _PUSH4} and behind + 1 < len(code):
            compared = code[behind + 1] if _DUP1 <= code[behind] <= _DUP16 else code[behind]
            yield code[at + 1 : behind].rjust(4, b"\x00"), compared in _COMPARES
        at = behind
