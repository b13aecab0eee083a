"""Python's limit on recursion stays what it is.

py_ecc, which eth_account and web3 bring, raises it to 100,000 when it is imported. That takes away what keeps parsers
in C (json, msgspec) from running out of stack on Python 3.11: a node, a model's server or a file of evidence could end
the process by a hundred kilobytes of brackets. Whoever imports one of these libraries does it inside of `shallow`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

DEEPEST: Final = 1_000
"""Python's own limit."""


@contextmanager
def shallow() -> Iterator[None]:
    """Around an import of eth_account or web3. Any number of threads may be inside."""
    is_first = "py_ecc" not in sys.modules
    try:
        yield
    finally:
        if is_first:
            sys.setrecursionlimit(DEEPEST)
