"""What the built-in context tools find, as types: tools make them, checks read them by `CheckView.context`."""

from pnyx_policies.context.already_so import AlreadySo, So
from pnyx_policies.context.asset_prices import AssetPrice, AssetPrices
from pnyx_policies.context.code_origin import CodeOrigin, CodeOrigins, How, Made
from pnyx_policies.context.destroyed_code import DestroyedCode
from pnyx_policies.context.earlier_calls import EarlierCall, EarlierCalls
from pnyx_policies.context.earlier_payments import EarlierPayee, EarlierPayment, EarlierPayments
from pnyx_policies.context.ens_names import EnsName, EnsNames
from pnyx_policies.context.first_coin import FirstCoin
from pnyx_policies.context.governor_code import GovernorCode
from pnyx_policies.context.ground_rules import GroundRules, Role
from pnyx_policies.context.held_proposals import HeldProposal, HeldProposals
from pnyx_policies.context.initializers import Initializers, OpenInitializer
from pnyx_policies.context.inner_calls import CreatedContract, DelegatedCode, InnerCalls
from pnyx_policies.context.live_proposals import Afterwards, Effects, LiveProposal, LiveProposals, WaitingOperation
from pnyx_policies.context.other_chains import FarRun, OtherChains
from pnyx_policies.context.payments_by_others import OtherPayment, PaymentsByOthers
from pnyx_policies.context.power_receivers import PowerReceiver, PowerReceivers
from pnyx_policies.context.price_sources import PricePool, PriceSetter, PriceSource, PriceSources
from pnyx_policies.context.proposer_account import AccountKind, Before, ProposerAccount, ProposerBefore
from pnyx_policies.context.proposer_history import EarlierProposal, LookAlike, ProposerHistory
from pnyx_policies.context.proposers_nearby import NearbyCoins, NearbyProposer, ProposersNearby, SameGiver
from pnyx_policies.context.reading import Reading, full_reach, read_context, searched_from
from pnyx_policies.context.scheduled_order import OrderTried, ScheduledOrder
from pnyx_policies.context.timelock_queue import Operation, QueuedCall, TimelockQueue
from pnyx_policies.context.treasury_balances import AccountBalances, TreasuryBalances
from pnyx_policies.context.upgraded_functions import UpgradedFunctions, Upgrades
from pnyx_policies.context.upgraded_values import ChangedValue, UpgradedValues, ValuesOfUpgrades
from pnyx_policies.context.voting_power import Gain, LateVotes, Turnout, Voter, VotingPower

READINGS: tuple[type[Reading], ...] = (
    ProposerHistory, VotingPower, TreasuryBalances, GroundRules, GovernorCode, TimelockQueue, Initializers,
    EarlierPayments, PaymentsByOthers, EarlierCalls, AlreadySo, EnsNames, LiveProposals, ScheduledOrder,
    HeldProposals, DestroyedCode, CodeOrigins, ProposerAccount, ProposerBefore, PowerReceivers, FirstCoin,
    ProposersNearby, NearbyCoins, Upgrades, ValuesOfUpgrades, InnerCalls, OtherChains, PriceSources, AssetPrices,
)  # fmt: skip
"""All of them, in the order in which the tools run."""

__all__ = [
    "READINGS",
    "AccountBalances", "AccountKind", "Afterwards", "AlreadySo", "AssetPrice", "AssetPrices", "Before",
    "ChangedValue", "CodeOrigin", "CodeOrigins", "CreatedContract", "DelegatedCode", "DestroyedCode", "EarlierCall",
    "EarlierCalls", "EarlierPayee", "EarlierPayment", "EarlierPayments", "EarlierProposal", "Effects", "EnsName",
    "EnsNames", "FarRun", "FirstCoin", "Gain", "GovernorCode", "GroundRules", "HeldProposal", "HeldProposals",
    "How", "Initializers", "InnerCalls", "LateVotes", "LiveProposal", "LiveProposals", "LookAlike", "Made",
    "NearbyCoins", "NearbyProposer", "OpenInitializer", "Operation", "OrderTried", "OtherChains", "OtherPayment",
    "PaymentsByOthers", "PowerReceiver", "PowerReceivers", "PricePool", "PriceSetter", "PriceSource",
    "PriceSources", "ProposerAccount", "ProposerBefore", "ProposerHistory", "ProposersNearby", "QueuedCall",
    "Reading", "Role", "SameGiver", "ScheduledOrder", "So", "TimelockQueue", "TreasuryBalances", "Turnout",
    "UpgradedFunctions", "UpgradedValues", "Upgrades", "ValuesOfUpgrades", "Voter", "VotingPower",
    "WaitingOperation", "full_reach", "read_context", "searched_from",
]  # fmt: skip
