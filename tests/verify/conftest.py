"""A chain with two governors, a log, and honest agents; each test starts from the same snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.worlds import Chain, TwoGovernors, as_it_was, calmly, two_governors

from pnyx_contracts.errors import PnyxError
from pnyx_policies.dossier import Dossier
from pnyx_policies.facts import Facts
from pnyx_policies.verify import Report, Step, Verdict
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.decisions import LocalAgent, Sealed, ask_outline
from pnyx_tools.verifier import verify

from .javascript import Answer, JavaScript, require_same, require_same_error


@dataclass
class World(TwoGovernors):
    """Where each check is made by Python and by JavaScript."""

    OTHER_RULESET: ClassVar = calmly("abstain")
    PYTHONS_ALONE: ClassVar = {
        "second_reader": "JavaScript asks one node",
        "adapters": "plugins for other governors are written in Python",
    }
    """Options of a check that JavaScript does not have, and why."""

    javascript: JavaScript
    verdicts: list[Verdict] = field(default_factory=list)
    """Every single one of the last check."""

    def check(
        self, agent: LocalAgent | None = None, *, url: str = "", python_alone: str = "", **options: Any
    ) -> Report:
        """By Python and by JavaScript, which must say the same of what both check; of another node when `url` is given.

        `python_alone` says why Python is enough.
        """
        url = url or self.node.url
        writer = agent and agent.writer
        options = {"upto": "latest", "evidence": self.folder} | options
        if python_alone or options.keys() & self.PYTHONS_ALONE:
            return self.check_in_python(url, writer, **options)
        theirs = self.check_in_javascript(url, writer, **options)
        try:
            report = self.check_in_python(url, writer, **options)
        except PnyxError as error:
            require_same_error(error, theirs)
            raise
        require_same(report, self.verdicts, theirs)
        return report

    def check_in_python(self, url: str, writer: str | None, **options: Any) -> Report:
        self.verdicts = []
        with closing(Rpc(url)) as rpc:
            return verify(rpc, self.log, writer, on_verdict=self.verdicts.append, **options)

    def check_in_javascript(self, url: str, writer: str | None, **options: Any) -> Answer:
        options["writer"] = writer
        arguments = [f"--{name}={value}" for name, value in options.items() if value and name != "disclosures"]
        for number, disclosure in enumerate(options.get("disclosures", ())):
            file = self.folder.parent / f"disclosure-{number}.json"
            file.write_bytes(disclosure.to_bytes())
            arguments.append(f"--disclosure={file}")
        return self.javascript.verify(url, self.log, *arguments)

    def check_fails(self, agent: LocalAgent | None = None, **options: Any) -> set[tuple[Step, str]]:
        """Checks; there must be problems. Gives their steps and where they differ ("" for what is missing)."""
        report = self.check(agent, **options)
        assert report.problems
        assert not report.ok
        assert report.exit_code == 1
        return {(v.step, v.where) for v in report.problems}

    @staticmethod
    def only_problem(report: Report) -> Verdict:
        assert len(report.problems) == 1, [f"{v.step.name}: {v} ({v.expected} / {v.seen})" for v in report.problems]
        assert not report.ok
        assert report.exit_code == 1
        return report.problems[0]

    @staticmethod
    def with_parts(dossier: Dossier, **parts: Any) -> Dossier:
        """A copy with parts of its parts changed: ``state__voter=...`` is ``dossier.state.voter``."""
        for path, value in parts.items():
            *outer, last = path.split("__")
            owners: list[Any] = [dossier]
            for name in outer:
                owners.append(getattr(owners[-1], name))
            changed = value
            for owner, name in zip(reversed(owners), [last, *reversed(outer)], strict=True):
                changed = owner.model_copy(update={name: changed})
            dossier = changed
        return dossier

    def write_changed(
        self, agent: LocalAgent, proposal: int, bodies: Any = None, **parts: Any
    ) -> tuple[Sealed, Sealed]:
        """An honest review, changed, then sealed, entered and voted as if nothing had happened."""
        honest = agent.review(self.blocks, proposal)
        dossier = self.with_parts(honest.dossier, **parts)
        changed = agent.seal(dossier, honest.bundle.bodies if bodies is None else bodies)
        agent.write(self.blocks, changed)
        return honest, changed

    @staticmethod
    def concluded(agent: LocalAgent, facts: Facts) -> Sealed:
        return agent.seal(agent.conclude(facts, ask_outline(facts)))


@pytest.fixture(scope="session")
def chain() -> Iterator[Chain]:
    with two_governors() as made:
        yield made


@pytest.fixture(scope="session")
def javascript() -> Iterator[JavaScript]:
    with JavaScript() as running:
        yield running


@pytest.fixture
def world(chain: Chain, javascript: JavaScript, tmp_path: Path) -> Iterator[World]:
    with as_it_was(chain[0]) as servers:
        yield World(*chain, tmp_path / "evidence", servers, javascript)


@pytest.fixture
def agent(world: World) -> LocalAgent:
    """A plain key that writes."""
    return world.plain_key()


@pytest.fixture
def proposal(world: World) -> int:
    """A harmless transfer, open for votes."""
    return world.open_proposal()
