"""docs/plugins.md against the code: every group and every required attribute is there, every example runs and fits."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pnyx_tools.plugins import GROUPS, SEAMS, required

TEXT = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_and_its_seam_is_documented(group: str) -> None:
    assert f"`{group}`" in TEXT
    assert f".{SEAMS[group].__name__}`" in TEXT


@pytest.mark.parametrize("group", GROUPS)
def test_every_required_attribute_is_documented(group: str) -> None:
    assert [name for name in required(group) if f"`{name}`" not in TEXT] == []


def test_every_example_runs_and_fits_its_seam(tmp_path: Path) -> None:
    made: dict[str, Any] = {}
    for example in EXAMPLES:
        exec(example, made)  # the document's own code
    objects = {
        "pnyx.checks": made["RoundNumber"](),
        "pnyx.tools": made["ProposalSize"](),
        "pnyx.notifiers": made["FileNotifier"](str(tmp_path / "messages.txt")),
    }
    for group, plugin in objects.items():
        for attribute, kind in required(group).items():
            assert isinstance(getattr(plugin, attribute), kind), (group, attribute)
