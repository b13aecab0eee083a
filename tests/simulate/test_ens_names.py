"""ENS names on a real node: shown only when name and address lead to one another, and when nobody can misread them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pnyx_tools.context import EnsNamesTool
from pnyx_tools.context.ens_names import MAX_ADDRESSES, EnsNames, _node, _reverse_node
from pnyx_tools.testing.deploy import Governance, deploy, encode_call

ROOT = Path(__file__).resolve().parents[2]


class Names:
    """Registry and resolver in one, as the tool reads them."""

    def __init__(self, dao: Governance) -> None:
        self.dao = dao
        self.address = deploy(dao.node, "NameSystem")

    def claim(self, address: str, name: str, resolver: str | None = None) -> None:
        node = _reverse_node(address)
        self._send("setResolver(bytes32,address)", node, resolver or self.address)
        self._send("setName(bytes32,string)", node, name)

    def own(self, name: str, address: str) -> None:
        self._send("setResolver(bytes32,address)", _node(name), self.address)
        self._send("setAddr(bytes32,address)", _node(name), address)

    def look(self, *recipients: str) -> EnsNames:
        """What the tool finds for a proposal that pays them."""
        data = [encode_call("transfer(address,uint256)", recipient, 1) for recipient in recipients]
        token = self.dao.token
        number = self.dao.propose([token] * len(data), [0] * len(data), data, "pay")
        tool = EnsNamesTool({self.dao.node.rpc.chain_id(): self.address})
        node = self.dao.node.rpc
        return tool.run(node, self.dao.adapter, self.dao.profile, self.dao.proposals[number], node.block())

    def _send(self, signature: str, *arguments: object) -> None:
        self.dao.node.send(self.address, encode_call(signature, *arguments))


@pytest.fixture
def names(dao: Governance) -> Names:
    return Names(dao)


def test_a_name_that_leads_both_ways_is_shown(names: Names) -> None:
    alice, bob = names.dao.node.accounts[5:7]
    names.claim(alice, "alice.treasury-2.eth")
    names.own("alice.treasury-2.eth", alice)
    found = names.look(alice, bob)
    assert [(n.address, n.name) for n in found.names] == [(alice, "alice.treasury-2.eth")]
    assert (found.registry, found.not_believed, found.left_out) == (names.address, (), 0)


def test_a_name_that_somebody_else_owns_is_not_believed(names: Names) -> None:
    mallory, treasury, nobody = names.dao.node.accounts[5:8]
    names.claim(mallory, "treasury.eth")
    names.own("treasury.eth", treasury)
    names.claim(nobody, "free.eth")
    found = names.look(mallory, nobody)
    assert (found.names, found.not_believed) == ((), (mallory, nobody))


@pytest.mark.parametrize(
    "name",
    [
        "tre\u0430sury.eth",
        "treasury\u200b.eth",
        "Treasury.eth",
        "treasury.eth ",
        "treasury.eth\n",
        "xn--treasury-0l7c.eth",
        "treasury..eth",
        "-treasury.eth",
        "treasury",
        "a" * 300 + ".eth",
        "\u202eyrusaert.eth",
    ],
)
def test_a_name_that_people_could_misread_is_not_shown(names: Names, name: str) -> None:
    mallory = names.dao.node.accounts[5]
    names.claim(mallory, name)
    names.own(name, mallory)
    found = names.look(mallory)
    assert (found.names, found.not_believed) == ((), (mallory,))
    assert name not in found.model_dump_json()


def test_resolvers_that_answer_badly_are_no_records(names: Names) -> None:
    first, second, third = names.dao.node.accounts[5:8]
    names.claim(first, "a.eth", resolver=names.dao.node.accounts[9])  # no contract
    names.claim(second, "b.eth", resolver=names.dao.token)  # has name(), not name(bytes32)
    names.claim(third, "c.eth", resolver=names.dao.governor)
    assert names.look(first, second, third) == EnsNames(registry=names.address)


def test_so_many_addresses_are_looked_up(names: Names) -> None:
    crowd = [f"0x{number:040x}" for number in range(1, MAX_ADDRESSES + 2)]
    assert names.look(*crowd).left_out == 2  # the token that is called is one, too


def test_a_chain_without_ens_is_asked_nothing(dao: Governance) -> None:
    number = dao.propose([dao.node.accounts[5]], [1], [b""], "pay")
    block = dao.node.rpc.block()
    found = EnsNamesTool().run(dao.node.rpc, dao.adapter, dao.profile, dao.proposals[number], block)
    assert found == EnsNames(registry=None)


@pytest.mark.parametrize("name", ["eth", "alice.eth", "a.b.c-d.eth", "addr.reverse"])
def test_cast_hashes_names_alike(name: str) -> None:
    found = sorted((ROOT / "contracts" / "node_modules").glob("@foundry-rs/cast-*/bin/cast"))
    if not found:
        pytest.skip("needs contracts/node_modules (npm ci in contracts/)")
    printed = subprocess.run([found[0], "namehash", name], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == f"0x{_node(name).hex()}"
