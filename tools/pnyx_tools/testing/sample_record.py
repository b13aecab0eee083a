"""One decision with something at every position of its record: for tests of whatever writes, reads or tells records."""

from __future__ import annotations

from typing import Final

from eth_hash.auto import keccak

from pnyx_contracts.decoded import Argument, DecodedCall
from pnyx_contracts.governors import GovernorProfile
from pnyx_contracts.selectors import selector_of
from pnyx_contracts.types import BlockRef, Call, ClockMode, Proposal, ProposalKey, ProposalState, to_hex
from pnyx_policies.analysis import Analysis, Analyst, KeyPoint, Opinion, Recommendation, Risk, RiskLevel
from pnyx_policies.approval import answered
from pnyx_policies.asset_prices import PriceOrigin
from pnyx_policies.bundle import Bundle, seal
from pnyx_policies.checks.protocol import CheckReport
from pnyx_policies.decision import Decision, Mode, Outcome, RuleOutcome
from pnyx_policies.dossier import NOBODY, Attempt, Dossier, Header, People, PromptTemplate, Software, State
from pnyx_policies.facts import (
    Balance,
    CallResult,
    DelegatedRun,
    EarlierCode,
    GovernorFacts,
    Grade,
    Holding,
    Movement,
    ProbeAnswer,
    ProbeReading,
    Simulation,
    SimulationStatus,
    Skipped,
    Tally,
    TargetFacts,
    ToolResult,
    VoterFacts,
)
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.probes import Each, Expectation, Probe
from pnyx_policies.review import review_digest

SALT_KEY: Final = bytes(range(32))
"""Master key of the salts."""

GOVERNOR: Final = "0x1111111111111111111111111111111111111111"
TOKEN: Final = "0x2222222222222222222222222222222222222222"  # noqa: S105 - an address
TIMELOCK: Final = "0x3333333333333333333333333333333333333333"
AGENT: Final = "0x4444444444444444444444444444444444444444"
LOG: Final = "0x5555555555555555555555555555555555555555"
RECIPIENT: Final = "0x7777777777777777777777777777777777777777"

KEY: Final = ProposalKey(chain_id=31337, governor=GOVERNOR, proposal_id=2**255 + 19)
RULESET: Final = 'id = "sample"\n'

BODIES: Final = {
    keccak(body): body
    for body in (
        b'{"messages":[{"content":"Proposal: caf\xc3\xa9","role":"user"}],"model":"m"}',
        b"\xff\xfe not UTF-8",
        '{"choices":[{"message":{"content":"\u202e{}"}}]}'.encode(),
    )
}
REQUEST, BROKEN_RESPONSE, RESPONSE = BODIES


def sample_bundle() -> Bundle:
    """Whole: nothing is withheld."""
    return seal(sample_dossier(), BODIES, SALT_KEY)


def sample_dossier() -> Dossier:
    """A payment that a ruleset voted for, in propose mode, and a person approved."""
    calldata = bytes.fromhex("a9059cbb") + bytes(12) + bytes.fromhex(RECIPIENT[2:]) + (10**21).to_bytes(32, "big")
    proposal = Proposal(
        key=KEY,
        proposer=RECIPIENT,
        calls=(Call(target=TOKEN, value_wei=0, calldata=calldata),),
        description=b"# Pay the auditors\n\xff",
        vote_start=100,
        vote_end=2**53 + 1,
        created_block=90,
        created_transaction=keccak(b"created"),
    )
    call = DecodedCall(
        path="0",
        target=TOKEN,
        value_wei=0,
        calldata=calldata,
        signature="transfer(address,uint256)",
        arguments=(
            Argument(name="to", type="address", value=RECIPIENT),
            Argument(name="amount", type="uint256", value=str(10**21)),
        ),
    )
    targets = (TargetFacts(address=TOKEN, has_code=True, code_hash=keccak(b"code"), opcodes=("DELEGATECALL",)),)
    digest = review_digest("openzeppelin", proposal, targets)
    rules = (
        RuleOutcome(rule="small-payment", matched=True, then="for", explanation="outflow 1000 <= 5000"),
        RuleOutcome(rule="fallback", matched=False, then="hold", explanation="not reached"),
    )
    decision = Decision(
        outcome=Outcome.FOR,
        reason="a small payment to a known address",
        decided_by="small-payment",
        review_digest=digest,
        ruleset_hash=keccak(RULESET.encode()),
    )
    analyst = Analyst(name="first", is_language_model=True, provider="openai", model="m", base_url_host="localhost")
    silent = Dossier(
        header=Header(
            agent="sample",
            mode=Mode.PROPOSE,
            chain_id=31337,
            log=LOG,
            writer=AGENT,
            config_hash=keccak(b"configuration"),
        ),
        proposal=proposal,
        calls=(call,),
        state=_sample_state(targets, digest),
        simulation=Simulation(
            status=SimulationStatus.SUCCEEDED,
            executor=TIMELOCK,
            method="debug_traceCall",
            passed_over=(Skipped(step="eth_simulateV1", why="the method does not exist"),),
            results=(CallResult(path="0", succeeded=True, gas_used=52_000),),
            movements=(Movement(kind="transfer", asset=TOKEN, sender=TIMELOCK, recipient=RECIPIENT, amount=10**21),),
            delegated=(DelegatedRun(path="0.0", code=TOKEN, account=TIMELOCK, succeeded=False, error="not today"),),
            readings=(
                ProbeReading(name="price", before=ProbeAnswer(data=b"\1" * 32), after=ProbeAnswer(error="reverts")),
                ProbeReading(
                    name="prices",
                    member=bytes(31) + b"\7",
                    before=ProbeAnswer(data=b"\1"),
                    after=ProbeAnswer(data=b"\2"),
                ),
            ),
            balances=(
                Balance(holder=TIMELOCK, token=TOKEN, before=10**24, after=None),
                Balance(holder=TIMELOCK, token=TOKEN, spender=RECIPIENT, before=0, after=2**256 - 1),
            ),
        ),
        context=(
            ToolResult(
                tool="history", version="1", grade=Grade.DERIVED, result={"\U0001f600": [1, True], "\ue000": None}
            ),
        ),
        prompt=(PromptTemplate(name="system", text="Read \u201cfacts\u201d first.\n"),),
        attempts=(
            Attempt(opinion=0, number=0, request_hash=REQUEST, response_hash=None, http_status=None, outcome="timeout"),
            Attempt(
                opinion=0,
                number=1,
                request_hash=REQUEST,
                response_hash=BROKEN_RESPONSE,
                http_status=200,
                outcome="invalid",
            ),
            Attempt(opinion=0, number=2, request_hash=REQUEST, response_hash=RESPONSE, http_status=200, outcome="ok"),
        ),
        opinions=(
            Opinion(
                analyst=analyst,
                analysis=Analysis(
                    summary="Pays the auditors. Nothing else.",
                    key_points=(KeyPoint(claim="It pays 1000 tokens.", call="0", effect=0),),
                    stated_intent="Pay the auditors",
                    claimed_effects=("A payment",),
                    risks=(Risk(level=RiskLevel.LOW, text="Little"),),
                    recommendation=Recommendation.FOR,
                    confidence_percent=80,
                ),
            ),
        ),
        checks=(
            CheckReport(
                check="outflow",
                version="1",
                findings=(Finding(check="outflow", severity=Severity.LOW, title="1000 tokens leave", calls=("0",)),),
            ),
            CheckReport(check="revert", version="1", skipped="the node does not simulate"),
        ),
        ruleset=RULESET,
        rules=rules,
        decision=decision,
        people=NOBODY,
        software=Software(pnyx="0.1.0", python="3.11.7", packages={"pydantic": "2.14.3"}),
    )
    word = answered(silent, person="alice", verdict="approve", expires_at=1_800_000_000)
    return silent.model_copy(update={"people": People(words=(word,), expired=None)})


def _sample_state(targets: tuple[TargetFacts, ...], digest: bytes) -> State:
    profile = GovernorProfile(
        kind="openzeppelin",
        address=GOVERNOR,
        chain_id=31337,
        name="Sample",
        version="1",
        counting_mode="support=bravo&quorum=for,abstain",
        clock_mode=ClockMode.BLOCK,
        token=TOKEN,
        timelock=TIMELOCK,
        can_vote=True,
    )
    return State(
        block=BlockRef(number=120, hash=keccak(b"block"), timestamp=1_700_000_000),
        review_digest=digest,
        governor=GovernorFacts(
            profile=profile,
            state=ProposalState.ACTIVE,
            snapshot=100,
            deadline=2**53 + 1,
            now=120,
            quorum=10**24,
            tally=Tally(against_votes=0, for_votes=10**24, abstain_votes=1),
        ),
        voter=VoterFacts(voter=AGENT, voting_power=3 * 10**23, has_voted=False),
        targets=targets,
        earlier_code=(EarlierCode(block=90, code_hashes={TOKEN: keccak(b"code")}),),
        treasury=(Holding(asset=None, symbol="ETH", decimals=18, balance=10**20),),
        known_addresses={RECIPIENT: "the auditors"},
        interfaces={TOKEN: {to_hex(selector_of("harvest(bytes)")): "harvest(bytes data)"}},
        probes=(
            Probe(name="price", contract=TOKEN, calldata=bytes(4), expect=Expectation.NEAR, most_move=500, word=1),
            Probe(
                name="prices",
                contract=TOKEN,
                calldata=bytes(36),
                each=Each(contract=TIMELOCK, calldata=bytes(4), argument=0),
            ),
        ),
        prices=(
            PriceOrigin(asset=None, feed=TIMELOCK),
            PriceOrigin(asset=TOKEN, pool=RECIPIENT),
            PriceOrigin(asset=RECIPIENT, fixed=10**18),
        ),
        skipped=(Skipped(step="names", why="no resolver"),),
    )
