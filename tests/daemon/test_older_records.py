"""An update meets proposals under way whose last record is of a form that it cannot read: they are reviewed again."""

from __future__ import annotations

import json

from pnyx_contracts.canonical import canonical_bytes
from pnyx_contracts.entry import EntryKind
from pnyx_tools.journal import Case, Stage

from .conftest import Agent, MakeAgent, pay, pnyx


def make_older(agent: Agent, case: Case, *fields: str) -> None:
    """The private record, as a release left it that knew another member of these fields."""
    file = agent.folder / "data" / "bundles" / f"{case.record_root.removeprefix('0x')}.json"
    bundle = json.loads(file.read_bytes())
    for field in fields:
        bundle["fields"][field]["known_to_an_older_release"] = 1
    file.write_bytes(canonical_bytes(bundle, "bundle"))
    agent.node.mine()  # the next record is one of another block


def is_held_anew(agent: Agent, held: Case) -> bool:
    now = agent.case(int(held.proposal.rpartition(":")[2]))
    return now is not None and now.stage is Stage.HELD and now.record_root != held.record_root


def test_a_held_proposal_is_reviewed_again_and_people_are_heard(make_agent: MakeAgent) -> None:
    agent = make_agent(mode="propose")
    agent.start()
    proposal = pay(agent)
    held = agent.until_stage(proposal, Stage.HELD)
    agent.kill()
    make_older(agent, held, "state")
    shown = pnyx(agent, "approve", proposal)
    assert (shown.returncode, "fields.state" in shown.stderr) == (1, True), shown.stderr
    assert "`pnyx run` reviews what is under way again" in shown.stderr
    agent.start()
    agent.until(
        "a new record",
        lambda: (now := agent.case(proposal)).stage is Stage.HELD and now.record_root != held.record_root,
    )
    assert "its last record cannot be read here" in agent.output
    assert "a person has to look" not in agent.output
    assert pnyx(agent, "approve", proposal).returncode == 0
    agent.until_stage(proposal, Stage.DONE)
    assert len(agent.votes(proposal)) == 1
    assert [entry.kind for entry in agent.entries()] == [EntryKind.HOLD, EntryKind.HOLD, EntryKind.VOTE]


def test_who_rejected_it_need_not_say_so_again(make_agent: MakeAgent) -> None:
    agent = make_agent()
    assert pnyx(agent, "pause").returncode == 0
    agent.start()
    proposal = pay(agent)
    agent.until_detail(proposal, "all votes are held")
    assert pnyx(agent, "reject", proposal).returncode == 0
    agent.until_detail(proposal, "hold, rejected by ")
    agent.until("the step after", lambda: "a step waits and tries again" in agent.output)
    agent.kill()
    rejected = agent.case(proposal)
    assert rejected is not None
    make_older(agent, rejected, "state")
    assert pnyx(agent, "resume").returncode == 0
    agent.start()
    done = agent.until_stage(proposal, Stage.DONE)
    assert done.record_root != rejected.record_root
    assert agent.dossier(done).people.rejection is not None
    assert agent.votes(proposal) == []


def test_people_hear_that_nobody_can_read_who_rejected_it(make_agent: MakeAgent) -> None:
    agent = make_agent(mode="propose")
    agent.start()
    proposal = pay(agent)
    held = agent.until_stage(proposal, Stage.HELD)
    agent.kill()
    make_older(agent, held, "state", "people")
    agent.start()
    agent.until("the alert", lambda: "who rejected it has to say so again" in agent.output)
    agent.until(
        "a new record",
        lambda: (now := agent.case(proposal)).stage is Stage.HELD and now.record_root != held.record_root,
    )
