"""Evidence behind a URL is fetched once for a report, though the check and the telling both read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from pnyx_contracts.errors import DiffersError, UnreachableError
from pnyx_policies.audit import Label
from pnyx_tools.evidence import Keeper
from pnyx_tools.testing.serving import Answer, Asked, FileServer, web_page

from .conftest import World


class Place(FileServer):
    """Counts what it is asked for, and fails where it is told to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked: Counter[str] = Counter()
        self.failing: set[str] = set()

    def answer(self, asked: Asked) -> Answer:
        name = asked.path.lstrip("/")
        self.asked[name] += 1
        return web_page(503) if name in self.failing else super().answer(asked)


@pytest.fixture
def place(world: World) -> Iterator[Place]:
    world.folder.mkdir()
    with Place(world.folder) as place:
        yield place


@pytest.mark.parametrize("by", ["the member", "the agent"])
def test_every_file_is_fetched_once(world: World, place: Place, by: str) -> None:
    agent = world.plain_key(evidence_uri=place.url if by == "the agent" else "")
    for _ in range(3):
        agent.act(world.blocks, world.open_proposal())
    told = world.told(agent, evidence=place.url if by == "the member" else None)
    assert [row.check.label for row in told.rows] == [Label.CHECKED] * 3
    assert [row.story.outcome for row in told.rows] == ["for"] * 3
    assert place.asked == Counter({file.name: 1 for file in world.folder.iterdir()})
    assert len(place.asked) == 4, "three bundles and a configuration"


def test_what_does_not_come_is_asked_for_once(world: World, place: Place) -> None:
    agent = world.plain_key(evidence_uri=place.url)
    records = (agent.act(world.blocks, world.open_proposal()) for _ in range(3))
    gone, failing, changed = (world.bundle_file(sealed.bundle.record_root) for sealed in records)
    gone.unlink()
    place.failing.add(failing.name)
    changed.write_bytes(failing.read_bytes())
    told = world.told(agent, evidence=None)
    assert [row.story.evidence for row in told.rows] == ["missing", "missing", "differs"]
    assert "503" in told.rows[1].story.why
    assert set(place.asked.values()) == {1}


def test_beyond_the_room_files_are_fetched_again(place: Place, tmp_path: Path) -> None:
    digests = [bytes([number]) * 32 for number in range(3)]
    for digest in digests:
        (tmp_path / "evidence" / f"{digest.hex()}.json").write_bytes(digest * 4)
    store = Keeper(most_bytes=256).open(place.url)
    for _ in range(2):
        for digest in digests:
            with pytest.raises(DiffersError, match="changed"):  # named by no hash: what counts is who was asked
                store.get_configuration(digest)
    assert [place.asked[f"{digest.hex()}.json"] for digest in digests] == [1, 1, 2]


def test_a_place_that_failed_is_told_in_the_same_words(place: Place) -> None:
    place.failing.add(f"{bytes(32).hex()}.json")
    store = Keeper().open(place.url)
    words = []
    for _ in range(2):
        with pytest.raises(UnreachableError) as error:
            store.get_bundle(bytes(32))
        words.append(str(error.value))
    assert words[0] == words[1]
    assert place.asked.total() == 1
