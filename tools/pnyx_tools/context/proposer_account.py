"""What the chain tells about the account that proposes, now and before. Old states are for a tool of their own, as most
nodes forget them.
"""

from __future__ import annotations

from pnyx_contracts.addresses import delegate_of
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.context.proposer_account import AccountKind, Before, ProposerAccount, ProposerBefore
from pnyx_policies.facts import LONG_BEFORE_BLOCKS, Grade
from pnyx_tools.context.asking import require_state
from pnyx_tools.context.protocol import ToolSkipped
from pnyx_tools.reader import ChainReader
from pnyx_tools.wire import parse_address, parse_quantity


class ProposerAccountTool:
    """Contracts that propose, new accounts, and proposals inside another transaction show here."""

    name = ProposerAccount.TOOL
    version = ProposerAccount.VERSION
    grade = Grade.RE_READ
    description = "Whether a contract proposes, who sent the transaction, and how many that account had sent before."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,  # noqa: ARG002 - the protocol's
        profile: GovernorProfile,  # noqa: ARG002 - the protocol's
        proposal: Proposal,
        block: BlockRef,
    ) -> ProposerAccount:
        transaction = reader.transaction(proposal.created_transaction)
        if transaction is None:
            raise ToolSkipped(f"the node does not show the transaction {to_hex(proposal.created_transaction)}")
        called = transaction["to"]
        return ProposerAccount(
            proposer=proposal.proposer,
            kind=account_kind(reader.code(proposal.proposer, to_hex(block.hash))),
            sender=parse_address(transaction["from"]),
            sender_transactions=parse_quantity(transaction["nonce"]),
            called=None if called is None else parse_address(called),
        )


class ProposerBeforeTool:
    """Accounts that were made for this proposal show here."""

    name = ProposerBefore.TOOL
    version = ProposerBefore.VERSION
    grade = Grade.RE_READ
    description = "Coin, transactions and code of the proposing account a week before it proposed."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,  # noqa: ARG002 - the protocol's
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,  # noqa: ARG002 - the protocol's
    ) -> ProposerBefore:
        account, then = proposal.proposer, proposal.created_block - LONG_BEFORE_BLOCKS
        if then <= 0:
            return ProposerBefore(proposer=account, before=None)
        require_state(reader, profile.address, then)
        before = Before(
            block=then,
            coin_wei=reader.balance(account, then),
            transactions=reader.nonce(account, then),
            has_code=account_kind(reader.code(account, then)) is AccountKind.CONTRACT,
        )
        return ProposerBefore(proposer=account, before=before)


def account_kind(code: bytes) -> AccountKind:
    if not code:
        return AccountKind.KEY
    return AccountKind.CONTRACT if delegate_of(code) is None else AccountKind.DELEGATED
