"""tests/verify/test_dishonest_votes.py once more: Python and JavaScript check its worlds and must say the same."""

from __future__ import annotations

from tests.explorer.parity.twice import tests_of

globals().update(tests_of("test_dishonest_votes"))
