"""Facts of past proposals, kept in a folder: what an archive node told once is not asked for again.

    FOLDER/GOVERNOR/QUESTION.json     the facts, as JSON

QUESTION is the keccak-256 of all that the facts depend on: release, chain, proposal, block, the governor as it was
then, voter, tools, and what the configuration adds. Facts with a gap are not kept: another node may fill it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eth_hash.auto import keccak
from pydantic import JsonValue, ValidationError

from pnyx_agents.reviewer import Reviewer, software
from pnyx_contracts.canonical import canonical_bytes
from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.facts import Facts, SimulationStatus
from pnyx_tools.files import whole_file
from pnyx_tools.progress import Tell


@dataclass(frozen=True, slots=True)
class FactsFolder:
    """Where they lie; nowhere without a folder."""

    folder: Path | None = None

    def establish(self, judge: Reviewer, proposal: Proposal, block: BlockRef, tell: Tell) -> Facts:
        """As `Reviewer.establish`, asked once. Raises `UsageError` for a file that holds no facts."""
        if self.folder is None:
            return judge.establish(proposal, to_hex(block.hash), tell)
        file = self.folder / proposal.key.governor / f"{_question(judge, proposal, block).hex()}.json"
        if (kept := _read(file)) is not None:
            return kept
        facts = judge.establish(proposal, to_hex(block.hash), tell)
        if not _has_gap(facts):
            file.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(file) as whole:
                whole.write(facts.model_dump_json().encode())
        return facts


def _question(judge: Reviewer, proposal: Proposal, block: BlockRef) -> bytes:
    governed, configuration = judge.governors[proposal.key.governor], judge.configuration
    tools: JsonValue = {tool.name: tool.version for tool in judge.tools}
    return keccak(
        canonical_bytes(
            {
                "pnyx": software().pnyx,
                "proposal": proposal.model_dump(mode="json"),
                "block": block.model_dump(mode="json"),
                "governor": governed.profile.model_dump(mode="json"),
                "treasury": list(governed.treasury_assets),
                "voter": judge.voter,
                "tools": tools,
                "names": dict(judge.known_addresses),
                "interfaces": {address: dict(functions) for address, functions in configuration.interfaces.items()},
                "probes": [probe.model_dump(mode="json") for probe in configuration.probes],
                "prices": [price.model_dump(mode="json") for price in configuration.prices],
            },
            "the question",
        )
    )


def _read(file: Path) -> Facts | None:
    try:
        return Facts.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"the kept facts {file} cannot be read: {error.strerror}") from None
    except ValidationError:
        raise UsageError(f"{file} holds no facts", hint="delete it: they are asked for again") from None


def _has_gap(facts: Facts) -> bool:
    """A context tool that does not apply is none."""
    return any(step.tool is None for step in facts.skipped) or facts.simulation.status is SimulationStatus.SKIPPED
