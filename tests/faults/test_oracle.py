"""The judge finds each wrong thing, made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from pnyx_contracts.decision_log import vote_action
from pnyx_contracts.entry import EntryKind
from pnyx_contracts.types import Vote
from pnyx_policies.bundle import Bundle
from pnyx_policies.entitlement import entitlement
from pnyx_tools.evidence import FolderStore
from pnyx_tools.journal import Case, Stage
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.decisions import LocalAgent, Sealed
from pnyx_tools.testing.deploy import Governance, deploy_governance, deploy_log, encode_call
from pnyx_tools.testing.faults.oracle import Oracle
from pnyx_tools.testing.settling import RULES


class Court:
    """A plain key's agent, and the judge of it."""

    def __init__(self, node: Anvil, folder: Path, contract: str | None = None) -> None:
        self.node = node
        self.dao: Governance = deploy_governance(node, contract=contract, voting_period=1000)
        self.start = node.rpc.block().number
        self.agent = LocalAgent(node, deploy_log(node), [self.dao], FolderStore(folder), RULES)
        self.agent.register()
        self.oracle = Oracle(node.rpc, self.agent.log, self.agent.writer, (self.dao,), folder, self.start)

    def proposal(self) -> int:
        receiver, number = self.node.accounts[7], len(self.dao.proposals)
        text = f"# Payment {number}\n\nSends 0.001 ETH to {receiver} for the documentation."
        proposal = self.dao.propose([receiver], [10**15], [b""], text)
        self.dao.advance_to_active(proposal)
        return proposal

    def reviewed(self) -> tuple[int, Sealed]:
        proposal = self.proposal()
        return proposal, self.agent.review(self.dao, proposal)

    def announce(self, sealed: Sealed, action: Vote = Vote.FOR) -> None:
        support = self.dao.adapter.support_of(self.dao.profile, action)
        key = sealed.dossier.proposal.key
        self.agent.enter(
            key, EntryKind.VOTE, sealed.bundle.record_root, sealed.bundle.prompt_hash, vote_action(support)
        )

    def vote(self, sealed: Sealed, vote: Vote = Vote.FOR) -> None:
        self.agent.cast(self.dao, sealed.dossier.proposal.key, vote, sealed.dossier.decision.reason)

    def wrongs(self, cases: list[Case] | None = None) -> set[str]:
        """Kinds of what is wrong, beside what the general check finds as well."""
        counts = self.oracle.rule(cases).counts
        return {kind for kind, count in counts.items() if count} - {"problems that members find"}


@pytest.fixture
def court(node: Anvil, tmp_path: Path) -> Court:
    return Court(node, tmp_path / "evidence")


def done(sealed: Sealed, transaction: str) -> Case:
    return Case(proposal=str(sealed.dossier.proposal.key), stage=Stage.DONE, entry_transaction=transaction)


def test_an_honest_agent_is_cleared(court: Court) -> None:
    sealed = court.agent.act(court.dao, court.proposal())
    (entry,) = court.oracle.entries()
    ruling = court.oracle.rule([done(sealed, "0x" + entry.transaction_hash.hex())])
    assert ruling.lines() == []
    assert (ruling.proposals, ruling.votes, ruling.entries) == (1, 1, 1)


def test_a_proposal_without_an_answer(court: Court) -> None:
    court.proposal()
    assert court.wrongs() == {"proposals missed"}


def test_a_proposal_that_the_agent_says_it_missed(court: Court) -> None:
    _, sealed = court.reviewed()
    bundle = sealed.bundle
    court.agent.enter(sealed.dossier.proposal.key, EntryKind.MISSED, bundle.record_root, bundle.prompt_hash)
    assert court.wrongs() == {"proposals missed"}


def test_a_vote_that_was_announced_and_is_not_there(court: Court) -> None:
    _, sealed = court.reviewed()
    court.announce(sealed)
    assert court.wrongs() == {"proposals missed"}


def test_a_vote_without_an_entry(court: Court) -> None:
    _, sealed = court.reviewed()
    court.vote(sealed)
    court.announce(sealed)
    assert court.wrongs() == {"votes without an entry"}


@pytest.mark.parametrize(("announced", "cast"), [(Vote.AGAINST, Vote.FOR), (Vote.AGAINST, Vote.AGAINST)])
def test_a_vote_that_differs_from_its_decision(court: Court, announced: Vote, cast: Vote) -> None:
    _, sealed = court.reviewed()
    assert entitlement(sealed.dossier).vote is Vote.FOR
    court.announce(sealed, announced)
    court.vote(sealed, cast)
    assert court.wrongs() == {"votes that differ from their decision"}


def test_a_vote_whose_record_is_gone(court: Court) -> None:
    sealed = court.agent.act(court.dao, court.proposal())
    (court.oracle.evidence / f"{sealed.bundle.record_root.hex()}.json").unlink()
    assert court.wrongs() == {"votes that differ from their decision"}


def test_a_vote_whose_record_was_changed(court: Court) -> None:
    sealed = court.agent.act(court.dao, court.proposal())
    file = court.oracle.evidence / f"{sealed.bundle.record_root.hex()}.json"
    fields = {**sealed.bundle.fields, "ruleset": "name = 'another'"}
    file.write_bytes(Bundle.model_validate(sealed.bundle.model_dump() | {"fields": fields}).to_bytes())
    assert court.wrongs() == {"votes that differ from their decision"}


def test_an_entry_that_was_written_twice(court: Court) -> None:
    sealed = court.agent.act(court.dao, court.proposal())
    court.announce(sealed)
    assert court.wrongs() == {"entries doubled"}


def test_two_votes_announced_for_one_proposal(court: Court) -> None:
    proposal = court.proposal()
    court.announce(court.agent.review(court.dao, proposal))
    court.agent.act(court.dao, proposal)
    assert court.wrongs() == {"entries doubled"}


def test_an_entry_that_the_journal_has_and_the_log_has_not(court: Court) -> None:
    sealed = court.agent.act(court.dao, court.proposal())
    assert court.wrongs([done(sealed, "0x" + "ab" * 32)]) == {"entries lost"}


@pytest.mark.parametrize("stage", [Stage.FAILED, Stage.VOTING, Stage.GONE])
def test_an_agent_that_is_not_done(court: Court, stage: Stage) -> None:
    sealed = court.agent.act(court.dao, court.proposal())
    assert court.wrongs([done(sealed, "").model_copy(update={"stage": stage})]) == {"agents that need help"}


def test_an_agent_that_never_saw_a_proposal(court: Court) -> None:
    court.agent.act(court.dao, court.proposal())
    assert court.wrongs([]) == {"agents that need help"}


def test_two_votes(node: Anvil, tmp_path: Path) -> None:
    """Only a governor that counts parts of a vote takes a second one."""
    court = Court(node, tmp_path / "evidence", contract="GovernorFractional5")
    proposal, one_vote_against = court.proposal(), (1).to_bytes(16, "big") + bytes(32)
    data = encode_call(
        "castVoteWithReasonAndParams(uint256,uint8,string,bytes)", proposal, 255, "in parts", one_vote_against
    )
    for _ in range(2):
        node.send(court.dao.governor, data, sender=court.agent.key)
    assert court.oracle.rule().counts["votes doubled"] == 1


def test_what_only_the_general_check_finds(court: Court) -> None:
    """A vote by decisions that its facts do not bear: the bundle holds together, and is not true."""
    _, sealed = court.reviewed()
    calls = sealed.dossier.model_copy(update={"state": sealed.dossier.state.model_copy(update={"treasury": ()})})
    court.agent.write(court.dao, court.agent.seal(calls))
    assert {kind for kind, n in court.oracle.rule().counts.items() if n} == {"problems that members find"}
