"""Running checks: nothing is silent, the order is fixed, combinations fail closed."""

from __future__ import annotations

import random

import pytest

from pnyx_contracts.errors import UsageError
from pnyx_policies.checks import CheckSkipped, CheckView, all_of, any_of, builtin_checks, run_checks
from pnyx_policies.finding import Finding, Severity
from pnyx_tools.testing.facts import address_of, call_of, facts_for, proposal_of

VIEW = CheckView(facts_for(proposal_of([call_of(address_of("alice"), value_wei=1)], "Pay one wei to Alice.")))


class Stub:
    version = "1"

    def __init__(self, name, *, finds=(), raises=None, reports_as=None):
        self.name, self._finds, self._raises, self._as = name, finds, raises, reports_as or name

    def run(self, _view):
        if self._raises:
            raise self._raises
        return tuple(Finding(check=self._as, severity=s, title=f"{self.name} found it") for s in self._finds)


QUIET, LOUD = Stub("quiet"), Stub("loud", finds=(Severity.MEDIUM,))
SKIPPED = Stub("skipped", raises=CheckSkipped("no node"))


def test_reports_come_by_name_whatever_the_order_of_the_checks():
    checks = list(builtin_checks())
    expected = run_checks(checks, VIEW)
    random.Random(7).shuffle(checks)
    assert run_checks(checks, VIEW) == expected
    assert [r.check for r in expected] == sorted(c.name for c in checks)


def test_every_check_of_ours_has_a_stable_name_and_a_version():
    assert all(c.name == c.name.lower() and c.version for c in builtin_checks())
    assert [c.name for c in builtin_checks()] == sorted({c.name for c in builtin_checks()})


def test_a_skip_keeps_its_reason_and_a_crash_only_its_class():
    crashed = Stub("crashed", raises=ValueError("secret\u202e text of an attacker"))
    skipped, broken = run_checks([SKIPPED, crashed], VIEW)[::-1]
    assert (skipped.skipped, skipped.findings) == ("no node", ())
    assert broken.skipped == "the check failed with ValueError"


def test_a_skip_without_a_reason_is_still_a_skip():
    (report,) = run_checks([Stub("mute", raises=CheckSkipped(""))], VIEW)
    assert report.skipped


def test_a_check_cannot_speak_for_another():
    (report,) = run_checks([Stub("liar", finds=(Severity.INFO,), reports_as="outflow")], VIEW)
    assert (report.findings, report.skipped) == ((), "the check reported under another name")


def test_two_checks_with_one_name_are_refused():
    with pytest.raises(UsageError, match="two checks are called 'quiet'"):
        run_checks([QUIET, QUIET], VIEW)


@pytest.mark.parametrize("combine", [all_of, any_of])
def test_an_empty_combination_finds_something(combine):
    (found,) = combine("nothing").run(VIEW)
    assert found.severity is Severity.HIGH


def test_all_of_is_quiet_only_if_all_are():
    assert all_of("both", QUIET, Stub("quiet-too")).run(VIEW) == ()
    (found,) = all_of("both", QUIET, LOUD).run(VIEW)
    assert (found.check, found.title) == ("both", "loud found it")


def test_any_of_is_quiet_if_one_is():
    assert any_of("either", LOUD, QUIET).run(VIEW) == ()
    assert len(any_of("either", LOUD, LOUD).run(VIEW)) == 2


@pytest.mark.parametrize("combine", [all_of, any_of])
def test_a_skipped_member_is_never_a_pass(combine):
    with pytest.raises(CheckSkipped, match="skipped was skipped: no node"):
        combine("alone", SKIPPED).run(VIEW)
    found = combine("mixed", LOUD, SKIPPED).run(VIEW)
    assert [f.severity for f in found] == [Severity.MEDIUM, Severity.HIGH]


def test_a_skipped_member_spoils_all_of_and_not_any_of():
    with pytest.raises(CheckSkipped):
        all_of("both", QUIET, SKIPPED).run(VIEW)
    assert any_of("either", SKIPPED, QUIET).run(VIEW) == ()


def test_a_combination_is_a_check_and_its_version_follows_its_members():
    combined = all_of("both", QUIET, LOUD)
    assert combined.version == "all_of(quiet@1,loud@1)"
    assert run_checks([combined], VIEW)[0].check == "both"
