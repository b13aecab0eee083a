"""State proven against a block hash that the member gives: on a real node, and on nodes that lie about it."""

from __future__ import annotations

import pytest

from pnyx_contracts.keccak import keccak
from pnyx_contracts.types import to_hex
from pnyx_policies.verify import Status, Step
from pnyx_tools.reader import MethodMissingError
from pnyx_tools.testing.passing_on import PassingOn
from pnyx_tools.verifier import verify
from pnyx_tools.verifier.proof import ProofError, proven_state


class ProvingNode(PassingOn):
    """Changes the answers of one method."""

    def __init__(self, honest, method, change):
        super().__init__(honest)
        self._method, self._change = method, change

    def request(self, method, params):
        answer = self.honest.request(method, params)
        return self._change(answer) if method == self._method else answer


def check(world, node, trusted=None):
    block = trusted or world.node.rpc.block().hash
    told = []
    report = verify(node, world.log, evidence=world.folder, block_hash=block, on_verdict=told.append)
    return report, told


@pytest.fixture
def votes(world):
    agent = world.plain_key()
    for _ in range(2):
        agent.act(world.blocks, world.open_proposal())
    world.gate(key=world.node.accounts[2]).act(world.blocks, world.open_proposal())
    return agent


@pytest.mark.usefixtures("votes")
def test_an_honest_log_is_proven(world):
    report, told = check(world, world.node.rpc)
    assert report.ok, [str(v) for v in report.problems]
    proven = {v.step for v in told if "proven" in v.reason}
    assert proven == {Step.LOG_CODE, Step.ENTRIES, Step.WRITER}
    assert all(v.status is Status.MATCHES for v in told if "proven" in v.reason)


@pytest.mark.usefixtures("votes")
def test_the_check_reaches_to_the_trusted_block(world):
    before = world.node.rpc.block()
    world.node.mine(3)
    assert check(world, world.node.rpc, before.hash)[0].block == before


@pytest.mark.usefixtures("votes")
@pytest.mark.parametrize("field", ["stateRoot", "timestamp", "extraData", "requestsHash", "baseFeePerGas"])
def test_a_header_that_is_not_the_blocks(world, field):
    def lie(header):
        return header | {field: header[field][:-1] + ("1" if header[field][-1] != "1" else "2")}

    report, _ = check(world, ProvingNode(world.node.rpc, "eth_getBlockByHash", lie))
    assert [(v.step, v.where) for v in report.problems] == [(Step.LOG_CODE, "proof")]
    assert report.writers == []


def flipped(proof, place):
    data = bytearray.fromhex(proof[place][2:])
    data[-1] ^= 1
    return [*proof[:place], to_hex(bytes(data)), *proof[place + 1 :]]


LIES = {
    "account": lambda a: a | {"accountProof": flipped(a["accountProof"], -1)},
    "account root": lambda a: a | {"accountProof": flipped(a["accountProof"], 0)},
    "cut": lambda a: a | {"accountProof": a["accountProof"][:-1]},
    "longer": lambda a: a | {"accountProof": [*a["accountProof"], a["accountProof"][0]]},
    "none": lambda a: a | {"accountProof": []},
    "nonsense": lambda a: a | {"accountProof": ["0xc0"]},
    "no list": lambda _: {"accountProof": None},
    "nothing": lambda _: None,
}


@pytest.mark.usefixtures("votes")
@pytest.mark.parametrize("lie", LIES)
def test_a_proof_that_proves_nothing(world, lie):
    report, _ = check(world, ProvingNode(world.node.rpc, "eth_getProof", LIES[lie]))
    assert (Step.LOG_CODE, "proof") in {(v.step, v.where) for v in report.problems}
    assert not report.ok


@pytest.mark.usefixtures("votes")
def test_a_head_that_the_node_makes_up(world):
    """The node tells a state that fits the entries it shows, and cannot prove it."""

    def lie(answer):
        storage = [s | {"proof": flipped(s["proof"], -1)} for s in answer["storageProof"]]
        return answer | {"storageProof": storage}

    report, _ = check(world, ProvingNode(world.node.rpc, "eth_getProof", lie))
    assert {(v.step, v.where) for v in report.problems} == {(Step.ENTRIES, "proof")}


@pytest.mark.usefixtures("votes")
def test_an_older_state_that_a_node_tells(world, votes):
    """All of it from before the last entry, and consistent; only the trusted hash is of now."""
    stale = world.node.rpc.block()
    votes.act(world.blocks, world.open_proposal())

    class Stale(ProvingNode):
        def read(self, read, block="latest"):
            return self.honest.read(read, stale.number)

        def logs(self, first, last, *question):
            return self.honest.logs(first, min(last, stale.number), *question)

    report, _ = check(world, Stale(world.node.rpc, "", None))
    assert (Step.ENTRIES, "proof") in {(v.step, v.where) for v in report.problems}


@pytest.mark.usefixtures("votes")
def test_a_node_that_gives_no_proofs_proves_nothing(world):
    def refuse(_):
        raise MethodMissingError("eth_getProof is not offered")

    report, _ = check(world, ProvingNode(world.node.rpc, "eth_getProof", refuse))
    assert not report.ok
    assert [v.status for v in report.unproven] == [Status.NOT_PROVEN]


def test_an_account_that_is_not_there_is_proven_too(world):
    state = proven_state(world.node.rpc, world.node.rpc.block().hash)
    assert state.account("0x" + "77" * 20).code_hash == keccak(b"")
    slot = keccak(b"nothing")
    assert state.account(world.log, [slot]).words == {slot: bytes(32)}


def test_absence_cannot_be_made_up(world):
    """The proof of another account's absence says nothing about this one."""
    world.plain_key()
    elsewhere = world.node.rpc.request("eth_getProof", ["0x" + "77" * 20, [], "latest"])
    node = ProvingNode(world.node.rpc, "eth_getProof", lambda _: elsewhere)
    with pytest.raises(ProofError):
        proven_state(node, world.node.rpc.block().hash).account(world.log)
