"""What the accounts that this proposal moves hold: executor, governor, and every account that makes an inner call."""

from __future__ import annotations

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decoded import made_here
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.context.treasury_balances import AccountBalances, TreasuryBalances
from pnyx_policies.facts import Grade, Holding
from pnyx_tools.holdings import called_tokens, native_holding, questions_of, token_holding
from pnyx_tools.pinned import ask_ahead
from pnyx_tools.reader import ChainReader

MAX_ACCOUNTS = 16
MAX_ASSETS = 32


class TreasuryBalancesTool:
    """Puts amounts into proportion, also for a Safe that the executor commands."""

    name = TreasuryBalances.TOOL
    version = TreasuryBalances.VERSION
    grade = Grade.RE_READ
    description = "Balances of the executor, the governor and the Safes in the calls, in the assets that are at stake."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,  # noqa: ARG002 - the protocol's
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> TreasuryBalances:
        calls = decode_calls(proposal.calls, proposal.key.chain_id)
        accounts = {profile.timelock or profile.address: "executor"}
        accounts.setdefault(profile.address, "governor")
        for call in made_here(calls):
            if call.caller is not None:
                accounts.setdefault(call.caller, "caller")
        named = [token for call in calls for token in called_tokens(call)]
        assets = list(dict.fromkeys([*([profile.token] if profile.token else []), *named]))
        looked_at = list(accounts.items())[:MAX_ACCOUNTS]
        holders = [account for account, _ in looked_at]
        ask_ahead(reader, questions_of(holders, assets[:MAX_ASSETS], to_hex(block.hash)))
        return TreasuryBalances(
            accounts=tuple(
                AccountBalances(
                    account=account, role=role, holdings=_holdings(reader, account, assets[:MAX_ASSETS], block)
                )
                for account, role in looked_at
            ),
            left_out=len(accounts) - len(looked_at) + max(0, len(assets) - MAX_ASSETS),
        )


def _holdings(reader: ChainReader, account: str, assets: list[str], block: BlockRef) -> tuple[Holding, ...]:
    at = to_hex(block.hash)
    holdings = [native_holding(reader, account, at)]
    for asset in assets:
        try:
            holdings.append(token_holding(reader, account, asset, at))
        except DecodingError:
            continue
    return tuple(holdings)
