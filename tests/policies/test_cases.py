"""Cases of rulesets: what a sketch stands for, saved records, and every mistake in a file."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

from pnyx_agents.rulecases.cases import run_cases
from pnyx_agents.rulecases.sketch import Sketch, draw
from pnyx_contracts.errors import UsageError
from pnyx_policies.bundle import Bundle
from pnyx_policies.checks import builtin_checks
from pnyx_policies.facts import SimulationStatus
from pnyx_policies.finding import Severity
from pnyx_policies.money import unexplained_effects
from pnyx_tools.testing.facts import TIMELOCK, address_of

ALICE, TOKEN = address_of("alice"), address_of("token")
VECTORS = json.loads(files("pnyx_contracts").joinpath("vectors/record.json").read_text())
BUNDLE = VECTORS["bundles"]["opens"][0]["text"]
DECISION = Bundle.parse(BUNDLE.encode()).dossier.decision

CASE = 'name = "one"\nexpect = "hold"\nby = "default"\n'
SIGNAL = CASE + 'text = "A signal."\n'
PAY = 'calls = [{ to = "token", call = "transfer(address,uint256)", with = ["alice", "30 ether"] }]\n'


def drawn(**words):
    return draw(Sketch.model_validate(words), builtin_checks())


def run(folder, text, name="cases.toml"):
    (folder / name).write_text(text)
    return run_cases(folder / name, builtin_checks())


def test_a_sketch_is_a_proposal_with_everything_that_checks_look_at():
    found = drawn(
        text="Pay {alice} 30 TOK for the website.",
        calls=[{"to": "token", "call": "transfer(address,uint256)", "with": ["alice", "30 ether"]}],
        treasury=[{"asset": "token", "balance": "10_000 ether", "symbol": "TOK"}],
        known=["alice"],
    )
    facts = found.facts
    assert facts.proposal.text == f"Pay {ALICE} 30 TOK for the website."
    assert facts.proposal.calls[0].target == TOKEN
    (movement,) = facts.simulation.movements
    assert (movement.sender, movement.recipient, movement.amount) == (TIMELOCK, ALICE, 30 * 10**18)
    assert unexplained_effects(facts) == 0
    assert facts.known_addresses == {ALICE: "alice"}
    assert {r.check for r in found.reports} == {c.name for c in builtin_checks()}


def test_large_amounts_are_exact():
    (call,) = drawn(calls=[{"to": "alice", "value": str(2**64 + 1)}]).facts.calls
    assert call.value_wei == 2**64 + 1


def test_a_case_can_set_what_checks_find_and_whether_they_run():
    found = drawn(findings=[{"check": "outflow", "severity": "high"}], skipped_checks=["allowance"])
    by_check = {r.check: r for r in found.reports}
    assert [f.severity for f in by_check["outflow"].findings] == [Severity.HIGH]
    assert by_check["allowance"].skipped


@pytest.mark.parametrize(("said", "status"), [("skipped", "SKIPPED"), ("reverted", "REVERTED")])
def test_a_simulation_that_saw_nothing(said, status):
    simulation = drawn(calls=[{"to": "alice", "value": 5}], simulation=said).facts.simulation
    assert (simulation.status, simulation.movements) == (SimulationStatus[status], ())


def test_a_saved_record_is_a_case_with_its_own_findings_and_opinions(tmp_path):
    (tmp_path / "record.json").write_text(BUNDLE)
    (tmp_path / "review.json").write_text(
        json.dumps(Bundle.parse(BUNDLE.encode()).dossier.model_dump(mode="json"), indent=2)
    )
    text = 'ruleset = "guardian"\n'
    for name in ("record", "review"):
        text += f'[[case]]\nname = "{name}"\nexpect = "hold"\nby = "x"\nrecord = "{name}.json"\n'
    record, review = run(tmp_path, text)
    assert record.explanation == review.explanation
    assert len(record.explanation.rules) == 5


def test_a_folder_has_cases_and_rulesets_side_by_side(tmp_path):
    rules = 'name = "mine"\nversion = "1"\nextends = "guardian"\n'
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "mine.toml").write_text(rules)
    (tmp_path / "a.toml").write_text(f'ruleset = "rules/mine.toml"\n[[case]]\n{SIGNAL}')
    (tmp_path / "b.toml").write_text(f'ruleset = "guardian"\n[[case]]\n{SIGNAL}')
    assert [(r.explanation.ruleset, r.passed) for r in run_cases(tmp_path, builtin_checks())] == [
        ("mine", True), ("guardian", True),
    ]  # fmt: skip


def test_the_right_outcome_by_another_rule_is_no_pass(tmp_path):
    text = 'ruleset = "guardian"\n[[case]]\n' + SIGNAL + 'simulation = "skipped"\n'
    (result,) = run(tmp_path, text)
    assert (result.explanation.outcome.value, result.explanation.decided_by) == ("hold", "not-simulated")
    assert not result.passed


MISTAKES = {
    "no toml": ("ruleset =", "cases.toml: this is no TOML"),
    "no ruleset": (f"[[case]]\n{CASE}", "cases.toml: ruleset: is missing"),
    "no case": ('ruleset = "guardian"\ncase = []', "cases.toml: case: "),
    "unknown key": (f'ruleset = "guardian"\n[[case]]\n{CASE}colour = 1', "case.0.colour: there is no such member"),
    "no such ruleset": (f'ruleset = "gardian"\n[[case]]\n{CASE}', "no ruleset 'gardian'"),
    "bad outcome": (f'ruleset = "guardian"\n[[case]]\n{CASE}'.replace("hold", "maybe"), "case.0.expect"),
    "same name": (f'ruleset = "guardian"\n[[case]]\n{CASE}[[case]]\n{CASE}', "two cases are called 'one'"),
    "bad address": (f'ruleset = "guardian"\n[[case]]\n{CASE}proposer = "0x12"', "case.0.proposer: expected a name"),
    "bad amount": (f'ruleset = "guardian"\n[[case]]\n{CASE}voting_power = "much"', "case.0.voting_power: expected"),
    "float": (f'ruleset = "guardian"\n[[case]]\n{CASE}voting_power = 1.5', "expected an amount like"),
    "arguments": (
        f'ruleset = "guardian"\n[[case]]\n{CASE}{PAY}'.replace(', "30 ether"', ""),
        "case 'one': transfer(address,uint256) takes 2 arguments, got 1",
    ),
    "argument of another kind": (
        f'ruleset = "guardian"\n[[case]]\n{CASE}{PAY}'.replace("30 ether", "many"),
        "case 'one': transfer(address,uint256) cannot be called so: expected an amount",
    ),
    "no signature": (
        f'ruleset = "guardian"\n[[case]]\n{CASE}{PAY}'.replace("uint256)", "uint256"),
        "case 'one': 'transfer(address,uint256' is no signature of a function",
    ),
    "another spelling": (
        f'ruleset = "guardian"\n[[case]]\n{CASE}{PAY}'.replace("uint256)", "uint)"),
        "case 'one': 'transfer(address,uint)' is no signature of a function",
    ),
    "unknown check": (
        f'ruleset = "guardian"\n[[case]]\n{CASE}skipped_checks = ["outflows"]',
        "case 'one': no check 'outflows' runs",
    ),
    "no such record": (f'ruleset = "guardian"\n[[case]]\n{CASE}record = "x.json"', "x.json cannot be read"),
    "a record and more": (
        f'ruleset = "guardian"\n[[case]]\n{CASE}record = "x.json"\ntext = "x"',
        "a case with a record says nothing more about the proposal; got 'text'",
    ),
    "a group that no rule names": (
        f'ruleset = "treasury"\n[addresses]\npayee = []\n[[case]]\n{CASE}',
        "did you mean 'payees'?",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_in_a_file_of_cases_are_told_with_their_place(tmp_path, mistake):
    text, complaint = MISTAKES[mistake]
    with pytest.raises(UsageError) as error:
        run(tmp_path, text)
    assert complaint in error.value.message
    assert str(tmp_path) in error.value.message


def test_a_folder_without_cases_is_told(tmp_path):
    with pytest.raises(UsageError, match="has no file of cases"):
        run_cases(tmp_path, builtin_checks())


@pytest.mark.parametrize(
    "content", ["no json", "[]", '{"format": "pnyx.bundle.v1"}', "{}", VECTORS["bundles"]["opens"][1]["text"]]
)
def test_files_that_hold_no_whole_review_are_told(tmp_path, content):
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(UsageError, match=r"x\.json is no"):
        run(tmp_path, f'ruleset = "guardian"\n[[case]]\n{CASE}record = "x.json"\n')
