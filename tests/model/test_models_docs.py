"""docs/models.md against the code: a setting or an outcome that nobody documented fails here."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from pnyx_policies import answer
from pnyx_policies.prompt import MAX_TOOL_TURNS
from pnyx_tools import model
from pnyx_tools.model import ModelSettings

DOCS = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_valid(example):
    assert all(ModelSettings.model_validate(entry) for entry in tomllib.loads(example)["model"])


def test_the_full_example_shows_every_default():
    shown = tomllib.loads(re.sub(r"^# (?=\w+ = )", "", EXAMPLES[0], flags=re.MULTILINE))["model"][0]
    assert shown.keys() == ModelSettings.model_fields.keys() - {"extra_body"}
    settings, plain = ModelSettings.model_validate(shown), ModelSettings(model=shown["model"])
    prices = {"input_per_million", "output_per_million", "cached_input_per_million"}
    unset = {"temperature", "seed", "api_key_env", *prices}
    assert settings.model_dump(exclude=unset) == plain.model_dump(exclude=unset)
    assert settings.key_variable == plain.key_variable


@pytest.mark.parametrize(
    "outcome",
    [answer.OK, answer.TOOL_CALL, answer.REFUSAL, answer.LENGTH, answer.CONTENT_FILTER, answer.INVALID,
     model.TIMEOUT, model.RATE_LIMIT, model.HTTP_ERROR, model.CONNECTION],
)  # fmt: skip
def test_every_outcome_is_explained(outcome):
    assert re.search(rf"^\|.*`{outcome}`", DOCS, re.MULTILINE)


def test_the_number_of_turns_with_tools_is_the_documented_one():
    words = ("no", "one", "two", "three", "four", "five")
    assert f"in {words[MAX_TOOL_TURNS]} turns (`MAX_TOOL_TURNS`)" in DOCS
