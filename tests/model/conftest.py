"""Facts to read and answers to give, for tests of prompts, models and analysts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pnyx_agents.analyst import ModelAnalyst
from pnyx_contracts.decoded import Argument, DecodedCall
from pnyx_contracts.governors import GovernorProfile
from pnyx_contracts.types import BlockRef, Call, ClockMode, Proposal, ProposalKey, ProposalState
from pnyx_policies.analysis import Analysis, KeyPoint, Recommendation, Risk, RiskLevel
from pnyx_policies.facts import (
    CallResult,
    Facts,
    GovernorFacts,
    Grade,
    Holding,
    Movement,
    Simulation,
    SimulationStatus,
    TargetFacts,
    ToolResult,
)
from pnyx_policies.review import review_digest
from pnyx_tools.model import LangChainModel, ModelSettings
from pnyx_tools.testing.openai_server import OpenAIServer, Script

GOVERNOR = "0x323A76393544d5ecca80cd6ef2A560C6a395b7E3"
TIMELOCK = "0xFe89cc7aBB2C4183683ab71653C4cdc9B02D44b7"
TOKEN = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
PAYEE = "0x690F0581eCecCf8389c223170778cD9D029606F2"
KEY = "sk-test-0123456789abcdefSECRET"
TEXT = "# Pay the auditors\n\nSend 1,218,669.76 USDC to the auditors\u2019 Safe \u2014 as agreed in EP 5.3."


def _facts(text: str | bytes = TEXT, **changes: Any) -> Facts:
    description = text.encode() if isinstance(text, str) else text
    calldata = bytes.fromhex("a9059cbb") + bytes.fromhex(PAYEE[2:]).rjust(32, b"\0") + (1218669760000).to_bytes(32)
    proposal = Proposal(
        key=ProposalKey(chain_id=1, governor=GOVERNOR, proposal_id=7),
        proposer=PAYEE,
        calls=(Call(target=TOKEN, value_wei=0, calldata=calldata),),
        description=description,
        vote_start=100,
        vote_end=200,
        created_block=90,
        created_transaction=bytes(32),
    )
    targets = (TargetFacts(address=TOKEN, has_code=True, code_hash=b"\1" * 32),)
    call = DecodedCall(
        path="0",
        target=TOKEN,
        value_wei=0,
        calldata=calldata,
        signature="transfer(address,uint256)",
        arguments=(
            Argument(name="to", type="address", value=PAYEE),
            Argument(name="amount", type="uint256", value="1218669760000"),
        ),
    )
    values: dict[str, Any] = {
        "block": BlockRef(number=150, hash=b"\2" * 32, timestamp=1_700_000_000),
        "proposal": proposal,
        "review_digest": review_digest("openzeppelin", proposal, targets),
        "governor": GovernorFacts(
            profile=GovernorProfile(
                kind="openzeppelin",
                address=GOVERNOR,
                chain_id=1,
                name="ENS Governor",
                version="1",
                counting_mode="support=bravo&quorum=for,abstain",
                clock_mode=ClockMode.BLOCK,
                token=None,
                timelock=TIMELOCK,
                can_vote=True,
            ),
            state=ProposalState.ACTIVE,
            snapshot=100,
            deadline=200,
            now=150,
            quorum=10**24,
            tally=None,
        ),
        "voter": None,
        "calls": (call,),
        "targets": targets,
        "simulation": Simulation(
            status=SimulationStatus.SUCCEEDED,
            executor=TIMELOCK,
            results=(CallResult(path="0", succeeded=True, gas_used=50_000),),
            movements=(Movement(kind="transfer", asset=TOKEN, sender=TIMELOCK, recipient=PAYEE, amount=1218669760000),),
        ),
        "treasury": (
            Holding(asset=None, symbol="ETH", decimals=18, balance=25 * 10**17),
            Holding(asset=TOKEN, symbol="USDC", decimals=6, balance=10**13),
        ),
        "context": (
            ToolResult(tool="proposer-history", version="1", grade=Grade.DERIVED, result={"b": 1.0, "a": "\u00e9"}),
        ),
    }
    return Facts(**{**values, **changes})


@pytest.fixture(scope="session")
def make_facts() -> Callable[..., Facts]:
    """`make_facts(text, **changed_fields)`: an ENS-like transfer of USDC with `text` as its description."""
    return _facts


@pytest.fixture
def facts() -> Facts:
    return _facts()


@pytest.fixture(scope="session")
def analysis() -> Analysis:
    """A good answer about `facts`: it cites the call and, with straight quotes, the text."""
    return Analysis(
        summary="Pays the auditors. The call does what the text says.",
        key_points=(
            KeyPoint(claim="1,218,669.76 USDC go to one address.", call="0"),
            KeyPoint(claim="The text names the auditors.", quotation="to the auditors' Safe - as agreed"),
        ),
        stated_intent="Pay the auditors.",
        claimed_effects=("The auditors get 1,218,669.76 USDC.",),
        risks=(Risk(level=RiskLevel.LOW, text="The address was not checked against another source."),),
        recommendation=Recommendation.FOR,
        confidence_percent=80,
    )


class Bench:
    """A scripted server, an analyst that asks it through the real `ChatOpenAI`, and the pauses that it made."""

    def __init__(self, server: OpenAIServer) -> None:
        self.server = server
        self.pauses: list[float] = []

    def analyst(self, **settings: Any) -> ModelAnalyst:
        values = {"model": "gpt-test", "base_url": self.server.base_url, "timeout_seconds": 5, **settings}
        model = LangChainModel(ModelSettings(**values), {"OPENAI_API_KEY": KEY})
        return ModelAnalyst(model, pause=self.pauses.append)


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    """`bench(reply, reply ...)` starts a server with that script."""
    servers: list[OpenAIServer] = []

    def start(*replies: Script) -> Bench:
        server = OpenAIServer(replies).__enter__()
        servers.append(server)
        return Bench(server)

    yield start
    for server in servers:
        server.__exit__(None, None, None)
