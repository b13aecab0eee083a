"""tests/verify/test_dishonest_prompts.py once more: Python and JavaScript must say the same."""

from __future__ import annotations

from tests.explorer.parity.twice import once_more

globals().update(once_more("test_dishonest_prompts"))
