"""Governors that are detected together: the same as one by one, in a fraction of the requests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pnyx_agents.assembly import govern
from pnyx_agents.settings import GovernorSettings, Settings, parse_settings
from pnyx_contracts.errors import PnyxError, UsageError
from pnyx_contracts.governors import builtin_adapters
from pnyx_contracts.selectors import selector_of
from pnyx_contracts.types import to_hex
from pnyx_tools.detect import detect
from pnyx_tools.reader import RpcError
from pnyx_tools.rpc import Rpc
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance, deploy_governance
from pnyx_tools.testing.provider import Provider, error

NOBODY = "0x00000000000000000000000000000000DeaDBeef"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    text = (
        'agent = { name = "a" }\nchain = { rpc = "http://127.0.0.1:1", chain_id = 31337 }\n'
        f'governor = [{{ address = "{NOBODY}", start_block = 0 }}]'
    )
    return parse_settings(text, tmp_path / "pnyx.toml")


@pytest.fixture(scope="module")
def several(governor_node: Anvil) -> list[Governance]:
    makes = [(4, "block", "Governor43Block"), (4, "timestamp", None), (5, "block", None), (5, "timestamp", None)]
    return [deploy_governance(governor_node, version, clock, contract=name) for version, clock, name in makes]


def named(addresses: Sequence[str]) -> list[GovernorSettings]:
    return [GovernorSettings(address=address, start_block=3) for address in addresses]


def test_they_are_what_they_are_one_by_one(several: list[Governance], settings: Settings):
    addresses = [each.governor for each in several]
    with Provider(several[0].node.url) as provider:
        found = govern(Rpc(provider.url), settings, named(addresses))
        together, provider.requests = provider.requests, 0
        one_by_one = {address: detect(Rpc(provider.url), address, builtin_adapters()) for address in addresses}
        assert together * 10 < provider.requests
    assert {address: each.profile for address, each in found.items()} == {a: p for a, (_, p) in one_by_one.items()}
    assert {each.start_block for each in found.values()} == {3}


@pytest.mark.parametrize("most_together", [1_000, 7, 0])
def test_whatever_batches_a_node_takes(several: list[Governance], settings: Settings, most_together: int):
    with Provider(several[0].node.url, most_together=most_together) as provider:
        found = govern(Rpc(provider.url), settings, named([each.governor for each in several]))
    assert [each.profile for each in found.values()] == [each.profile for each in several]


def test_the_first_that_is_none_is_told_as_it_is_one_by_one(several: list[Governance], settings: Settings):
    rpc, stranger = several[0].node.rpc, several[1].token
    for addresses in ([several[0].governor, NOBODY, stranger], [several[0].governor, stranger, NOBODY]):
        with pytest.raises(PnyxError) as alone:
            detect(rpc, addresses[1], builtin_adapters())
        with pytest.raises(type(alone.value)) as together:
            govern(rpc, settings, named(addresses))
        assert str(together.value) == str(alone.value)


def test_a_kind_that_nobody_has_is_told(settings: Settings):
    with pytest.raises(UsageError, match="no enabled adapter has the kind 'senate'"):
        govern(Rpc("http://127.0.0.1:1"), settings, [GovernorSettings(address=NOBODY, start_block=0, kind="senate")])


def test_an_answer_that_fails_is_asked_for_again_and_never_a_no(several: list[Governance], settings: Settings):
    broken, clock_mode = several[2].governor.lower(), to_hex(selector_of("CLOCK_MODE()"))
    failures = 0

    def rule(question):
        nonlocal failures
        asked = question["params"][0] if question["params"] else None
        if not isinstance(asked, dict) or (asked["to"].lower(), asked["data"]) != (broken, clock_mode) or not failures:
            return None
        failures -= 1
        return error(question, -32005, "too many requests")

    with Provider(several[0].node.url, rule) as provider:
        addresses = [each.governor for each in several]
        failures = 1
        found = govern(Rpc(provider.url, pauses=()), settings, named(addresses))
        assert found[several[2].governor].profile == several[2].profile
        failures = 100
        with pytest.raises(RpcError, match="too many requests"):
            govern(Rpc(provider.url, pauses=()), settings, named(addresses))
