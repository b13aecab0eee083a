"""The whole way of a vote that a Safe's owners cast, through a real daemon that is killed while they think."""

from __future__ import annotations

import json

from pnyx_contracts.entry import EntryKind
from pnyx_contracts.types import Vote, to_hex
from pnyx_tools.journal import Stage
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import TOKEN
from pnyx_tools.testing.safe import deploy_safe
from pnyx_tools.testing.safe_service import SafeService
from pnyx_tools.verifier import verify

from .conftest import MakeAgent, pay, pnyx


def test_the_owners_of_a_safe_cast_what_the_agent_decided(node: Anvil, make_agent: MakeAgent) -> None:
    safe = deploy_safe(node)
    with SafeService(node) as service:
        lines = f'[safe]\naddress = "{safe.address}"\nservice = "{service.url}"\nservice_key = "a-key-of-the-service"'
        agent = make_agent(mode="propose", gate=False, powerful=False, signer_lines=lines)
        service.delegates.add(agent.writer)
        agent.dao.give_power(safe.address, 10_000)
        theirs = safe.transaction(node.accounts[5], b"")
        service.waits(theirs)
        proposal = pay(agent)
        node.set_balance(agent.writer, 0)
        agent.start()
        agent.until_stage(proposal, Stage.VOTING)
        early = pnyx(agent, "safe", "show", str(proposal), "--json")
        assert (early.returncode, early.stdout, "is not announced" in early.stderr) == (1, "", True)
        node.set_balance(agent.writer, TOKEN)
        agent.until_stage(proposal, Stage.PROPOSED)
        agent.kill()
        said = len(agent.output)
        agent.start()
        agent.until("the agent goes on", lambda: "transaction 0x" in agent.output[said:])

        shown = pnyx(agent, "safe", "show", str(proposal))
        transaction = next(made for made in service.transactions.values() if made != theirs)
        assert to_hex(transaction.hash) in shown.stdout, shown.stderr
        file = json.loads(pnyx(agent, "safe", "show", str(proposal), "--json").stdout)
        assert [call["data"] for call in file["transactions"]] == [to_hex(transaction.data)]
        safe.execute(theirs)
        safe.execute(transaction, safe.owners[1:])
        case = agent.until_stage(proposal, Stage.DONE)
        late = pnyx(agent, "safe", "show", str(proposal), "--json")
        assert (late.returncode, late.stdout, "has voted on" in late.stderr) == (1, "", True)
        assert agent.stop() == 0

    assert service.posts == 1
    assert case.vote_transaction
    assert [entry.kind for entry in agent.entries()] == [EntryKind.VOTE]
    agent.writer, writer = safe.address, agent.writer
    assert [vote.vote for vote in agent.votes(proposal)] == [Vote.FOR]
    assert "waits for the owners of the Safe" in agent.output
    assert "a-key-of-the-service" not in agent.output
    report = verify(node.rpc, agent.log, writer, agent.folder / "evidence", upto="latest")
    assert report.ok, [str(verdict) for verdict in report.problems]
    assert report.writers[0].safe == safe.address
