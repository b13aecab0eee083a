"""An entry whose proposal a reorganisation took away is taken back, when the signer sees that by itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pnyx_agents.steward import Landed
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.types import Vote, to_hex
from pnyx_policies.entitlement import Entitlement
from pnyx_tools.recorder import Case
from pnyx_tools.signer.protocol import NotYetError
from pnyx_tools.signer.settings import WriterKind

from .doctoring import refuses
from .landed import own_entries, own_votes, scribe_of
from .parliament import Parliament

HOLD, VOTE = Entitlement(EntryKind.HOLD), Entitlement(EntryKind.VOTE, Vote.FOR)
FINAL_BLOCKS = 2 * 32
"""anvil calls final what is two epochs old."""


def written(parliament: Parliament, what: Entitlement) -> Case:
    """A proposal with an entry about it."""
    amount = 10**15 if what.vote else 10**24
    case = parliament.case(parliament.dossier(parliament.open(value=amount)))
    scribe = scribe_of(parliament, parliament.signer())
    if what.vote:
        with pytest.raises(NotYetError):
            scribe.write(case.bundle, what)
    else:
        scribe.write(case.bundle, what)
    assert own_entries(parliament, case) == [what.kind]
    return case


def take_away(parliament: Parliament, case: Case) -> str:
    """The chain takes another way, which has the entry, and not the proposal. The proposal's raw transaction."""
    node, proposal = parliament.node, case.dossier.proposal
    (log,) = node.rpc.logs(proposal.created_block, 10**6, [], [parliament.settings.log])
    raw = [
        node.request("eth_getRawTransactionByHash", to_hex(h))
        for h in (log.transaction_hash, proposal.created_transaction)
    ]
    node.request("anvil_reorg", node.rpc.block().number - proposal.created_block + 1, [[raw[0], 0]])
    assert own_entries(parliament, case)
    return str(raw[1])


def take_back(parliament: Parliament, case: Case) -> Landed:
    return scribe_of(parliament, parliament.signer()).take_back(case.bundle)


@pytest.mark.parametrize(
    ("kind", "what"), [(WriterKind.GATE, HOLD), (WriterKind.PLAIN_KEY, HOLD), (WriterKind.PLAIN_KEY, VOTE)]
)
def test_what_was_written_about_a_proposal_that_is_gone_is_taken_back(
    found: Callable[..., Parliament], kind: WriterKind, what: Entitlement
) -> None:
    parliament = found(kind=kind)
    case = written(parliament, what)
    scribe = scribe_of(parliament, parliament.signer())
    assert scribe.stranded(case.dossier.proposal) == [case.bundle.record_root]
    take_away(parliament, case)
    with pytest.raises(NotYetError, match="nothing is taken back before the entry's block"):
        take_back(parliament, case)
    parliament.node.mine(FINAL_BLOCKS)

    landed = take_back(parliament, case)

    assert landed.is_void
    assert own_entries(parliament, case) == [what.kind, EntryKind.VOID]
    assert scribe.stranded(case.dossier.proposal) == []
    assert take_back(parliament, case) == landed


def test_nothing_is_taken_back_about_a_proposal_that_is_there(gate: Parliament) -> None:
    case = written(gate, HOLD)
    gate.node.mine(FINAL_BLOCKS)
    refuses(gate, gate.ask_entry(case.dossier, EntryKind.VOID), "no VOTE entry with this record root")


def test_nothing_is_taken_back_that_was_never_written(gate: Parliament) -> None:
    case = written(gate, HOLD)
    other = gate.dossier(case.key.proposal_id)
    take_away(gate, case)
    gate.node.mine(FINAL_BLOCKS)
    refuses(gate, gate.ask_entry(other, EntryKind.VOID), "no VOTE entry with this record root")


def test_no_vote_for_a_proposal_that_is_gone(gate: Parliament) -> None:
    case = written(gate, HOLD)
    take_away(gate, case)
    gate.node.mine(FINAL_BLOCKS)
    for kind in (EntryKind.HOLD, EntryKind.SKIP, EntryKind.CORRECTION):
        refuses(gate, gate.ask_entry(case.dossier, kind), "the governor announced no such proposal")


def test_a_proposal_that_comes_again_is_voted_on(gate: Parliament) -> None:
    """What was taken back is another record than the one that a new review makes."""
    case = written(gate, HOLD)
    raw = take_away(gate, case)
    gate.node.mine(FINAL_BLOCKS)
    take_back(gate, case)
    gate.node.request("eth_sendRawTransaction", raw)
    gate.node.mine()
    number = case.key.proposal_id
    topics = [list(gate.booth.adapter.created_topics())]
    (log,) = gate.node.rpc.logs(case.dossier.proposal.created_block, 10**6, topics, [gate.governance.governor])
    gate.governance.proposals[number] = gate.booth.adapter.decode_created(gate.booth.profile, log)
    gate.governance.advance_to_active(number)
    again = gate.case(gate.dossier(number))
    assert scribe_of(gate, gate.signer()).write(again.bundle, HOLD).entry_transaction
    assert own_entries(gate, again) == [EntryKind.HOLD, EntryKind.VOID, EntryKind.HOLD]
    assert own_votes(gate, again) == 0
