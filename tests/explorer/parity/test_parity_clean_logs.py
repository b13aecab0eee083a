"""tests/verify/test_clean_logs.py once more: Python and JavaScript check each of its worlds, and must say the same."""

from __future__ import annotations

import runpy
from pathlib import Path

globals().update(runpy.run_path(str(Path(__file__).parents[2] / "verify" / "test_clean_logs.py")))
