"""A plugin that is missing, broken or ill-fitting: one clear message at the start, never a surprise in a review."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from pnyx_contracts.errors import UsageError
from pnyx_policies.facts import Skipped
from pnyx_tools import plugins
from pnyx_tools.context import builtin_tools
from pnyx_tools.context.protocol import MAX_RESULT_BYTES, MAX_WHY_BYTES
from pnyx_tools.testing.deploy import Governance

from .conftest import Site, configuration, reviewed

CHECK = "class Check:\n    name = {name!r}\n    version = '1'\n    def run(self, view): {does}\n"
TOOL = (
    "import sys\nfrom pnyx_contracts.types import Value\nfrom pnyx_policies.facts import Grade\n"
    "class Result(Value):\n    x: object = None\n"
    "class Tool:\n    name = 'odd'\n    version = '1'\n    grade = Grade.ATTESTED\n    description = 'Odd.'\n"
    "    def run(self, reader, adapter, profile, proposal, block): {does}\n"
)


def create(site: Site, monkeypatch: pytest.MonkeyPatch, group: str, code: str) -> Any:
    """Makes the plugin ``odd`` of the package ``odd-package``."""
    package = f"odd-{abs(hash((group, code)))}"
    site.add(package, {group: {"odd": f"{package.replace('-', '_')}:Odd"}}, code)
    monkeypatch.syspath_prepend(site.folder)
    importlib.invalidate_caches()
    return plugins.find(group, "odd").create()


# At the start


@pytest.mark.parametrize(
    ("group", "code", "says"),
    [
        ("pnyx.checks", "raise RuntimeError('not today')", "cannot be loaded: RuntimeError: not today"),
        ("pnyx.checks", "import sys; sys.exit(3)", "cannot be loaded: SystemExit: 3"),
        ("pnyx.checks", "import a_module_that_nobody_has", "cannot be loaded: ModuleNotFoundError"),
        ("pnyx.checks", "", "cannot be loaded: AttributeError"),
        ("pnyx.checks", "class Odd:\n    def __init__(self, needs): ...", "cannot be loaded: TypeError"),
        ("pnyx.checks", "class Odd:\n    name = 'odd'\n    def run(self, view): ...", "Odd.version is missing"),
        ("pnyx.checks", "class Odd:\n    name = 'odd'\n    version = 1\n    run = print", "is 1, expected a str"),
        ("pnyx.checks", "class Odd:\n    name = 'odd'\n    version = ''\n    run = print", "Odd.version is ''"),
        ("pnyx.checks", "class Odd:\n    name = 'odd'\n    version = '1'\n    run = 7", "is 7, expected a Callable"),
        ("pnyx.checks", "class Odd:\n    name = 'outflow'\n    version = '1'\n    run = print", "itself 'outflow'"),
        ("pnyx.tools", "class Odd:\n    name = 'odd'\n    version = '1'\n    run = print", "Odd.grade is missing"),
        ("pnyx.notifiers", "class Odd: ...", "Odd.notify is missing"),
        ("pnyx.signers", "class Odd:\n    identity = print", "Odd.sign is missing"),
        ("pnyx.governors", "class Odd:\n    kind = 'odd'", "Odd.probe_calls is missing"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_or_does_not_fit(site, monkeypatch, group: str, code: str, says: str):
    with pytest.raises(UsageError) as error:
        create(site, monkeypatch, group, code)
    assert says in error.value.message
    assert f"'odd' of group {group} (package odd-" in error.value.message


def test_every_command_that_would_use_it_ends_with_one_message(site: Site, dao: Governance, tmp_path: Path):
    site.add("odd-package", {"pnyx.checks": {"odd": "odd_package:Check"}}, "1/0")
    config = configuration(dao, tmp_path, policy={"checks": {"odd": "1"}})
    for command in (["review", dao.governor, 1], ["run"]):
        ended = site.pnyx(*command, "-c", config)
        assert ended.returncode == 2
        assert "odd-package 0.1) cannot be loaded: ZeroDivisionError" in ended.stderr
        assert "Traceback" not in ended.stderr
    assert "odd-package 0.1" in site.pnyx("doctor", "-c", config).stdout.replace("\n", " ")


def test_an_unknown_name_gets_the_nearest(site: Site, dao: Governance, tmp_path: Path):
    site.add("odd-package", {"pnyx.checks": {"round-number": "odd_package:Check"}})
    ended = site.pnyx(
        "review", dao.governor, 1, "-c", configuration(dao, tmp_path, policy={"checks": {"round-numbre": "1"}})
    )
    assert ended.returncode == 2
    assert "did you mean 'round-number'?" in ended.stderr


@pytest.mark.parametrize("group", plugins.GROUPS)
def test_two_packages_with_one_name(site: Site, monkeypatch: pytest.MonkeyPatch, group: str):
    for package in ("one-package", "other-package"):
        site.add(package, {group: {"same": "nowhere:Nothing"}})
    monkeypatch.syspath_prepend(site.folder)
    with pytest.raises(UsageError, match=r"'same' in group .*: (one|other)-package and (one|other)-package"):
        plugins.find(group, "same")


def test_nobody_takes_the_name_of_one_of_ours(site: Site, monkeypatch: pytest.MonkeyPatch):
    site.add("thief", {"pnyx.checks": {"outflow": "thief:Check"}})
    monkeypatch.syspath_prepend(site.folder)
    with pytest.raises(UsageError, match=r"'outflow' in group pnyx.checks: .*thief"):
        plugins.enabled("pnyx.checks")


def test_another_version_than_the_declared_one_is_refused(site: Site, dao: Governance, tmp_path: Path):
    site.add("odd-package", {"pnyx.checks": {"odd": "odd_package:Check"}}, CHECK.format(name="odd", does="return ()"))
    config = configuration(dao, tmp_path, policy={"checks": {"odd": "2"}})
    ended = site.pnyx("review", dao.governor, 1, "-c", config)
    assert ended.returncode == 2
    assert "names version '2' of the check 'odd', installed is '1'" in ended.stderr


def test_a_governor_kind_that_is_not_enabled(site: Site, dao: Governance, tmp_path: Path):
    config = configuration(dao, tmp_path, governor={"kind": "parliament"})
    ended = site.pnyx("review", dao.governor, 1, "-c", config)
    assert (ended.returncode, "no enabled adapter has the kind 'parliament'" in ended.stderr) == (2, True)


def test_a_setting_that_a_plugin_does_not_have_is_named():
    with pytest.raises(UsageError, match="unexpected keyword argument 'ulr'") as raised:
        plugins.find("pnyx.notifiers", "webhook").create({"ulr": "https://example.org"})
    assert raised.value.hint == "check its settings in the configuration: ulr"


# In a review


@pytest.mark.parametrize(
    ("does", "skipped"),
    [
        ("raise ValueError('words of an attacker')", "the check failed with ValueError"),
        ("return None", "the check failed with TypeError"),
        ("return ('no finding',)", "the check failed with ValidationError"),
        ("yield 7", "the check failed with ValidationError"),
    ],
)
def test_a_check_that_breaks_is_skipped(site: Site, dao: Governance, tmp_path: Path, does: str, skipped: str):
    site.add("odd-package", {"pnyx.checks": {"odd": "odd_package:Check"}}, CHECK.format(name="odd", does=does))
    dossier = reviewed(site, dao, configuration(dao, tmp_path, policy={"checks": {"odd": "1"}}))
    (report,) = [r for r in dossier["checks"] if r["check"] == "odd"]
    assert (report["skipped"], report["findings"]) == (skipped, [])


@pytest.mark.parametrize(
    ("does", "why"),
    [
        ("raise ValueError('no')", "no"),
        ("raise KeyError()", "KeyError"),
        (r"raise ValueError('a\ud800\u202e\n' + 'x' * 9999)", "a? xxx"),
        ("return {'x': 1}", "model_dump"),
        ("return None", "model_dump"),
        ("return Result(x=sys)", "Unable to serialize"),
        ("return Result(x=0.5)", "no exact form"),
        ("return Result(x=2**60)", "beyond 2**53-1"),
        (r"return Result(x='\ud800')", "surrogate"),
        (f"return Result(x='x' * {MAX_RESULT_BYTES})", "go into a record"),
    ],
)
def test_a_tool_that_breaks_or_returns_what_no_record_can_hold_is_skipped(
    site: Site, dao: Governance, tmp_path: Path, does: str, why: str
):
    site.add("odd-package", {"pnyx.tools": {"odd": "odd_package:Tool"}}, TOOL.format(does=does))
    dossier = reviewed(site, dao, configuration(dao, tmp_path, plugins={"tools": {"odd": "1"}}))
    (skipped,) = [Skipped(**s) for s in dossier["state"]["skipped"] if s["step"] == "tool:odd"]
    assert why in skipped.why
    assert len(skipped.why.encode()) <= MAX_WHY_BYTES
    assert len(dossier["context"]) == len(builtin_tools()), "the others ran"
