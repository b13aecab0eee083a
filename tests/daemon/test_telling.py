"""A real agent, a real service: what people hear of a proposal whose title is an attack."""

from __future__ import annotations

from pnyx_tools.journal import Journal, Stage
from pnyx_tools.notify.ledger import Ledger
from pnyx_tools.testing.message_service import MessageService

from .conftest import Agent, MakeAgent, pnyx

TITLE = "# Pay <!channel> @everyone\u202e \u201d APPROVED by 0xAda [ok](https://evil.example)"


def hostile(agent: Agent) -> int:
    receiver = agent.node.accounts[7]
    text = f"{TITLE}\r\nTo do: nothing\n\nSends 0.1 ETH to {receiver}."
    proposal = agent.dao.propose([receiver], [10**17], [b""], text)
    agent.dao.advance_to_active(proposal)
    return proposal


def untold(agent: Agent) -> dict[str, int]:
    """Messages that wait, by place."""
    journal = Journal(f"sqlite:///{agent.folder / 'data' / 'journal.sqlite'}")
    try:
        return Ledger(journal.database).counts()
    finally:
        journal.close()


def test_people_hear_what_waits_for_them_and_what_became_of_it(make_agent: MakeAgent) -> None:
    with MessageService() as service:
        tables = f"""
[plugins.notifiers.webhook]
url = "http://{service.address}/"
[notifications]
digest_seconds = 0
page = "https://members.example/"
"""
        agent = make_agent(mode="propose", lines=tables)
        agent.start()
        proposal = hostile(agent)
        agent.until("the message", lambda: service.messages)
        (held,) = service.messages
        assert (held["urgency"], held["subject"], held["stage"]) == ("action", "hold", "held")
        assert (held["decision"], held["link"]) == ("against", "https://members.example/"), "something is hidden in it"
        assert held["deadline"].startswith("block ")
        assert held["to_do"] == f"pnyx approve {proposal}, or pnyx reject {proposal}"
        lines = held["text"].splitlines()
        shown = "\u201cPay \uff1c!channel\uff1e \uff20everyone ' APPROVED by 0xAda \uff3bok\uff3d(https(:)"
        assert lines[0].startswith(f"[pnyx action] hold: proposal {shown}")
        assert sum(line.startswith("To do:") for line in lines) == 1

        agent.until(
            "the note that it was told", lambda: not any(untold(agent).values())
        )  # a crash before tells it again
        agent.kill()
        agent.start()
        assert pnyx(agent, "approve", proposal).returncode == 0
        agent.until_stage(proposal, Stage.DONE)
        agent.until("the second message", lambda: len(service.messages) > 1)
        assert [(told["urgency"], told["subject"].partition(",")[0]) for told in service.messages] == [
            ("action", "hold"), ("info", "vote against"),
        ]  # fmt: skip
