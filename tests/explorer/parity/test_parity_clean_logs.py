"""tests/verify/test_clean_logs.py once more: Python and JavaScript check each of its worlds and must say the same."""

from __future__ import annotations

from tests.explorer.parity.twice import tests_of

globals().update(tests_of("test_clean_logs"))
