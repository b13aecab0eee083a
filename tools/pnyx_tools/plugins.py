"""Plugins by entry-point groups. Our own parts come through the same door.

    group              an entry point is                                       seam
    pnyx.governors     a governance dialect                                    pnyx_contracts.governors.GovernorAdapter
    pnyx.checks        one question about a proposal                           pnyx_policies.checks.Check
    pnyx.tools         a read-only look at the world for one proposal          pnyx_tools.context.ContextTool
    pnyx.signers       a way to get entries and votes signed                   pnyx_tools.signer.client.SignerPort
    pnyx.notifiers     a way to tell people                                    pnyx_tools.notify.Notifier

Each entry point names a class (or a function) that is called without arguments; signers and notifiers get their
settings table as keyword arguments. Installed is not enabled: what does not come with Pnyx runs only when the
configuration names it, so that a package pulled in by another package cannot look at proposals unasked. What is created
is held against its seam at once: a plugin that does not fit is an error at the start, not in the middle of a review.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from inspect import isfunction
from types import MappingProxyType
from typing import Any, Final, get_type_hints

from pnyx_contracts.errors import UsageError
from pnyx_contracts.governors import GovernorAdapter
from pnyx_policies.checks import Check
from pnyx_tools.context import ContextTool
from pnyx_tools.notify import Notifier
from pnyx_tools.shallow import shallow
from pnyx_tools.signer.client import SignerPort

OWN_DISTRIBUTION: Final = "pnyx"

SEAMS: Final[Mapping[str, type]] = MappingProxyType(
    {
        "pnyx.governors": GovernorAdapter,
        "pnyx.checks": Check,
        "pnyx.tools": ContextTool,
        "pnyx.signers": SignerPort,
        "pnyx.notifiers": Notifier,
    }
)
"""The protocol that an object of each group fulfils."""

GROUPS: Final = tuple(SEAMS)

_OWN_NAMES: Final = ("name", "kind")
"""What an object calls itself; must be the name of its entry point, for configuration, rules and records use both."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One installed plugin. `distribution` and `version` say which package brought it."""

    group: str
    name: str
    distribution: str
    version: str
    entry_point: EntryPoint

    @property
    def is_own(self) -> bool:
        return self.distribution == OWN_DISTRIBUTION

    def create(self, settings: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - the group says what it is
        """The plugin's object. Raises `UsageError` naming the package when it cannot be made or does not fit."""
        try:
            with shallow():
                made = self.entry_point.load()(**(settings or {}))
        except (Exception, SystemExit) as error:
            why = f"cannot be loaded: {type(error).__name__}: {error}"
            hint = f"check its settings in the configuration: {', '.join(settings)}" if settings else ""
            raise self._unusable(why, hint) from error
        if misfit := _misfit(made, self):
            raise self._unusable(f"does not fit: {misfit}")
        return made

    def _unusable(self, why: str, hint: str = "") -> UsageError:
        return UsageError(
            f"plugin {self.name!r} of group {self.group} (package {self.distribution} {self.version}) {why}",
            hint=hint or f"upgrade or remove {self.distribution}, or take {self.name!r} out of the configuration",
        )


def installed(group: str) -> dict[str, Plugin]:
    """Installed plugins of a group by name, none of them loaded. Two packages that claim one name are an error: which
    one runs is no accident.
    """
    plugins: dict[str, Plugin] = {}
    for entry_point in entry_points(group=group):
        distribution = entry_point.dist
        plugin = Plugin(
            group,
            entry_point.name,
            distribution.name if distribution else "unknown",
            distribution.version if distribution else "",
            entry_point,
        )
        rival = plugins.setdefault(plugin.name, plugin)
        if rival is not plugin and rival.distribution != plugin.distribution:
            raise UsageError(
                f"two packages bring a plugin called {plugin.name!r} in group {group}: "
                f"{rival.distribution} and {plugin.distribution}",
                hint="uninstall one of them",
            )
    return plugins


def find(group: str, name: str) -> Plugin:
    """One plugin by name. Raises `UsageError` with the nearest name."""
    plugins = installed(group)
    if name in plugins:
        return plugins[name]
    near = get_close_matches(name, plugins, n=1)
    raise UsageError(
        f"no plugin called {name!r} in group {group}; installed: {', '.join(sorted(plugins)) or 'none'}",
        hint=f"did you mean {near[0]!r}?" if near else "install the package that brings it",
    )


def enabled(group: str, extra: Iterable[str] = ()) -> list[Any]:
    """Our own plugins of a group, sorted by name, then those that the configuration names, each once."""
    own = sorted((p for p in installed(group).values() if p.is_own), key=lambda p: p.name)
    named = [find(group, name) for name in dict.fromkeys(extra)]
    return [p.create() for p in [*own, *(p for p in named if not p.is_own)]]


def required(group: str) -> dict[str, type]:
    """What an object of this group must have: the seam's values with their types, and its methods as `Callable`."""
    seam = SEAMS[group]
    methods = {name: Callable for name, member in vars(seam).items() if isfunction(member) and name[0] != "_"}
    return {**get_type_hints(seam), **methods}


def _misfit(made: object, plugin: Plugin) -> str:
    """What is wrong with an object for its seam; empty when it fits."""
    for attribute, kind in required(plugin.group).items():
        value = getattr(made, attribute, None)
        if not isinstance(value, kind) or value == "":
            seen = "is missing" if value is None else f"is {value!r:.60}"
            return f"{type(made).__name__}.{attribute} {seen}, expected a {kind.__name__}"
        if attribute in _OWN_NAMES and value != plugin.name:
            return f"it calls itself {value!r}; entry point and object must have one name"
    return ""
