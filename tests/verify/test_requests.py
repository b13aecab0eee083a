"""How many requests a check makes of a node: a member's endpoint may count them, or charge for them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

import pytest

from pnyx_contracts.errors import UnreachableError
from pnyx_policies.verify import Report
from pnyx_tools import transport
from pnyx_tools.reader import RevertedError
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.provider import Provider, error, result
from pnyx_tools.transport import MAX_TOGETHER
from pnyx_tools.verifier import verify

MOST_REQUESTS_PER_RECORD = 32
"""28 to 31 when this was written: nine for the facts, the rest for the context. Seven of these are for other live
proposals: their states, three simulations, and the block after each."""
MOST_QUESTIONS_PER_RECORD = 92
"""87 to 90 when this was written. 33 are about the facts: fifteen of them are what the governor was at that block, two
are code in the block of the proposal. The rest is about the context: twenty of it are roles in the timelock."""

SUPPORTS_INTERFACE = "0x01ffc9a7"


@dataclass(frozen=True)
class Asked:
    report: Report
    requests: int
    questions: Counter[str]

    @property
    def repeated(self):
        """But for balances, which are never kept, and empty answers about logs, which are not believed at once. What is
        left is the liveness of the node, which is asked for on purpose: the state of the log.
        """
        never_kept = ("eth_getBalance", "eth_getLogs")
        repeated = (question for question, count in self.questions.items() if count > 1)
        return {question for question in repeated if json.loads(question)[0] not in never_kept}


def check(world, provider):
    return verify(Rpc(provider.url), world.log, evidence=world.folder, upto="latest")


def asked(world, **options):
    with Provider(world.node.url, **options) as provider:
        report = check(world, provider)
        questions = Counter(json.dumps([q["method"], q["params"]]) for q in provider.asked)
        return Asked(report, provider.requests, questions)


@pytest.fixture(params=["gate", "plain_key"])
def writer(world, request):
    agent = getattr(world, request.param)()
    for _ in range(2):
        agent.act(world.blocks, world.open_proposal())
    return agent


def test_what_one_more_record_costs(world, writer):
    before = asked(world)
    writer.act(world.blocks, world.open_proposal())
    after = asked(world)
    assert before.report.ok
    assert after.report.ok
    assert after.requests - before.requests <= MOST_REQUESTS_PER_RECORD
    assert after.questions.total() - before.questions.total() <= MOST_QUESTIONS_PER_RECORD
    still_there = 3  # the block of each record, asked for afresh after its simulation
    alone = 3  # what each proposal does alone, looked at again beside what it does after other live ones
    assert len(after.repeated) <= 2 + still_there + alone, "\n".join(sorted(after.repeated))


@pytest.mark.usefixtures("writer")
def test_a_node_that_takes_no_batches_is_asked_one_by_one(world):
    together, alone = asked(world), asked(world, most_together=0)
    assert alone.report.to_json() == together.report.to_json()
    assert alone.requests > 2 * together.requests
    tries = alone.requests - alone.questions.total()
    assert 1 <= tries <= MAX_TOGETHER.bit_length(), "it is tried with ever fewer"


@pytest.mark.usefixtures("writer")
def test_a_batch_that_a_limit_refuses_is_no_answer(world):
    """It fails as a whole: an answer to each question is looked for all the same, and the next batch is sent."""
    limited = []

    def busy(question):
        if SUPPORTS_INTERFACE not in json.dumps(question["params"]) or limited:
            return None
        limited.append(question)
        return 429, b"slow down"

    with Provider(world.node.url, busy) as provider:
        report = check(world, provider)
        asked_one_by_one = asked(world, most_together=0)
        assert report.to_json() == asked_one_by_one.report.to_json()
        assert provider.requests < asked_one_by_one.requests
    assert limited


@pytest.mark.usefixtures("writer")
def test_nothing_is_concluded_from_a_node_that_goes_away(world, monkeypatch):
    """What was read before is kept, and must not hide that there is no node any more."""
    monkeypatch.setattr(transport, "BACKOFF_SECONDS", ())

    def gone(_):
        return (502, b"") if any(q["method"] == "eth_simulateV1" for q in provider.asked) else None

    with Provider(world.node.url) as provider:
        provider.rule = gone
        with pytest.raises(UnreachableError):
            check(world, provider)


def test_answers_in_a_batch_are_told_apart():
    def rule(question):
        match question["method"]:
            case "reverts":
                return error(question, -32000, "execution reverted", "0x1234")
            case "fails":
                return error(question, -32000, "header not found")
            case "is empty":
                return result(question, None)
            case "is another's":
                return 200, {"jsonrpc": "2.0", "id": "7", "result": "0x01"}
            case _:
                return result(question, question["params"])

    methods = ("first", "reverts", "fails", "is empty", "is another's", "last")
    with Provider(rule=rule) as provider:
        first, reverted, *nothing, last = Rpc(provider.url).ask_together([(method, [method]) for method in methods])
    assert (first, last) == (["first"], ["last"])
    assert nothing == [None, None, None]
    assert reverted is None, "only calls revert"
    with Provider(rule=lambda question: error(question, 3, "execution reverted", "0x1234")) as provider:
        (reverted,) = Rpc(provider.url).ask_together([("eth_call", [])])
    assert isinstance(reverted, RevertedError)
    assert reverted.data == b"\x12\x34"
