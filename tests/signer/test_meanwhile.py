"""Others open proposals between the review of one, the signature for its vote, and the vote."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from pnyx_contracts.entry import EntryKind
from pnyx_contracts.errors import RefusedError
from pnyx_policies.checks.held_flood import MOST_OF_ONE
from pnyx_policies.context import Before, ProposerBefore
from pnyx_policies.dossier import Dossier
from pnyx_policies.facts import Skipped
from pnyx_policies.finding import Severity
from pnyx_policies.ruleset import Ruleset
from pnyx_tools.signer.judged_again import require_same_judgement
from pnyx_tools.signer.settings import WriterKind
from pnyx_tools.testing.facts import results_of

from .doctoring import refuses
from .parliament import FRIEND, GWEI, RULES, Parliament

MORE_THAN_ARE_TRIED = 9
STRANGER = "0x00000000000000000000000000000000000A11cE"


def propose_many(parliament: Parliament) -> None:
    for number in range(MORE_THAN_ARE_TRIED):
        text = f"# Thanks {parliament.node.rpc.block().number}.{number}\n\nPay 1 wei to {FRIEND}."
        parliament.governance.propose([FRIEND], [1], [b""], text)
    parliament.node.mine(2)


# A parliament of its own for each test, which few others use: what one opens stays open.


@pytest.mark.parametrize("kind", list(WriterKind))
def test_what_they_keep_from_being_tried_is_told_before_the_first_signature(
    found: Callable[..., Parliament], kind: WriterKind
) -> None:
    parliament = found(kind=kind, version=5, clock="timestamp")
    number = parliament.open()
    before = parliament.dossier(number)
    propose_many(parliament)
    refuses(parliament, parliament.ask_vote(before), "what the bundle does not tell: .*live-proposals: low")
    again = parliament.dossier(number)
    assert any(f.check == "live-proposals" and f.severity is Severity.LOW for r in again.checks for f in r.findings)
    assert parliament.signer().sign(parliament.ask_vote(again)).raw


def test_a_signed_vote_is_signed_once_more(found: Callable[..., Parliament]) -> None:
    """Dearer, or after a crash."""
    gate = found(kind=WriterKind.GATE, version=4, clock="timestamp")
    dossier = gate.dossier(gate.open())
    gate.signer().sign(gate.ask_vote(dossier))
    propose_many(gate)
    dearer = gate.signer().sign(gate.ask_vote(dossier, ticket=gate.ticket(max_fee_per_gas=30 * GWEI)))
    assert gate.land(dearer)["status"] == "0x1"


def test_an_announced_vote_is_cast(found: Callable[..., Parliament]) -> None:
    plain = found(kind=WriterKind.PLAIN_KEY, version=4)
    dossier = plain.dossier(plain.open())
    entry = plain.signer().sign(plain.ask_vote(dossier))
    assert plain.land(entry)["status"] == "0x1"
    propose_many(plain)
    ballot = plain.signer().sign(plain.ask_ballot(dossier, entry.transaction_hash))
    assert plain.land(ballot)["status"] == "0x1"


def test_a_signed_vote_is_not_signed_once_more_when_its_outcome_changed(found: Callable[..., Parliament]) -> None:
    """Another proposal takes all that the treasury has: this one would revert after it."""
    gate = found(kind=WriterKind.GATE, version=4)
    dossier = gate.dossier(gate.open())
    gate.signer().sign(gate.ask_vote(dossier))
    everything = gate.node.rpc.balance(gate.governance.timelock)
    gate.governance.propose([FRIEND], [everything], [b""], "# All of it\n\nPay everything to a friend.")
    gate.node.mine(2)
    refuses(gate, gate.ask_vote(dossier), "from what the signer sees now the rules give 'hold'")


def test_a_vote_is_not_signed_while_its_proposer_floods_people(found: Callable[..., Parliament]) -> None:
    """What the signer wrote itself tells it, whatever the bundle says."""
    plain = found(kind=WriterKind.PLAIN_KEY, version=5, clock="timestamp")
    dossier = plain.dossier(plain.open(value=3 * 10**15))
    flood = [plain.open(to=STRANGER) for _ in range(MOST_OF_ONE + 1)]
    for number in flood:
        entry = plain.signer().sign(plain.ask_entry(plain.dossier(number), EntryKind.HOLD))
        assert plain.land(entry)["status"] == "0x1"
    refuses(plain, plain.ask_vote(dossier), "from what the signer sees now the rules give 'hold'")
    again = plain.dossier(dossier.proposal.key.proposal_id)
    high = [finding.check for report in again.checks for finding in report.findings if finding.severity > Severity.LOW]
    assert high == ["held-flood"]
    plain.governance.advance_to_closed(flood[-1])


def test_a_signer_whose_endpoint_knows_more_than_the_daemons_refuses_no_vote_for_it(gate: Parliament) -> None:
    """An archive beside a node that forgets: the bundle says what did not run, and the outcome is the same."""
    told = gate.dossier(gate.open())
    unused = Before(block=1, coin_wei=0, transactions=0, has_code=False)
    others = tuple(result for result in told.context if result.tool != ProposerBefore.TOOL)
    known = ProposerBefore(proposer=told.proposal.proposer, before=unused)
    own = told.facts.model_copy(update={"context": (*others, *results_of([known]))})

    def judge(dossier: Dossier) -> None:
        evidence: Any = SimpleNamespace(dossier=dossier)
        seen: Any = SimpleNamespace(facts=own)
        require_same_judgement(Ruleset.parse(RULES, "test"), evidence, seen, is_signed=False)

    with pytest.raises(RefusedError, match="what the bundle does not tell: proposer: low"):
        judge(told)
    skipped = (*told.state.skipped, Skipped.of_tool(ProposerBefore.TOOL, "missing trie node"))
    judge(told.model_copy(update={"state": told.state.model_copy(update={"skipped": skipped}), "context": others}))
