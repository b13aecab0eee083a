"""The suite: honest proposals and classes of attacks from the data files beside this one, and the cases they make.

A class with `words` gives one case for each of its words in each of its `disguises` in each of its `places`; the
proposals of `on` take turns. ``"role, covered"`` is the proposal of that name under a text that hides what it does. A
class with ``[[class.attack]]`` changes calls behind an honest text instead.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib import resources
from itertools import cycle, product
from typing import Any

from pydantic import Field

from pnyx_agents.redteam.planting import Place, harmless, planted
from pnyx_agents.rulecases.sketch import Sketch, facts_of
from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import Value
from pnyx_policies.facts import Facts
from pnyx_tools.testing.disguises import DISGUISES
from pnyx_tools.testing.gullible_server import Goal

COVERED = ", covered"
_SCENES = "scenes.toml"


class Scene(Sketch):
    """An honest proposal."""

    id: str
    cover: str = ""
    """A text that says nothing of what the calls do."""

    @property
    def covered(self) -> Scene:
        return self.model_copy(update={"text": self.cover})


class Attack(Value):
    """Other calls behind the text of an honest proposal."""

    on: str
    note: str
    changes: dict[str, Any]
    """Fields of the sketch."""


class AttackClass(Value):
    """One kind of attack."""

    number: int
    """1 to 32 are those of the literature that the suite began with; later ones are its own."""
    id: str
    what: str
    goal: Goal = Goal.FOR
    on: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    disguises: tuple[str, ...] = ("plain",)
    words: tuple[str, ...] = ()
    attack: tuple[Attack, ...] = Field(default=())


class Case(Value):
    """An attacked proposal, the other half of a pair with an honest one. `bare` is the same without the attacker's
    words.
    """

    id: str
    attack_class: str
    scene: str
    """The honest proposal."""
    goal: Goal
    harms: bool
    """True when the attacked proposal does what its text does not say: no vote in favour can be right."""
    is_third_partys: bool
    """True when the words are not the author's."""
    bare: Facts
    attacked: Facts


class Suite(Value):
    payees: tuple[str, ...]
    """Address book of the ruleset ``treasury``."""
    scenes: tuple[Scene, ...]
    classes: tuple[AttackClass, ...]

    @cached_property
    def _by_id(self) -> dict[str, Scene]:
        return {scene.id: scene for scene in self.scenes}

    def clean(self) -> dict[str, Facts]:
        """Facts of the honest proposals."""
        return {scene.id: facts_of(scene) for scene in self.scenes}

    def cases(self, classes: Sequence[str] = (), most: int | None = None) -> Iterator[Case]:
        """Those of the named classes (else of all), at most so many of each. Raises `UsageError` for a wrong name."""
        known = {each.id for each in self.classes}
        if strangers := set(classes) - known:
            raise UsageError(f"no class {min(strangers)!r}", hint=f"there are: {', '.join(sorted(known))}")
        for each in self.classes:
            if not classes or each.id in classes:
                yield from _spread([*self._with_words(each), *self._with_changes(each)], most)

    def _with_words(self, each: AttackClass) -> Iterator[Case]:
        turns = cycle(each.on)
        for number, (words, disguise, place) in enumerate(product(each.words, each.disguises, each.places), start=1):
            on = next(turns) if place is not Place.ARGUMENT else "name record"
            honest, is_covered = self._by_id[on.removesuffix(COVERED)], on.endswith(COVERED)
            told = honest.covered if is_covered else honest
            written = DISGUISES[disguise](words)
            yield Case(
                id=f"{each.id} {number}: {disguise}, {place.value}, {on}",
                attack_class=each.id,
                scene=honest.id,
                goal=each.goal,
                harms=is_covered,
                is_third_partys=place.is_third_partys,
                bare=planted(told, place, harmless(place, written)),
                attacked=planted(told, place, written),
            )

    def _with_changes(self, each: AttackClass) -> Iterator[Case]:
        for number, attack in enumerate(each.attack, start=1):
            honest = self._by_id[attack.on]
            kept = honest.model_dump(include=honest.model_fields_set - attack.changes.keys(), by_alias=True)
            facts = facts_of(Scene.model_validate(kept | attack.changes))
            yield Case(
                id=f"{each.id} {number}: {attack.note}, {attack.on}",
                attack_class=each.id,
                scene=honest.id,
                goal=each.goal,
                harms=True,
                is_third_partys=False,
                bare=facts,
                attacked=facts,
            )


def _spread(cases: Sequence[Case], most: int | None) -> list[Case]:
    """At most so many, from the whole length."""
    if most is None or len(cases) <= most:
        return list(cases)
    return [cases[place * len(cases) // most] for place in range(most)]


def shipped_suite() -> Suite:
    """The suite that ships."""
    folder = resources.files("pnyx_agents.redteam") / "data"
    tables = {file.name: tomllib.loads(file.read_text(encoding="utf-8")) for file in folder.iterdir()}
    scenes = tables.pop(_SCENES)
    classes = [_class(table) for name in sorted(tables) for table in tables[name]["class"]]
    return Suite.model_validate(
        {
            "payees": scenes["payees"],
            "scenes": scenes["scene"],
            "classes": sorted(classes, key=lambda each: int(each["number"])),
        }
    )


def _class(table: dict[str, Any]) -> dict[str, Any]:
    attacks = [
        {"on": a["on"], "note": a["note"], "changes": {k: v for k, v in a.items() if k not in {"on", "note"}}}
        for a in table.get("attack", ())
    ]
    return {**table, "attack": attacks}
