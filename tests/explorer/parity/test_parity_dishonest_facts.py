"""tests/verify/test_dishonest_facts.py once more: Python and JavaScript must say the same."""

from __future__ import annotations

from tests.explorer.parity.twice import once_more

PYTHONS_ALONE = {
    "test_a_check_that_did_not_run": "a rule's condition that cannot be told without it: conditions are left to Python",
    "test_a_look_before_there_was_a_governor": "what the governor was at the pinned block is asked by step 13",
}

globals().update(
    {name: value for name, value in once_more("test_dishonest_facts").items() if name not in PYTHONS_ALONE}
)
