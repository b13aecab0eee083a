"""tests/verify/test_sealed.py once more: Python and JavaScript check each of its worlds, and must say the same."""

from __future__ import annotations

from tests.explorer.parity.twice import load

globals().update({name: value for name, value in vars(load("test_sealed")).items() if not name.startswith("__")})
