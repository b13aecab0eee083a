"""What agents look at around a proposal: read-only, typed, one small file each."""

from pnyx_tools.context.already_so import AlreadySoTool
from pnyx_tools.context.asset_prices import AssetPricesTool
from pnyx_tools.context.code_origin import CodeOriginTool
from pnyx_tools.context.destroyed_code import DestroyedCodeTool
from pnyx_tools.context.earlier_calls import EarlierCallsTool
from pnyx_tools.context.earlier_payments import EarlierPaymentsTool
from pnyx_tools.context.ens_names import EnsNamesTool
from pnyx_tools.context.first_coin import FirstCoinTool
from pnyx_tools.context.governor_code import GovernorCodeTool
from pnyx_tools.context.ground_rules import GroundRulesTool
from pnyx_tools.context.held_proposals import HeldProposalsTool, OwnLog
from pnyx_tools.context.history import SearchingTool
from pnyx_tools.context.initializers import InitializersTool
from pnyx_tools.context.inner_calls import InnerCallsTool
from pnyx_tools.context.live_proposals import LiveProposalsTool
from pnyx_tools.context.other_chains import OtherChainsTool
from pnyx_tools.context.payments_by_others import PaymentsByOthersTool
from pnyx_tools.context.power_receivers import PowerReceiversTool
from pnyx_tools.context.price_sources import PriceSourcesTool
from pnyx_tools.context.proposer_account import ProposerAccountTool, ProposerBeforeTool
from pnyx_tools.context.proposer_history import ProposerHistoryTool
from pnyx_tools.context.proposers_nearby import NearbyCoinsTool, ProposersNearbyTool
from pnyx_tools.context.protocol import ContextTool, ToolSkipped, run_tool
from pnyx_tools.context.scheduled_order import ScheduledOrderTool
from pnyx_tools.context.timelock_queue import TimelockQueueTool
from pnyx_tools.context.treasury_balances import TreasuryBalancesTool
from pnyx_tools.context.upgraded_functions import UpgradedFunctionsTool
from pnyx_tools.context.upgraded_values import UpgradedValuesTool
from pnyx_tools.context.voting_power import VotingPowerTool


def builtin_tools() -> tuple[ContextTool, ...]:
    """The tools that come with Pnyx, the same that the entry points of group ``pnyx.tools`` name."""
    return (
        ProposerHistoryTool(),
        VotingPowerTool(),
        TreasuryBalancesTool(),
        GroundRulesTool(),
        GovernorCodeTool(),
        TimelockQueueTool(),
        InitializersTool(),
        EarlierPaymentsTool(),
        PaymentsByOthersTool(),
        EarlierCallsTool(),
        AlreadySoTool(),
        EnsNamesTool(),
        LiveProposalsTool(),
        ScheduledOrderTool(),
        HeldProposalsTool(),
        DestroyedCodeTool(),
        CodeOriginTool(),
        ProposerAccountTool(),
        ProposerBeforeTool(),
        PowerReceiversTool(),
        FirstCoinTool(),
        ProposersNearbyTool(),
        NearbyCoinsTool(),
        UpgradedFunctionsTool(),
        UpgradedValuesTool(),
        InnerCallsTool(),
        OtherChainsTool(),
        PriceSourcesTool(),
        AssetPricesTool(),
    )


__all__ = [
    "AlreadySoTool",
    "AssetPricesTool",
    "CodeOriginTool",
    "ContextTool",
    "DestroyedCodeTool",
    "EarlierCallsTool",
    "EarlierPaymentsTool",
    "EnsNamesTool",
    "FirstCoinTool",
    "GovernorCodeTool",
    "GroundRulesTool",
    "HeldProposalsTool",
    "InitializersTool",
    "InnerCallsTool",
    "LiveProposalsTool",
    "NearbyCoinsTool",
    "OtherChainsTool",
    "OwnLog",
    "PaymentsByOthersTool",
    "PowerReceiversTool",
    "PriceSourcesTool",
    "ProposerAccountTool",
    "ProposerBeforeTool",
    "ProposerHistoryTool",
    "ProposersNearbyTool",
    "ScheduledOrderTool",
    "SearchingTool",
    "TimelockQueueTool",
    "ToolSkipped",
    "TreasuryBalancesTool",
    "UpgradedFunctionsTool",
    "UpgradedValuesTool",
    "VotingPowerTool",
    "builtin_tools",
    "run_tool",
]
