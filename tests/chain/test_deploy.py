"""The deployments that tests and the demo stand on are what they say."""

from __future__ import annotations

import pytest

from pnyx_contracts.errors import PnyxError, UsageError
from pnyx_contracts.types import ProposalState, Vote
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import TOKEN, artifact, deploy, deploy_gate, deploy_governance, encode_call


def word(node: Anvil, to: str, call: bytes) -> int:
    return int.from_bytes(node.rpc.call(to, call), "big")


def test_only_the_governor_rules_the_timelock(chain_node: Anvil):
    governance = deploy_governance(chain_node, timelock_delay_seconds=600, treasury_wei=5 * TOKEN)
    assert chain_node.rpc.balance(governance.timelock) == 5 * TOKEN
    for role in ("DEFAULT_ADMIN_ROLE()", "PROPOSER_ROLE()", "CANCELLER_ROLE()"):
        name = chain_node.rpc.call(governance.timelock, encode_call(role))
        mine = encode_call("hasRole(bytes32,address)", name, chain_node.accounts[0])
        governors = encode_call("hasRole(bytes32,address)", name, governance.governor)
        assert word(chain_node, governance.timelock, mine) == 0
        assert word(chain_node, governance.timelock, governors) == (role != "DEFAULT_ADMIN_ROLE()")


def test_a_gate_votes_with_the_power_that_it_was_given(chain_node: Anvil):
    signer = chain_node.accounts[3]
    governance = deploy_governance(chain_node, powers={chain_node.accounts[1]: 10})
    gate = deploy_gate(chain_node, signer=signer, governors=[governance.governor], config_hash=b"\x01" * 32)
    assert word(chain_node, gate.factory, encode_call("isGate(address)", gate.address)) == 1
    governance.give_power(gate.address, 90_000)

    proposal_id = governance.propose([governance.timelock], [0], [b""], "# Vote")
    governance.advance_to_active(proposal_id)
    signature = "vote(uint40,address,uint256,uint8,bytes32,bytes32,string)"
    data = encode_call(signature, 1, governance.governor, proposal_id, 1, b"\x02" * 32, b"\x03" * 32, "why")
    receipt = chain_node.send(gate.address, data, sender=signer)
    assert [log["address"].lower() for log in receipt["logs"]] == [gate.log.lower(), governance.governor.lower()]
    governance.vote(proposal_id, Vote.AGAINST, chain_node.accounts[1])
    tally = chain_node.rpc.read(governance.adapter.read_tally(governance.profile, proposal_id))
    assert tally == (10 * TOKEN, 90_000 * TOKEN, 0)
    governance.advance_to_closed(proposal_id)
    assert governance.state(proposal_id) is ProposalState.SUCCEEDED


def test_a_governor_that_is_gone_says_nothing_of_a_proposal(chain_node: Anvil):
    governance = deploy_governance(chain_node)
    chain_node.set_code(governance.governor, b"")
    with pytest.raises(PnyxError, match=r"in block \d+ has 0 logs, and the governor 0 bytes of code"):
        governance.propose([governance.timelock], [0], [b""], "# Vote")


def test_a_parameter_store_behind_its_proxy(chain_node: Anvil):
    implementation = deploy(chain_node, "ParameterStore")
    data = encode_call("initialize(address,uint256)", chain_node.accounts[0], 7)
    store = deploy(chain_node, "ParameterStoreProxy", implementation, data)
    assert word(chain_node, store, encode_call("parameter()")) == 7
    chain_node.send(store, encode_call("setParameter(uint256)", 8))
    assert word(chain_node, store, encode_call("parameter()")) == 8


def test_an_unknown_artifact_is_said():
    with pytest.raises(UsageError, match="Nothing"):
        artifact("Nothing")
