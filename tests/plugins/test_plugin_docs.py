"""docs/plugins.md against the code: every group and every required attribute is there, every example is what runs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pnyx_agents.settings import PluginSettings, PolicySettings, SignerSettings
from pnyx_tools.context.protocol import MAX_RESULT_BYTES
from pnyx_tools.plugins import GROUPS, SEAMS, required

SAMPLE = Path(__file__).parent / "sample_package"
TEXT = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
CONFIGURATION, ENTRY_POINTS = (tomllib.loads(t) for t in re.findall(r"```toml\n(.*?)```", TEXT, flags=re.DOTALL))


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_and_its_seam_is_documented(group: str):
    assert f"`{group}`" in TEXT
    assert f".{SEAMS[group].__name__}`" in TEXT


@pytest.mark.parametrize("group", GROUPS)
def test_every_required_attribute_is_documented(group: str):
    assert [name for name in required(group) if f"`{name}`" not in TEXT] == []


def test_the_examples_are_the_sample_package():
    files = {file.read_text() for file in (SAMPLE / "src" / "pnyx_sample").glob("*.py") if file.name != "__init__.py"}
    assert files == set(EXAMPLES), "installed and used by the other tests here"
    sample = tomllib.loads((SAMPLE / "pyproject.toml").read_text())
    assert ENTRY_POINTS["project"]["entry-points"] == sample["project"]["entry-points"]
    assert set(ENTRY_POINTS["project"]["entry-points"]) == set(GROUPS)


def test_every_example_runs_and_fits_its_seam():
    made: dict[str, Any] = {}
    for example in EXAMPLES:
        exec(example, made)  # the document's own code
    for group, named in ENTRY_POINTS["project"]["entry-points"].items():
        for target in named.values():
            plugin = made[target.partition(":")[2]]
            missing = [attribute for attribute in required(group) if not hasattr(plugin, attribute)]
            assert missing == [], target


def test_the_configuration_is_valid_and_names_them_all():
    policy = PolicySettings.model_validate(CONFIGURATION["policy"])
    plugins = PluginSettings.model_validate(CONFIGURATION["plugins"])
    signer = SignerSettings.model_validate(CONFIGURATION["signer"])
    named = {*policy.checks, *plugins.governors, *plugins.tools, *plugins.notifiers, signer.kind}
    assert named == {name for group in ENTRY_POINTS["project"]["entry-points"].values() for name in group}


def test_limits_are_those_of_the_code():
    assert f"{MAX_RESULT_BYTES // 1024} KiB" in TEXT
