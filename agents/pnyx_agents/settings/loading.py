"""From a file to settings, or to one error that names all that is wrong in it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pnyx_agents.settings.whole import Settings
from pnyx_contracts.errors import UsageError
from pnyx_policies.toml import TomlError, parse_toml

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def load_settings(path: Path) -> Settings:
    """Read and check one file. Raises `UsageError` that names every wrong line at once."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"there is no configuration at {path}", hint="pnyx init writes a commented one") from None
    except OSError as error:
        raise UsageError(f"the configuration {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"the configuration {path} is no text in UTF-8") from None
    return parse_settings(text, path)


def parse_settings(text: str, path: Path) -> Settings:
    """Check the text of a file that lies, or will lie, at `path`. Raises `UsageError`."""
    try:
        raw = parse_toml(text)
    except TomlError as error:
        raise UsageError(f"{path} is no valid TOML: {error}", hint='strings need quotes: name = "value"') from None
    try:
        return Settings.model_validate({**_from_environment(raw, str(path)), "folder": path.resolve().parent})
    except ValidationError as error:
        problems = [f"  {_place(e['loc'])}: {_words(e)}" for e in error.errors() if not _follows(e, error.errors())]
        told, hint = "\n".join(problems), "docs/configuration.md has every setting"
        raise UsageError(f"{path} has {len(problems)} problem(s):\n{told}", hint=hint) from None


def _follows(error: ErrorDetails, errors: list[ErrorDetails]) -> bool:
    """A list is too short only because something is wrong with what it lists."""
    depth = len(error["loc"])
    inner = any(other["loc"][:depth] == error["loc"] and len(other["loc"]) > depth for other in errors)
    return inner and error["type"] == "too_short"


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "the file"


_WORDS = {
    "extra_forbidden": "there is no such setting",
    "missing": "is missing",
    "model_type": "expected a table",
    "tuple_type": "expected a list; tables of a list have double brackets, as in [[governor]]",
    "too_short": "expected at least one",
}


def _words(error: ErrorDetails) -> str:
    """What is wrong, for a person who does not know our types."""
    return _WORDS.get(error["type"], error["msg"].removeprefix("Value error, "))


_VARIABLE = re.compile(r"^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$")


def _from_environment(value: Any, source: str) -> Any:  # noqa: ANN401 - any TOML value
    if isinstance(value, dict):
        return {key: _from_environment(item, source) for key, item in value.items()}
    if isinstance(value, list):
        return [_from_environment(item, source) for item in value]
    if isinstance(value, str) and (match := _VARIABLE.match(value)):
        name = match.group(1)
        if name not in os.environ:
            raise UsageError(f"{source} refers to the environment variable {name}, which is not set")
        return os.environ[name]
    return value
