"""Is it a contract that gets power, or whoever has one key?"""

from __future__ import annotations

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decoded import made_here
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.context.power_receivers import MAX_RECEIVERS, PowerReceiver, PowerReceivers
from pnyx_policies.facts import Grade
from pnyx_policies.power_functions import PowerKind
from pnyx_policies.powers import shifts_of
from pnyx_tools.context.proposer_account import account_kind
from pnyx_tools.pinned import CodeOf, ask_ahead
from pnyx_tools.reader import ChainReader

_KINDS = frozenset({PowerKind.ROLE, PowerKind.OWNERSHIP, PowerKind.ADMIN, PowerKind.MODULE})


class PowerReceiversTool:
    """Asks for code only where the calls give power."""

    name = PowerReceivers.TOOL
    version = PowerReceivers.VERSION
    grade = Grade.RE_READ
    description = "Whether those whom the calls give power to are contracts, or accounts of a single key."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,  # noqa: ARG002 - the protocol's
        profile: GovernorProfile,  # noqa: ARG002 - the protocol's
        proposal: Proposal,
        block: BlockRef,
    ) -> PowerReceivers:
        at = to_hex(block.hash)
        shifts = shifts_of(made_here(decode_calls(proposal.calls, proposal.key.chain_id)))
        every = list(dict.fromkeys(s.receiver for s in shifts if s.receiver and s.kind in _KINDS))
        shown = every[:MAX_RECEIVERS]
        ask_ahead(reader, [CodeOf(account, at) for account in shown])
        return PowerReceivers(
            receivers=tuple(PowerReceiver(account=a, kind=account_kind(reader.code(a, at))) for a in shown),
            left_out=len(every) - len(shown),
        )
