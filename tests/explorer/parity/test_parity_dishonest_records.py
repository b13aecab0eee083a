"""tests/verify/test_dishonest_records.py once more: Python and JavaScript check each of its worlds, and must say the same."""

from __future__ import annotations

from tests.explorer.parity.twice import load

PYTHONS_ALONE = {
    "test_a_check_that_did_not_run": "a rule's condition that cannot be told without it: conditions are left to Python",
    "test_a_look_before_there_was_a_governor": "what the governor was at the pinned block is asked by step 13",
}

globals().update(
    {
        name: value
        for name, value in vars(load("test_dishonest_records")).items()
        if not name.startswith("__") and name not in PYTHONS_ALONE
    }
)
