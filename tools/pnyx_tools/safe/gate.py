"""Acts of a gate's guardian or operator that is a Safe: looked at before its owners are asked to sign them."""

from __future__ import annotations

from pnyx_contracts.decision_log import read_gate_account
from pnyx_contracts.errors import UsageError
from pnyx_contracts.gate import GateAct
from pnyx_tools.reader import ChainReader, RevertedError
from pnyx_tools.safe.paper import Act


def gate_act(reader: ChainReader, safe: str, gate: str, act: GateAct, account: str | None) -> Act:
    """Raises `UsageError` when the Safe may not do it, or the gate would not take it now."""
    if act.takes_account != (account is not None):
        what = "the address of the signer, or of the governor" if act.takes_account else "no address"
        raise UsageError(f"{act.value} takes {what}")
    if act.by:
        _require_part(reader, safe, gate, act.by, act)
    data = act.encode(account)
    try:
        reader.call(gate, data, sender=safe)
    except RevertedError as error:
        raise UsageError(f"the gate {gate} would not take it now: {error.message}") from error
    return Act(f"{act.value} {account or ''}".strip() + f" at the gate {gate}", gate, data)


def _require_part(reader: ChainReader, safe: str, gate: str, part: str, act: GateAct) -> None:
    try:
        holder = reader.read(read_gate_account(gate, part))
    except RevertedError as error:
        raise UsageError(f"there is no gate at {gate}: {error.message}") from error
    if holder != safe:
        raise UsageError(f"{act.value} is for the {part} of the gate, which is {holder}, not the Safe {safe}")
