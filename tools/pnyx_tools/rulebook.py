"""Rulesets from where they lie: those that ship, by name; others from files. Each is made whole."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from pnyx_contracts.errors import UsageError
from pnyx_policies.extending import RulesetFile, extended_by, load
from pnyx_policies.ruleset import Ruleset
from pnyx_policies.rulesets import shipped_ruleset, shipped_rulesets


def read_ruleset(name: str, folder: Path, checks: Collection[str] | None = None) -> Ruleset:
    """By the name of one that ships, or by a path from `folder`. `checks` as in `Ruleset.parse`.

    Raises `UsageError` when there is none of this name, `RulesetError` when it cannot be used.
    """
    return load(_find(name, folder), find_extended, checks)


def files_of(name: str, folder: Path) -> tuple[Path, ...]:
    """The files that a ruleset is made of: its own, and those that it extends. None for one that ships.

    Raises as `read_ruleset` does.
    """
    files: list[Path] = []
    file: RulesetFile | None = _find(name, folder)
    while file is not None and not _ships(file) and (path := Path(file.source)) not in files:
        files.append(path)
        base = extended_by(file)
        file = find_extended(base, file) if base is not None else None
    return tuple(files)


_SHIPPED = "shipped:"


def _ships(file: RulesetFile) -> bool:
    return file.source.startswith(_SHIPPED)


def find_extended(name: str, file: RulesetFile) -> RulesetFile:
    """A path begins where the file lies that names it."""
    return _find(name, Path(file.source).parent)


def _find(name: str, folder: Path) -> RulesetFile:
    if name in shipped_rulesets():
        return RulesetFile(shipped_ruleset(name), f"{_SHIPPED}{name}")
    path = (folder / name).resolve()
    try:
        return RulesetFile(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        raise UsageError(
            f"no ruleset {name!r}: none is shipped with that name, and there is no file {path}",
            hint=f"shipped are: {', '.join(shipped_rulesets())}",
        ) from None
    except OSError as error:
        raise UsageError(f"the ruleset {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"the ruleset {path} is no text in UTF-8") from None
