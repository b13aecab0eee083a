"""A proposal as it is seen from another chain. Records come from strangers, so what they say of it may be anything."""

from __future__ import annotations

from typing import Any

import pytest

from pnyx_contracts.chains import ARBITRUM, OP_MAINNET
from pnyx_contracts.messages import alias
from pnyx_policies.analysis import View
from pnyx_policies.checks import CheckView, PrivilegeGrant, SimulationReverts, builtin_checks, run_checks
from pnyx_policies.context import FarRun, OtherChains
from pnyx_policies.elsewhere import at_home, far_runs, seen_elsewhere, unseen_as
from pnyx_policies.facts import CallResult, Change, Facts, Simulation, SimulationStatus
from pnyx_policies.factsheet import UNLIMITED, factsheet
from pnyx_policies.finding import Severity
from pnyx_policies.powers import friends
from pnyx_tools.testing.facts import GOVERNOR, TIMELOCK, address_of, call_of, facts_for, proposal_of, simulated

INBOX = "0x4Dbd4fc535Ac27206064B68FfCf827b0A60BAB3f"
TICKET = "createRetryableTicket(address,uint256,uint256,address,address,uint256,uint256,bytes)"
STORE, THIEF = address_of("store"), address_of("thief")
GRANT = call_of(STORE, "grantRole(bytes32,address)", bytes(32), THIEF)
SENDS = call_of(INBOX, TICKET, STORE, 0, 0, THIEF, THIEF, 1, 0, GRANT.calldata)
GRANTED = Change(kind="role-granted", contract=STORE, subject=THIEF, detail="role 0x00")


def facts(*runs: FarRun, **options: Any) -> Facts:
    proposal = proposal_of([SENDS], text="Tidy up what belongs to the DAO elsewhere, as it was discussed.")
    return facts_for(proposal, simulation=simulated(), context=(OtherChains(runs=runs),), **options)


def run(**values: Any) -> FarRun:
    simulation = Simulation(
        status=SimulationStatus.SUCCEEDED, executor=alias(TIMELOCK), method="eth_simulateV1",
        results=(CallResult(path="0.0", succeeded=True, gas_used=1),), changes=(GRANTED,),
    )  # fmt: skip
    usual = {"paths": ("0.0",), "chain_id": ARBITRUM, "block": facts().block, "simulation": simulation}
    return FarRun.model_validate(usual | values)


def test_what_a_call_says_and_the_simulation_shows_is_one_finding() -> None:
    """At home the call stands only where nobody saw what it does there."""
    seen = facts(run())
    (finding,) = PrivilegeGrant().run(CheckView(seen))
    assert finding.title == f"grantRole gives DEFAULT_ADMIN_ROLE over {STORE} to {THIEF} on chain 42161 (Arbitrum One)"
    assert [call.path for call in at_home(seen).every_call()] == ["0"]
    unseen = facts(FarRun(paths=("0.0",), chain_id=ARBITRUM, why_not="no endpoint"))
    (finding,) = PrivilegeGrant().run(CheckView(unseen))
    assert finding.title == f"grantRole gives DEFAULT_ADMIN_ROLE over {STORE} to {THIEF}"
    assert at_home(unseen) is unseen


def test_there_the_dao_is_its_alias() -> None:
    (place,) = seen_elsewhere(facts(run()))
    assert friends(place.facts) == {alias(TIMELOCK), alias(GOVERNOR)}
    assert place.facts.proposal.key.chain_id == ARBITRUM
    assert [(call.path, call.other_chain) for call in place.facts.every_call()] == [("0.0", False)]


def test_names_of_the_operator_hold_at_home() -> None:
    """Who made a contract at the same address there, the operator did not say."""
    friend = {"known_addresses": {THIEF: "the DAO's own Safe"}}
    (here,) = PrivilegeGrant().run(CheckView(facts(FarRun(paths=("0.0",), chain_id=ARBITRUM, why_not="-"), **friend)))
    (there,) = PrivilegeGrant().run(CheckView(facts(run(), **friend)))
    assert (here.severity, there.severity) == (Severity.HIGH, Severity.CRITICAL)


@pytest.mark.parametrize(
    "told",
    [
        (),
        (run(paths=("0",)),),
        (run(paths=("7.7",)),),
        (run(chain_id=OP_MAINNET),),
    ],
)
def test_a_result_that_is_not_about_the_messages_shows_nothing(told: tuple[FarRun, ...]) -> None:
    """It neither takes a call from those that are judged at home, nor makes a message seen."""
    (unknown,) = far_runs(facts(*told))
    assert (unknown.paths, unknown.why_not) == (("0.0",), "the context tool other_chains says nothing of it")
    assert list(seen_elsewhere(facts(*told))) == []
    assert len(PrivilegeGrant().run(CheckView(facts(*told)))) == 1
    (report,) = run_checks([SimulationReverts()], CheckView(facts(*told)))
    assert "call 0.0 was not simulated on another chain" in report.skipped


def test_what_another_judge_did_not_see_is_left_out_of_ones_own() -> None:
    blind, seeing = facts(FarRun(paths=("0.0",), chain_id=ARBITRUM, why_not="no endpoint")), facts(run())
    assert list(seen_elsewhere(unseen_as(blind, seeing))) == []
    assert far_runs(unseen_as(blind, seeing)) == far_runs(blind)
    assert unseen_as(seeing, seeing) == seeing


def test_every_check_takes_facts_of_another_chain() -> None:
    """None fails with an error: it would be skipped, and its findings at home with it."""
    reports = run_checks(builtin_checks(), CheckView(facts(run())))
    assert [report.check for report in reports if "failed with" in report.skipped] == []


@pytest.mark.parametrize("view", list(View))
def test_readers_are_shown_what_happens_there(view: View) -> None:
    """Not at which block: the same facts of another block need not be paid for twice."""
    seen = facts(run())
    shown = factsheet(seen, UNLIMITED, view=view)
    assert f"- chain 42161 (Arbitrum One), calls 0.0, called by {alias(TIMELOCK)}: succeeded" in shown
    assert f'  change "role-granted" at {STORE}: subject "{THIEF}"' in shown
    later = seen.block.model_copy(update={"number": 7, "hash": bytes(32)})
    assert factsheet(facts(run(block=later)), UNLIMITED, view=view) == shown
    unseen = facts(FarRun(paths=("0.0",), chain_id=ARBITRUM, why_not="no endpoint"))
    assert "chain 42161 (Arbitrum One), calls 0.0: NOT RUN, because" in factsheet(unseen, UNLIMITED, view=view)
    quiet = facts_for(proposal_of([call_of(THIEF, value_wei=1)], "Pay."), simulation=simulated())
    assert "other chains" not in factsheet(quiet, UNLIMITED, view=view)


@pytest.mark.parametrize(
    "values", [{"simulation": None}, {"why_not": "both"}, {"block": None}, {"chain_id": None}, {"paths": ()}]
)
def test_a_run_has_a_simulation_or_a_reason(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"run has|some chain|at least 1"):
        run(**values)
