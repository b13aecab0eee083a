"""The documents against the code: each command, option and setting that is named exists; each setting is named."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import click
import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pnyx_agents.cli.main import COMMANDS, group
from pnyx_agents.settings import Settings, parse_settings
from pnyx_contracts import errors

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TEMPLATE = ROOT / "agents" / "pnyx_agents" / "template.toml"
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")

USE = re.compile(r"(?<![\w/.'])pnyx ([a-z][a-z-]*)([^`\n#|;]*)")
"""``pnyx <command>`` and what follows it on the line."""


def page_name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def commands() -> dict[str, click.Command]:
    context = click.Context(group)
    found = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def code_of(text: str) -> Iterator[str]:
    """What stands in backticks, in fences and in indented blocks, line by line; continued lines are joined."""
    joined = re.sub(r"\n {8,}(?=[\[-])", " ", text)
    yield from re.findall(r"`([^`\n]+)`", joined)
    yield from re.findall(r"^ {4,}(.*)$", joined, flags=re.MULTILINE)
    for block in re.findall(r"```\w*\n(.*?)```", joined, flags=re.DOTALL):
        yield from block.splitlines()


@pytest.mark.parametrize("page", [*PAGES, TEMPLATE], ids=page_name)
def test_every_command_and_option_exists(page: Path, commands: dict[str, click.Command]) -> None:
    text = page.read_text(encoding="utf-8")
    lines = text.splitlines() if page == TEMPLATE else code_of(text)
    wrong = []
    for line in lines:
        for name, rest in USE.findall(line):
            if name not in commands:
                wrong.append(f"pnyx {name}")
                continue
            known = {option for parameter in _command(commands[name], rest).params for option in parameter.opts}
            used = re.findall(r"(?<!\S)\[?(--?[a-z][a-z-]*)", rest)
            wrong += [f"pnyx {name} {option}" for option in used if option not in known | {"--help", "-h"}]
    assert wrong == []


def _command(command: click.Command, rest: str) -> click.Command:
    """A group's own command, by the word that follows."""
    word = next(iter(rest.split()), "")
    return command.commands.get(word, command) if isinstance(command, click.Group) else command


def test_every_command_is_in_the_documents() -> None:
    everything = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in COMMANDS if f"pnyx {name}" not in everything] == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    files = [target.partition("#")[0] for target in targets if "://" not in target and not target.startswith("#")]
    assert [target for target in files if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", [*PAGES, TEMPLATE], ids=page_name)
def test_no_path_of_one_machine(page: Path) -> None:
    assert re.findall(r"/(?:home|root|Users|work|tmp)/\S*", page.read_text(encoding="utf-8")) == []


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = [page.name for page in (ROOT / "docs").glob("*.md") if page.name != "README.md"]
    assert [name for name in pages if f"({name})" not in index] == []


def test_every_kind_of_error_is_documented() -> None:
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)}
    page = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    assert [kind.__name__ for kind in kinds if f"`{kind.__name__}`" not in page] == []


def test_readme_names_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "python3 dev.py demo" in readme
    assert "python3 dev.py test" in readme
    assert "python3 dev.py test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


# Settings.


def model_in(annotation: object) -> type[BaseModel] | None:
    """The model inside ``X``, ``X | None``, ``tuple[X, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in {tuple, Union, UnionType, Annotated}:
        return next((model for part in get_args(annotation) if (model := model_in(part))), None)
    return None


def settings_of(section: FieldInfo) -> dict[str, FieldInfo]:
    model = model_in(section.annotation)
    return model.model_fields if model is not None else {}


SECTIONS = {name: field for name, field in Settings.model_fields.items() if name != "folder"}


def documented(section: str) -> dict[str, str]:
    """Setting -> its default as the page says it."""
    found = re.search(rf"^## \[+{section}\]+\n(.*?)(?=^## |\Z)", CONFIGURATION, flags=re.MULTILINE | re.DOTALL)
    assert found, f"docs/configuration.md has no section [{section}]"
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", found.group(1), flags=re.MULTILINE)
    return dict(rows)


@pytest.mark.parametrize("section", SECTIONS)
def test_the_page_has_every_setting_and_no_other(section: str) -> None:
    assert set(documented(section)) == set(settings_of(SECTIONS[section]))


@pytest.mark.parametrize("section", SECTIONS)
def test_the_page_says_the_defaults(section: str) -> None:
    """Defaults that are values, not words (``none``, ``asked for``), must be those of the models."""
    for name, field in settings_of(SECTIONS[section]).items():
        said = documented(section)[name]
        assert (said == "required") == field.is_required(), name
        if said.startswith("`") and field.default_factory is None and field.default not in (None, ""):
            assert tomllib.loads(f"x = {said.strip('`')}")["x"] == in_toml(field), name


def in_toml(field: FieldInfo) -> Any:
    value = field.default
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else str(value)
    if isinstance(value, int) and field.annotation is int and value > 10**9:
        return str(value)
    return getattr(value, "value", value)


def test_the_template_uncommented_is_a_configuration() -> None:
    """Every example line in the template is one that works."""
    text = TEMPLATE.read_text(encoding="utf-8").replace("@NAME@", "agent").replace("@RPC@", "http://localhost:8545")
    for mark in ("@CHAIN_ID@", "@START_BLOCK@"):
        text = text.replace(mark, "1")
    text = text.replace("@GOVERNOR@", "0x" + "11" * 20).replace("0x...", "0x" + "22" * 20)
    text = re.sub(r'"\$\{\w+\}"', '"http://localhost:8546"', text)
    uncommented = re.sub(r'^# (?=\[|"0x|[a-z_]+ = )', "", text, flags=re.MULTILINE)
    settings = parse_settings(uncommented, ROOT / "pnyx.toml")
    assert all([settings.log, settings.signer, settings.metrics, settings.model, settings.addresses])
    assert all([settings.policy.checks, settings.plugins.notifiers])
