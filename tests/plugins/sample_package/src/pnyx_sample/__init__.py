"""A sample of each kind of plugin."""

from __future__ import annotations

from pathlib import Path

from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal, Value
from pnyx_policies.checks import CheckView
from pnyx_policies.facts import Grade
from pnyx_policies.finding import Finding, Severity
from pnyx_tools.notify import Message
from pnyx_tools.reader import ChainReader


class RoundNumber:
    """A check: amounts that are suspiciously round."""

    name = "round-number"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        calls = [call.path for call in view.facts.every_call() if call.value_wei and call.value_wei % 10**18 == 0]
        if not calls:
            return ()
        title = f"{len(calls)} calls send a whole number of coins"
        return (Finding(check=self.name, severity=Severity.INFO, title=title, calls=tuple(calls)),)


class Size(Value):
    """How much there is to read."""

    calls: int
    text_bytes: int


class ProposalSize:
    """A context tool: how much there is to read."""

    name = "proposal_size"
    version = "1"
    grade = Grade.DERIVED
    description = "Number of calls and length of the text."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> Size:
        return Size(calls=len(proposal.calls), text_bytes=len(proposal.description))


class FileNotifier:
    """A notifier: appends titles to a file."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def notify(self, message: Message) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{message.urgency}: {message.title}\n")


class Versionless:
    """No check: it lacks a version."""

    name = "versionless"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        return ()
