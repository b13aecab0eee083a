"""A look at one proposal: by which settings, paid by whom, and where it is on chain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pnyx_agents import assembly
from pnyx_agents.analyst import Meter, NoMeter
from pnyx_agents.reviewer import Governed
from pnyx_agents.settings import AgentSettings, ChainSettings, GovernorSettings, PolicySettings, Settings, load_settings
from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import Proposal
from pnyx_policies.analysis import Analyst
from pnyx_policies.dossier import NO_AGENT
from pnyx_tools.costs import AnswerBook
from pnyx_tools.database import Database
from pnyx_tools.reader import ChainReader
from pnyx_tools.rpc import Rpc

SPAN_BLOCKS = 50_000
"""One look back; about a week of Ethereum blocks."""


def review_settings(governor: str, rpc: str | None, config: Path, ruleset: str | None, scratch: Path) -> Settings:
    """Settings for one review: those of the configuration when it is there, else just enough to read and decide, with
    `scratch` as data folder.
    """
    if config.exists():
        settings = load_settings(config)
        known = next(
            (g for g in settings.governor if g.address == governor), GovernorSettings(address=governor, start_block=0)
        )
        updates: dict[str, object] = {"governor": (known,)}
        if ruleset:
            updates["policy"] = settings.policy.model_copy(update={"ruleset": ruleset})
        if rpc:
            updates["chain"] = settings.chain.model_copy(update={"rpc": (rpc,)})
        return settings.model_copy(update=updates)
    if rpc is None:
        raise UsageError(f"there is no configuration at {config}", hint="give --rpc URL, or --config FILE")
    return Settings(
        agent=AgentSettings(name=NO_AGENT, data=str(scratch)),
        chain=ChainSettings(rpc=(rpc,), chain_id=Rpc(rpc).chain_id()),
        governor=(GovernorSettings(address=governor, start_block=0),),
        policy=PolicySettings(ruleset=ruleset or "guardian"),
        folder=Path.cwd(),
    )


def on_scratch(settings: Settings, scratch: Path) -> Settings:
    """The same, and nothing of the agent's own data is touched."""
    return settings.model_copy(update={"agent": settings.agent.model_copy(update={"data": str(scratch)})})


def meter_of(settings: Settings) -> Meter | None:
    """None where no model is asked."""
    return Looked(AnswerBook(Database(assembly.paths(settings).journal))) if settings.model else None


class Looked(NoMeter):
    """For a person who looks: neither counted nor capped, so that looks leave the agent its money. No answer is paid
    for that the agent has, or that somebody who looked before got.
    """

    def __init__(self, answers: AnswerBook) -> None:
        self._answers = answers

    def recall(self, seat: Analyst, request: bytes) -> bytes | None:
        return self._answers.recall(seat, request)

    def remember(self, seat: Analyst, request: bytes, response: bytes) -> None:
        self._answers.remember(seat, request, response)


def find_proposal(
    reader: ChainReader, governed: Governed, proposal_id: int, first: int, tell: Callable[[str], None]
) -> Proposal:
    """Looks back from the newest block to `first`, span by span. Raises `UsageError` when there is no such proposal."""
    adapter, profile = governed.adapter, governed.profile
    end = reader.block().number
    while end >= first:
        start = max(first, end - SPAN_BLOCKS + 1)
        tell(f"looking for the proposal in blocks {start} to {end}")
        for log in reader.logs(start, end, [list(adapter.created_topics())], [profile.address]):
            proposal = adapter.decode_created(profile, log)
            if proposal.key.proposal_id == proposal_id:
                return proposal
        end = start - 1
    raise UsageError(
        f"governor {profile.address} has created no proposal {proposal_id} since block {first}",
        hint="check the id and the chain" + ("; --from-block looks further back" if first else ""),
    )
