"""Checks: facts and opinions in, findings out. One small file per check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pnyx_contracts.errors import UsageError
from pnyx_policies.checks.after_the_fact import AfterTheFact
from pnyx_policies.checks.allowance import Allowance
from pnyx_policies.checks.capture import Capture
from pnyx_policies.checks.claimed_share import ClaimedShare
from pnyx_policies.checks.code_origin import CodeOriginCheck
from pnyx_policies.checks.code_upgrade import CodeUpgrade
from pnyx_policies.checks.combinators import all_of, any_of
from pnyx_policies.checks.decoys import Decoys
from pnyx_policies.checks.delegatecall import Delegatecall
from pnyx_policies.checks.duplicate_calls import DuplicateCalls
from pnyx_policies.checks.execution_order import ExecutionOrder
from pnyx_policies.checks.governance_act import GovernanceAct
from pnyx_policies.checks.governor_settings import GovernorSettings
from pnyx_policies.checks.held_flood import HeldFlood
from pnyx_policies.checks.hidden_characters import HiddenCharacters
from pnyx_policies.checks.injected_instructions import InjectedInstructions
from pnyx_policies.checks.inner_calls import InnerCallsCheck
from pnyx_policies.checks.live_power import LivePower
from pnyx_policies.checks.live_proposals import AmongOthers
from pnyx_policies.checks.lookalike_address import LookalikeAddress
from pnyx_policies.checks.new_market import NewMarket
from pnyx_policies.checks.others_money import OthersMoney
from pnyx_policies.checks.outflow import TreasuryOutflow
from pnyx_policies.checks.post_state import PostState
from pnyx_policies.checks.power_loss import PowerLoss
from pnyx_policies.checks.price_source import PriceSourceCheck
from pnyx_policies.checks.privilege_grant import PrivilegeGrant
from pnyx_policies.checks.proposer import Proposer
from pnyx_policies.checks.protocol import Check, CheckReport, CheckSkipped, CheckView
from pnyx_policies.checks.reinitialisation import Reinitialisation
from pnyx_policies.checks.self_dealing import SelfDealing
from pnyx_policies.checks.silent_outflow import SilentOutflow
from pnyx_policies.checks.simulation_reverts import SimulationReverts
from pnyx_policies.checks.swap import Swap
from pnyx_policies.checks.target_without_code import TargetWithoutCode
from pnyx_policies.checks.text_against_calls import TextAgainstCalls
from pnyx_policies.checks.timing import Timing
from pnyx_policies.checks.unknown_calldata import UnknownCalldata
from pnyx_policies.checks.unnamed_address import UnnamedAddress
from pnyx_policies.checks.upgraded_values import UpgradedValuesCheck
from pnyx_policies.checks.vote_buying import VoteBuying
from pnyx_policies.text import one_line

SKIP_BYTES = 400


def builtin_checks() -> tuple[Check, ...]:
    """The checks of Pnyx itself, by name. Installed they come through the entry-point group ``pnyx.checks``."""
    return (
        AfterTheFact(),
        Allowance(),
        Capture(),
        ClaimedShare(),
        CodeOriginCheck(),
        CodeUpgrade(),
        Decoys(),
        Delegatecall(),
        DuplicateCalls(),
        ExecutionOrder(),
        GovernanceAct(),
        GovernorSettings(),
        HeldFlood(),
        HiddenCharacters(),
        InjectedInstructions(),
        InnerCallsCheck(),
        LivePower(),
        AmongOthers(),
        LookalikeAddress(),
        NewMarket(),
        OthersMoney(),
        TreasuryOutflow(),
        PostState(),
        PowerLoss(),
        PriceSourceCheck(),
        PrivilegeGrant(),
        Proposer(),
        Reinitialisation(),
        SelfDealing(),
        SilentOutflow(),
        SimulationReverts(),
        Swap(),
        TargetWithoutCode(),
        TextAgainstCalls(),
        Timing(),
        UnknownCalldata(),
        UnnamedAddress(),
        UpgradedValuesCheck(),
        VoteBuying(),
    )


def run_checks(checks: Sequence[Check], view: CheckView) -> tuple[CheckReport, ...]:
    """One report per check, by name. A check that breaks is skipped and says so; none can be silent.

    Raises `UsageError` when two checks share a name: rules could not tell them apart.
    """
    twice = [name for name, count in Counter(c.name for c in checks).items() if count > 1]
    if twice:
        raise UsageError(f"two checks are called {twice[0]!r}", hint="take one of them out of the configuration")
    return tuple(_report(check, view) for check in sorted(checks, key=lambda c: c.name))


def _report(check: Check, view: CheckView) -> CheckReport:
    try:
        report = CheckReport(check=check.name, version=check.version, findings=tuple(check.run(view)))
    except CheckSkipped as reason:
        why = one_line(str(reason), SKIP_BYTES) or "no reason given"
        return CheckReport(check=check.name, version=check.version, skipped=why)
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything; its words may be an attacker's, its class is not
        why = f"the check failed with {type(error).__name__}"
        return CheckReport(check=check.name, version=check.version, skipped=why)
    if any(f.check != check.name for f in report.findings):
        why = "the check reported under another name"
        return CheckReport(check=check.name, version=check.version, skipped=why)
    return report


__all__ = [
    "AfterTheFact", "Allowance", "AmongOthers", "Capture", "Check", "CheckReport", "CheckSkipped", "CheckView",
    "ClaimedShare", "CodeOriginCheck", "CodeUpgrade", "Decoys", "Delegatecall", "DuplicateCalls", "ExecutionOrder",
    "GovernanceAct", "GovernorSettings", "HeldFlood", "HiddenCharacters", "InjectedInstructions", "InnerCallsCheck",
    "LivePower", "LookalikeAddress", "NewMarket", "OthersMoney", "PostState", "PowerLoss", "PriceSourceCheck",
    "PrivilegeGrant", "Proposer", "Reinitialisation", "SelfDealing", "SilentOutflow", "SimulationReverts", "Swap",
    "TargetWithoutCode", "TextAgainstCalls", "Timing", "TreasuryOutflow", "UnknownCalldata", "UnnamedAddress",
    "UpgradedValuesCheck", "VoteBuying", "all_of", "any_of", "builtin_checks", "run_checks",
]  # fmt: skip
