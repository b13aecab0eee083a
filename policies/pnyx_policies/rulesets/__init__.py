"""Rulesets that ship with Pnyx: ``NAME.toml`` beside this file."""

from __future__ import annotations

from importlib.resources import files

from pnyx_contracts.errors import UsageError


def shipped_rulesets() -> tuple[str, ...]:
    """Names of the rulesets that ship, sorted."""
    return tuple(sorted(f.name.removesuffix(".toml") for f in files(__name__).iterdir() if f.name.endswith(".toml")))


def shipped_ruleset(name: str) -> str:
    """The TOML text of a shipped ruleset. Raises `UsageError` for a name that does not ship."""
    if name not in shipped_rulesets():
        raise UsageError(f"no ruleset called {name!r} ships with Pnyx", hint=f"one of: {', '.join(shipped_rulesets())}")
    return files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
