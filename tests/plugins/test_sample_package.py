"""Plugins of another package: installed for real, found, enabled by name, used."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pnyx_agents import assembly, telling
from pnyx_agents.crier import Crier
from pnyx_agents.metrics import Metrics
from pnyx_agents.settings import load_settings
from pnyx_contracts.errors import UnknownEncodingError, UnreachableError
from pnyx_contracts.governors import builtin_adapters
from pnyx_contracts.types import Vote
from pnyx_policies.checks import builtin_checks
from pnyx_tools.context import builtin_tools
from pnyx_tools.journal import Journal
from pnyx_tools.notify import Message, Urgency
from pnyx_tools.notify.ledger import Ledger
from pnyx_tools.plugins import GROUPS, installed
from pnyx_tools.testing.deploy import Governance

from .conftest import Site, configuration, reviewed

SAMPLE = {
    ("pnyx.governors", "parliament"),
    ("pnyx.checks", "round-number"),
    ("pnyx.tools", "proposal_size"),
    ("pnyx.signers", "counting"),
    ("pnyx.notifiers", "file"),
}


@pytest.fixture
def beside_us(sample: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The sample, importable in this process for one test."""
    monkeypatch.syspath_prepend(sample.folder)
    yield
    for name in [m for m in sys.modules if m.partition(".")[0] == "pnyx_sample"]:
        del sys.modules[name]


# Found


def test_the_list_names_every_plugin_with_its_package(sample: Site):
    listed = json.loads(sample.pnyx("tools", "--json").stdout)
    theirs = {(row["group"], row["name"]) for row in listed if not row["own"]}
    assert theirs == SAMPLE
    assert {row["package"] for row in listed} == {"pnyx", "pnyx-sample"}
    assert "pnyx-sample 0.1.0" in sample.pnyx("tools").stdout


def test_our_own_parts_come_through_the_same_door():
    made = {
        "pnyx.governors": {adapter.kind: type(adapter) for adapter in builtin_adapters()},
        "pnyx.checks": {check.name: type(check) for check in builtin_checks()},
        "pnyx.tools": {tool.name: type(tool) for tool in builtin_tools()},
    }
    for group in GROUPS:
        own = {name: plugin.entry_point.load() for name, plugin in installed(group).items() if plugin.is_own}
        assert own, group
        assert own == made.get(group, own)


# Used


def test_installed_is_not_enabled(sample: Site, dao: Governance, tmp_path: Path):
    dossier = reviewed(sample, dao, configuration(dao, tmp_path))
    assert "round-number" not in {report["check"] for report in dossier["checks"]}
    assert "proposal_size" not in {result["tool"] for result in dossier["context"]}


def test_named_plugins_take_part_in_a_review(sample: Site, dao: Governance, tmp_path: Path):
    config = configuration(
        dao, tmp_path, policy={"checks": {"round-number": "1"}}, plugins={"tools": {"proposal_size": "1"}}
    )
    dossier = reviewed(sample, dao, config)
    (report,) = [r for r in dossier["checks"] if r["check"] == "round-number"]
    assert [(f["title"], f["calls"]) for f in report["findings"]] == [("1 calls send a whole number of coins", ["0"])]
    (result,) = [r for r in dossier["context"] if r["tool"] == "proposal_size"]
    assert result["grade"] == "derived"
    assert result["result"]["calls"] == 1


def test_a_rule_may_speak_of_a_plugin_check(sample: Site, dao: Governance, tmp_path: Path):
    (tmp_path / "rules.toml").write_text(
        'name = "t"\nversion = "1"\n[[rule]]\nid = "round"\nbecause = "Nobody counted."\n'
        'when = ["finding.round-number >= info"]\nthen = "abstain"\n'
    )
    policy = {"ruleset": "rules.toml", "checks": {"round-number": "1"}}
    assert reviewed(sample, dao, configuration(dao, tmp_path, policy=policy))["decision"]["outcome"] == "abstain"
    without = configuration(dao, tmp_path, policy={"ruleset": "rules.toml"})
    ended = sample.pnyx("review", dao.governor, 1, "-c", without)
    assert (ended.returncode, "round-number" in ended.stderr) == (2, True)


@pytest.mark.usefixtures("beside_us")
def test_a_dialect_is_recognised_once_it_is_named(dao: Governance, tmp_path: Path):
    parliament = "0x00000000000000000000000000000000ca75e500"
    answer = importlib.import_module("pnyx_sample.parliament").ANSWER
    # codecopy(0, 12, 96); return(0, 96): whatever it is asked, it says its name
    dao.node.request("anvil_setCode", parliament, "0x6060600c60003960606000f3" + answer.hex())
    governor = {"address": parliament}
    plain = load_settings(configuration(dao, tmp_path, governor=governor))
    with pytest.raises(UnknownEncodingError, match="known kinds: openzeppelin"):
        assembly.govern(dao.node.rpc, plain, plain.governor)
    named = load_settings(configuration(dao, tmp_path, governor=governor, plugins={"governors": ["parliament"]}))
    (governed,) = assembly.govern(dao.node.rpc, named, named.governor).values()
    assert governed.profile.kind == "parliament"
    with pytest.raises(UnknownEncodingError, match="only debates"):
        governed.adapter.encode_vote(governed.profile, 1, Vote.FOR, "")


@pytest.mark.usefixtures("beside_us")
def test_a_signer_gets_its_options(dao: Governance, tmp_path: Path):
    nowhere = tmp_path / "no.sock"
    table = {"kind": "counting", "options": {"path": nowhere, "most": 1}}
    signer = assembly.signer(load_settings(configuration(dao, tmp_path, signer=table)))
    assert type(signer).__name__ == "CountingSigner"
    with pytest.raises(UnreachableError, match=r"no\.sock"):
        signer.identity()


@pytest.mark.usefixtures("beside_us")
def test_a_notifier_receives_each_message_once_and_a_broken_one_stops_nobody(dao: Governance, tmp_path: Path):
    heard = tmp_path / "heard.txt"
    broken = {"url": "http://127.0.0.1:1/", "timeout_seconds": 0.5}
    table = {"notifiers": {"webhook": broken, "file": {"path": heard}}}
    settings = load_settings(configuration(dao, tmp_path, plugins=table, notifications={"digest_seconds": 0}))
    journal = Journal(f"sqlite:///{tmp_path / 'journal.sqlite'}")
    crier = Crier(Ledger(journal.database), telling.places(settings), Metrics(), "this process")
    for _ in range(2):
        crier.tell(Message(key="a", urgency=Urgency.ALERT, subject="look"))
        for place in crier.places:
            crier.deliver(place)
    journal.close()
    assert heard.read_text() == "alert: look\n"
